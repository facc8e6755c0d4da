"""What can be found, one line for each kind; its entries come from `search_of_<name>` in a migration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal, select, true, union_all

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import TeamMember
from server.auth.roles import Level
from server.contacts import queries as contacts
from server.contacts.models import ContactAccount
from server.leads import queries as leads
from server.leads.models import Lead
from server.opportunities import queries as opportunities
from server.opportunities.models import Opportunity
from server.orders import queries as orders
from server.orders.models import Order
from server.products import queries as products
from server.products.models import Product
from server.tickets import queries as tickets
from server.tickets.models import Ticket


@dataclass(frozen=True)
class Kind:
    """A kind of things that can be found."""

    name: str
    label: str
    permission: str
    path: str
    icon: str
    seen: Callable[[Scope, Any], ColumnElement[bool]]
    """Whether somebody without the right over all may see an entry, given by its columns; all they reach is gathered,
    for many entries.
    """
    one: Callable[[Scope, Any], ColumnElement[bool]]
    """The same for a few entries: each is asked by itself."""
    has_phones: bool = False
    """Whether its entries hold phone numbers."""
    asks_all: bool = False
    """Whether entries are asked for whoever sees all as well: their account may be deleted."""


def among(visible: Callable[[Scope], Any], key: Any) -> Callable[[Scope, Any], ColumnElement[bool]]:
    """An entry is seen by whoever sees its row in the room's own lists."""

    def seen(scope: Scope, entry: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = entry.row_id.in_(visible(scope).order_by(None).with_only_columns(key))
        return found

    return seen


def row_of(visible: Callable[..., Any], key: Any) -> Callable[[Scope, Any], ColumnElement[bool]]:
    """An entry is seen by whoever sees its row: each row is asked by itself."""

    def one(scope: Scope, entry: Any) -> ColumnElement[bool]:
        row = visible(scope, few=True).order_by(None).where(key == entry.row_id).with_only_columns(literal(1))
        there: ColumnElement[bool] = row.correlate(entry.row_id.table).offset(0).exists()
        return there

    return one


def hanging(visible: Callable[..., Any], key: Any, permission: str) -> Callable[[Scope, Any], ColumnElement[bool]]:
    """The same for what hangs on accounts: before their rows, what the entries say of account and owner is asked."""

    def seen(scope: Scope, entry: Any) -> ColumnElement[bool]:
        there = row_of(visible, key)(scope, entry)
        if scope.level(permission) >= Level.ALL:
            return there
        mates = select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids))
        near: ColumnElement[bool] = (entry.owner_id == scope.user_id) | entry.owner_id.in_(mates)
        return (near | accounts.reached_through(entry.account_id, scope, permission)) & there

    return seen


def of_reach(scope: Scope, entry: Any) -> ColumnElement[bool]:
    """An account is seen by whom it is in reach of: all of these ids are read once, however few the planner expects.

    As a join it would read them anew for each entry where it expects one that fits and finds hundreds.
    """
    found: ColumnElement[bool] = entry.row_id.in_(accounts.reached_ids(scope, "accounts:read")).is_(true())
    return found


def of_contacts(scope: Scope, entry: Any) -> ColumnElement[bool]:
    """A contact is seen by whoever sees one of their accounts, and by their owner."""
    there: ColumnElement[bool] = entry.row_id.in_(union_all(*contacts.at_reached(scope, "contacts:read")))
    own: ColumnElement[bool] = entry.owner_id == scope.user_id
    return own | there


def of_contact(scope: Scope, entry: Any) -> ColumnElement[bool]:
    """The same, asking the accounts of each."""
    place = select(literal(1)).where(
        ContactAccount.contact_id == entry.row_id,
        ContactAccount.deleted_at.is_(None),
        accounts.reached_one_by_one(ContactAccount.account_id, scope, "contacts:read"),
    )
    own: ColumnElement[bool] = entry.owner_id == scope.user_id
    return own | place.correlate(entry.row_id.table).exists()


KINDS = (
    Kind(
        "account", "Accounts", "accounts:read", "/accounts/{id}", "building-2",
        of_reach, row_of(accounts.visible_to, Account.id), has_phones=True,
    ),
    Kind(
        "contact", "Contacts", "contacts:read", "/contacts/{id}", "contact-round",
        of_contacts, of_contact, has_phones=True,
    ),
    Kind(
        "opportunity", "Deals", "opportunities:read", "/pipeline/deals/{id}", "square-kanban",
        hanging(opportunities.visible_to, Opportunity.id, "opportunities:read"),
        row_of(opportunities.visible_to, Opportunity.id),
        asks_all=True,
    ),
    Kind(
        "order", "Orders", "orders:read", "/orders/{id}", "receipt-text",
        hanging(orders.visible_to, Order.id, "orders:read"),
        row_of(orders.visible_to, Order.id),
    ),
    Kind(
        "ticket", "Tickets", "tickets:read", "/tickets/{id}", "life-buoy",
        hanging(tickets.visible_to, Ticket.id, "tickets:read"),
        row_of(tickets.visible_to, Ticket.id), has_phones=True,
    ),
    Kind(
        "lead", "Leads", "leads:read", "/leads/{id}", "magnet",
        among(leads.visible_to, Lead.id), among(leads.visible_to, Lead.id), has_phones=True,
    ),
    Kind(
        "product", "Products", "products:read", "/products/{id}", "package",
        among(products.visible_to, Product.id), among(products.visible_to, Product.id),
    ),
)  # fmt: skip
"""Of two that fit equally well the kind that stands first here comes first."""
