"""The rules of planned visits. What happened at one is taken down by `recording`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Site
from server.activities.facts import VisitExists, VisitReport, check_days, checked_zone
from server.activities.models import Appointment, Visit, VisitState
from server.activities.recording import main_site, record_visit, record_visits
from server.demands import service as demands
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7

__all__ = [
    "Moved",
    "PlannedVisit",
    "VisitExists",
    "VisitReport",
    "check_days",
    "checked_zone",
    "main_site",
    "move_visits",
    "plan_visit",
    "plan_visits",
    "put_back",
    "record_visit",
    "record_visits",
    "revive",
    "taken",
    "withdraw",
]


@dataclass(frozen=True)
class PlannedVisit:
    """A visit that is to take place."""

    account_id: UUID
    site_id: UUID
    rep_id: UUID
    day: date
    zone: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    appointment: Appointment | None = None
    objective: str | None = None
    meeting_id: UUID | None = None
    """Shared with the visits of the other reps who come."""


@dataclass(frozen=True)
class Moved:
    """A planned visit's time and rep in a new plan."""

    visit_id: UUID
    rep_id: UUID
    day: date
    starts_at: datetime
    ends_at: datetime


def plan_visit(session: Session, planned: PlannedVisit, *, visit_id: UUID | None = None) -> Visit:
    """Put a visit into the calendar. Refuses a site of another account and an end before the start."""
    return plan_visits(session, [planned], ids=[visit_id or uuid7()])[0]


def plan_visits(session: Session, wanted: Sequence[PlannedVisit], *, ids: Sequence[UUID] | None = None) -> list[Visit]:
    """Put visits into the calendar, all or none. Refuses the same as for one."""
    at = select(Site.id, Site.account_id).where(Site.id.in_({one.site_id for one in wanted}), Site.deleted_at.is_(None))
    account_of = {site_id: account_id for site_id, account_id in session.execute(at)}
    visits = []
    for visit_id, planned in zip(ids or [uuid7() for _ in wanted], wanted, strict=True):
        check_planned(planned, account_of.get(planned.site_id))
        visits.append(
            Visit(
                id=visit_id,
                account_id=planned.account_id,
                site_id=planned.site_id,
                rep_id=planned.rep_id,
                day=planned.day,
                zone=planned.zone,
                state=VisitState.PLANNED,
                appointment=planned.appointment,
                objective=planned.objective,
                planned_start_at=planned.starts_at,
                planned_end_at=planned.ends_at,
                meeting_id=planned.meeting_id,
            )
        )
    session.add_all(visits)
    session.flush()
    return visits


def check_planned(planned: PlannedVisit, site_account_id: UUID | None) -> None:
    """Refuse a visit that cannot be planned; the site's account is given."""
    check_days(planned.day, planned.starts_at, planned.ends_at)
    checked_zone(planned.zone)
    if site_account_id != planned.account_id:
        raise Invalid("The site does not belong to the account.", field="site_id")
    if planned.starts_at and planned.ends_at and planned.ends_at <= planned.starts_at:
        raise Invalid("The visit ends before it starts.", help="Swap the two times.", field="ends_at")
    if planned.appointment is Appointment.FIXED and planned.starts_at is None:
        raise Invalid("A fixed appointment needs its time.", field="starts_at")


def move_visits(session: Session, moved: Sequence[Moved]) -> None:
    """Give planned visits their times and reps in a new plan; those that have begun stay."""
    statement = select(Visit).where(Visit.id.in_([one.visit_id for one in moved]), Visit.deleted_at.is_(None))
    visits = {visit.id: visit for visit in session.scalars(statement.order_by(Visit.id).with_for_update())}
    for one in moved:
        if one.visit_id not in visits:
            raise NotFound("There is no such visit.")
        visit = visits[one.visit_id]
        if visit.state == VisitState.PLANNED:
            visit.rep_id, visit.day = one.rep_id, one.day
            visit.planned_start_at, visit.planned_end_at = one.starts_at, one.ends_at
    session.flush()


def put_back(
    session: Session, visit_id: UUID, *, rep_id: UUID, day: date, starts_at: datetime | None, ends_at: datetime | None
) -> bool:
    """Undo what a plan did to a planned visit, withdrawn or moved. What has begun meanwhile stays as it is."""
    visit = session.get(Visit, visit_id, with_for_update=True)
    if visit is None or visit.state != VisitState.PLANNED:
        return False
    visit.deleted_at, visit.rep_id, visit.day = None, rep_id, day
    visit.planned_start_at, visit.planned_end_at = starts_at, ends_at
    session.flush()
    return True


def taken(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these ids belong to visits that are in the calendar, have begun, or were promised."""
    withdrawn = Visit.deleted_at.is_not(None) & (Visit.state == VisitState.PLANNED) & Visit.appointment.is_(None)
    return set(session.scalars(select(Visit.id).where(Visit.id.in_(ids), ~withdrawn)))


def revive(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Put withdrawn visits back into the calendar, where people knew them before; returns which there were."""
    statement = select(Visit).where(Visit.id.in_(ids), Visit.deleted_at.is_not(None))
    visits = session.scalars(statement.order_by(Visit.id).with_for_update()).all()
    for visit in visits:
        visit.deleted_at = None
    session.flush()
    return {visit.id for visit in visits}


def withdraw(session: Session, visit_ids: Iterable[UUID]) -> int:
    """Take planned visits out of the calendar again; what has begun or was promised at a fixed time stays."""
    statement = select(Visit).where(
        Visit.id.in_(list(visit_ids)),
        Visit.state == VisitState.PLANNED,
        Visit.appointment.is_(None),
        Visit.deleted_at.is_(None),
    )
    visits = session.scalars(statement.with_for_update()).all()
    for visit in visits:
        visit.deleted_at = clock.now()
    session.flush()
    demands.not_visited(session, [visit.id for visit in visits])
    return len(visits)
