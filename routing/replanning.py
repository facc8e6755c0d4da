"""The running day planned anew: what is done stays done, what stands is changed only for a good reason.

`remaining` makes the problem of the rest of the day, `replan` solves it, `differences` says what the answer changes.
`redistribute` gives the visits of a rep who cannot work to others without moving what they have planned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.budget import Budget
from routing.check import verify
from routing.plan import Plan
from routing.solve import DEFAULT_ENGINE, solve
from routing.timeline import NEVER, Timeline, drive_s
from routing.types import Break, InvalidProblem, Problem, RepDay, Visit, Window

RETIMED_S = 1800
"""A customer notices when the visit moves by more than this."""
RETIMED_COST = 300
"""What moving one customer's time must save, in seconds of driving."""
CHANGE_COST = 3600
"""What taking a customer from the day costs on top of the lost prize."""
LATE_REST_S = 1800
"""How long after now an overdue break may still begin."""

type Planned = Mapping[str, tuple[str, int]]
"""Visit id -> rep-day and start in the plan that people know."""


@dataclass(frozen=True, slots=True)
class Underway:
    """Where a rep stands in the running day."""

    rep_day: str
    now_s: int
    place: int
    """Place (matrix index) where the rep is."""
    done: frozenset[str] = frozenset()
    """Visits that are over: done, missed, cancelled."""
    current: str | None = None
    """Visit to which the rep drives or at which the rep is; it stays."""
    arrived_s: int | None = None
    """Since when the rep is there; None while driving."""
    rested: bool = False
    """Whether the break is behind."""

    def free(self, problem: Problem) -> tuple[int, int]:
        """Where and when the rep is free for something else.

        Returns
        -------
        place : int
        seconds : int
            Never before now.
        """
        if self.current is None:
            return self.place, self.now_s
        visit = problem.visit(self.current)
        if self.arrived_s is not None:
            return visit.place, max(self.now_s, self.arrived_s + visit.service_s)
        drive = drive_s(problem, self.place, visit.place)
        rep_day = problem.rep_day(self.rep_day)
        ready = rep_day.arrive(self.now_s, 0 if drive >= NEVER else drive)
        opens = next((w.open_s for w in visit.windows_on(rep_day.day) if w.close_s >= ready + visit.service_s), ready)
        return visit.place, max(ready, opens) + visit.service_s


def remaining(
    problem: Problem, planned: Planned, underway: Sequence[Underway], pinned: frozenset[str] = frozenset()
) -> Problem:
    """The problem of the rest of the day.

    Parameters
    ----------
    planned : mapping
        What the plan that people know says of every stop.
    underway : sequence of Underway
        Reps whose day has begun; their days begin anew where they are free.
    pinned : frozenset of str
        Visits that keep rep, day and time.

    Raises
    ------
    InvalidProblem
        When a rep-day or a visit is not in the problem.
    """
    for name, known in [
        *((u.rep_day, problem.rep_day_index) for u in underway),
        *((v, problem.visit_index) for v in planned),
    ]:
        if name not in known:
            raise InvalidProblem("replanning", f"there is no {name!r}")
    over = {v for u in underway for v in (*u.done, u.current) if v is not None}
    begun = {u.rep_day: u for u in underway}
    days = {d.id: _rest_of(problem, d, begun[d.id], over) if d.id in begun else d for d in problem.rep_days}
    visits = [_steady(problem, v, planned, days, pinned) for v in problem.visits if v.id not in over]
    kept = {v.id for v in visits}
    return replace(
        problem,
        rep_days=tuple(days.values()),
        visits=tuple(visits),
        spacings=tuple(replace(s, visits=tuple(v for v in s.visits if v in kept)) for s in problem.spacings),
        meetings=tuple(m for m in problem.meetings if kept.issuperset(m.visits)),
        nights=tuple(x for x in problem.nights if x.morning not in begun),
    )


def _rest_of(problem: Problem, rep_day: RepDay, underway: Underway, over: set[str]) -> RepDay:
    place, free_s = underway.free(problem)
    open_s = max(free_s, rep_day.open_s) if underway.current is None and not underway.done else free_s
    rest = None if underway.rested else rep_day.rest
    if rest is not None:
        earliest = max(rest.earliest_s, open_s)
        rest = Break(rest.duration_s, earliest, max(rest.latest_s, earliest, open_s + LATE_REST_S))
    made = sum(v in over for v in (*underway.done, underway.current) if v is not None)
    return replace(
        rep_day,
        start=place,
        open_s=open_s,
        close_s=max(rep_day.close_s, open_s + 1),
        rest=rest,
        max_visits=None if rep_day.max_visits is None else max(0, rep_day.max_visits - made),
        fixed_cost=0,
    )


def _steady(
    problem: Problem, visit: Visit, planned: Planned, days: Mapping[str, RepDay], pinned: frozenset[str]
) -> Visit:
    """The visit with what ties it to its place in the plan that people know."""
    if visit.id not in planned:
        return visit
    day_id, starts_s = planned[visit.id]
    if visit.id not in pinned:
        return replace(visit, keep=day_id, change_cost=CHANGE_COST)
    rep_day = days[day_id]
    ready = rep_day.arrive(rep_day.open_s, drive_s(problem, rep_day.start, visit.place))
    span = Window(starts_s, starts_s + visit.service_s) if ready <= starts_s else Window(starts_s, 2 * 86_400)
    return replace(
        visit,
        keep=day_id,
        change_cost=CHANGE_COST,
        mandatory=True,
        days=frozenset({rep_day.day}),
        reps=frozenset({rep_day.rep}),
        windows=(span,),
        windows_by_day={},
    )


def replan(
    problem: Problem,
    planned: Planned,
    *,
    budget: Budget,
    engine: str = DEFAULT_ENGINE,
    seed: int = 0,
) -> Plan:
    """The rest of the day anew, as close to the known plan as is worth it.

    Two answers are weighed: the known order mended and filled up, and the best that the search finds from it. The
    second is taken only when it is worth more than the customers whose time it moves.

    Parameters
    ----------
    problem : Problem
        Of `remaining`.
    """
    start = orders_of(problem, planned)
    steady = solve(problem, engine="insertion", seed=seed, budget=budget, start=start)
    free = solve(problem, engine=engine, seed=seed, budget=budget, start=start)
    return max(steady, free, key=lambda plan: _worth(problem, plan, planned))


def orders_of(problem: Problem, planned: Planned) -> dict[str, tuple[str, ...]]:
    """The known order of what is left, by rep-day."""
    known = [(starts_s, visit) for visit, (_, starts_s) in planned.items() if visit in problem.visit_index]
    orders: dict[str, tuple[str, ...]] = {}
    for _, visit in sorted(known):
        day = planned[visit][0]
        orders[day] = (*orders.get(day, ()), visit)
    return orders


def _worth(problem: Problem, plan: Plan, planned: Planned) -> tuple[int, int]:
    """Mandatory visits served, then the value, changes taken off, less what moving customers' times costs."""
    report = verify(problem, plan)
    starts = {s.visit: s.starts_s for r in plan.routes for s in r.stops}
    moved = sum(abs(starts[v] - planned[v][1]) > RETIMED_S for v in starts if v in planned)
    return -len(report.missing), report.value.total - RETIMED_COST * moved


class Effect(StrEnum):
    """What becomes of a visit."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    """To another rep or day."""
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Difference:
    """One visit that changes."""

    visit: str
    effect: Effect
    before: tuple[str, int] | None
    """Rep-day and start in the known plan."""
    after: tuple[str, int] | None
    """Rep-day and start in the new one."""

    @property
    def minutes(self) -> int:
        """By how much the start moves within the day; zero for the others."""
        if self.before is None or self.after is None or self.before[0] != self.after[0]:
            return 0
        return round((self.after[1] - self.before[1]) / 60)


def differences(planned: Planned, plan: Plan, *, least_s: int = 300) -> tuple[Difference, ...]:
    """What the new plan changes for customers, in the order of the new day; shifts under `least_s` count as none."""
    after = {s.visit: (r.rep_day, s.starts_s) for r in plan.routes for s in r.stops}
    found = []
    for visit, new in sorted(after.items(), key=lambda item: item[1]):
        old = planned.get(visit)
        if old is None:
            found.append(Difference(visit, Effect.ADDED, None, new))
        elif old[0] != new[0]:
            found.append(Difference(visit, Effect.MOVED, old, new))
        elif abs(new[1] - old[1]) >= least_s:
            found.append(Difference(visit, Effect.LATER if new[1] > old[1] else Effect.EARLIER, old, new))
    gone = sorted((old, visit) for visit, old in planned.items() if visit not in after)
    return (*found, *(Difference(visit, Effect.REMOVED, old, None) for old, visit in gone))


@dataclass(frozen=True, slots=True)
class Takeover:
    """What it costs one rep to take a visit over."""

    rep_day: str
    detour_s: int
    position: int
    """Behind so many stops."""
    overtime_s: int = 0
    """How much later than allowed the day would end for it."""


def takeovers(
    problem: Problem, orders: Mapping[str, Sequence[str]], visit_id: str, *, more_s: int = 0
) -> tuple[Takeover, ...]:
    """Every rep-day that could take the visit over without moving anything else, the least detour first.

    With `more_s` the days may end so much later than they are allowed to; those that need it come last.
    """
    visit, found = problem.visit(visit_id), []
    for rep_day in problem.rep_days:
        stops = [problem.visit(v) for v in orders.get(rep_day.id, ())]
        timeline = Timeline.of(problem, rep_day, stops)
        gaps = [gap for p in range(len(stops) + 1) if (gap := _takeover(problem, timeline, visit, p)) is not None]
        if more_s and not gaps:
            longer = Timeline(replace(rep_day, overtime_s=rep_day.overtime_s + more_s), stops, timeline.drives)
            gaps = [
                replace(gap, overtime_s=late)
                for p in range(len(stops) + 1)
                if (gap := _takeover(problem, longer, visit, p)) and (late := _late(problem, longer, visit, p, more_s))
            ]
        if visit.allows(rep_day) and gaps:
            found.append(min(gaps, key=lambda gap: (gap.overtime_s, gap.detour_s)))
    return tuple(sorted(found, key=lambda t: (t.overtime_s, t.detour_s, t.rep_day)))


def _ends(timeline: Timeline, position: int) -> tuple[int, int]:
    """Places before and behind a gap."""
    stops, rep_day = timeline.visits, timeline.rep_day
    origin = stops[position - 1].place if position else rep_day.start
    return origin, stops[position].place if position < len(stops) else rep_day.end


def _late(problem: Problem, timeline: Timeline, visit: Visit, position: int, more_s: int) -> int:
    """How much later than allowed the day ends with the visit in a gap, when it may end `more_s` later."""
    origin, target = _ends(timeline, position)
    there, onward = drive_s(problem, origin, visit.place), drive_s(problem, visit.place, target)
    return timeline.home(position, there, onward, visit) - timeline.rep_day.latest_s + more_s


def _takeover(problem: Problem, timeline: Timeline, visit: Visit, position: int) -> Takeover | None:
    rep_day, stops = timeline.rep_day, timeline.visits
    origin, target = _ends(timeline, position)
    there, onward = drive_s(problem, origin, visit.place), drive_s(problem, visit.place, target)
    if there >= NEVER or onward >= NEVER:
        return None
    detour = there + onward - (timeline.drives[position] if stops else 0)
    rooms = timeline.rooms(position, position + 1, there, onward)
    fits = any(room.start(visit.windows_on(rep_day.day), visit.service_s) is not None for room in rooms)
    if rep_day.max_drive_s is not None and timeline.driving_s + detour > rep_day.max_drive_s:
        return None
    if rep_day.max_visits is not None and len(stops) >= rep_day.max_visits:
        return None
    if rep_day.capacity is not None and sum(v.demand for v in stops) + visit.demand > rep_day.capacity:
        return None
    return Takeover(rep_day.id, detour, position) if fits else None


def redistribute(problem: Problem, orders: Mapping[str, Sequence[str]], visits: Sequence[str]) -> Plan:
    """Give visits to the reps of the problem: first the one whose second choice costs most more than its first.

    What the reps have planned keeps its order. A visit that must take place and fits nowhere takes the place of the
    least valuable optional stop; when that is not possible either, it is named as unplanned with its reasons.
    """
    made = {day: list(order) for day, order in orders.items()}
    waiting = list(visits)
    while waiting:
        options = {v: takeovers(problem, made, v) for v in waiting}
        waiting = [v for v in waiting if options[v]]
        if not waiting:
            break
        chosen = max(waiting, key=lambda v: (problem.visit(v).mandatory, _regret(options[v])))
        best = options[chosen][0]
        made.setdefault(best.rep_day, []).insert(best.position, chosen)
        waiting.remove(chosen)
    return solve(problem, engine="insertion", budget=Budget(steps=1), start=made)


def _regret(options: Sequence[Takeover]) -> int:
    return NEVER if len(options) == 1 else options[1].detour_s - options[0].detour_s
