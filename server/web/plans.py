"""Plans: asking for one, its board, putting it into the calendar, its files."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.export.tour import Span
from server.accounts import queries as accounts
from server.accounts.routes import Filter
from server.auth.access import Scope, requires
from server.auth.models import RepProfile, Role
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.plans import queries, service
from server.plans.exporting import folders
from server.plans.exporting import jobs as export_jobs
from server.plans.exporting import service as exports
from server.plans.models import Plan, PlanState
from server.plans.schemas import PlanRequest
from server.segments import queries as segments
from server.segments.models import Segment
from server.web.drawn import colours
from server.web.forms import checked
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render
from server.web.users import people_of

router = APIRouter(prefix="/plans", include_in_schema=False)

ReadPlans = Annotated[Scope, requires("plans:read")]
WritePlans = Annotated[Scope, requires("plans:write")]
WriteExports = Annotated[Scope, requires("exports:write")]
WORKING = (PlanState.QUEUED, PlanState.RUNNING)
LISTED = 50


@router.get("")
def show_plans(request: Request, scope: ReadPlans, session: Db, filter: Filter = None) -> Response:
    """All plans, and the form for the next one; `filter` says whom it may visit."""
    return plans_page(request, scope, session, filter=filter or "")


def plans_page(
    request: Request,
    scope: Scope,
    session: Session,
    *,
    error: WaymarkError | None = None,
    chosen: Sequence[UUID] | None = None,
    filter: str = "",
) -> Response:
    """The page, with what was refused."""
    found = session.scalars(queries.visible_to(scope).order_by(Plan.created_at.desc(), Plan.id.desc()).limit(LISTED))
    plans = found.all()
    reps = people_of(session, scope, Role.REP)
    fitting, unreadable = None, None
    try:
        with attempt(session):
            fitting = accounts.page(session, scope, filter=filter, limit=1) if filter else None
    except WaymarkError as refused:
        unreadable = refused
    begins = {one.user_id: one.home is not None for one in session.scalars(select(RepProfile))}
    able = {rep.id for rep in reps if begins.get(rep.id)}
    return render(
        request,
        "plans/list.html",
        scope,
        status=int(error.status) if error else 200,
        plans=plans,
        replaced=queries.replaced(session, [plan.id for plan in plans]),
        names=queries.names_of(session, [rep_id for plan in plans for rep_id in plan.rep_ids]),
        reps=reps,
        without_start={rep_id for rep_id, has_start in begins.items() if not has_start},
        chosen=set(chosen) if chosen is not None else able,
        first_day=next_monday(request),
        segments=segments_of(session, scope),
        filter=filter,
        fitting=fitting,
        unreadable=unreadable,
        spans=exports_by_span(session, scope),
        error=error,
    )


def segments_of(session: Session, scope: Scope) -> list[tuple[UUID, str]]:
    """The segments of accounts that somebody may use, by name."""
    usable = segments.visible_to(scope).where(Segment.subject == "account").order_by(Segment.name, Segment.id)
    return [(segment.id, segment.name) for segment in session.scalars(usable)]


def next_monday(request: Request) -> date:
    """The day from which people usually plan, unless the page was asked for another one."""
    try:
        return date.fromisoformat(request.query_params.get("first_day", ""))
    except ValueError:
        today = clock.today(settings().zone)
        return today + timedelta(days=(7 - today.weekday()) % 7 or 7)


def exports_by_span(session: Session, scope: Scope) -> list[tuple[Span, list[folders.Export]]]:
    """The latest days and weeks that have files, with those that somebody may see."""
    if not scope.may("exports:read"):
        return []
    logins = exports.visible_logins(session, scope)
    spans = [(span, [one for one in folders.exports_of(span) if one.login in logins]) for span in folders.spans()[:14]]
    return [(span, found) for span, found in spans if found]


@router.post("")
def request_plan(
    request: Request,
    scope: WritePlans,
    session: Db,
    first_day: Annotated[date, Form()],
    days: Annotated[int, Form()] = 5,
    rep_ids: Annotated[list[UUID] | None, Form()] = None,
    seconds: Annotated[float, Form()] = 10,
    segment_id: Annotated[str, Form()] = "",
    filter: Annotated[str, Form()] = "",
) -> Response:
    """Ask for a plan; its page shows how far it is."""
    try:
        with attempt(session):
            if not rep_ids:
                raise Invalid("Nobody is chosen.", help="Choose at least one rep.")
            values = {
                "rep_ids": rep_ids,
                "first_day": first_day,
                "days": days,
                "seconds": seconds,
                "segment_id": segment_id or None,
                "filter": filter or None,
            }
            plan = service.request(session, scope, checked(PlanRequest, values))
    except WaymarkError as error:
        return plans_page(request, scope, session, error=error, chosen=rep_ids or [], filter=filter)
    return go(f"/plans/{plan.id}")


def day_names(plan: Plan, language: Language) -> dict[str, str]:
    """The days of a plan as people read them."""
    days = [plan.first_day + timedelta(days=k) for k in range(plan.days)]
    return {day.isoformat(): language.day(day) for day in days}


@router.get("/{plan_id}")
def show_plan(request: Request, plan_id: UUID, scope: ReadPlans, session: Db) -> Response:
    """One plan: while it is computed its progress, then its board; a change of a running day has a page of its own."""
    if queries.find(session, scope, plan_id).occasion in service.UNDOABLE:
        return go(f"/today/changes/{plan_id}")
    return plan_page(request, scope, session, plan_id)


def plan_page(
    request: Request, scope: Scope, session: Session, plan_id: UUID, error: WaymarkError | None = None
) -> Response:
    """One plan, with what was refused."""
    plan = queries.find(session, scope, plan_id)
    return render(
        request,
        "plans/detail.html",
        scope,
        status=int(error.status) if error else 200,
        plan=plan,
        replaced=queries.replaced(session, [plan.id]),
        in_the_way=service.in_the_way(session, plan) if plan.state == PlanState.READY else 0,
        colour_of={str(rep_id): colour for rep_id, colour in colours(session, scope, plan.rep_ids).items()},
        day_names=day_names(plan, language_of(request, scope)),
        is_working=plan.state in WORKING,
        may_write=queries.is_theirs(session, scope, plan_id, "plans:write"),
        is_today=plan.first_day <= clock.today(settings().zone) <= plan.first_day + timedelta(days=plan.days - 1),
        error=error,
    )


@router.get("/{plan_id}/progress")
def show_progress(request: Request, plan_id: UUID, scope: ReadPlans, session: Db) -> Response:
    """A fragment: how far the plan is; sends the browser to the plan when it is there."""
    plan = queries.find(session, scope, plan_id)
    if plan.state not in WORKING:
        return Response(status_code=204, headers={"HX-Redirect": f"/plans/{plan_id}"})
    return render(request, "plans/progress.html", scope, plan=plan, is_polled=True)


@router.post("/{plan_id}/publish")
def publish(request: Request, plan_id: UUID, scope: WritePlans, session: Db) -> Response:
    """Put the plan into the calendar and on the reps' phones."""
    try:
        with attempt(session):
            service.publish(session, scope, plan_id)
    except WaymarkError as error:
        session.expire_all()
        return plan_page(request, scope, session, plan_id, error)
    return go(f"/plans/{plan_id}")


@router.post("/{plan_id}/delete")
def delete(request: Request, plan_id: UUID, scope: WritePlans, session: Db) -> Response:
    """Cancel a plan, or take a published one out of the calendar."""
    try:
        with attempt(session):
            service.delete(session, scope, plan_id)
    except WaymarkError as error:
        session.expire_all()
        return plan_page(request, scope, session, plan_id, error)
    return go("/plans")


@router.post("/{plan_id}/exports")
def ask_plan_exports(plan_id: UUID, scope: WriteExports, session: Db) -> Response:
    """Write one set of files per rep covering all days of a plan now."""
    plan = queries.find(session, scope, plan_id)
    span = Span.of(plan.first_day, plan.days)
    export_jobs.defer_span(session, span)
    return go(f"/plans/{plan_id}?asked={span}")


@router.post("/exports/{day}")
def ask_exports(day: date, scope: WriteExports, session: Db, plan: Annotated[UUID | None, Form()] = None) -> Response:
    """Write the files of a day now; back to the plan from whose board it was asked."""
    export_jobs.defer_day(session, day)
    return go(f"/plans?asked={day}#exports" if plan is None else f"/plans/{plan}?asked={day}")
