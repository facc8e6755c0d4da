"""The finish of a search: the best combination of all the good routes it came across (CP-SAT set partitioning).

A search by moves sees one plan at a time. The routes of its many good plans, thrown together, nearly always hold a
better plan than each of them. Choosing it is exact: every rule between routes is a constraint.
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
from routing.types import Problem

MOST_ROUTES = 5_000
"""Routes that are looked at; a longer pool gives nothing but a slower start."""
TRIES = 3
"""Times that a choice with an unlawful route is thrown away."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A route and what it brings."""

    rep_day: int
    visits: tuple[int, ...]
    starts: tuple[tuple[int, int], ...]
    """Visit and start, of visits in meetings."""
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
    for _ in range(TRIES):
        if len(columns) <= len(own):
            return draft
        chosen = _Model(problem, columns, draft).solve(effort, seed, seconds)
        if chosen is None:
            return draft
        unlawful = {c for c in chosen if not _is_lawful(problem, c)}
        if not unlawful:
            better = Draft(problem, {c.rep_day: c.visits for c in chosen})
            return better if better.rank() > draft.rank() else draft
        columns = [c for c in columns if c not in unlawful]
    return draft


def _columns(problem: Problem, routes: Iterable[GoodRoute]) -> list[_Column]:
    """The distinct routes; of two orders of the same visits on the same day the better one."""
    timed = {problem.visit_index[i] for m in problem.meetings for i in m.visits}
    best: dict[tuple[int, frozenset[int]], _Column] = {}
    for route in dict.fromkeys(itertools.islice(routes, MOST_ROUTES)):
        column = _column(problem, route, timed) if route.visits else None
        if column is not None:
            key = (column.rep_day, frozenset(column.visits))
            if key not in best or best[key].value < column.value:
                best[key] = column
    return list(best.values())


def _column(problem: Problem, route: GoodRoute, timed: set[int]) -> _Column | None:
    """The route with what it brings; None when it has no times although they matter: for overtime and meetings."""
    rep_day, visits, w = problem.rep_days[route.rep_day], [problem.visits[v] for v in route.visits], problem.weights
    places = [rep_day.start, *(v.place for v in visits), rep_day.end]
    value = -w.travel * int(problem.seconds[places[:-1], places[1:]].sum()) - w.fixed * rep_day.fixed_cost
    for v in visits:
        value += w.prize * v.prize + v.moved(None) - v.moved(rep_day.id) - v.by_another(rep_day.rep)
        value -= w.late * v.late_cost * v.late_days(rep_day.day)
    starts: dict[int, int] = {}
    if rep_day.overtime_s or not timed.isdisjoint(route.visits):
        times = schedule(problem, rep_day, visits)
        if not isinstance(times, Route):
            return None
        value -= rep_day.overtime_cost * max(0, times.returns_s - rep_day.close_s)
        starts = {v: s.starts_s for v, s in zip(route.visits, times.stops, strict=True) if v in timed}
    return _Column(route.rep_day, route.visits, tuple(starts.items()), value)


def _is_lawful(problem: Problem, column: _Column) -> bool:
    """Whether the route keeps every rule that is its own; looked at only when it is chosen."""
    draft = Draft(problem, {column.rep_day: column.visits})
    allowed = all(problem.visits[v].allows(problem.rep_days[column.rep_day]) for v in column.visits)
    return allowed and draft.feasible(column.rep_day)


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
        now = {(k, tuple(route)) for k, route in enumerate(draft.routes) if route}
        self._aim([(column.rep_day, column.visits) in now for column in columns])

    def _served(self, visit: int) -> Any:
        return sum(self.takes[c] for c in self.of_visit.get(visit, ()))

    def _day(self, visit: int) -> Any:
        days = self.problem.rep_days
        return sum(self.takes[c] * days[self.columns[c].rep_day].day for c in self.of_visit.get(visit, ()))

    def _start(self, visit: int) -> Any:
        return sum(self.takes[c] * dict(self.columns[c].starts)[visit] for c in self.of_visit.get(visit, ()))

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

    def _aim(self, now: list[bool]) -> None:
        """As much as possible, and more than the routes of the plan that is there: often that is refuted at once."""
        promise = 1 + 2 * sum(abs(c.value) for c in self.columns)
        visits = self.problem.visits
        worth = [c.value + promise * sum(visits[v].mandatory for v in c.visits) for c in self.columns]
        brings = sum(take * value for take, value in zip(self.takes, worth, strict=True))
        self.model.add(brings > sum(value for value, there in zip(worth, now, strict=True) if there))
        self.model.maximize(brings)

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
