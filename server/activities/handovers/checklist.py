"""What is still open at accounts that change hands: each room's open work is one line of `SOURCES`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.agenda.models import Activity
from server.activities.agenda.models import State as TaskState
from server.activities.models import Visit, VisitState
from server.demands.models import DemandState, VisitDemand
from server.kit import clock
from server.kit.settings import settings
from server.opportunities.models import Opportunity
from server.opportunities.models import State as DealState
from server.tickets.models import UNSOLVED, Ticket

SHOWN = 20


@dataclass(frozen=True)
class Item:
    """One thing that is open."""

    text: str
    account: str
    link: str
    day: date | None


@dataclass(frozen=True)
class Open:
    """All that is open of one kind."""

    label: str
    count: int
    items: Sequence[Item]
    """The first ones."""


def visits(session: Session, account_ids: Sequence[UUID]) -> Open:
    """Visits that are planned from today on."""
    today = clock.today(settings().zone)
    wanted = (
        Visit.account_id.in_(account_ids),
        Visit.state == VisitState.PLANNED,
        Visit.day >= today,
        Visit.deleted_at.is_(None),
    )
    statement = select(Visit.objective, Account.name, Account.id, Visit.day).join(
        Account, Account.id == Visit.account_id
    )
    rows = session.execute(statement.where(*wanted).order_by(Visit.day, Visit.id).limit(SHOWN))
    items = [Item(objective or "", name, f"/accounts/{key}", day) for objective, name, key, day in rows]
    return Open("Planned visits", session.scalar(select(func.count(Visit.id)).where(*wanted)) or 0, items)


def demands(session: Session, account_ids: Sequence[UUID]) -> Open:
    """Visits that somebody wants and nobody has made yet."""
    wanted = (
        VisitDemand.account_id.in_(account_ids),
        VisitDemand.state.in_((DemandState.OPEN, DemandState.PLANNED)),
        VisitDemand.deleted_at.is_(None),
    )
    statement = select(VisitDemand.sentence, Account.name, Account.id, VisitDemand.deadline).join(
        Account, Account.id == VisitDemand.account_id
    )
    order = (VisitDemand.deadline.nulls_last(), VisitDemand.id)
    rows = session.execute(statement.where(*wanted).order_by(*order).limit(SHOWN))
    items = [Item(sentence, name, f"/accounts/{key}", day) for sentence, name, key, day in rows]
    return Open("Wanted visits", session.scalar(select(func.count(VisitDemand.id)).where(*wanted)) or 0, items)


def deals(session: Session, account_ids: Sequence[UUID]) -> Open:
    """Deals that are neither won nor lost."""
    wanted = (
        Opportunity.account_id.in_(account_ids),
        Opportunity.state == DealState.OPEN,
        Opportunity.deleted_at.is_(None),
    )
    statement = select(Opportunity.name, Account.name, Opportunity.id).join(
        Account, Account.id == Opportunity.account_id
    )
    rows = session.execute(statement.where(*wanted).order_by(Opportunity.id).limit(SHOWN))
    items = [Item(name, account, f"/pipeline/deals/{key}", None) for name, account, key in rows]
    return Open("Open deals", session.scalar(select(func.count(Opportunity.id)).where(*wanted)) or 0, items)


def tickets(session: Session, account_ids: Sequence[UUID]) -> Open:
    """Tickets that are not solved."""
    wanted = (
        Ticket.account_id.in_(account_ids),
        Ticket.state.in_(UNSOLVED),
        Ticket.merged_into.is_(None),
        Ticket.deleted_at.is_(None),
    )
    statement = select(Ticket.subject, Account.name, Ticket.id).join(Account, Account.id == Ticket.account_id)
    rows = session.execute(statement.where(*wanted).order_by(Ticket.opened_at, Ticket.id).limit(SHOWN))
    items = [Item(subject, account, f"/tickets/{key}", None) for subject, account, key in rows]
    return Open("Open tickets", session.scalar(select(func.count(Ticket.id)).where(*wanted)) or 0, items)


def tasks(session: Session, account_ids: Sequence[UUID]) -> Open:
    """Tasks that somebody still has to do; private ones are their owner's alone."""
    wanted = (
        Activity.account_id.in_(account_ids),
        Activity.kind == "task",
        Activity.state == TaskState.OPEN,
        ~Activity.is_private,
        Activity.deleted_at.is_(None),
    )
    statement = select(Activity.subject, Account.name, Account.id, Activity.due_on).join(
        Account, Account.id == Activity.account_id
    )
    rows = session.execute(statement.where(*wanted).order_by(Activity.due_on.nulls_last(), Activity.id).limit(SHOWN))
    items = [Item(subject, account, f"/accounts/{key}", day) for subject, account, key, day in rows]
    return Open("Open tasks", session.scalar(select(func.count(Activity.id)).where(*wanted)) or 0, items)


SOURCES: tuple[Callable[[Session, Sequence[UUID]], Open], ...] = (visits, demands, tasks, deals, tickets)
"""Of what a new owner must know; a room with open work adds its line."""


def checklist(session: Session, account_ids: Sequence[UUID]) -> list[Open]:
    """Everything that is open at some accounts, counted and listed; what there is none of is left out."""
    return [found for source in SOURCES if (found := source(session, account_ids)).count]
