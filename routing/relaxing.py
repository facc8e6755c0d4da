"""The smallest change of the rules that would let a visit into a plan that stands.

Every gap and every stop of the plan is tried against the actual routes. The amount of a change is the least that
suffices: a second less does not (the tests say so against `routing.schedule`). Which of several is the smallest is
decided by the number of rules it bends, then by its burden, see `routing.relaxation.BURDENS`.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from routing.relaxation import Change, Kind, Relaxation
from routing.timeline import NEVER, Room, Timeline, drive_s
from routing.types import Problem, Visit, Window

SHORTEST_SHARE = 2
"""A visit is never shortened below this fraction of its time."""

ANYTIME = (Window(0, NEVER),)


def relaxations(
    problem: Problem, orders: Mapping[str, Sequence[str]], visits: Iterable[str]
) -> dict[str, tuple[Relaxation, ...]]:
    """For each of some visits that are not in the plan, the smallest change of every kind, the smallest first.

    Parameters
    ----------
    orders : mapping of rep-day id to visit ids
        The plan as it stands (`Plan.orders`).
    visits : iterable of str
        Ids of visits that are not in it.

    Returns
    -------
    dict
        Empty tuples where no single change helps: no road leads there, or several reps have to meet.
    """
    plan = _Plan(problem, orders)
    together = {visit for meeting in problem.meetings for visit in meeting.visits}
    return {v: () if v in together else _Search(plan, problem.visit(v)).smallest() for v in visits}


class _Plan:
    """The plan that stands, with what every gap needs to know."""

    def __init__(self, problem: Problem, orders: Mapping[str, Sequence[str]]) -> None:
        self.problem = problem
        self.timelines = [
            Timeline.of(problem, d, [problem.visit(v) for v in orders.get(d.id, ())]) for d in problem.rep_days
        ]
        self.day_of = {v.id: t.rep_day.day for t in self.timelines for v in t.visits}
        self.spacing_of = {v: s for s in problem.spacings for v in s.visits}
        self.bound = {*self.spacing_of, *(v for meeting in problem.meetings for v in meeting.visits)}
        """Visits that others depend on: none of them gives its place away."""

    def cadence_lack(self, visit: Visit, day: int) -> int:
        """Days by which the customer's cadence would have to be bent to come on this day; never to two visits a day."""
        spacing = self.spacing_of.get(visit.id)
        if spacing is None:
            return 0
        served = [v for v in spacing.visits if v == visit.id or v in self.day_of]
        days = [day if v == visit.id else self.day_of[v] for v in served]
        lacks = [0]
        for before, after in itertools.pairwise(days):
            if after == before and spacing.min_gap_days > 0:
                return NEVER
            lacks.append(spacing.min_gap_days - (after - before))
            if spacing.max_gap_days is not None:
                lacks.append(after - before - spacing.max_gap_days)
        return max(lacks)


class _Search:
    """The smallest change of every kind for one visit; gaps that cannot beat it are passed over."""

    def __init__(self, plan: _Plan, visit: Visit) -> None:
        self.plan, self.visit = plan, visit
        self.best: dict[tuple[Kind, ...], Relaxation] = {}

    def smallest(self) -> tuple[Relaxation, ...]:
        """One change where one is enough, else several at once."""
        for rules in (1, 4):
            for timeline in self.plan.timelines:
                self._on_day(timeline, rules)
            if self.best:
                break
        fewest = min((len(kinds) for kinds in self.best), default=0)
        found = [one for one in self.best.values() if len(one.changes) == fewest]
        return tuple(sorted(found, key=lambda r: (r.burden, r.kinds)))

    def _beats(self, changes: Sequence[Change], detour_s: int) -> bool:
        """Whether the changes would be the smallest of their kind; their amounts may be lower bounds."""
        offer = Relaxation(self.visit.id, "", tuple(changes), detour_s)
        known = self.best.get(offer.kinds)
        return known is None or offer.burden < known.burden

    def _offer(self, gap: "_Gap", changes: Sequence[Change]) -> None:
        if self._beats(changes, gap.detour_s):
            found = Relaxation(self.visit.id, gap.timeline.rep_day.id, tuple(changes), gap.detour_s)
            self.best[found.kinds] = found

    def _on_day(self, timeline: Timeline, rules: int) -> None:
        """Everything that would help on one rep-day and bends at most so many rules."""
        visit, rep_day = self.visit, timeline.rep_day
        asked = [] if visit.reps is None or rep_day.rep in visit.reps else [Change(Kind.REP)]
        off = 0 if visit.days is None or rep_day.day in visit.days else _days_off(visit.days, rep_day.day)
        days = max(off, self.plan.cadence_lack(visit, rep_day.day))
        asked += [Change(Kind.DAY, days)] if days else []
        if days >= NEVER or len(asked) > rules:
            return
        for position in range(len(timeline.visits) + 1):
            gap = _Gap.between(self.plan.problem, timeline, visit, position)
            if gap.there_s < NEVER and gap.onward_s < NEVER:
                self._in_gap(gap, [*asked, *gap.limits()], rules)
        if len(asked) < rules:
            for position in range(len(timeline.visits)):
                self._in_place(timeline, position, asked)

    def _in_gap(self, gap: "_Gap", wanted: list[Change], rules: int) -> None:
        """Limits of the day, and a little time from somebody where the times do not fit."""
        free = rules - len(wanted)
        if free < 0 or (free == 0 and not self._beats(wanted, gap.detour_s)):
            return
        rooms = gap.rooms()
        if any(room.start(gap.windows, self.visit.service_s) is not None for room in rooms):
            self._offer(gap, wanted or [Change(Kind.INSIST, max(0, -_gain(self.plan.problem, gap)))])
        elif free:
            for room in rooms:
                for change in (*gap.shorter(room), *gap.opening(room)):
                    self._offer(gap, [*wanted, change])
            if self._beats([*wanted, Change(Kind.OVERTIME, gap.least_overtime_s)], gap.detour_s):
                self._offer_all(gap, wanted, gap.overtime())
            if free > 1:
                self._offer_all(gap, wanted, gap.open_late())

    def _offer_all(self, gap: "_Gap", wanted: list[Change], more: Sequence[Change]) -> None:
        if more:
            self._offer(gap, [*wanted, *more])

    def _in_place(self, timeline: Timeline, position: int, asked: list[Change]) -> None:
        """Give the visit the place of an optional stop."""
        out, problem = timeline.visits[position], self.plan.problem
        if out.mandatory or out.appointment or out.id in self.plan.bound:
            return
        gap = _Gap.between(problem, timeline, self.visit, position, swap=True)
        lost = problem.weights.prize * out.prize - _lateness(problem, out, timeline.rep_day.day) + out.moved(None)
        lost -= out.by_another(timeline.rep_day.rep)
        changes = [*asked, Change(Kind.INSTEAD, lost - _gain(problem, gap), other=out.id)]
        if not self._beats(changes, gap.detour_s) or gap.limits():
            return
        if any(room.start(gap.windows, self.visit.service_s) is not None for room in gap.rooms()):
            self._offer(gap, changes)


def _days_off(days: frozenset[int], day: int) -> int:
    return min((abs(day - d) for d in days), default=NEVER)


@dataclass(frozen=True, slots=True)
class _Gap:
    """A visit between two nodes of a day, or in the place of the stop between them."""

    timeline: Timeline
    visit: Visit
    before: int
    there_s: int
    onward_s: int
    detour_s: int
    out: Visit | None = None

    @classmethod
    def between(cls, problem: Problem, timeline: Timeline, visit: Visit, before: int, *, swap: bool = False) -> "_Gap":
        stops, rep_day = timeline.visits, timeline.rep_day
        after = before + (1 if swap else 0)
        origin = stops[before - 1].place if before else rep_day.start
        target = stops[after].place if after < len(stops) else rep_day.end
        there, onward = drive_s(problem, origin, visit.place), drive_s(problem, visit.place, target)
        direct = sum(timeline.drives[before : after + 1]) if stops else 0
        out = stops[before] if swap else None
        return cls(timeline, visit, before, there, onward, there + onward - direct, out)

    @property
    def windows(self) -> tuple[Window, ...]:
        return self.visit.windows_on(self.timeline.rep_day.day)

    def rooms(self) -> tuple[Room, ...]:
        """What the times leave to the visit."""
        after = self.before + (2 if self.out else 1)
        return self.timeline.rooms(self.before, after, self.there_s, self.onward_s)

    def limits(self) -> list[Change]:
        """The limits of the day that would be passed, and by how much."""
        day, stops = self.timeline.rep_day, self.timeline.visits
        lacks = []
        if day.max_drive_s is not None:
            lacks.append(Change(Kind.DRIVING, self.timeline.driving_s + self.detour_s - day.max_drive_s))
        if day.max_visits is not None:
            lacks.append(Change(Kind.STOPS, len(stops) + (self.out is None) - day.max_visits))
        if day.capacity is not None:
            load = sum(v.demand for v in stops) + self.visit.demand - (self.out.demand if self.out else 0)
            lacks.append(Change(Kind.LOAD, load - day.capacity))
        return [lack for lack in lacks if lack.amount > 0]

    @property
    def least_overtime_s(self) -> int:
        """How late the rep returns at least, were there no windows and no break to come."""
        ready = min(self.timeline.arrivals(self.before, self.there_s))
        if self.timeline.rep_day.pace is not None:  # the way home may be quicker than usual
            return ready + self.visit.service_s - self.timeline.rep_day.latest_s
        rest = self.visit.service_s + self.onward_s + self.timeline.work_after[self.before]
        return ready + rest - self.timeline.rep_day.latest_s

    def overtime(self) -> tuple[Change, ...]:
        """How much later the rep would return."""
        home = self.timeline.home(self.before, self.there_s, self.onward_s, self.visit)
        return (Change(Kind.OVERTIME, home - self.timeline.rep_day.latest_s),) if home < NEVER else ()

    def open_late(self) -> tuple[Change, ...]:
        """The customer stays open until the rep comes, and the rep returns later."""
        anytime = replace(self.visit, windows=ANYTIME, windows_by_day={})
        home = self.timeline.home(self.before, self.there_s, self.onward_s, anytime)
        late = home - self.timeline.rep_day.latest_s
        if home >= NEVER or late <= 0:
            return ()
        ready = max(r for r in self.timeline.arrivals(self.before, self.there_s) if r < NEVER)
        end = ready + self.visit.service_s
        window = Window(min(self.windows[-1].open_s, ready), end) if self.windows else Window(ready, end)
        amount = end - (self.windows[-1].close_s if self.windows else ready)
        return Change(Kind.OPENING, max(0, amount), window=window), Change(Kind.OVERTIME, late)

    def shorter(self, room: Room) -> Iterator[Change]:
        """By how much the visit would have to be shortened."""
        service = self.visit.service_s
        free = [min(room.leave_s, w.close_s) - max(room.ready_s, w.open_s) for w in self.windows]
        longest = max(free, default=-1)
        if longest * SHORTEST_SHARE >= service and 0 < longest < service:
            yield Change(Kind.SHORTER, service - longest)

    def opening(self, room: Room) -> Iterator[Change]:
        """By how much the customer would have to open earlier or close later."""
        service = self.visit.service_s
        latest = room.leave_s - service
        if latest < room.ready_s:
            return
        if not self.windows:
            yield Change(Kind.OPENING, service, window=Window(room.ready_s, room.ready_s + service))
        for w in self.windows:
            start = min(max(room.ready_s, min(w.open_s, w.close_s - service)), latest)
            wider = Window(min(w.open_s, start), max(w.close_s, start + service))
            yield Change(Kind.OPENING, (w.open_s - wider.open_s) + (wider.close_s - w.close_s), window=wider)


def _gain(problem: Problem, gap: _Gap) -> int:
    """Value that the visit adds in this gap."""
    w, day = problem.weights, gap.timeline.rep_day
    opening = 0 if gap.timeline.visits else w.fixed * day.fixed_cost
    brings = w.prize * gap.visit.prize - _lateness(problem, gap.visit, day.day) - gap.visit.by_another(day.rep)
    return brings - w.travel * gap.detour_s - opening


def _lateness(problem: Problem, visit: Visit, day: int) -> int:
    return problem.weights.late * visit.late_cost * visit.late_days(day)
