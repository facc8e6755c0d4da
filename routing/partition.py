"""The finish of a search: the best combination of all the good routes it came across (CP-SAT set partitioning).

A search by moves sees one plan at a time. The routes of its many good plans, thrown together, nearly always hold a
better plan than each of them. Choosing it is exact: every rule between routes is a constraint, and each route is
lawful on its own.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ortools.sat.python import cp_model

from routing.draft import Draft
from routing.found import GoodRoute
from routing.plan import Route
from routing.schedule import schedule
from routing.types import Problem, RepDay

MOST_ROUTES = 4_000
"""Routes that are looked at; a longer pool gives nothing but a slower start."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A lawful route and what it brings."""

    rep_day: int
    visits: tuple[int, ...]
    starts: tuple[int, ...]
    value: int


def recombine(
    draft: Draft, pool: Iterable[GoodRoute], *, effort: float, seed: int = 0, seconds: float | None = None
) -> Draft:
    """The best plan that can be put together from the routes of `draft` and `pool`.

    Parameters
    ----------
    draft : Draft
        A lawful plan; the answer serves as many mandatory visits and is worth at least as much.
    pool : iterable of GoodRoute
        Routes in order of merit; those that break a rule on their own are passed over.
    effort : float
        Deterministic time of CP-SAT, about seconds on an idle core: the same input gives the same answer.
    seconds : float, optional
        Wall-clock seconds after which it ends in any case; the answer then depends on the machine.
    """
    problem = draft.problem
    own = [GoodRoute(k, tuple(route)) for k, route in enumerate(draft.routes) if route]
    columns = _columns(problem, [*own, *pool])
    if len(columns) <= len(own):
        return draft
    model = _Model(problem, columns, draft)
    chosen = model.solve(effort, seed, seconds)
    if chosen is None:
        return draft
    better = Draft(problem, {c.rep_day: c.visits for c in chosen})
    return better if better.rank() > draft.rank() else draft


def _columns(problem: Problem, routes: Iterable[GoodRoute]) -> list[_Column]:
    """The distinct lawful routes; of two orders of the same visits on the same day the better one."""
    best: dict[tuple[int, frozenset[int]], _Column] = {}
    seen: set[tuple[int, tuple[int, ...]]] = set()
    for route in itertools.islice(routes, MOST_ROUTES):
        if not route.visits or (route.rep_day, route.visits) in seen:
            continue
        seen.add((route.rep_day, route.visits))
        column = _column(problem, route)
        key = (route.rep_day, frozenset(route.visits))
        if column is not None and (key not in best or best[key].value < column.value):
            best[key] = column
    return list(best.values())


def _column(problem: Problem, route: GoodRoute) -> _Column | None:
    """The route with its times and its value; None when it is not lawful on its own."""
    rep_day, visits, w = problem.rep_days[route.rep_day], [problem.visits[v] for v in route.visits], problem.weights
    times = schedule(problem, rep_day, visits)
    if not isinstance(times, Route) or not all(v.allows(rep_day) for v in visits):
        return None
    if not _within(rep_day, times.drive_s, len(visits), sum(v.demand for v in visits)):
        return None
    value = sum(
        w.prize * v.prize - w.late * v.late_cost * v.late_days(rep_day.day) + v.moved(None) - v.moved(rep_day.id)
        for v in visits
    )
    value -= w.travel * times.drive_s + w.fixed * rep_day.fixed_cost
    value -= rep_day.overtime_cost * max(0, times.returns_s - rep_day.close_s)
    return _Column(route.rep_day, route.visits, tuple(s.starts_s for s in times.stops), value)


def _within(rep_day: RepDay, drive_s: int, visits: int, demand: int) -> bool:
    return (
        (rep_day.max_drive_s is None or drive_s <= rep_day.max_drive_s)
        and (rep_day.max_visits is None or visits <= rep_day.max_visits)
        and (rep_day.capacity is None or demand <= rep_day.capacity)
    )


class _Model:
    """One yes or no per route; what holds between routes as constraints."""

    def __init__(self, problem: Problem, columns: list[_Column], draft: Draft) -> None:
        self.problem, self.columns = problem, columns
        self.model = cp_model.CpModel()
        self.takes = [self.model.new_bool_var("") for _ in columns]
        self.of_visit: dict[int, list[int]] = {}
        of_day: dict[int, list[int]] = {}
        for c, column in enumerate(columns):
            of_day.setdefault(column.rep_day, []).append(c)
            for v in column.visits:
                self.of_visit.setdefault(v, []).append(c)
        for group in (*of_day.values(), *self.of_visit.values()):
            if len(group) > 1:
                self.model.add_at_most_one(self.takes[c] for c in group)
        self._spacings()
        self._meetings()
        self._aim()
        now = {(k, tuple(route)) for k, route in enumerate(draft.routes) if route}
        for take, column in zip(self.takes, columns, strict=True):
            self.model.add_hint(take, (column.rep_day, column.visits) in now)

    def _served(self, visit: int) -> Any:
        return sum(self.takes[c] for c in self.of_visit.get(visit, ()))

    def _day(self, visit: int) -> Any:
        days = self.problem.rep_days
        return sum(self.takes[c] * days[self.columns[c].rep_day].day for c in self.of_visit.get(visit, ()))

    def _start(self, visit: int) -> Any:
        columns = self.columns
        return sum(
            self.takes[c] * columns[c].starts[columns[c].visits.index(visit)] for c in self.of_visit.get(visit, ())
        )

    def _literal(self, visit: int) -> cp_model.IntVar:
        literal = self.model.new_bool_var("")
        self.model.add(literal == self._served(visit))
        return literal

    def _spacings(self) -> None:
        """Two visits keep their distance when both are served and nothing between them is."""
        for spacing in self.problem.spacings:
            visits = [v for v in (self.problem.visit_index[i] for i in spacing.visits) if v in self.of_visit]
            served = [self._literal(v) for v in visits]
            for a, b in itertools.combinations(range(len(visits)), 2):
                given = [served[a], served[b], *(~s for s in served[a + 1 : b])]
                gap = self._day(visits[b]) - self._day(visits[a])
                self.model.add(gap >= spacing.min_gap_days).only_enforce_if(given)
                if spacing.max_gap_days is not None:
                    self.model.add(gap <= spacing.max_gap_days).only_enforce_if(given)

    def _meetings(self) -> None:
        """All parts are served, on one day, at one moment, by different reps; or none is."""
        for meeting in self.problem.meetings:
            parts = [self.problem.visit_index[i] for i in meeting.visits]
            for a, b in itertools.pairwise(parts):
                self.model.add(self._served(a) == self._served(b))
                self.model.add(self._day(a) == self._day(b))
                self.model.add(self._start(a) == self._start(b))
            of_rep: dict[str, list[int]] = {}
            for c in (c for part in parts for c in self.of_visit.get(part, ())):
                of_rep.setdefault(self.problem.rep_days[self.columns[c].rep_day].rep, []).append(c)
            for group in of_rep.values():
                self.model.add(sum(self.takes[c] for c in group) <= 1)

    def _aim(self) -> None:
        promise = 1 + 2 * sum(abs(c.value) for c in self.columns)
        visits = self.problem.visits
        worth = [c.value + promise * sum(visits[v].mandatory for v in c.visits) for c in self.columns]
        self.model.maximize(sum(take * value for take, value in zip(self.takes, worth, strict=True)))

    def solve(self, effort: float, seed: int, seconds: float | None) -> list[_Column] | None:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed % (1 << 31)
        solver.parameters.max_deterministic_time = effort
        if seconds is not None:
            solver.parameters.max_time_in_seconds = max(0.01, seconds)
        if solver.solve(self.model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        return [c for take, c in zip(self.takes, self.columns, strict=True) if solver.boolean_value(take)]
