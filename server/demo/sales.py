"""The two years of the sales core: people, deals, notes, leads, trade, calls and tickets, each when it is missing."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.contacts.models import Contact
from server.demo import contacts, deals, doings, leads, offers, orders, steps, story, tickets
from server.demo.processes import Api
from server.kit.database import transaction

type Part = Callable[[Session, UUID], int]

SEGMENTS = (
    ("account", "A customers, overdue", "class = A and overdue > 0"),
    ("account", "Nobody was there for 60 days", "status = customer and not visited since 60 days"),
    ("account", "Open tickets", "open_tickets.count() > 0"),
    ("lead", "Hot leads", "score >= 60 and state in (new, working, qualified)"),
    ("opportunity", "Large open deals", "state = open and amount > 10000"),
    ("ticket", "Late tickets", "open = true and overdue = true"),
)
"""Kind, name and filter of what the manager shares with everybody."""


def people(session: Session, region_id: UUID) -> int:
    """The people of the customers, when there are none yet."""
    del region_id
    return 0 if session.scalar(select(Contact.id).limit(1)) else contacts.people(session)


def trade(session: Session, region_id: UUID) -> int:
    """Quotes and orders; gives how many rows."""
    del region_id
    return sum(orders.fill(session, steps.today()).values())


PARTS: dict[str, Part] = {
    "contacts": people,
    "deals": lambda session, _: deals.past_deals(session, steps.today()),
    "notes": lambda session, _: story.two_years(session, steps.today()),
    "leads": lambda session, region_id: leads.make(session, region_id, steps.today()),
    "quotes and orders": trade,
    "offers of deals": lambda session, _: offers.fill(session, steps.today()),
    "calls, meetings, tasks and mails": lambda session, _: doings.make(session, steps.today()),
    "tickets": lambda session, _: tickets.make(session, steps.today()),
}
"""What is made, by its name, in this order: later parts rest on earlier ones."""


def two_years(region_id: UUID, tell: Callable[[str], None]) -> dict[str, int]:
    """Make every part that is missing, each in a transaction of its own; gives how many rows each has made."""
    made = {}
    for name, part in PARTS.items():
        tell(f"two years of {name}")
        with transaction() as session:
            made[name] = part(session, region_id)
    return made


def segments(api: Api) -> int:
    """Segments that everybody sees; gives how many, none when there are some already."""
    if api.get("/api/v1/segments")["items"]:
        return 0
    for subject, name, filter in SEGMENTS:
        api.post("/api/v1/segments", {"subject": subject, "name": name, "filter": filter, "sharing": "all"})
    return len(SEGMENTS)
