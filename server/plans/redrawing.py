"""Storing a running day that was planned anew: what is over stays on the route, the rest is new."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.driving import driven
from routing.explain import why
from routing.plan import Plan as Answer
from routing.plan import Route as PlannedRoute
from routing.replanning import Difference, Underway
from routing.roads.types import Leg
from routing.types import Problem
from server.accounts.pins import wkt
from server.kit import clock
from server.plans import entry as entries
from server.plans.build import Shift
from server.plans.candidates import Candidate
from server.plans.models import Plan, PlanOccasion, PlanState, Route, Stop, Unplanned
from server.plans.running import Drawn, RunningDay, Standing
from server.plans.schemas import PlanSummary

KEPT = (
    "visit_id", "account_id", "site_id", "arrives_at", "starts_at", "ends_at", "drive_s", "distance_m", "estimated",
    "why", "because", "entry", "walk_m", "cautions", "prize_s", "overdue_days",
)  # fmt: skip
"""Of a stop that is over."""


@dataclass(frozen=True)
class Redrawn:
    """What is to be stored."""

    day: RunningDay
    drawn: Drawn
    rest: Problem
    answer: Answer
    differences: tuple[Difference, ...]
    rep_ids: tuple[UUID, ...]
    """Whose routes are replaced."""
    options: Mapping[str, list[dict[str, Any]]]
    """By visit: who could take it over, and the detour."""
    dropped: tuple[Standing, ...] = ()
    """Stops that nobody takes over."""


def store(session: Session, requested_by: UUID, redrawn: Redrawn, occasion: PlanOccasion) -> Plan:
    """Write the proposal down as a plan that nobody has in the calendar yet."""
    day = redrawn.day
    bases = [s.route.plan_id for s in day.stops if s.route.rep_id in redrawn.rep_ids]
    now = clock.now()
    plan = Plan(
        rep_ids=list(redrawn.rep_ids),
        first_day=day.day,
        days=1,
        engine=redrawn.answer.engine,
        seed=redrawn.answer.seed,
        steps=1,
        requested_by=requested_by,
        state=PlanState.READY,
        started_at=now,
        ready_at=now,
        occasion=occasion,
        based_on=bases[0] if bases else None,
        changes=_changes(redrawn),
    )
    session.add(plan)
    session.flush()
    routes = [route for rep_id in redrawn.rep_ids if (route := _route(plan, redrawn, rep_id)) is not None]
    left_out = list(_unplanned(plan, redrawn))
    session.add_all([*routes, *left_out])
    plan.estimated = any(route.estimated for route in routes)
    plan.summary = _summary(routes, left_out).model_dump()
    session.flush()
    return plan


def _changes(redrawn: Redrawn) -> list[dict[str, Any]]:
    """The differences as they are stored and shown."""
    by_key = {c.key: c for c in redrawn.drawn.blueprint.candidates.placeable}
    shifts = {s.key: s for s in redrawn.drawn.blueprint.shifts}

    def at(place: tuple[str, int] | None) -> dict[str, Any] | None:
        if place is None:
            return None
        shift = shifts[place[0]]
        return {"rep_id": str(shift.rep_id), "rep_name": shift.name, "at": shift.moment(place[1]).isoformat()}

    found = [
        {
            "account_id": str(by_key[d.visit].account_id),
            "account_name": by_key[d.visit].name,
            "effect": str(d.effect),
            "before": at(d.before),
            "after": at(d.after),
            "minutes": d.minutes,
            "promised": by_key[d.visit].appointment is not None,
            "options": redrawn.options.get(d.visit, []),
        }
        for d in redrawn.differences
    ]
    for one in redrawn.dropped:
        before = {"rep_id": str(one.route.rep_id), "at": one.stop.starts_at.isoformat()}
        before["rep_name"] = redrawn.day.shifts[one.route.rep_id].name
        found.append(
            {"account_id": str(one.account.id), "account_name": one.account.name, "effect": "removed"}
            | {
                "before": before,
                "after": None,
                "minutes": 0,
                "promised": one.is_promised,
                "options": redrawn.options.get(one.key, []),
            }
        )
    return found


def _route(plan: Plan, redrawn: Redrawn, rep_id: UUID) -> Route | None:
    """One rep's day: over, current, then what the answer says."""
    day, drawn = redrawn.day, redrawn.drawn
    shift = day.shifts[rep_id]
    stood = [s for s in day.of(rep_id) if s.visit is None or s.visit.deleted_at is None]
    over = [s for s in stood if s.is_over]
    underway = next((u for u in drawn.underway if u.rep_day == shift.key), None)
    current = next((s for s in stood if underway is not None and s.key == underway.current), None)
    planned = next((r for r in redrawn.answer.routes if r.rep_day == shift.key), None)
    stops = [_kept(one) for one in over]
    if current is not None and underway is not None:
        stops.append(_current(redrawn, shift, current, underway))
    points = [one.point for one in over] + ([current.point] if current else [])
    stops += _new(redrawn, shift, planned)
    by_key = {c.key: c for c in drawn.blueprint.candidates.placeable}
    points += [by_key[s.visit].point for s in planned.stops] if planned else []
    if not stops:
        return None
    return _drawn_route(plan, redrawn, shift, planned, stops, points, kept=len(over) + (current is not None))


def _kept(one: Standing) -> Stop:
    return Stop(**{name: getattr(one.stop, name) for name in KEPT})


def _current(redrawn: Redrawn, shift: Shift, one: Standing, underway: Underway) -> Stop:
    """The stop where the rep is or goes: it stays, its times follow the clock."""
    stop = _kept(one)
    place, free_s = underway.free(redrawn.drawn.problem)
    stop.ends_at = shift.moment(free_s)
    stop.starts_at = stop.ends_at - (one.stop.ends_at - one.stop.starts_at)
    if underway.arrived_s is None:
        rep_day = redrawn.drawn.problem.rep_day(underway.rep_day)
        there_s = rep_day.arrive(underway.now_s, redrawn.drawn.problem.drive(underway.place, place) or 0)
        stop.drive_s = there_s - underway.now_s
        stop.arrives_at = min(stop.starts_at, shift.moment(there_s))
    else:
        stop.starts_at = min(stop.starts_at, shift.moment(underway.arrived_s))
        stop.arrives_at = stop.starts_at
    return stop


def _new(redrawn: Redrawn, shift: Shift, planned: PlannedRoute | None) -> list[Stop]:
    by_key = {c.key: c for c in redrawn.drawn.blueprint.candidates.placeable}
    found = []
    drives = driven(redrawn.rest, planned) if planned else ()
    for k, stop in enumerate(planned.stops if planned else ()):
        candidate = by_key[stop.visit]
        found.append(
            Stop(
                visit_id=candidate.visit_id if candidate.appointment is not None else None,
                account_id=candidate.account_id,
                site_id=candidate.site_id,
                arrives_at=shift.moment(stop.arrives_s),
                starts_at=shift.moment(stop.starts_s),
                ends_at=shift.moment(stop.ends_s),
                drive_s=drives[k],
                why=stop.why,
                because=None if planned is None else asdict(why(redrawn.rest, planned, k)),
                prize_s=candidate.prize_s,
                overdue_days=max(0, candidate.overdue_days),
            )
        )
    return found


def _drawn_route(
    plan: Plan,
    redrawn: Redrawn,
    shift: Shift,
    planned: PlannedRoute | None,
    stops: list[Stop],
    points: list[LonLat],
    *,
    kept: int,
) -> Route:
    legs = redrawn.drawn.journey.legs([shift.home, *points, shift.end])
    _number(redrawn, stops, points, legs, kept)
    old = next((s.route for s in redrawn.day.of(shift.rep_id)), None)
    back_s = driven(redrawn.rest, planned)[-1] if planned else legs[-1].seconds
    returns = shift.moment(planned.returns_s) if planned else stops[-1].ends_at + timedelta(seconds=back_s)
    leaves = old.leaves_at if kept and old is not None else shift.moment(planned.leaves_s) if planned else returns
    rest_at, rest_s = _rest(shift, planned, old)
    return Route(
        plan_id=plan.id,
        rep_id=shift.rep_id,
        day=shift.day,
        zone=shift.zone,
        start_anchor={"name": shift.home_name, "lon": shift.home.lon, "lat": shift.home.lat},
        end_anchor={"name": shift.end_name, "lon": shift.end.lon, "lat": shift.end.lat},
        leaves_at=leaves,
        returns_at=returns,
        break_starts_at=rest_at,
        break_s=rest_s,
        drive_s=sum(stop.drive_s for stop in stops) + back_s,
        distance_m=sum(leg.metres for leg in legs),
        estimated=any(leg.estimated for leg in legs),
        polylines=[leg.polyline6 for leg in legs],
        legs=[
            {"seconds": seconds, "metres": leg.metres, "estimated": leg.estimated}
            for seconds, leg in zip([*(stop.drive_s for stop in stops), back_s], legs, strict=True)
        ],
        stops=stops,
    )


def _number(redrawn: Redrawn, stops: list[Stop], points: list[LonLat], legs: list[Leg], kept: int) -> None:
    """Positions, and what follows from the drawn legs."""
    by_site: dict[UUID, Candidate] = {c.site_id: c for c in redrawn.drawn.blueprint.candidates.placeable}
    for k, (stop, point, leg) in enumerate(zip(stops, points, legs, strict=False), start=1):
        stop.position, stop.distance_m, stop.estimated = k, leg.metres, leg.estimated
        if k > kept:
            entry = entries.entry_point(leg)
            stop.entry, stop.walk_m = (wkt(entry) if entry else None), entries.walk_m(point, entry)
            one = by_site[stop.site_id]
            stop.cautions = entries.cautions(one.grade, one.uncertainty_m, stop.walk_m)


def _rest(shift: Shift, planned: PlannedRoute | None, old: Route | None) -> tuple[datetime | None, int | None]:
    """The break of the new rest of the day, else the one that was planned."""
    if planned is not None and planned.break_s is not None and shift.rest is not None:
        return shift.moment(planned.break_s), shift.rest.duration_s
    return (old.break_starts_at, old.break_s) if old is not None else (None, None)


def _unplanned(plan: Plan, redrawn: Redrawn) -> Iterable[Unplanned]:
    """What fell out of the day, with reasons; visits that nobody had planned are not named."""
    by_key = {c.key: c for c in redrawn.drawn.blueprint.candidates.placeable}
    known = {one.key for one in redrawn.day.stops}
    for one in redrawn.answer.unplanned:
        if one.visit in known:
            c = by_key[one.visit]
            yield Unplanned(
                plan_id=plan.id,
                account_id=c.account_id,
                site_id=c.site_id,
                visit_id=c.visit_id,
                rep_ids=sorted(c.rep_ids),
                mandatory=c.mandatory,
                prize_s=c.prize_s,
                overdue_days=max(0, c.overdue_days),
                reasons=[{"code": str(reason.code), "text": reason.text} for reason in one.reasons],
                relaxations=[],
            )


def _summary(routes: list[Route], left_out: list[Unplanned]) -> PlanSummary:
    stops = [stop for route in routes for stop in route.stops]
    prize, drive = sum(stop.prize_s for stop in stops), sum(route.drive_s for route in routes)
    return PlanSummary(
        visits=len(stops),
        routes=len(routes),
        unplanned=len(left_out),
        missing_promises=sum(u.mandatory for u in left_out),
        drive_s=drive,
        distance_m=sum(route.distance_m for route in routes),
        service_s=sum(int((stop.ends_at - stop.starts_at).total_seconds()) for stop in stops),
        prize_s=prize,
        value_s=prize - drive,
    )
