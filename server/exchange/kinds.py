"""What can be imported: a room with a target adds its line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.accounts.importing import target as accounts
from server.activities.importing import target as activities
from server.auth.access import Scope
from server.auth.roles import Level
from server.contacts.importing import target as contacts
from server.imports.targets import Target
from server.kit.errors import NotFound
from server.leads.importing import target as leads
from server.opportunities.importing import target as deals
from server.orders.importing import target as orders
from server.products.importing import target as products
from server.tickets.importing import target as tickets


@dataclass(frozen=True)
class Kind:
    """One kind of record that files bring."""

    label: str
    icon: str
    permission: str
    """What whoever imports them needs; its level says whose imports they see."""
    object: str
    """As field rights call it."""
    target: Callable[[Session], Target]
    link: str | None
    """Where a record stands."""
    options: tuple[str, ...] = ()
    """What more the columns page asks for."""


KINDS: Mapping[str, Kind] = {
    "accounts": Kind(
        "Accounts", "building-2", "accounts:import", "account", accounts.target, "/accounts/{id}",
        ("country", "currency"),
    ),
    "contacts": Kind(
        "Contacts", "contact-round", "contacts:import", "contact", contacts.target, "/contacts/{id}", ("account",)
    ),
    "leads": Kind("Leads", "magnet", "leads:import", "lead", lambda session: leads.TARGET, "/leads/{id}"),
    "opportunities": Kind(
        "Deals", "handshake", "opportunities:import", "opportunity", deals.target, "/pipeline/deals/{id}", ("currency",)
    ),
    "orders": Kind(
        "Orders with lines", "receipt", "orders:import", "order", orders.target, None, ("currency",)
    ),
    "tickets": Kind("Tickets", "ticket", "tickets:import", "ticket", tickets.target, "/tickets/{id}"),
    "activities": Kind(
        "Calls, meetings, tasks", "calendar-check", "activities:import", "activity", activities.target,
        "/calendar/activities/{id}",
    ),
    "notes": Kind("Notes", "sticky-note", "activities:import", "note", activities.note_target, None),
    "products": Kind(
        "Products, prices, stock", "package", "products:write", "product", lambda session: products.TARGET,
        "/products/{id}", ("price_list",),
    ),
}  # fmt: skip
"""By the name under which runs are stored."""


def kind_of(scope: Scope, name: str) -> Kind:
    """A kind that somebody may import. Refuses others, and says what the person lacks."""
    kind = named(name)
    scope.need(kind.permission)
    return kind


def named(name: str) -> Kind:
    """The kind of this name. Refuses a name that is none."""
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound(f"“{name[:40]}” cannot be imported.", help="There are: " + ", ".join(KINDS) + ".", field="kind")
    return kind


def kinds_for(scope: Scope) -> dict[str, Kind]:
    """The kinds that somebody may import."""
    return {name: kind for name, kind in KINDS.items() if scope.may(kind.permission)}


def sees_all(scope: Scope, kind: Kind) -> bool:
    """Whether somebody sees the imports of others too."""
    return scope.level(kind.permission) >= Level.ALL
