"""Somebody who was switched off: what of theirs is still open, and telling those who give it to others."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, cast, func, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.agenda.models import Activity
from server.activities.agenda.models import State as TaskState
from server.activities.models import Visit, VisitState
from server.auth.access import leading
from server.auth.models import AuthEvent, User
from server.auth.queries import visible_users
from server.kit import clock
from server.kit.settings import settings
from server.leads.models import OPEN, Lead
from server.notifications import service as notifications
from server.notifications.kinds import About
from server.notifications.models import Notification
from server.opportunities.models import Opportunity
from server.opportunities.models import State as DealState
from server.territories.models import Territory
from server.territories.queries import of_member
from server.tickets.models import UNSOLVED, Ticket

DAYS = 7
"""So long after somebody left those are told who have not been told yet."""


@dataclass(frozen=True)
class LeftOpen:
    """What of somebody's is still open: numbers of rows."""

    accounts: int
    tasks: int
    deals: int
    tickets: int
    leads: int
    territories: Mapping[UUID, str]
    """Names of the territories that still count on them, by id."""
    stops: Mapping[date, int]
    """Planned visits by day, from today on."""

    @property
    def is_any(self) -> bool:
        """Whether anything is."""
        return any(getattr(self, one.name) for one in fields(self))


def left_open(session: Session, user_id: UUID) -> LeftOpen:
    """What of somebody's is still open."""

    def count(*wanted: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).where(*wanted)) or 0

    stops = select(Visit.day, func.count()).where(
        Visit.rep_id == user_id,
        Visit.state == VisitState.PLANNED,
        Visit.day >= clock.today(settings().zone),
        Visit.deleted_at.is_(None),
    )
    today = clock.today(settings().zone)
    worked = select(Territory.id, Territory.name).where(Territory.id.in_(of_member(user_id, today)))
    worked = worked.order_by(Territory.name, Territory.id)
    return LeftOpen(
        accounts=count(Account.owner_id == user_id, Account.deleted_at.is_(None), Account.merged_into.is_(None)),
        tasks=count(
            Activity.owner_id == user_id,
            Activity.kind == "task",
            Activity.state == TaskState.OPEN,
            ~Activity.is_private,
            Activity.deleted_at.is_(None),
        ),
        deals=count(
            Opportunity.owner_id == user_id, Opportunity.state == DealState.OPEN, Opportunity.deleted_at.is_(None)
        ),
        tickets=count(
            Ticket.assignee_id == user_id,
            Ticket.state.in_(UNSOLVED),
            Ticket.merged_into.is_(None),
            Ticket.deleted_at.is_(None),
        ),
        leads=open_leads(session, user_id),
        territories={key: name for key, name in session.execute(worked)},
        stops={day: n for day, n in session.execute(stops.group_by(Visit.day).order_by(Visit.day))},
    )


def open_leads(session: Session, user_id: UUID) -> int:
    """How many leads of somebody's somebody still has to work on."""
    wanted = (Lead.owner_id == user_id, Lead.state.in_(OPEN), Lead.deleted_at.is_(None), Lead.merged_into.is_(None))
    return session.scalar(select(func.count(Lead.id)).where(*wanted)) or 0


def tell(session: Session) -> None:
    """Tell the managers of whoever left in the last days with something open, once; whoever did it is not told."""
    told = select(Notification.id).where(
        Notification.kind == "leaver",
        Notification.row_id == User.id,
        Notification.made_at >= func.timezone(settings().zone, cast(User.left_on, DateTime)),
    )
    since = clock.today(settings().zone) - timedelta(days=DAYS)
    gone = session.scalars(select(User).where(User.left_on >= since, User.deleted_at.is_(None), ~told.exists()))
    for user in gone.all():
        found = left_open(session, user.id)
        if found.is_any:
            gaps = {
                "name": user.name, "accounts": found.accounts, "stops": sum(found.stops.values()),
                "tasks": found.tasks, "deals": found.deals, "tickets": found.tickets,
                "leads": found.leads, "territories": ", ".join(found.territories.values()) or "–",
            }  # fmt: skip
            about = About("user", user.id)
            notifications.notify(
                session, managers_of(session, user.id), "leaver", TOLD, f"/users/{user.id}#left", about,
                gaps=gaps, by=session.scalar(switched_by(user.id)),
            )  # fmt: skip


TOLD = (
    "{name} has left. Still open: accounts {accounts}, planned visits {stops}, tasks {tasks}, deals {deals},"
    " tickets {tickets}, leads {leads}, territories {territories}."
)


def switched_by(user_id: UUID) -> Select[UUID | None]:
    """Who switched somebody off."""
    switched = (
        AuthEvent.user_id == user_id,
        AuthEvent.kind == "user_changed",
        AuthEvent.details["f"].contains(["active"]),
    )
    return select(AuthEvent.actor).where(*switched).order_by(AuthEvent.at.desc()).limit(1)


def managers_of(session: Session, user_id: UUID) -> list[UUID]:
    """The managers and admins who may give somebody's accounts to others."""
    found = []
    for scope in leading(session, "accounts:assign"):
        people = visible_users(scope.user_id, scope.team_ids, scope.level("accounts:assign"))
        if scope.user_id != user_id and session.scalar(people.where(User.id == user_id).with_only_columns(User.id)):
            found.append(scope.user_id)
    return found
