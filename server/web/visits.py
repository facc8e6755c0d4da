"""Visits from the office: recording one, promising one."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts import queries as accounts
from server.accounts.routes import read
from server.activities import answering, queries, service
from server.activities.models import Appointment, Visit, VisitState
from server.activities.routes import need_rep, zone_of
from server.auth.access import Scope, requires
from server.fields import forms
from server.fields import queries as own
from server.fields.values import accepted
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound, WaymarkError
from server.kit.ids import uuid7
from server.web.forms import Sent, id_of, text
from server.web.own_fields import sent_answers
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/accounts/{account_id}", include_in_schema=False)

ReadActivities = Annotated[Scope, requires("activities:read")]
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


@router.get("/visit-form")
def show_form(request: Request, account_id: UUID, scope: WriteActivities, session: Db) -> Response:
    """A fragment: the questions of the chosen visit type that are asked, given the answers so far."""
    read(session, scope, account_id)
    sent = FormData([(name, value) for name, value in request.query_params.multi_items()])
    return render(request, "accounts/visit_form.html", scope, **asked(session, sent), error=None)


def asked(session: Session, sent: FormData) -> dict[str, Any]:
    """The questions of the visit type that a form names, and what it answers."""
    type_id = id_of(text(sent, "visit_type_id") or "", "visit_type_id")
    form = forms.current(session, type_id) if type_id else None
    questions = forms.questions_of(form)
    given = sent_answers(sent, [(one.key, one.shape) for one in questions])
    known: dict[str, Any] = {}
    shown = []
    for one in questions:
        if one.is_asked(known):
            shown.append(one)
            with suppress(Invalid):
                known[one.key] = accepted(one.shape, given.get(one.key))
    return {"questions": shown, "answers": given}


@router.get("/visits/{visit_id}/answers")
def show_answers(request: Request, account_id: UUID, visit_id: UUID, scope: ReadActivities, session: Db) -> Response:
    """A fragment: what was answered at a visit, and who signed."""
    found = queries.of_accounts(scope, session.scalars(accounts.family(account_id)).all())
    visit = session.scalars(found.where(Visit.id == visit_id)).one_or_none()
    if visit is None:
        raise NotFound("There is no such visit.")
    signature = queries.signature_of(session, visit.id)
    answered = answering.answered(session, visit)
    return render(request, "accounts/answers.html", scope, answered=answered, signature=signature)


@router.post("/visits")
def record(
    request: Request,
    account_id: UUID,
    scope: WriteActivities,
    session: Db,
    sent: Sent,
    day: Annotated[date, Form()],
    at: Annotated[str, Form()],
    state: Annotated[VisitState, Form()] = VisitState.DONE,
    outcome: Annotated[str, Form()] = "",
    note: Annotated[str, Form(max_length=10_000)] = "",
    visit_id: Annotated[str, Form()] = "",
    event_id: Annotated[str, Form()] = "",
    visit_type_id: Annotated[str, Form()] = "",
) -> Response:
    """Take down what happened at a visit, planned or not; the same form sent twice is one fact."""
    account = read(session, scope, account_id)
    zone = zone_of(session, scope.user_id)
    form = asked(session, sent)
    try:
        with attempt(session):
            occurred = moment(day, at, zone)
            if occurred > clock.now() + timedelta(minutes=5):
                raise Invalid("The visit lies in the future.", help="Plan an appointment instead.", field="day")
            fact = id_of(event_id, "event_id") or uuid7()
            report = service.VisitReport(
                event_id=fact,
                visit_id=id_of(visit_id, "visit_id") or fact,
                account_id=account.id,
                rep_id=scope.user_id,
                state=state,
                day=day,
                zone=zone,
                occurred_at=occurred,
                outcome=answering.known_outcome(session, outcome or None),
                note=note.strip() or None,
                visit_type_id=id_of(visit_type_id, "visit_type_id"),
                answers={one.key: form["answers"].get(one.key) for one in form["questions"]},
            )
            service.record_visit(session, report, scope.actor)
    except (WaymarkError, ValueError) as error:
        shown = error if isinstance(error, WaymarkError) else Invalid("The form is not one of ours.")
        if visit_type_id:
            values = {name: value for name, value in sent.items() if isinstance(value, str)}
            types = own.visit_types(session)
            more = {"account": account, "values": values, "visit_types": types, "error": shown, **form}
            more["own_outcomes"] = answering.own_outcomes(session)
            return render(request, "accounts/visit.html", scope, status=int(shown.status), **more)
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
            mate = id_of(with_id, "with_id")
            reps = [rep_id, mate] if mate else [rep_id]
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
