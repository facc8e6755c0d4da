"""The independent verifier: is this plan lawful, and what is it worth?

Nothing here is shared with the engines. `verify` looks at a plan's own times; `order_is_feasible` decides
from the back of the day whether any times exist at all, the other way round from `routing.schedule`.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from routing.plan import Plan, Route
from routing.types import Problem, RepDay, Visit


class Rule(StrEnum):
    """The rules a plan can break."""

    UNKNOWN = "unknown"
    """Names a rep-day or a visit that the problem does not have."""
    TWICE = "twice"
    """A rep-day or a visit is used twice."""
    EMPTY = "empty"
    """A route without stops."""
    NOT_ALLOWED = "not_allowed"
    """This rep may not come, or not on this day."""
    WINDOW = "window"
    """A service does not start and end inside one window."""
    SERVICE = "service"
    """A service is longer or shorter than the visit takes."""
    TRAVEL = "travel"
    """A leg takes less time than the road, or there is no road, or the leg states another time."""
    SHIFT = "shift"
    """Leaves before or returns after the shift, overtime included."""
    BREAK = "break"
    """The break is missing, outside its window, or overlaps a service."""
    DRIVE_LIMIT = "drive_limit"
    VISIT_LIMIT = "visit_limit"
    CAPACITY = "capacity"
    SPACING = "spacing"
    """Two visits to one customer are too close or too far apart."""
    MEETING = "meeting"
    """Reps who should meet come at different moments, or not all of them, or one of them twice."""
    NIGHT = "night"
    """A hotel night without a route before and after it, or two for one evening or morning."""
    UNPLANNED = "unplanned"
    """A visit is neither planned nor named as unplanned, or both."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule and where."""

    rule: Rule
    subject: str
    """The rep-day or visit it concerns."""
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


@dataclass(frozen=True, slots=True)
class Value:
    """What a plan brings and costs, in seconds of driving."""

    prize: int
    travel_s: int
    fixed: int
    late: int
    overtime: int
    """Cost of the seconds after the shifts' ends."""
    changes: int
    """Cost of the visits that stand elsewhere than in the plan that people know."""
    nights: int
    """Cost of the hotels."""
    others: int
    """Cost of the visits by others than the reps whom the customers know."""
    total: int
    """prize*P - travel*T - fixed*F - late*L - overtime - changes - nights - others with the problem's weights."""


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a plan."""

    violations: tuple[Violation, ...]
    missing: tuple[str, ...]
    """Mandatory visits that are not planned."""
    value: Value

    @property
    def lawful(self) -> bool:
        """Whether what the routes do may be done; a lawful plan can still miss a mandatory visit."""
        return not self.violations

    @property
    def ok(self) -> bool:
        """Lawful, and nothing mandatory is missing."""
        return self.lawful and not self.missing


def verify(problem: Problem, plan: Plan) -> Report:
    """Check every rule on the plan's own times; reports all violations, not only the first."""
    bad: list[Violation] = []
    bad += _twice("rep-day", [r.rep_day for r in plan.routes])
    bad += _twice("visit", [s.visit for r in plan.routes for s in r.stops])
    bad += _nights(problem, plan)
    booked = problem.with_nights(plan.nights)
    for route in plan.routes:
        bad += _route(booked, route)
    bad += _spacings(problem, plan)
    bad += _meetings(problem, plan)
    bad += _complete(problem, plan)
    planned = {s.visit for r in plan.routes for s in r.stops}
    missing = tuple(v.id for v in problem.visits if v.mandatory and v.id not in planned)
    return Report(tuple(bad), missing, value_of(problem, plan))


def value_of(problem: Problem, plan: Plan) -> Value:
    """The plan's value after the problem's weights; driving from the matrix and not from the plan's own figures."""
    prize = travel = fixed = late = overtime = others = 0
    booked = problem.with_nights(plan.nights)
    for route in plan.routes:
        if route.rep_day not in problem.rep_day_index:
            continue
        rep_day = booked.rep_day(route.rep_day)
        visits = _known(problem, route)
        prize += sum(v.prize for v in visits)
        late += sum(v.late_days(rep_day.day) * v.late_cost for v in visits)
        others += sum(v.by_another(rep_day.rep) for v in visits)
        path = [rep_day.start, *(v.place for v in visits), rep_day.end]
        travel += sum(problem.drive(a, b) or 0 for a, b in itertools.pairwise(path))
        fixed += rep_day.fixed_cost
        overtime += rep_day.overtime_cost * max(0, route.returns_s - rep_day.close_s)
    at = {s.visit: r.rep_day for r in plan.routes for s in r.stops}
    changes = sum(v.moved(at.get(v.id)) for v in problem.visits)
    nights = sum(x.cost for x in problem.nights if x.id in plan.nights)
    w = problem.weights
    total = w.prize * prize - w.travel * travel - w.fixed * fixed - w.late * late
    total -= overtime + changes + nights + others
    return Value(prize, travel, fixed, late, overtime, changes, nights, others, total)


def order_is_feasible(problem: Problem, rep_day: RepDay, visits: Sequence[Visit]) -> bool:
    """Whether this order has any lawful times in the shift (driving, visit and capacity limits aside).

    Walks from the way home backwards with the latest moment at which one may stand ready at each door:
    `taken` when the break is behind, `owed` when it still has to come.
    """
    rest = rep_day.rest if visits else None
    taken: int | None = rep_day.latest_s
    owed: int | None = None
    place = rep_day.end
    for visit in (*reversed(visits), None):
        origin = rep_day.start if visit is None else visit.place
        drive = problem.drive(origin, place)
        if drive is None:
            return False
        leave_owed = None if owed is None else rep_day.leave(owed, drive)
        if rest and taken is not None and rest.earliest_s + rest.duration_s <= taken:
            with_break = rep_day.leave_rested(taken, drive, rest)
            leave_owed = with_break if leave_owed is None else max(leave_owed, with_break)
        leave_taken = None if taken is None else rep_day.leave(taken, drive)
        if visit is None:
            leave = leave_owed if rest else leave_taken
            return leave is not None and leave >= rep_day.open_s
        taken = _latest_start(visit, rep_day.day, leave_taken)
        owed = _latest_start(visit, rep_day.day, leave_owed)
        place = origin
    raise AssertionError("the loop ends at the start anchor")


def _latest_start(visit: Visit, day: int, leave_s: int | None) -> int | None:
    if leave_s is None:
        return None
    starts = [
        min(leave_s, w.close_s) - visit.service_s
        for w in visit.windows_on(day)
        if min(leave_s, w.close_s) - visit.service_s >= w.open_s
    ]
    return max(starts, default=None)


def _twice(noun: str, ids: list[str]) -> list[Violation]:
    return [Violation(Rule.TWICE, i, f"{noun} is used {n} times") for i, n in Counter(ids).items() if n > 1]


def _known(problem: Problem, route: Route) -> list[Visit]:
    return [problem.visit(s.visit) for s in route.stops if s.visit in problem.visit_index]


def _route(problem: Problem, route: Route) -> list[Violation]:
    name = route.rep_day
    if name not in problem.rep_day_index:
        return [Violation(Rule.UNKNOWN, name, "there is no such rep-day")]
    unknown = [s.visit for s in route.stops if s.visit not in problem.visit_index]
    if unknown:
        return [Violation(Rule.UNKNOWN, i, f"there is no such visit (on {name})") for i in unknown]
    if not route.stops:
        return [Violation(Rule.EMPTY, name, "the route has no stops")]
    rep_day, visits = problem.rep_day(name), _known(problem, route)
    bad = [
        Violation(Rule.NOT_ALLOWED, v.id, f"may not be served by {rep_day.rep} on day {rep_day.day}")
        for v in visits
        if not v.allows(rep_day)
    ]
    return [*bad, *_limits(rep_day, route, visits), *_services(rep_day, route, visits), *_legs(problem, route, visits)]


def _limits(rep_day: RepDay, route: Route, visits: list[Visit]) -> list[Violation]:
    bad = []
    if rep_day.max_drive_s is not None and route.drive_s > rep_day.max_drive_s:
        bad.append(Violation(Rule.DRIVE_LIMIT, rep_day.id, f"drives {route.drive_s} s, allowed {rep_day.max_drive_s}"))
    if rep_day.max_visits is not None and len(visits) > rep_day.max_visits:
        bad.append(Violation(Rule.VISIT_LIMIT, rep_day.id, f"{len(visits)} visits, allowed {rep_day.max_visits}"))
    load = sum(v.demand for v in visits)
    if rep_day.capacity is not None and load > rep_day.capacity:
        bad.append(Violation(Rule.CAPACITY, rep_day.id, f"carries {load}, allowed {rep_day.capacity}"))
    if route.leaves_s < rep_day.open_s:
        bad.append(Violation(Rule.SHIFT, rep_day.id, f"leaves at {route.leaves_s}, before {rep_day.open_s}"))
    if route.returns_s > rep_day.latest_s:
        bad.append(Violation(Rule.SHIFT, rep_day.id, f"returns at {route.returns_s}, after {rep_day.latest_s}"))
    return bad


def _services(rep_day: RepDay, route: Route, visits: list[Visit]) -> list[Violation]:
    bad = []
    for stop, visit in zip(route.stops, visits, strict=True):
        if stop.ends_s - stop.starts_s != visit.service_s:
            text = f"takes {stop.ends_s - stop.starts_s} s instead of {visit.service_s}"
            bad.append(Violation(Rule.SERVICE, visit.id, text))
        if not any(w.open_s <= stop.starts_s and stop.ends_s <= w.close_s for w in visit.windows_on(rep_day.day)):
            bad.append(Violation(Rule.WINDOW, visit.id, f"{stop.starts_s}-{stop.ends_s} lies in no window"))
    return bad


@dataclass(frozen=True, slots=True)
class _Leg:
    """A drive as the plan tells it."""

    subject: str
    origin: int
    target: int
    stated_s: int
    left_s: int
    arrives_s: int
    limit_s: int
    """Start of the service it leads to; the latest return for the way home."""
    home: bool


def _legs_of(rep_day: RepDay, route: Route, visits: list[Visit]) -> list[_Leg]:
    legs, place, left = [], rep_day.start, route.leaves_s
    for visit, stop in zip(visits, route.stops, strict=True):
        legs.append(_Leg(visit.id, place, visit.place, stop.drive_s, left, stop.arrives_s, stop.starts_s, home=False))
        place, left = visit.place, stop.ends_s
    home = _Leg(rep_day.id, place, rep_day.end, route.drive_back_s, left, route.returns_s, rep_day.latest_s, home=True)
    return [*legs, home]


def _legs(problem: Problem, route: Route, visits: list[Visit]) -> list[Violation]:
    """Every leg must be long enough for the road, and one of them for the break as well."""
    rep_day = problem.rep_day(route.rep_day)
    legs = _legs_of(rep_day, route, visits)
    rest, start = rep_day.rest, route.break_s
    if rest is None:
        return [violation for leg in legs for violation in _leg(problem, rep_day, leg, None)]
    if start is None:
        missing = Violation(Rule.BREAK, rep_day.id, "the break is missing")
        return [missing, *(violation for leg in legs for violation in _leg(problem, rep_day, leg, None))]
    bad = []
    if not rest.earliest_s <= start <= rest.latest_s:
        bad.append(Violation(Rule.BREAK, rep_day.id, f"starts at {start}, not in {rest.earliest_s}-{rest.latest_s}"))
    end = start + rest.duration_s
    with_break = next((leg for leg in legs if leg.left_s <= start and end <= leg.limit_s), None)
    if with_break is None:
        bad.append(Violation(Rule.BREAK, rep_day.id, f"from {start} overlaps a service or lies outside the shift"))
    for leg in legs:
        bad += _leg(problem, rep_day, leg, (start, end) if leg is with_break else None)
    return bad


def _leg(problem: Problem, rep_day: RepDay, leg: _Leg, rest: tuple[int, int] | None) -> list[Violation]:
    bad = []
    drive = problem.drive(leg.origin, leg.target)
    if drive is None:
        bad.append(Violation(Rule.TRAVEL, leg.subject, f"no road leads from place {leg.origin} to {leg.target}"))
        drive = leg.stated_s
    if leg.stated_s != drive:
        bad.append(Violation(Rule.TRAVEL, leg.subject, f"states a drive of {leg.stated_s} s, the road takes {drive}"))
    needed = rep_day.arrive(leg.left_s, drive)
    if rest is not None and (leg.home or rest[0] < leg.arrives_s):  # else it is spent at the door
        needed = rep_day.rested(leg.left_s, drive, rest[0], rest[1] - rest[0])
    if leg.arrives_s < needed:
        bad.append(Violation(Rule.TRAVEL, leg.subject, f"arrives at {leg.arrives_s}, possible at {needed}"))
    if not leg.home and leg.limit_s < leg.arrives_s:
        bad.append(Violation(Rule.TRAVEL, leg.subject, f"starts at {leg.limit_s}, arrives at {leg.arrives_s}"))
    return bad


def _spacings(problem: Problem, plan: Plan) -> list[Violation]:
    day = {
        s.visit: problem.rep_day(r.rep_day).day
        for r in plan.routes
        if r.rep_day in problem.rep_day_index
        for s in r.stops
    }
    bad = []
    for spacing in problem.spacings:
        served = [i for i in spacing.visits if i in day]
        for a, b in itertools.pairwise(served):
            if not spacing.keeps(day[a], day[b]):
                text = f"on day {day[b]}, {a} on day {day[a]}: the gap must be at least {spacing.min_gap_days}"
                text += "" if spacing.max_gap_days is None else f" and at most {spacing.max_gap_days}"
                bad.append(Violation(Rule.SPACING, b, text))
    return bad


def _meetings(problem: Problem, plan: Plan) -> list[Violation]:
    at = {
        s.visit: (problem.rep_day(r.rep_day), s.starts_s)
        for r in plan.routes
        if r.rep_day in problem.rep_day_index
        for s in r.stops
    }
    bad = []
    for meeting in problem.meetings:
        served = [i for i in meeting.visits if i in at]
        alone = [i for i in meeting.visits if i not in at]
        if not served:
            continue
        if alone:
            bad.append(Violation(Rule.MEETING, served[0], f"is served, {alone[0]} is not: all of them come or nobody"))
        if len({(at[i][0].day, at[i][1]) for i in served}) > 1:
            moments = ", ".join(f"{i} on day {at[i][0].day} at {at[i][1]}" for i in served)
            bad.append(Violation(Rule.MEETING, served[0], f"they begin at different moments: {moments}"))
        if len({at[i][0].rep for i in served}) < len(served):
            bad.append(Violation(Rule.MEETING, served[0], "one rep cannot come for two"))
    return bad


def _nights(problem: Problem, plan: Plan) -> list[Violation]:
    known = {x.id: x for x in problem.nights}
    bad = [Violation(Rule.UNKNOWN, i, "there is no such night") for i in plan.nights if i not in known]
    booked = [known[i] for i in plan.nights if i in known]
    for verb, ids in (("ends", [x.evening for x in booked]), ("begins", [x.morning for x in booked])):
        bad += [Violation(Rule.NIGHT, i, f"{verb} in {n} hotels") for i, n in Counter(ids).items() if n > 1]
    used = [problem.rep_day(r.rep_day) for r in plan.routes if r.rep_day in problem.rep_day_index]
    for night in booked:
        evening, morning = problem.rep_day(night.evening), problem.rep_day(night.morning)
        bad += [Violation(Rule.NIGHT, night.id, f"{d.id} visits nobody") for d in (evening, morning) if d not in used]
        for d in used:
            if d.rep == evening.rep and (evening.day, evening.open_s) < (d.day, d.open_s) < (
                morning.day,
                morning.open_s,
            ):
                bad.append(Violation(Rule.NIGHT, night.id, f"{d.id} lies between the evening and the morning"))
    return bad


def _complete(problem: Problem, plan: Plan) -> list[Violation]:
    planned = {s.visit for r in plan.routes for s in r.stops}
    left_out = Counter(u.visit for u in plan.unplanned)
    bad = []
    for visit in problem.visits:
        named = left_out.pop(visit.id, 0)
        if visit.id in planned and named:
            bad.append(Violation(Rule.UNPLANNED, visit.id, "is planned and named as unplanned"))
        elif visit.id not in planned and named != 1:
            text = "is neither planned nor named as unplanned" if not named else "is named as unplanned twice"
            bad.append(Violation(Rule.UNPLANNED, visit.id, text))
    return bad + [Violation(Rule.UNKNOWN, i, "is named as unplanned, but there is no such visit") for i in left_out]
