"""The running day: what is done, what the clock says, planning the rest anew, and a rep who cannot work."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.auth.models import User
from server.closures.queries import days_off
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.settings import settings
from server.plans import alarms, queries, replanning, service
from server.plans.models import Plan, PlanOccasion, PlanState
from server.plans.queries import RouteView
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
    reps = replanning.neighbours(session, scope, NOBODY)
    routes = {route.rep_id: route for route in queries.day_routes(session, day, [one.id for one in reps])}
    chosen = _chosen(reps, routes, rep, scope)
    warned: list[object] = []
    if chosen is not None and chosen.id in routes and day >= clock.today(settings().zone):
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
        warned=warned,
        texts={str(alarm): text for alarm, text in alarms.TEXTS.items()},
        is_open=day >= clock.today(settings().zone),
        away=days_off(session, [chosen.id], day, day).of_rep(chosen.id, day) if chosen else None,
        error=error,
    )


def _chosen(reps: Sequence[User], routes: dict[UUID, RouteView], rep: UUID | None, scope: Scope) -> User | None:
    """The rep asked for, else oneself, else the first with a route."""
    by_id = {one.id: one for one in reps}
    for wanted in (rep, scope.user_id, *routes):
        if wanted in by_id:
            return by_id[wanted]
    return reps[0] if reps else None


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
    names = {one.id: one.name for one in replanning.neighbours(session, scope, NOBODY)}
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
