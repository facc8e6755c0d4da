"""The parts of a plan's board that the server draws: what waits, history, scorecard, and two plans side by side."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from routing.export.tour import Span
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.plans import board, comparing, copies, queries, scorecard, versions
from server.plans.board_schemas import VersionRead
from server.plans.entry import CAUTIONS
from server.plans.exporting import service as exports
from server.plans.exporting import whole
from server.plans.exporting.folders import Export
from server.plans.models import Plan, PlanState
from server.plans.queries import PlanView
from server.web.drawn import colours, drawn_route
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render
from server.web.plans import plan_page

router = APIRouter(prefix="/plans", include_in_schema=False)

ReadPlans = Annotated[Scope, requires("plans:read")]
WritePlans = Annotated[Scope, requires("plans:write")]
LISTED = 200

SENTENCES = {
    "computed": "Computed",
    "copied": "Copied from another plan",
    "placed": "{name} placed on {to}",
    "moved": "{name} moved from {before} to {to}",
    "taken_out": "{name} taken out of {before}",
    "pinned": "{name} pinned at {before}",
    "unpinned": "Pin of {name} taken out",
    "locked": "{n} routes locked",
    "unlocked": "{n} routes unlocked",
    "added": "{name} added by hand",
    "dropped": "{name} forgotten",
    "went_back": "Went back to version {n}",
}
"""What the history says, by kind of version."""


def may_change(session: Session, scope: Scope, plan: Plan) -> bool:
    """Whether somebody may change the plan's board as it stands."""
    return plan.state == PlanState.READY and queries.is_theirs(session, scope, plan.id, "plans:write")


@router.get("/{plan_id}/waiting")
def show_waiting(request: Request, plan_id: UUID, scope: ReadPlans, session: Db) -> Response:
    """A fragment: what is wanted and not planned, and why."""
    view = queries.plan_view(session, scope, plan_id)
    version = versions.latest(session, plan_id)
    return render(
        request,
        "plans/waiting.html",
        scope,
        plan=view.plan,
        waiting=view.unplanned,
        added=version.board["added"] if version else [],
        may_change=may_change(session, scope, view.plan),
        may_write=queries.is_theirs(session, scope, plan_id, "plans:write"),
        limit=LISTED,
    )


@router.get("/{plan_id}/stops/{rep_id}/{day}/{position}")
def show_stop(
    request: Request, plan_id: UUID, rep_id: UUID, day: date, position: int, scope: ReadPlans, session: Db
) -> Response:
    """A fragment: why a stop is there, what to know of its place, and where one can go from here."""
    route = queries.route_of(session, scope, plan_id, rep_id, day)
    stop = next((one for one in route.stops if one.position == position), None)
    if stop is None:
        raise NotFound("There is no such stop on this route.")
    return render(request, "plans/stop.html", scope, route=route, stop=stop, cautions=CAUTIONS)


@router.get("/{plan_id}/files")
def show_files(request: Request, plan_id: UUID, scope: ReadPlans, session: Db, asked: str = "") -> Response:
    """A fragment: navigation along the routes, and the files; asks again until those that were asked for are there."""
    view = queries.plan_view(session, scope, plan_id)
    plan, may_read = view.plan, scope.may("exports:read")
    logins = exports.visible_logins(session, scope) if may_read else set()
    days = [Span.of(plan.first_day + timedelta(days=k)) for k in range(plan.days)]
    span = Span.of(plan.first_day, plan.days)
    is_overtaken = plan.state == PlanState.PUBLISHED and whole.is_overtaken(session, plan)

    def routes_in(some: Span) -> list[queries.RouteView]:
        return [route for route in view.routes if route.day in set(some)]

    def files(some: Span) -> tuple[list[Export], bool]:
        """Those of some days, and whether they are all there."""
        theirs = [route for route in routes_in(some) if route.rep_login in logins]
        found = whole.written_of(some, theirs)
        return found, len(found) == len({route.rep_login for route in theirs})

    together, is_whole = files(span)
    may_ask = plan.state == PlanState.PUBLISHED and bool(view.routes) and not is_overtaken
    awaited = next((one for one in (span, *days) if str(one) == asked and may_ask and not files(one)[1]), None)
    return render(
        request,
        "plans/files.html",
        scope,
        plan=plan,
        span=span,
        whole=together,
        is_whole=is_whole and may_ask and bool(together),
        is_overtaken=is_overtaken,
        may_ask=may_ask,
        awaited=awaited,
        days=[(day, routes_in(day), files(day)[0]) for day in days],
    )


@router.get("/{plan_id}/history")
def show_history(request: Request, plan_id: UUID, scope: ReadPlans, session: Db) -> Response:
    """A fragment: every state that the plan had, and other plans of these days."""
    plan = queries.find(session, scope, plan_id)
    language = language_of(request, scope)
    names = {str(rep_id): name for rep_id, name in queries.names_of(session, plan.rep_ids).items()}
    return render(
        request,
        "plans/history.html",
        scope,
        plan=plan,
        history=board.history(session, scope, plan_id),
        sentence=lambda one: sentence(one, names, language),
        relatives=queries.same_days(session, scope, plan),
        may_change=may_change(session, scope, plan),
    )


def sentence(version: VersionRead, names: dict[str, str], language: Language) -> str:
    """What was done, for people."""
    detail = version.detail

    def place(rep_day: str | None, at_s: int | None) -> str:
        if not rep_day:
            return "–"
        rep, _, day = rep_day.partition("/")
        at = "" if at_s is None else f" {at_s // 3600:02d}:{at_s % 3600 // 60:02d}"
        return f"{language.day(date.fromisoformat(day))}{at}, {names.get(rep, '?')}"

    return language.t(
        SENTENCES[version.kind],
        name=detail.get("name", ""),
        before=place(detail.get("from"), detail.get("from_s")),
        to=place(detail.get("to"), detail.get("to_s")) if version.kind in ("placed", "moved") else "",
        n=version.goes_back_to or len(detail.get("rep_days", ())),
    )


@router.get("/{plan_id}/scorecard")
def show_scorecard(request: Request, plan_id: UUID, scope: ReadPlans, session: Db) -> Response:
    """A fragment: how good the plan is, and how it went; each figure says what it means."""
    language = language_of(request, scope)

    def share(value: float | None) -> str:
        return "–" if value is None else f"{language.number(100 * value)} %"

    def signed(seconds: float | None) -> str:
        if seconds is None:
            return "–"
        return f"{'−' if seconds < 0 else '+'}{language.duration(abs(seconds))}"

    card = scorecard.of_plan(session, scope, plan_id)
    scores = [card.total, *(rep.score for rep in card.reps)] if len(card.reps) > 1 else [card.total]
    return render(
        request,
        "plans/scorecard.html",
        scope,
        card=card,
        columns=[score.model_dump() for score in scores],
        share=share,
        signed=signed,
        ratio=lambda value: language.number(value, 1),
    )


@router.post("/{plan_id}/again")
def plan_again(
    request: Request, plan_id: UUID, scope: WritePlans, session: Db, seconds: Annotated[float, Form()] = 10
) -> Response:
    """Plan the rest anew; the page of the new plan shows how far it is."""
    try:
        with attempt(session):
            made = copies.request(session, scope, plan_id, seconds=seconds)
    except WaymarkError as error:
        return plan_page(request, scope, session, plan_id, error)
    return go(f"/plans/{made.id}")


@router.post("/{plan_id}/copy")
def copy_plan(request: Request, plan_id: UUID, scope: WritePlans, session: Db) -> Response:
    """Make a copy that can be changed."""
    try:
        with attempt(session):
            made = copies.copy(session, scope, plan_id)
    except WaymarkError as error:
        return plan_page(request, scope, session, plan_id, error)
    return go(f"/plans/{made.id}")


@router.get("/{plan_id}/compare/{other_id}")
def compare(request: Request, plan_id: UUID, other_id: UUID, scope: ReadPlans, session: Db) -> Response:
    """Two plans side by side, and on the map what is not the same."""
    found = comparing.compare(session, scope, plan_id, other_id)
    views = [queries.plan_view(session, scope, key) for key in (plan_id, other_id)]
    return render(
        request,
        "plans/compare.html",
        scope,
        first=views[0].plan,
        second=views[1].plan,
        found=found,
        drawn=drawn_difference(session, scope, views, found),
    )


def drawn_difference(
    session: Session, scope: Scope, views: Sequence[PlanView], found: comparing.Comparison
) -> dict[str, Any]:
    """Both plans' lines, and the visits that differ as points."""
    known = colours(session, scope, {rep_id for view in views for rep_id in view.plan.rep_ids})
    routes = [drawn_route(route, known[route.rep_id]) for route in views[1].routes]
    points = [
        {"name": one.name, "kind": one.kind, "lon": one.lon, "lat": one.lat}
        for one in found.differences
        if one.lon is not None
    ]
    return {"routes": [route | {"stops": []} for route in routes], "points": points}
