"""The running day: what is done, what the clock says, planning the rest anew, and a rep who cannot work."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.activities import queries as activities
from server.activities.models import Visit, VisitState
from server.activities.queries import VisitRow
from server.auth.access import Scope, requires
from server.auth.models import User
from server.closures.queries import days_off
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.settings import settings
from server.plans import alarms, queries, replanning, service
from server.plans.models import Plan, PlanOccasion, PlanState
from server.plans.queries import RouteView, StopView
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/today", include_in_schema=False)

ReadPlans = Annotated[Scope, requires("plans:read")]
WritePlans = Annotated[Scope, requires("plans:write")]
NOBODY = UUID(int=0)


@router.get("")
def show_day(
    request: Request, scope: WritePlans, session: Db, day: date | None = None, rep: UUID | None = None
) -> Response:
    """One rep's day as it stands now."""
    return day_page(request, scope, session, day or clock.today(settings().zone), rep)


def day_page(
    request: Request,
    scope: Scope,
    session: Session,
    day: date,
    rep: UUID | None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    reps, asked = replanning.neighbours(session, scope, NOBODY), None
    try:
        asked = replanning.planned_person(session, scope, rep) if rep is not None else None
    except WaymarkError as refused:
        error = error or refused
    able = [one.id for one in reps]
    if asked is not None and asked.id not in able:
        reps = [*reps, asked]
    routes = {route.rep_id: route for route in queries.day_routes(session, day, [one.id for one in reps])}
    chosen = asked if rep is not None else _chosen(reps, routes, scope)
    warned: list[object] = []
    if chosen is not None and chosen.id in able and chosen.id in routes and day >= clock.today(settings().zone):
        known = replanning.day_of(session, scope, [chosen.id], day)
        warned = list(alarms.day_warnings(session, known).warnings)
    return render(
        request,
        "plans/today.html",
        scope,
        status=int(error.status) if error else 200,
        day=day,
        reps=reps,
        chosen=chosen,
        route=routes.get(chosen.id) if chosen else None,
        lines=_lines(session, scope, day, chosen.id, routes.get(chosen.id)) if chosen else [],
        warned=warned,
        texts={str(alarm): text for alarm, text in alarms.TEXTS.items()},
        is_open=day >= clock.today(settings().zone),
        away=days_off(session, [chosen.id], day, day).of_rep(chosen.id, day) if chosen else None,
        error=error,
    )


def _chosen(reps: Sequence[User], routes: dict[UUID, RouteView], scope: Scope) -> User | None:
    """Oneself, else the first with a route, else the first."""
    by_id = {one.id: one for one in reps}
    for wanted in (scope.user_id, *routes):
        if wanted in by_id:
            return by_id[wanted]
    return reps[0] if reps else None


@dataclass(frozen=True)
class Line:
    """A stop of the day, or a visit beside the plan."""

    at: datetime | None
    """When it is planned, of a visit beside the plan when it took place; None: nobody said."""
    zone: str
    stop: StopView | None = None
    row: VisitRow | None = None


def _lines(session: Session, scope: Scope, day: date, rep_id: UUID, route: RouteView | None) -> list[Line]:
    """The stops of a day and the visits that stand on no route of it, by time."""
    stops = route.stops if route else ()
    lines = [Line(stop.starts_at, route.zone, stop=stop) for stop in stops] if route else []
    if scope.may("activities:read"):
        known = {stop.visit_id for stop in stops}
        beside = activities.between(scope, day, day, rep_id=rep_id).where(Visit.state != VisitState.CANCELLED)
        for row in activities.rows(session, beside):
            one = row.visit
            if one.id not in known:
                lines.append(Line(one.checked_in_at or one.done_at or one.planned_start_at, one.zone, row=row))
    return sorted(lines, key=lambda line: (line.at is None, line.at))


@router.post("/replan")
def replan(
    request: Request,
    scope: WritePlans,
    session: Db,
    day: Annotated[date, Form()],
    rep_id: Annotated[UUID, Form()],
    pinned: Annotated[list[UUID] | None, Form()] = None,
    fill: Annotated[bool, Form()] = False,
) -> Response:
    """Propose the rest of the day anew; nothing changes yet."""
    try:
        with attempt(session):
            plan = replanning.replan_day(session, scope, rep_id, day, pinned=pinned or [], fill=fill)
    except WaymarkError as error:
        return day_page(request, scope, session, day, rep_id, error)
    return go(f"/today/changes/{plan.id}")


@router.post("/absence")
def absence(
    request: Request,
    scope: WritePlans,
    session: Db,
    day: Annotated[date, Form()],
    rep_id: Annotated[UUID, Form()],
) -> Response:
    """Propose who takes over what the rep must do; nothing changes yet."""
    try:
        with attempt(session):
            plan = replanning.absence(session, scope, rep_id, day)
    except WaymarkError as error:
        return day_page(request, scope, session, day, rep_id, error)
    return go(f"/today/changes/{plan.id}")


@router.get("/changes/{plan_id}")
def show_changes(request: Request, plan_id: UUID, scope: ReadPlans, session: Db) -> Response:
    """What a proposal changes, before and after it is accepted."""
    return changes_page(request, scope, session, plan_id)


def changes_page(
    request: Request, scope: Scope, session: Session, plan_id: UUID, error: WaymarkError | None = None
) -> Response:
    """The page, with what was refused."""
    view = queries.plan_view(session, scope, plan_id)
    plan = view.plan
    is_open = plan.state == PlanState.READY
    stood: Sequence[RouteView] = ()
    if is_open:
        stood = queries.day_routes(session, plan.first_day, plan.rep_ids)
    elif plan.based_on:
        with suppress(NotFound):  # the plan that it took the place of may be deleted, or of others
            stood = queries.plan_view(session, scope, plan.based_on).routes
    before = {route.rep_id: route for route in stood if route.day == plan.first_day}
    names = queries.names_of(session, plan.rep_ids)
    return render(
        request,
        "plans/changes.html",
        scope,
        status=int(error.status) if error else 200,
        plan=plan,
        changes=sorted(plan.changes or [], key=_by_time),
        left_out=view.unplanned,
        rows=[(names.get(i, "?"), before.get(i), _route_of(view.routes, i)) for i in plan.rep_ids],
        is_absence=plan.occasion == PlanOccasion.ABSENCE,
        is_open=is_open,
        may_write=queries.is_theirs(session, scope, plan_id, "plans:write"),
        back=_back(plan),
        error=error,
    )


def _route_of(routes: Sequence[RouteView], rep_id: UUID) -> RouteView | None:
    return next((route for route in routes if route.rep_id == rep_id), None)


def _by_time(change: dict[str, object]) -> tuple[bool, datetime]:
    """What takes place in the order of the new day, then what falls out."""
    place = change["after"] or change["before"]
    assert isinstance(place, dict)
    return change["after"] is None, datetime.fromisoformat(place["at"])


def _back(plan: Plan) -> str:
    return f"/today?day={plan.first_day}&rep={plan.rep_ids[0]}"


@router.post("/changes/{plan_id}/accept")
def accept(request: Request, plan_id: UUID, scope: WritePlans, session: Db) -> Response:
    """The proposal takes the place of the known day."""
    try:
        with attempt(session):
            service.publish(session, scope, plan_id)
    except WaymarkError as error:
        session.expire_all()
        return changes_page(request, scope, session, plan_id, error)
    return go(f"/today/changes/{plan_id}")


@router.post("/changes/{plan_id}/undo")
def undo(request: Request, plan_id: UUID, scope: WritePlans, session: Db) -> Response:
    """Refuse a proposal, or bring the known day back."""
    back = _back(queries.find(session, scope, plan_id))
    try:
        with attempt(session):
            service.delete(session, scope, plan_id)
    except WaymarkError as error:
        session.expire_all()
        return changes_page(request, scope, session, plan_id, error)
    return go(back)
