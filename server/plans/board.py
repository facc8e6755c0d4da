"""Reads of the plan board: rows, days, routes with their times, and what waits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.adjusting import Desk, Effect
from routing.driving import driven
from routing.plan import Route
from routing.refusals import Refusal
from routing.slack import slacks_s
from routing.types import Problem
from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.settings import settings
from server.plans import adjusting, basis, queries, versions
from server.plans.basis import Basis
from server.plans.board_schemas import (
    BoardRead,
    CautionRead,
    EffectRead,
    Line,
    RefusalRead,
    RepDayOnBoard,
    RepOnBoard,
    RouteLines,
    RouteOnBoard,
    RouteTimes,
    ShiftedRead,
    StopOnBoard,
    StopTimes,
    VersionRead,
    Waiting,
)
from server.plans.build import seconds_of
from server.plans.models import Plan, PlanState, PlanVersion
from server.plans.queries import RouteView, StopView, UnplannedView
from server.plans.schemas import PlanSummary, ReasonRead


@dataclass(frozen=True)
class _Rules:
    """What the board knows beyond the stored rows; absent for plans of an earlier program."""

    basis: Basis
    desk: Desk
    version: PlanVersion


def board_of(session: Session, scope: Scope, plan_id: UUID, only: Collection[str] | None = None) -> BoardRead:
    """A plan as a board, as far as somebody may see its reps; `only` some rep-days' routes."""
    view = queries.plan_view(session, scope, plan_id)
    plan, seen = view.plan, queries.seen_reps(session, scope, view.plan)
    rules = _rules(session, plan)
    names = session.execute(select(User.id, User.name).where(User.id.in_(seen)).order_by(User.name, User.id))
    undo_to, redo_to = versions.steps(session, plan.id) if rules else (None, None)
    theirs = queries.is_theirs(session, scope, plan.id, "plans:write")
    routes = [r for r in view.routes if only is None or key_of(r) in only]
    return BoardRead(
        plan_id=plan.id,
        state=PlanState(plan.state),
        version=rules.version.number if rules else None,
        is_editable=bool(rules) and theirs and plan.state == PlanState.READY,
        undo_to=undo_to,
        redo_to=redo_to,
        reps=[RepOnBoard(id=rep_id, name=name) for rep_id, name in names],
        days=[plan.first_day + timedelta(days=k) for k in range(plan.days)],
        rep_days=_rep_days(rules, view.routes, seen),
        routes=[_route(route, rules) for route in routes],
        waiting=[_waiting(one, rules) for one in view.unplanned],
        summary=PlanSummary.model_validate(plan.summary) if plan.summary else None,
    )


def _rules(session: Session, plan: Plan) -> _Rules | None:
    version, found = versions.latest(session, plan.id), basis.load(session, plan.id)
    if version is None or found is None:
        return None
    desk = adjusting.desk_of(found, version)
    return _Rules(found, desk, version) if desk else None


def key_of(route: RouteView) -> str:
    """The rep-day of a route."""
    return f"{route.rep_id}/{route.day}"


def _rep_days(rules: _Rules | None, routes: Collection[RouteView], seen: Collection[UUID]) -> list[RepDayOnBoard]:
    if rules is None:
        return [_worked(route) for route in routes]
    today = clock.today(settings().zone)
    found = []
    for shift in rules.basis.blueprint.shifts:
        if shift.rep_id not in seen:
            continue
        rep_day = rules.desk.problem.rep_day(shift.key)
        rest = rep_day.rest
        found.append(
            RepDayOnBoard(
                id=shift.key,
                rep_id=shift.rep_id,
                day=shift.day,
                open_s=rep_day.open_s,
                close_s=rep_day.close_s,
                latest_s=rep_day.latest_s,
                break_s=(rest.duration_s, rest.earliest_s, rest.latest_s) if rest else None,
                is_locked=shift.key in rules.desk.board.locks,
                is_over=shift.day < today,
            )
        )
    return found


def _worked(route: RouteView) -> RepDayOnBoard:
    """The shift of a route without its rules: from leaving to coming back."""
    begin = seconds_of(route.leaves_at, route.day, route.zone)
    end = seconds_of(route.returns_at, route.day, route.zone)
    return RepDayOnBoard(
        id=key_of(route), rep_id=route.rep_id, day=route.day, open_s=begin, close_s=end, latest_s=end,
        break_s=None, is_locked=False, is_over=route.day < clock.today(settings().zone),
    )  # fmt: skip


def _route(route: RouteView, rules: _Rules | None) -> RouteOnBoard:
    rep_day = key_of(route)
    keys = rules.desk.board.routes.get(rep_day, ()) if rules else ()
    keys = keys if len(keys) == len(route.stops) else tuple(str(stop.id) for stop in route.stops)
    return RouteOnBoard(
        rep_day=rep_day,
        leaves_s=seconds_of(route.leaves_at, route.day, route.zone),
        returns_s=seconds_of(route.returns_at, route.day, route.zone),
        break_s=None if route.break_starts_at is None else seconds_of(route.break_starts_at, route.day, route.zone),
        break_length_s=route.break_s,
        drive_s=route.drive_s,
        distance_m=route.distance_m,
        is_estimated=route.estimated,
        home=route.start._asdict(),
        last_drive_s=route.last_leg.seconds,
        last_drive_m=route.last_leg.metres,
        stops=_stops(route, keys, rules),
    )


def _stops(route: RouteView, keys: Sequence[str], rules: _Rules | None) -> list[StopOnBoard]:
    made = [_stop(stop, key, route, rules) for stop, key in zip(route.stops, keys, strict=True)]
    if rules is None or not all(key in rules.desk.problem.visit_index for key in keys):
        return made
    problem = rules.desk.bound
    rest_s = None if route.break_starts_at is None else seconds_of(route.break_starts_at, route.day, route.zone)
    visits, rep_day = [problem.visit(key) for key in keys], problem.rep_day(key_of(route))
    for one, slack in zip(made, slacks_s(problem, rep_day, visits, [s.starts_s for s in made], rest_s), strict=True):
        one.slack_s = slack
    return made


def _stop(stop: StopView, key: str, route: RouteView, rules: _Rules | None) -> StopOnBoard:
    made = StopOnBoard(
        key=key,
        account_id=stop.account_id,
        name=stop.account_name,
        account_class=stop.account_class,
        address=stop.address,
        lon=stop.point.lon if stop.point else None,
        lat=stop.point.lat if stop.point else None,
        arrives_s=seconds_of(stop.arrives_at, route.day, route.zone),
        starts_s=seconds_of(stop.starts_at, route.day, route.zone),
        ends_s=seconds_of(stop.ends_at, route.day, route.zone),
        drive_s=stop.leg.seconds,
        drive_m=stop.leg.metres,
        is_estimated=stop.leg.estimated,
        why=stop.why,
        cautions=stop.cautions,
        appointment=stop.appointment,
        visit_state=stop.visit_state,
        overdue_days=stop.overdue_days,
    )
    if rules is None or key not in rules.desk.problem.visit_index:
        return made
    board, visit = rules.desk.board, rules.desk.problem.visit(key)
    day = rules.desk.problem.rep_day(key_of(route)).day
    made.is_pinned = key in board.pins
    made.held_from_s = None if made.is_pinned else board.starts.get(key)
    made.is_other_reps = visit.reps is not None and str(route.rep_id) not in visit.reps
    made.windows = [(w.open_s, w.close_s) for w in visit.windows_on(day)]
    return made


def _waiting(one: UnplannedView, rules: _Rules | None) -> Waiting:
    return Waiting(
        key=one.key,
        account_id=one.account_id,
        name=one.account_name,
        place=", ".join(part for part in (one.street, one.city) if part),
        lon=one.point.lon if one.point else None,
        lat=one.point.lat if one.point else None,
        rep_ids=list(one.rep_ids),
        is_promised=one.mandatory,
        is_added=bool(rules) and one.key in (rules.desk.board.added if rules else ()),
        value_s=one.prize_s,
        overdue_days=one.overdue_days,
        reasons=[ReasonRead(**reason) for reason in one.reasons],
    )


def effect_read(desk: Desk, version: int, effect: Effect | Refusal) -> EffectRead:
    """An effect as it goes over the wire."""
    if isinstance(effect, Refusal):
        return EffectRead(version=version, is_possible=False, refusal=_refusal(desk, effect))
    problem = desk.problem
    return EffectRead(
        version=version,
        is_possible=True,
        drive_s=effect.drive_s,
        distance_m=effect.metres,
        value_s=effect.value,
        visits=effect.visits,
        routes=[_times(desk.bound, rep_day, route) for rep_day, route in effect.after.items()],
        shifted=[
            ShiftedRead(
                visit=one.visit, name=problem.visit(one.visit).label, rep_day=one.rep_day,
                before_s=one.before_s, after_s=one.after_s, slack_s=one.slack_s,
            )
            for one in effect.shifted
        ],
        cautions=[
            CautionRead(
                code=one.code, visit=one.visit, name=problem.visit(one.visit).label if one.visit else "",
                rep_day=one.rep_day, amount=one.amount,
            )
            for one in effect.cautions
        ],
    )  # fmt: skip


def _refusal(desk: Desk, refusal: Refusal) -> RefusalRead:
    problem = desk.bound
    return RefusalRead(
        code=str(refusal.code),
        visit=refusal.visit,
        name=problem.visit(refusal.visit).label if refusal.visit in problem.visit_index else "",
        rep_day=refusal.rep_day,
        day=problem.rep_day(refusal.rep_day).label if refusal.rep_day in problem.rep_day_index else "",
        at=refusal.at,
        limit=refusal.limit,
        text=refusal.sentence(problem),
    )


def _times(problem: Problem, rep_day: str, route: Route | None) -> RouteTimes:
    if route is None:
        return RouteTimes(rep_day=rep_day, leaves_s=None, returns_s=None, break_s=None, drive_s=0, stops=[])
    drives = driven(problem, route)
    return RouteTimes(
        rep_day=rep_day,
        leaves_s=route.leaves_s,
        returns_s=route.returns_s,
        break_s=route.break_s,
        drive_s=sum(drives),
        stops=[
            StopTimes(key=s.visit, arrives_s=s.arrives_s, starts_s=s.starts_s, ends_s=s.ends_s, drive_s=drive)
            for s, drive in zip(route.stops, drives, strict=False)
        ],
    )


def lines_of(session: Session, scope: Scope, plan_id: UUID, day: date) -> list[RouteLines]:
    """The drives of a day as lines for the map."""
    plan = queries.find(session, scope, plan_id)
    seen = queries.seen_reps(session, scope, plan)
    routes = queries.routes_of(session, plan.id, day)
    return [
        RouteLines(
            rep_day=key_of(route),
            lines=[Line(polyline6=leg.polyline6, is_estimated=leg.estimated) for leg in route.legs],
        )
        for route in routes
        if route.rep_id in seen
    ]


def history(session: Session, scope: Scope, plan_id: UUID) -> list[VersionRead]:
    """Every state of a plan, the latest first, with who made it."""
    plan = queries.find(session, scope, plan_id)
    found = versions.since(session, plan.id)
    people = {one.made_by for one in found if one.made_by is not None}
    names: Mapping[UUID, str] = dict(
        session.execute(select(User.id, User.name).where(User.id.in_(people))).tuples().all()
    )
    return [
        VersionRead(
            number=one.number,
            kind=one.kind,
            detail=one.detail,
            made_by=one.made_by,
            who=names.get(one.made_by, "") if one.made_by else "",
            made_at=one.made_at,
            goes_back_to=one.goes_back_to,
            summary=one.summary,
        )
        for one in found
    ]
