"""Visits from the office: recording one, promising one."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.accounts.routes import read
from server.activities import service
from server.activities.models import Appointment, Outcome, VisitState
from server.activities.routes import need_rep, zone_of
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.ids import uuid7
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/accounts/{account_id}", include_in_schema=False)

WriteActivities = Annotated[Scope, requires("activities:write")]


def moment(day: date, at: str, zone: str) -> datetime:
    """A day and a time of the form as a moment."""
    try:
        return datetime.combine(day, time.fromisoformat(at), ZoneInfo(zone))
    except ValueError as error:
        raise Invalid(f"“{at}” is not a time.", help="Write it like 10:40.", field="at") from error


def refused(request: Request, scope: Scope, session: Session, account_id: UUID, error: WaymarkError) -> Response:
    """What was refused, on a page of its own with the way back."""
    account = read(session, scope, account_id)
    return render(request, "accounts/refused.html", scope, status=int(error.status), account=account, error=error)


@router.post("/visits")
def record(
    request: Request,
    account_id: UUID,
    scope: WriteActivities,
    session: Db,
    day: Annotated[date, Form()],
    at: Annotated[str, Form()],
    state: Annotated[VisitState, Form()] = VisitState.DONE,
    outcome: Annotated[str, Form()] = "",
    note: Annotated[str, Form(max_length=10_000)] = "",
    visit_id: Annotated[str, Form()] = "",
    event_id: Annotated[str, Form()] = "",
) -> Response:
    """Take down what happened at a visit, planned or not; the same form sent twice is one fact."""
    account = read(session, scope, account_id)
    zone = zone_of(session, scope.user_id)
    try:
        with attempt(session):
            occurred = moment(day, at, zone)
            if occurred > clock.now() + timedelta(minutes=5):
                raise Invalid("The visit lies in the future.", help="Plan an appointment instead.", field="day")
            fact = UUID(event_id) if event_id else uuid7()
            report = service.VisitReport(
                event_id=fact,
                visit_id=UUID(visit_id) if visit_id else fact,
                account_id=account.id,
                rep_id=scope.user_id,
                state=state,
                day=day,
                zone=zone,
                occurred_at=occurred,
                outcome=Outcome(outcome) if outcome else None,
                note=note.strip() or None,
            )
            service.record_visit(session, report, scope.actor)
    except (WaymarkError, ValueError) as error:
        shown = error if isinstance(error, WaymarkError) else Invalid("The form is not one of ours.")
        return refused(request, scope, session, account_id, shown)
    return go(f"/accounts/{account_id}")


@router.post("/appointments")
def promise(
    request: Request,
    account_id: UUID,
    scope: WriteActivities,
    session: Db,
    rep_id: Annotated[UUID, Form()],
    day: Annotated[date, Form()],
    at: Annotated[str, Form()] = "",
    minutes: Annotated[int, Form(ge=5, le=720)] = 30,
    appointment: Annotated[Appointment, Form()] = Appointment.FIXED,
    objective: Annotated[str, Form(max_length=2000)] = "",
    with_id: Annotated[str, Form()] = "",
) -> Response:
    """Promise a visit of one rep, or of two who come together; the planner keeps it."""
    read(session, scope, account_id)
    zone = zone_of(session, rep_id)
    try:
        with attempt(session):
            site = service.main_site(session, account_id)
            if site is None:
                raise Invalid("The account has no site to visit.", help="Add a site with an address first.")
            starts = moment(day, at, zone) if at else None
            reps = [rep_id, UUID(with_id)] if with_id else [rep_id]
            if len(set(reps)) < len(reps):
                raise Invalid("Nobody comes along with themselves.", help="Choose another rep.", field="with_id")
            for one in reps:
                need_rep(session, scope, one)
            promised = service.PlannedVisit(
                account_id=account_id,
                site_id=site.id,
                rep_id=rep_id,
                day=day,
                zone=zone,
                starts_at=starts,
                ends_at=starts + timedelta(minutes=minutes) if starts else None,
                appointment=appointment,
                objective=objective.strip() or None,
                meeting_id=uuid7() if with_id else None,
            )
            service.plan_visits(session, [replace(promised, rep_id=one) for one in reps])
    except WaymarkError as error:
        return refused(request, scope, session, account_id, error)
    return go(f"/accounts/{account_id}")
