"""Routes under construction, with exact insertion tests.

A `Draft` is a set of routes being built. For each position it keeps forward labels (earliest finish with the
break still owed / already taken) and backward labels (latest start from which the rest of the day still works,
in both states). With these, whether a visit fits into a gap is one comparison, exact for several windows and
the break, and all gaps of all routes are tested at once with numpy.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.labels import NEVER, Ints, backward, finish, forward
from routing.types import UNREACHABLE, Problem


class Gap(NamedTuple):
    """A place for a visit: behind the `position` first stops of a rep-day, at this gain of value."""

    rep_day: int
    position: int
    gain: int
    detour_s: int


class Gaps(NamedTuple):
    """Every gap of every route at once, arrays of shape (rep-days, positions)."""

    fits: NDArray[np.bool_]
    gain: Ints
    detour_s: Ints


class Draft:
    """Routes under construction; always lawful when changed through `insert` and `remove` only.

    Parameters
    ----------
    problem : Problem
    routes : mapping of rep-day index to visit indices, optional
        Orders to begin with; the caller knows that they can be scheduled.
    """

    def __init__(self, problem: Problem, routes: Mapping[int, Sequence[int]] | None = None) -> None:
        self.problem = problem
        self.routes: list[list[int]] = [list((routes or {}).get(k, ())) for k in range(len(problem.rep_days))]
        self.at: dict[int, int] = {v: k for k, route in enumerate(self.routes) for v in route}
        drive = problem.seconds.astype(np.int64)
        self._drive = np.where(drive == UNREACHABLE, NEVER, drive)
        self._limits()
        self._siblings = {
            problem.visit_index[i]: [problem.visit_index[j] for j in s.visits]
            for s in problem.spacings
            for i in s.visits
        }
        self._spacing = {problem.visit_index[i]: s for s in problem.spacings for i in s.visits}
        self._days = np.array([d.day for d in problem.rep_days], dtype=np.int64)
        self._allowed: dict[int, NDArray[np.bool_]] = {}
        self._windows: dict[int, tuple[Ints, Ints]] = {}
        self._worths: dict[int, Ints] = {}
        self._allot(max((len(r) for r in self.routes), default=0) + 8)

    def _limits(self) -> None:
        days = self.problem.rep_days

        def column(values: Iterable[int | None]) -> Ints:
            return np.array([NEVER if v is None else v for v in values], dtype=np.int64).reshape(-1, 1)

        self._max_drive = column(d.max_drive_s for d in days)
        self._max_visits = column(d.max_visits for d in days)
        self._capacity = column(d.capacity for d in days)
        self._fixed = column(d.fixed_cost for d in days)
        self._overtime_s = column(d.overtime_s for d in days)
        self._overtime_cost = column(d.overtime_cost for d in days)
        self._longest = bool(self._overtime_s.any())
        self._rests = any(d.rest for d in days)
        self._earliest = column(d.rest.earliest_s if d.rest else None for d in days)
        self._latest = column(d.rest.latest_s if d.rest else -NEVER for d in days)
        self._rest = column(d.rest.duration_s if d.rest else 0 for d in days)
        self._paces = {p: np.array([d.pace == p for d in days]) for d in days if (p := d.pace) is not None}

    def _allot(self, width: int) -> None:
        shape = (len(self.routes), width)
        self._place = np.zeros(shape, dtype=np.int64)
        self._demand = np.zeros(shape, dtype=np.int64)
        self._finish_owed = np.full(shape, NEVER, dtype=np.int64)
        self._finish_taken = np.full(shape, NEVER, dtype=np.int64)
        self._start_owed = np.full(shape, -NEVER, dtype=np.int64)
        self._start_taken = np.full(shape, -NEVER, dtype=np.int64)
        self._punctual_owed = np.full(shape, -NEVER, dtype=np.int64)
        self._punctual_taken = np.full(shape, -NEVER, dtype=np.int64)
        self._overtime = np.zeros((shape[0], 1), dtype=np.int64)
        self._length = np.zeros((shape[0], 1), dtype=np.int64)
        self._drives = np.zeros((shape[0], 1), dtype=np.int64)
        self._loads = np.zeros((shape[0], 1), dtype=np.int64)
        for k in range(len(self.routes)):
            self._label(k)

    def _label(self, k: int) -> None:
        """Compute the labels of one route anew."""
        route = self.routes[k]
        if len(route) + 2 > self._place.shape[1]:
            self._allot(2 * len(route) + 4)
            return
        rep_day = self.problem.rep_days[k]
        visits = [self.problem.visits[v] for v in route]
        places = [rep_day.start, *(v.place for v in visits), rep_day.end]
        drives = [int(self._drive[a, b]) for a, b in itertools.pairwise(places)]
        n = len(route) + 1
        self._place[k, : n + 1] = places
        self._finish_owed[k], self._finish_taken[k] = NEVER, NEVER
        self._start_owed[k], self._start_taken[k] = -NEVER, -NEVER
        self._finish_owed[k, :n], self._finish_taken[k, :n] = forward(rep_day, visits, drives)
        owed, taken = backward(rep_day, visits, drives, rep_day.latest_s)
        self._start_owed[k, 1 : n + 1], self._start_taken[k, 1 : n + 1] = owed, taken
        if rep_day.overtime_s:
            self._punctual_owed[k], self._punctual_taken[k] = -NEVER, -NEVER
            owed, taken = backward(rep_day, visits, drives, rep_day.close_s)
            self._punctual_owed[k, 1 : n + 1], self._punctual_taken[k, 1 : n + 1] = owed, taken
            self._overtime[k] = self._overtime_of(k, drives[-1])
        self._length[k], self._drives[k] = len(route), sum(drives) if route else 0  # an unused day drives nowhere
        self._demand[k, 1:n] = [v.demand for v in visits]
        self._loads[k] = sum(v.demand for v in visits)

    def _overtime_of(self, k: int, back_s: int) -> int:
        """Seconds after the shift's end at which the route as it stands returns; 0 when it is unused or unlawful."""
        rep_day, n = self.problem.rep_days[k], len(self.routes[k])
        if n == 0:
            return 0
        returns = rep_day.arrive(int(self._finish_taken[k, n]), back_s)
        if rep_day.rest is not None and (begin := max(int(self._finish_owed[k, n]), rep_day.rest.earliest_s)) <= (
            rep_day.rest.latest_s
        ):
            resting = rep_day.rested(int(self._finish_owed[k, n]), back_s, begin, rep_day.rest.duration_s)
            returns = min(returns, resting)
        return 0 if returns > rep_day.latest_s else max(0, returns - rep_day.close_s)

    def feasible(self, k: int) -> bool:
        """Whether route `k` as it stands keeps its times and limits (for orders that came from outside)."""
        rep_day, n = self.problem.rep_days[k], len(self.routes[k])
        if n == 0:
            return True
        within = (
            self._drives[k, 0] <= self._max_drive[k, 0]
            and n <= self._max_visits[k, 0]
            and self._loads[k, 0] <= self._capacity[k, 0]
        )
        latest = self._start_taken[k, 1] if rep_day.rest is None else self._start_owed[k, 1]
        drive = int(self._drive[rep_day.start, self._place[k, 1]])
        rests_first = -NEVER
        if rep_day.rest is not None and max(rep_day.open_s, rep_day.rest.earliest_s) <= rep_day.rest.latest_s:
            begin = max(rep_day.open_s, rep_day.rest.earliest_s)
            if rep_day.rested(rep_day.open_s, drive, begin, rep_day.rest.duration_s) <= self._start_taken[k, 1]:
                rests_first = rep_day.open_s
        return bool(within and (rep_day.arrive(rep_day.open_s, drive) <= latest or rests_first == rep_day.open_s))

    def feasible_without(self, k: int, visit: int) -> bool:
        """Whether route `k` would keep its times and limits without this visit."""
        position = self.routes[k].index(visit)
        self.remove(visit)
        answer = self.feasible(k)
        self.insert(visit, k, position)
        return answer

    def insert(self, visit: int, k: int, position: int) -> None:
        """Put a visit behind the `position` first stops of rep-day `k`."""
        self.routes[k].insert(position, visit)
        self.at[visit] = k
        self._label(k)

    def remove(self, visit: int) -> None:
        """Take a visit out of its route."""
        k = self.at.pop(visit)
        self.routes[k].remove(visit)
        self._label(k)

    def replace(self, k: int, position: int, visit: int) -> int:
        """Put a visit in the place of the stop at `position` of rep-day `k`; returns the one that left."""
        out = self.routes[k][position]
        del self.at[out]
        self.routes[k][position] = visit
        self.at[visit] = k
        self._label(k)
        return out

    def best_gap(self, visit: int, only: int | None = None) -> Gap | None:
        """The gap of greatest gain into which the visit fits, on the day `only` if given; None when it fits nowhere."""
        gaps = self.gaps(visit)
        if only is not None:
            gaps.fits[np.arange(len(self.routes)) != only] = False
        if not gaps.fits.any():
            return None
        k, p = divmod(int(np.argmax(np.where(gaps.fits, gaps.gain, -NEVER))), gaps.gain.shape[1])
        return Gap(k, p, int(gaps.gain[k, p]), int(gaps.detour_s[k, p]))

    def gaps(self, visit: int, *, cadence: bool = True, start_s: int | None = None) -> Gaps:
        """Whether and at what gain the visit fits between any two neighbours.

        Its siblings count with `cadence`; with `start_s` it must begin at that moment, whatever its windows say.
        """
        return self._gaps(visit, 1, cadence=cadence, start_s=start_s)

    def moments(self, visit: int) -> Ints:
        """Moments at which the visit would begin if it were served as early or as late as some gap allows."""
        v = self.problem.visits[visit]
        there = self._drive[self._place[:, :-1], v.place]
        onward = self._drive[v.place, self._place[:, 1:]]
        early = (self._arrive(self._finish_owed[:, :-1], there), self._arrive(self._finish_taken[:, :-1], there))
        late = (self._leave(starts[:, 1:], onward) - v.service_s for starts in (self._start_owed, self._start_taken))
        found = np.unique(np.concatenate([moments.ravel() for moments in (*early, *late)]))
        return found[(found >= 0) & (found < NEVER)]

    def swaps(self, visit: int) -> Gaps:
        """Whether and at what gain the visit fits in the place of any stop; the gain of the lost stop is not counted.

        Column p stands for the stop at position p.
        """
        return self._gaps(visit, 2)

    def _gaps(self, visit: int, step: int, *, cadence: bool = True, start_s: int | None = None) -> Gaps:
        problem, v = self.problem, self.problem.visits[visit]
        opens, closes = self._windows_of(visit)
        if start_s is not None:
            opens = np.full((1, len(self.routes), 1), start_s, dtype=np.int64)
            closes = opens + v.service_s
        before, after = np.s_[:, :-step], np.s_[:, step:]
        there = self._drive[self._place[before], v.place]
        onward = self._drive[v.place, self._place[after]]
        legs = self._drive[self._place[:, :-1], self._place[:, 1:]]
        base = np.where(self._length == 0, 0, legs if step == 1 else legs[:, :-1] + legs[:, 1:])
        detour = there + onward - base

        owed, taken = self._finish_owed[before], self._finish_taken[before]
        resting = self._after_rest(owed, there)
        ends_taken = finish(np.minimum(self._arrive(taken, there), resting), opens, closes, v.service_s)
        ends_owed = finish(self._arrive(owed, there), opens, closes, v.service_s)
        next_taken = self._start_taken[after]
        resting = self._after_rest(ends_owed, onward)
        ready_taken, ready_owed = self._arrive(ends_taken, onward), self._arrive(ends_owed, onward)
        fits = (ready_taken <= next_taken) | (ready_owed <= self._start_owed[after]) | (resting <= next_taken)
        column = np.arange(self._place.shape[1] - step)
        fits &= column <= self._length - (step - 1)
        fits &= (self._drives + detour <= self._max_drive) & self._open_to(visit, step, cadence)[:, None]
        if v.demand:
            freed = 0 if step == 1 else self._demand[:, 1:-1]
            fits &= self._loads - freed + v.demand <= self._capacity
        w = problem.weights
        opening = np.where(self._length == 0, w.fixed * self._fixed, 0)
        gain = self._worth(visit)[:, None] - w.travel * detour - opening
        if self._longest:
            gain = gain - self._longer(after, (ready_taken, ready_owed, resting))
        return Gaps(fits, gain, detour)

    def _arrive(self, leave: Ints, drive: Ints) -> Ints:
        """Arrivals in the traffic of each rep-day."""
        there: Ints = leave + drive
        for pace, rows in self._paces.items():
            there[rows] = pace.arrivals(leave[rows], drive[rows])
        return there

    def _leave(self, there: Ints, drive: Ints) -> Ints:
        """Departures in the traffic of each rep-day."""
        leave: Ints = there - drive
        for pace, rows in self._paces.items():
            leave[rows] = pace.departures(there[rows], drive[rows])
        return leave

    def _after_rest(self, finish: Ints, drive: Ints) -> Ints:
        """Arrivals when the break is taken on the leg; NEVER when it is too late for it."""
        if not self._rests:
            return self._rest + NEVER
        begin = np.maximum(finish, self._earliest)
        there = np.maximum(finish + drive, begin) + self._rest
        for pace, rows in self._paces.items():
            there[rows] = pace.rests(finish[rows], drive[rows], begin[rows], self._rest[rows])
        return np.where(begin <= self._latest, there, NEVER)

    def _longer(self, after: Any, ready: tuple[Ints, Ints, Ints]) -> Ints:
        """What the overtime costs more when the next stop is reached so late: break taken, owed, taken on this leg.

        A second past the last punctual moment is a second of overtime. Only where such a delay makes a stop wait
        for its next window or the break, or meet other traffic, the day grows by more or less than that; `value` counts
        it as it is.
        """
        taken, owed, resting = ready
        punctual = self._punctual_taken[after]
        least = np.minimum(np.minimum(taken, resting) - punctual, owed - self._punctual_owed[after])
        longer: Ints = (np.minimum(np.maximum(least, 0), self._overtime_s) - self._overtime) * self._overtime_cost
        return longer

    def _worth(self, visit: int) -> Ints:
        """What the visit brings on each rep-day but for driving: prize, lateness, a steady plan, the usual rep."""
        if visit not in self._worths:
            v, w = self.problem.visits[visit], self.problem.weights
            self._worths[visit] = np.array(
                [
                    w.prize * v.prize
                    - w.late * v.late_cost * v.late_days(d.day)
                    + (v.moved(None) - v.moved(d.id) - v.by_another(d.rep))
                    for d in self.problem.rep_days
                ],
                dtype=np.int64,
            )
        return self._worths[visit]

    def _windows_of(self, visit: int) -> tuple[Ints, Ints]:
        """Opening and closing times per rep-day, shape (spans, rep-days, 1)."""
        if visit not in self._windows:
            v = self.problem.visits[visit]
            spans = [v.windows_on(int(d)) for d in self._days]
            most = max((len(s) for s in spans), default=0)
            opens = np.full((most, len(spans), 1), NEVER, dtype=np.int64)
            closes = np.full((most, len(spans), 1), -NEVER, dtype=np.int64)
            for k, windows in enumerate(spans):
                for j, window in enumerate(windows):
                    opens[j, k, 0], closes[j, k, 0] = window.open_s, window.close_s
            self._windows[visit] = opens, closes
        return self._windows[visit]

    def _open_to(self, visit: int, step: int, cadence: bool) -> NDArray[np.bool_]:
        """Rep-days that may take the visit: rep and day, room for one more, cadence."""
        v = self.problem.visits[visit]
        if visit not in self._allowed:
            self._allowed[visit] = np.array([v.allows(d) for d in self.problem.rep_days], dtype=bool)
        rows = self._allowed[visit] & (self._length[:, 0] + 2 - step <= self._max_visits[:, 0])
        if cadence and visit in self._siblings:
            rows = rows & np.array([self.keeps_cadence(visit, int(d)) for d in self._days], dtype=bool)
        return rows

    def keeps_cadence(self, visit: int, day: int) -> bool:
        """Whether serving the visit on `day` keeps its distance to the customer's other planned visits."""
        if visit not in self._siblings:
            return True
        days = [
            day if j == visit else int(self._days[self.at[j]])
            for j in self._siblings[visit]
            if j == visit or j in self.at
        ]
        return all(self._spacing[visit].keeps(a, b) for a, b in itertools.pairwise(days))

    def may_give_way(self, out: int, to: int) -> bool:
        """Whether a stop may be replaced by `to`: no promise, and its customer's other visits keep their distance."""
        siblings = self._siblings.get(out, ())
        if self.problem.visits[out].mandatory or to in siblings:
            return False
        days = [int(self._days[self.at[j]]) for j in siblings if j != out and j in self.at]
        return all(self._spacing[out].keeps(a, b) for a, b in itertools.pairwise(days))

    def value(self) -> int:
        """The value of the draft after the problem's weights."""
        w = self.problem.weights
        used = self._length[:, 0] > 0
        return int(
            sum(int(self._worth(v)[k]) for v, k in self.at.items())
            - sum(v.moved(None) for v in self.problem.visits)
            - w.travel * self._drives[used, 0].sum()
            - w.fixed * self._fixed[used, 0].sum()
            - (self._overtime * self._overtime_cost).sum()
        )

    def worth(self, k: int, position: int) -> int:
        """What the stop at `position` of rep-day `k` brings but for driving."""
        return int(self._worth(self.routes[k][position])[k])

    def rank(self) -> tuple[int, int]:
        """By which drafts compare: fewer mandatory visits missing, then more value."""
        return -len(self.missing()), self.value()

    def missing(self) -> list[int]:
        """Mandatory visits that are not in the draft."""
        return [k for k, v in enumerate(self.problem.visits) if v.mandatory and k not in self.at]
