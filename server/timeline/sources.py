"""What a timeline is put together from: a room that has something to tell adds its line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from server.activities import happenings as activities
from server.activities.agenda import queries as agenda
from server.activities.handovers import queries as handovers
from server.activities.notes import queries as notes
from server.attachments import queries as attachments
from server.auth.access import Scope
from server.contacts import queries as contacts
from server.leads import queries as leads
from server.opportunities import queries as opportunities
from server.orders import queries as orders
from server.plans import happenings as plans
from server.tickets import queries as tickets
from server.timeline import edits


@dataclass(frozen=True)
class Source:
    """What one room tells of accounts."""

    happenings: Callable[[Scope, Select[Any]], Select[Any]]
    """Its `queries.happenings(scope, accounts)`, see `server.records.happenings`."""
    permission: str
    """Who may not do this at the account is told nothing of it."""
    kinds: frozenset[str]
    link: str = ""
    """Where a row is read; `{id}` is its id, and any text of `facts` can be named too."""
    body_is_internal: bool = False
    """Its body is ours alone, even where the thing itself may be shown to the customer."""
    internal_kinds: frozenset[str] = frozenset()
    """Kinds of which nothing is for the customer."""
    of: str = ""
    """The kind of record whose hidden fields are not among `facts`."""
    body_is: str = ""
    """The field of that record that the body tells."""


STAGES, LEADS, CONSENTS = frozenset({"stage"}), frozenset({"lead"}), frozenset({"consent"})
FILES = frozenset({"file"})

SOURCES: tuple[Source, ...] = (
    Source(activities.visits, "activities:read", frozenset({"visit"}), body_is_internal=True),
    Source(notes.happenings, "activities:read", frozenset({"note"})),
    Source(attachments.happenings, "activities:read", FILES, internal_kinds=FILES),
    Source(
        agenda.happenings,
        "activities:read",
        frozenset({"call", "mail", "meeting", "task"}),
        "/calendar/activities/{id}",
        body_is_internal=True,
        internal_kinds=frozenset({"task"}),
    ),
    Source(
        orders.happenings,
        "orders:read",
        frozenset({"order", "quote"}),
        "/orders/{id}",
        body_is_internal=True,
        of="order",
        body_is="note",
    ),
    Source(
        opportunities.happenings,
        "opportunities:read",
        STAGES,
        "/pipeline/deals/{id}",
        internal_kinds=STAGES,
        of="opportunity",
        body_is="reason",
    ),
    Source(leads.happenings, "leads:read", LEADS, "/leads/{id}", internal_kinds=LEADS, of="lead", body_is="message"),
    Source(handovers.happenings, "accounts:read", frozenset({"handover"}), "/handovers/{id}"),
    Source(tickets.happenings, "tickets:read", frozenset({"ticket"}), "/tickets/{id}"),
    Source(edits.of_accounts, "accounts:read", frozenset({"edit"})),
    Source(edits.of_sites, "accounts:read", frozenset({"edit"})),
    Source(contacts.happenings, "contacts:read", CONSENTS, "/contacts/{contact_id}", internal_kinds=CONSENTS),
    Source(plans.planned, "plans:read", frozenset({"plan"}), "/plans/{plan_id}"),
    Source(plans.taken_back, "plans:read", frozenset({"plan"}), "/plans/{plan_id}"),
    Source(plans.left_out, "plans:read", frozenset({"plan"}), "/plans/{plan_id}"),
)
"""In `facts` a source keeps under `inside`, or by the names below, what is not for the customer."""

INTERNAL_FACTS = ("inside", "outcome", "priority", "score", "signal", "sender", "source")
