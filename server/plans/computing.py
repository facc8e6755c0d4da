"""Computing a plan: candidates, roads, solver, verifier, and what is stored of the answer."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.budget import Budget
from routing.check import Report, verify
from routing.driving import driven
from routing.explain import why
from routing.fingerprint import fingerprint
from routing.found import Tell
from routing.pace import Pace
from routing.plan import Plan as Answer
from routing.plan import Route as PlannedRoute
from routing.roads.combined import Scaled
from routing.roads.straight import StraightLine
from routing.roads.types import Leg, Matrix, RoadEngine, RoadsUnavailable
from routing.solve import UnlawfulPlan, solve
from routing.types import Problem
from server.accounts.pins import wkt
from server.auth.access import scope_of
from server.auth.models import User
from server.closures.queries import days_off
from server.kit import clock
from server.kit.errors import Conflict
from server.kit.settings import settings
from server.plans import basis, collecting, hotels, relaxing, versions
from server.plans import entry as entries
from server.plans.build import Blueprint, Shift, blueprint
from server.plans.candidates import Lack
from server.plans.models import Plan, PlanState, Route, Stop, Unplanned
from server.plans.rules import rules
from server.plans.schemas import PlanSummary
from server.roads import service as roads
from server.roads.traffic import Hours

LACKS = {
    Lack.NO_PIN: "The account has no pin on the map yet.",
    Lack.BY_APPOINTMENT: "The customer is visited by appointment only, and no time is agreed in these days.",
}


class Cancelled(Conflict):
    """Somebody deleted the plan while it was computed."""

    code: ClassVar[str] = "plan_cancelled"


@dataclass(frozen=True)
class Journey:
    """A road engine, its matrix, and what stands in when it does not answer."""

    engine: RoadEngine
    matrix: Matrix

    def pace(self, weekday: int) -> Pace | None:
        """The traffic of a weekday (0 is Monday); None when every hour is alike."""
        return self.engine.pace(weekday) if isinstance(self.engine, Scaled) else None

    def legs(self, points: list[LonLat]) -> list[Leg]:
        """The drives along some points with their geometry."""
        try:
            return self.engine.route(points)
        except RoadsUnavailable:
            return StraightLine().route(points)


@dataclass(frozen=True)
class Computed:
    """A verified answer, ready to be stored."""

    blueprint: Blueprint
    problem: Problem
    answer: Answer
    report: Report
    journey: Journey
    inputs: str | None = None
    """Fingerprint of what the search was given."""


def prepare(session: Session, plan: Plan) -> Blueprint:
    """Everything that the plan needs from the tables."""
    reps = session.scalars(select(User).where(User.id.in_(plan.rep_ids)).order_by(User.name, User.id)).all()
    asked = session.get_one(User, plan.requested_by)
    scope = scope_of(session, asked, source="job")
    last_day = plan.first_day + timedelta(days=plan.days - 1)
    found = collecting.find(
        session, scope, reps, plan.first_day, last_day, plan.other_rep_ids, plan.segment_id, plan.filter
    )
    off = days_off(session, plan.rep_ids, plan.first_day, last_day)
    drawn = blueprint(reps, plan.first_day, plan.days, found.candidates, settings().zone, off)
    nights = {rep.id: rep.rep_profile.nights_a_week for rep in reps if rep.rep_profile}
    placeable = found.candidates.placeable
    lodgings = hotels.offered(session, drawn.shifts, placeable, nights, rules(session).hotel_cost_s)
    points = dict.fromkeys([*drawn.points, *(one.point for one in lodgings)])
    return replace(drawn, stretch=found.stretch, lodgings=lodgings, points=tuple(points))


def travel(session: Session, points: tuple[LonLat, ...], hours: Hours = ()) -> Journey:
    """Drives between all points at the traffic of some hours, by road where a graph answers, else estimated."""
    engine = roads.engine(session, points, hours)
    try:
        return Journey(engine, engine.matrix(points))
    except RoadsUnavailable:
        return Journey(StraightLine(), StraightLine().matrix(points))


def work_out(plan: Plan, drawn: Blueprint, journey: Journey, tell: Tell) -> Computed:
    """Solve and verify; an unlawful answer goes no further."""
    drawn = drawn.in_traffic(journey.pace)
    problem = drawn.problem(journey.matrix)
    budget = Budget(seconds=plan.seconds, steps=plan.steps)
    answer = solve(problem, engine=plan.engine, seed=plan.seed, budget=budget, progress=tell)
    report = verify(problem, answer)
    if not report.lawful:
        raise UnlawfulPlan("; ".join(str(violation) for violation in report.violations[:5]))
    inputs = fingerprint(problem, plan.engine, plan.seed, plan.steps, plan.seconds)
    return Computed(drawn, problem, answer, report, journey, inputs)


def store(session: Session, plan_id: UUID, computed: Computed) -> Plan:
    """Write the answer down; what an interrupted run left behind goes. Refuses a plan deleted meanwhile."""
    plan = session.get(Plan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None or plan.deleted_at is not None:
        raise Cancelled("The plan was deleted.")
    if plan.state == PlanState.PUBLISHED:
        return plan
    session.execute(delete(Route).where(Route.plan_id == plan.id))
    session.execute(delete(Unplanned).where(Unplanned.plan_id == plan.id))
    routes = [_route(plan, computed, planned) for planned in computed.answer.routes]
    session.add_all(routes)
    left_out = _unplanned(plan, computed)
    session.add_all(left_out)
    plan.state, plan.progress, plan.error, plan.error_help = PlanState.READY, None, None, None
    plan.ready_at, plan.stretch = clock.now(), computed.blueprint.stretch
    plan.problem_sha256 = computed.inputs
    plan.estimated = any(route.estimated for route in routes)
    plan.summary = _summary(computed, sum(route.distance_m for route in routes), left_out).model_dump()
    session.flush()
    basis.keep(session, plan.id, computed.blueprint.booked(computed.answer.nights), computed.journey.matrix)
    versions.add_computed(session, plan, computed.answer)
    return plan


def rewrite(session: Session, plan: Plan, computed: Computed, rep_days: Collection[str]) -> None:
    """Write some rep-days of a changed plan anew, and all that is left out; the other routes stay as they are."""
    shifts = [(shift.rep_id, shift.day) for shift in computed.blueprint.shifts if shift.key in rep_days]
    session.execute(delete(Route).where(Route.plan_id == plan.id, tuple_(Route.rep_id, Route.day).in_(shifts)))
    session.execute(delete(Unplanned).where(Unplanned.plan_id == plan.id))
    session.add_all(_route(plan, computed, route) for route in computed.answer.routes if route.rep_day in rep_days)
    left_out = _unplanned(plan, computed)
    session.add_all(left_out)
    session.flush()
    session.expire(plan, ["routes", "unplanned"])
    sums = select(func.coalesce(func.sum(Route.distance_m), 0), func.coalesce(func.bool_or(Route.estimated), False))
    distance_m, plan.estimated = session.execute(sums.where(Route.plan_id == plan.id)).one()
    plan.summary = _summary(computed, distance_m, left_out).model_dump()
    session.flush()


def _route(plan: Plan, computed: Computed, planned: PlannedRoute) -> Route:
    drawn, problem = computed.blueprint, computed.problem.with_nights(computed.answer.nights)
    shift = next(s for s in drawn.shifts if s.key == planned.rep_day)
    start, end = problem.rep_day(planned.rep_day).start, problem.rep_day(planned.rep_day).end
    places = [start, *(problem.visit(stop.visit).place for stop in planned.stops), end]
    legs = computed.journey.legs([drawn.points[place] for place in places])
    drives = driven(problem, planned)
    estimated = [
        bool(computed.journey.matrix.estimated[a, b]) or leg.estimated
        for a, b, leg in zip(places, places[1:], legs, strict=False)
    ]
    route = Route(
        plan_id=plan.id,
        rep_id=shift.rep_id,
        day=shift.day,
        zone=shift.zone,
        start_anchor=_anchor(drawn, drawn.points[start], shift.home_name, shift.home),
        end_anchor=_anchor(drawn, drawn.points[end], shift.end_name, shift.end),
        leaves_at=shift.moment(planned.leaves_s),
        returns_at=shift.moment(planned.returns_s),
        break_starts_at=None if planned.break_s is None else shift.moment(planned.break_s),
        break_s=shift.rest.duration_s if shift.rest and planned.break_s is not None else None,
        drive_s=sum(drives),
        distance_m=sum(leg.metres for leg in legs),
        estimated=any(estimated),
        polylines=[leg.polyline6 for leg in legs],
        legs=[
            {"seconds": drive, "metres": leg.metres, "estimated": guess}
            for drive, leg, guess in zip(drives, legs, estimated, strict=True)
        ],
    )
    route.stops = _stops(computed, shift, planned, drives, legs, estimated)
    return route


def _anchor(drawn: Blueprint, point: LonLat, name: str, usual: LonLat) -> dict[str, object]:
    """Where a day begins or ends: as usual, or in the hotel that the plan has taken."""
    if point != usual:
        name = next((one.name for one in drawn.lodgings if one.point == point), name)
    return {"name": name, "lon": point.lon, "lat": point.lat}


def _stops(
    computed: Computed,
    shift: Shift,
    planned: PlannedRoute,
    drives: Sequence[int],
    legs: list[Leg],
    estimated: list[bool],
) -> list[Stop]:
    by_key = {c.key: c for c in computed.blueprint.candidates.placeable}
    ahead = (shift.day - computed.blueprint.first_day).days
    stops = []
    for k, stop in enumerate(planned.stops):
        candidate = by_key[stop.visit]
        entry = entries.entry_point(legs[k])
        walk = entries.walk_m(candidate.point, entry)
        stops.append(
            Stop(
                visit_id=candidate.visit_id,
                account_id=candidate.account_id,
                site_id=candidate.site_id,
                position=k + 1,
                arrives_at=shift.moment(stop.arrives_s),
                starts_at=shift.moment(stop.starts_s),
                ends_at=shift.moment(stop.ends_s),
                drive_s=drives[k],
                distance_m=legs[k].metres,
                estimated=estimated[k],
                why=stop.why,
                demand_ids=list(candidate.demand_ids),
                because=asdict(why(computed.problem, planned, k)),
                entry=wkt(entry) if entry else None,
                walk_m=walk,
                cautions=entries.cautions(candidate.grade, candidate.uncertainty_m, walk),
                prize_s=candidate.prize_s,
                overdue_days=max(0, candidate.overdue_days + ahead) if candidate.due_on else 0,
            )
        )
    return stops


def _unplanned(plan: Plan, computed: Computed) -> list[Unplanned]:
    found = computed.blueprint.candidates
    by_key = {c.key: c for c in found.placeable}
    left_out = []
    ways_out = relaxing.ways_out(computed.problem, computed.answer)
    for unplanned in computed.answer.unplanned:
        c = by_key[unplanned.visit]
        closed = computed.blueprint.closed_days(c)
        left_out.append(
            Unplanned(
                plan_id=plan.id,
                account_id=c.account_id,
                site_id=c.site_id,
                visit_id=c.visit_id,
                rep_ids=sorted(c.rep_ids),
                mandatory=c.mandatory,
                prize_s=c.prize_s,
                overdue_days=max(0, c.overdue_days),
                reasons=[
                    *({"code": str(reason.code), "text": reason.text} for reason in unplanned.reasons),
                    *(
                        {"code": "closed", "text": f"{day:%a %d %b}: {why}.", "day": day.isoformat(), "why": why}
                        for day, why in closed.items()
                    ),
                ],
                relaxations=ways_out.get(unplanned.visit, []),
                key=c.key,
            )
        )
    left_out += [
        Unplanned(
            plan_id=plan.id,
            account_id=u.account_id,
            site_id=u.site_id,
            visit_id=u.visit_id,
            rep_ids=sorted(u.rep_ids),
            mandatory=u.mandatory,
            prize_s=u.prize_s,
            overdue_days=max(0, u.overdue_days),
            reasons=[{"code": u.lacks.value, "text": LACKS[u.lacks]}],
        )
        for u in found.unplaceable
    ]
    return left_out


def _summary(computed: Computed, distance_m: int, left_out: list[Unplanned]) -> PlanSummary:
    routes = computed.answer.routes
    problem = computed.problem.with_nights(computed.answer.nights)
    stops = [stop for route in routes for stop in route.stops]
    return PlanSummary(
        visits=len(stops),
        routes=len(routes),
        unplanned=len(left_out),
        missing_promises=sum(u.mandatory for u in left_out),
        drive_s=sum(sum(driven(problem, route)) for route in routes),
        distance_m=distance_m,
        service_s=sum(stop.ends_s - stop.starts_s for stop in stops),
        prize_s=computed.report.value.prize,
        value_s=computed.report.value.total,
    )
