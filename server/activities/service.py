"""The rules of visits. Pages, API and phones record a visit through the same `record_visit`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from geoalchemy2 import WKTElement
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import Fix
from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.accounts.pins import pin_of
from server.accounts.service import note_visit
from server.activities.answering import answer
from server.activities.checkin import Verdict, verify
from server.activities.healing import is_telling, look_again
from server.activities.models import Appointment, Outcome, Visit, VisitEvent, VisitState
from server.demands import service as demands
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.records.service import Actor
from server.webhooks import service as webhooks

PROGRESS = (VisitState.PLANNED, VisitState.EN_ROUTE, VisitState.CHECKED_IN, VisitState.DONE)
"""A visit goes this way; an event that arrives late never takes it back."""

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""A phone that lost its clock says 1970."""


class VisitExists(Conflict):
    """An event with this id says something else already."""

    code = "event_id_reuse"


@dataclass(frozen=True)
class VisitReport:
    """What somebody reports of a visit: one fact."""

    event_id: UUID
    """Made where it happened; the same id twice is the same fact."""
    visit_id: UUID
    """A planned visit, or a new id for one that nobody planned."""
    account_id: UUID
    rep_id: UUID
    state: VisitState
    day: date
    zone: str
    occurred_at: datetime
    site_id: UUID | None = None
    outcome: Outcome | None = None
    note: str | None = None
    fix: Fix | None = None
    flags: tuple[str, ...] = field(default_factory=tuple)
    """Odd things that the caller knows, e.g. `late_scope`."""
    visit_type_id: UUID | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    """To the form of the visit type, by the keys of its questions."""
    form_version_id: UUID | None = None
    """The form as it was shown; None: as it stands now."""
    signature: Mapping[str, Any] | None = None
    """Who signed, and the strokes of the pen; see `VisitEvent.signature`."""

    def with_form(self, type_id: UUID, version_id: UUID | None, answers: Mapping[str, Any]) -> "VisitReport":
        """The same report with answers to a form."""
        return replace(self, visit_type_id=type_id, form_version_id=version_id, answers=answers)

    def with_note(self, note: str | None, *, flag: str) -> "VisitReport":
        """The same report with another note and one more oddity."""
        return replace(self, note=note, flags=(*self.flags, flag))


def record_visit(session: Session, report: VisitReport, actor: Actor) -> Visit:
    """Take a fact about a visit down. Facts are always accepted; what is odd about them is flagged.

    Refuses only what cannot be a fact: an account that does not exist, a visit at another account, a moment before
    there were phones, an event id that said something else, or answers that its form does not take.
    """
    check_days(report.day, report.occurred_at)
    one_at_a_time(session, report.visit_id)
    known = session.get(VisitEvent, report.event_id)
    if known is not None:
        if known.visit_id != report.visit_id or known.state != report.state:
            raise VisitExists("This event was recorded before with another content.")
        return session.get_one(Visit, report.visit_id)
    visit = session.get(Visit, report.visit_id, with_for_update=True)
    if visit is None:
        visit = unplanned_visit(session, report)
    elif accounts.surviving(session, visit.account_id) != accounts.surviving(session, report.account_id):
        raise Invalid("The visit belongs to another account.", help="Report it there.", field="visit_id")
    verdict = judge(session, visit, report)
    flags = sorted({*report.flags, *oddities(visit, report)})
    event = VisitEvent(
        id=report.event_id,
        visit_id=visit.id,
        state=report.state,
        outcome=report.outcome,
        note=report.note,
        occurred_at=report.occurred_at,
        recorded_by=actor.user_id,
        device_id=actor.device_id,
        source=actor.source,
        flags=flags,
        signature=None if report.signature is None else dict(report.signature),
    )
    if verdict is not None and report.fix is not None:
        event.checkin = WKTElement(f"POINT({report.fix.point.lon} {report.fix.point.lat})", srid=4326)
        event.accuracy_m, event.mock = report.fix.accuracy_m, report.fix.mock
    if verdict is not None:
        event.distance_m, event.verification = verdict.distance_m, verdict.verification
    session.add(event)
    session.flush()
    apply_event(visit, event)
    session.flush()
    if report.visit_type_id is not None:
        answer(session, visit, report.visit_type_id, report.answers, report.state, report.form_version_id)
    settle_demand(session, visit)
    if visit.site_id is not None and is_telling(report.fix):
        look_again(session, visit.site_id)
    webhooks.announce(session, "visit", str(visit.id), str(event.id))
    return visit


def settle_demand(session: Session, visit: Visit) -> None:
    """A visit that took place serves what was wanted there; one that did not leaves it open."""
    if visit.state == VisitState.DONE:
        note_visit(session, visit.account_id, visit.day)
        demands.visited(
            session,
            visit_id=visit.id,
            account_id=visit.account_id,
            site_id=accounts.standing_site(session, visit.site_id) if visit.site_id else None,
            rep_id=visit.rep_id,
            day=visit.day,
        )
    elif visit.state in (VisitState.MISSED, VisitState.CANCELLED):
        demands.not_visited(session, [visit.id])


def one_at_a_time(session: Session, visit_id: UUID) -> None:
    """Wait until nobody else reports this visit: a report sent twice at once is one fact."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"visit:{visit_id}"))))


def check_days(*moments: date | None) -> None:
    """Refuse days that no calendar holds: one of them would make every list that shows it fail."""
    for moment in moments:
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise Invalid(
                f"A visit cannot be in the year {moment.year}.",
                help=f"Years go from {FIRST_YEAR} to {LAST_YEAR}; check the clock of the phone.",
                field="day",
            )


def unplanned_visit(session: Session, report: VisitReport) -> Visit:
    """The visit that a report is about when nobody planned it; at the account that its own was merged into."""
    account = session.get(Account, accounts.surviving(session, report.account_id))
    if account is None:
        raise NotFound("There is no such account.", field="account_id")
    site = session.get(Site, report.site_id) if report.site_id else None
    if site is not None and accounts.surviving(session, site.account_id) != account.id:
        raise Invalid("The site belongs to another account.", field="site_id")
    if site is None:
        site = main_site(session, account.id)
    visit = Visit(
        id=report.visit_id,
        account_id=account.id,
        site_id=site.id if site else None,
        rep_id=report.rep_id,
        day=report.day,
        zone=checked_zone(report.zone),
        state=VisitState.PLANNED,
        flags=["unplanned"],
    )
    session.add(visit)
    session.flush()
    return visit


def main_site(session: Session, account_id: UUID) -> Site | None:
    """Where an account is visited when nobody says otherwise."""
    statement = select(Site).where(Site.account_id == account_id, Site.deleted_at.is_(None))
    return session.scalars(statement.order_by(Site.is_main.desc(), Site.id).limit(1)).one_or_none()


def judge(session: Session, visit: Visit, report: VisitReport) -> Verdict | None:
    """Whether the rep was there; only check-ins and finished visits are judged."""
    if report.state not in (VisitState.CHECKED_IN, VisitState.DONE):
        return None
    if report.state is VisitState.DONE and report.fix is None:
        return None if visit.verification else verify(None, None, None)
    site = session.get(Site, visit.site_id) if visit.site_id else None
    return verify(report.fix, pin_of(site) if site else None, site.uncertainty_m if site else None)


def oddities(visit: Visit, report: VisitReport) -> Iterable[str]:
    """What is strange about a report, for a manager to look at."""
    if visit.rep_id != report.rep_id:
        yield "other_rep"
    if visit.account_id != report.account_id:
        yield "other_account"
    if report.state is VisitState.DONE and visit.state == VisitState.DONE:
        yield "second_done"
    elif report.state is VisitState.DONE and visit.state in (VisitState.MISSED, VisitState.CANCELLED):
        yield f"done_after_{visit.state}"
    elif report.state in (VisitState.MISSED, VisitState.CANCELLED) and visit.state == VisitState.DONE:
        yield f"{report.state}_after_done"
    if report.day != visit.day:
        yield "other_day"


def apply_event(visit: Visit, event: VisitEvent) -> None:
    """Move the visit on. The first finished report counts; later ones are kept as facts and flagged."""
    visit.flags = sorted({*visit.flags, *event.flags})
    if event.verification and (visit.verification is None or visit.verification == "unverifiable"):
        visit.checkin, visit.accuracy_m = event.checkin, event.accuracy_m
        visit.distance_m, visit.verification = event.distance_m, event.verification
    if event.state == VisitState.CHECKED_IN and visit.checked_in_at is None:
        visit.checked_in_at = event.occurred_at
    if visit.state == VisitState.DONE:
        return
    if event.state in (VisitState.DONE, VisitState.MISSED, VisitState.CANCELLED):
        visit.outcome, visit.note = event.outcome, event.note
        visit.state = event.state
        visit.done_at = event.occurred_at if event.state == VisitState.DONE else None
    elif visit.state in PROGRESS and PROGRESS.index(VisitState(event.state)) > PROGRESS.index(VisitState(visit.state)):
        visit.state = event.state


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


def checked_zone(zone: str) -> str:
    """The time zone; refuses names that IANA does not know."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid(f"There is no time zone “{zone}”.", help="Use a name such as Europe/Zurich.") from error
    return zone
