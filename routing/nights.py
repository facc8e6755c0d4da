"""Hotel nights around any engine: which evenings to sleep out, given a plan in which everybody drives home.

Each rep's nights are judged on the rep's own part of the plan (their visits and those that nobody serves): what the
week is worth with a set of nights, against what it is worth without. A few sets are all tried; of many, CP-SAT takes
the best after the gain of each night alone and of each two that share a day.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from routing import meetings
from routing.draft import Draft
from routing.insertion import fill, greedy, mend
from routing.types import Night, Problem, RepDay, Visit

MOST_SETS = 32
"""Sets of nights of one rep that are all tried; beyond, CP-SAT estimates."""
MOST_WAITING = 60
"""Visits that nobody serves which are considered for one rep's nights, the most valuable ones."""

Stay = tuple[Night, ...]

Plan = Callable[[Problem, Draft | None, float], Draft]
"""Plans a problem without nights from a draft (None = from nothing) with this share of the budget."""


def plan(problem: Problem, begun: Draft | None, make: Plan) -> tuple[Draft, tuple[str, ...]]:
    """Plan with hotel nights: the draft, of a problem in which the nights are booked, and their ids.

    A plan without any night comes first; nights are taken only when the plan with them is worth more.
    """
    plain = booked(problem, ())
    home = make(plain, begun, 0.4)
    chosen = choose(problem, home)
    if not chosen:
        return make(plain, home, 0.6), ()
    kept = Draft(booked(replace(home.problem, nights=problem.nights), chosen), dict(enumerate(home.routes)))
    mend(kept)
    fill(kept)
    away, chosen = _sound(problem, make(booked(problem, chosen), kept, 0.4), chosen)
    if (away.rank()[0], away.rank()[1] - _cost(chosen)) <= home.rank():
        away, chosen = home, ()
    last, chosen = _sound(problem, make(booked(problem, chosen), away, 0.2), chosen)
    return last, tuple(x.id for x in chosen)


def booked(problem: Problem, nights: Iterable[Night]) -> Problem:
    """The problem with these nights: anchors at the hotels, and no work on days between an evening and its morning."""
    stay = tuple(nights)
    between = {d.id for x in stay for d in _between(problem, x)}
    away = problem.with_nights(x.id for x in stay)
    days = tuple(replace(d, max_visits=0) if d.id in between else d for d in away.rep_days)
    return replace(away, rep_days=days, nights=()) if between or away.nights else away


def _between(problem: Problem, night: Night) -> list[RepDay]:
    evening, morning = problem.rep_day(night.evening), problem.rep_day(night.morning)
    return [d for d in problem.rep_days if d.rep == evening.rep and _moment(evening) < _moment(d) < _moment(morning)]


def _moment(rep_day: RepDay) -> tuple[int, int]:
    return rep_day.day, rep_day.open_s


def _cost(nights: Iterable[Night]) -> int:
    return sum(x.cost for x in nights)


def choose(problem: Problem, home: Draft) -> Stay:
    """The nights whose week is worth more than the week at home; `home` is a plan without nights."""
    reps = dict.fromkeys(problem.rep_day(x.evening).rep for x in problem.nights)
    return tuple(night for rep in reps for night in _Week(problem, home, rep).best())


@dataclass
class _Week:
    """One rep's part of a plan, and what it is worth with some nights."""

    problem: Problem
    home: Draft
    rep: str
    part: Problem = field(init=False)
    orders: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        plain = self.home.problem
        rows = [k for k, d in enumerate(plain.rep_days) if d.rep == self.rep]
        waiting = [v for v, visit in enumerate(plain.visits) if v not in self.home.at and _may_come(visit, self.rep)]
        waiting.sort(key=lambda v: (-plain.visits[v].mandatory, -plain.visits[v].prize))
        mine = [*(v for k in rows for v in self.home.routes[k]), *waiting[:MOST_WAITING]]
        place = {v: k for k, v in enumerate(mine)}
        ids = {plain.visits[v].id for v in mine}
        self.part = replace(
            plain,
            rep_days=tuple(plain.rep_days[k] for k in rows),
            visits=tuple(plain.visits[v] for v in mine),
            spacings=tuple(s for s in plain.spacings if ids.issuperset(s.visits)),
            meetings=(),
            nights=tuple(x for x in self.problem.nights if self.problem.rep_day(x.evening).rep == self.rep),
        )
        self.orders = {j: [place[v] for v in self.home.routes[k]] for j, k in enumerate(rows)}
        self._worth: dict[frozenset[str], tuple[int, int]] = {}
        self._home = self._both(())

    def best(self) -> Stay:
        """The stay of greatest gain, empty when none gains."""
        nights = self.part.nights
        stays = list(itertools.islice(_stays(self.part, nights), MOST_SETS + 1))
        if len(stays) > MOST_SETS:
            stays = [(), self._estimated(), *((x,) for x in nights)]
        return max(stays, key=lambda stay: (self.gain(stay), -len(stay)))

    def gain(self, stay: Stay) -> tuple[int, int]:
        """(more promises kept, more value) than at home; of a new greedy week or of the same order, the better one."""
        key = frozenset(x.id for x in stay)
        if key not in self._worth:
            pairs = zip(self._both(stay), self._home, strict=True)
            self._worth[key] = max((a[0] - b[0], a[1] - b[1]) for a, b in pairs)
        return self._worth[key]

    def _both(self, stay: Stay) -> list[tuple[int, int]]:
        world = booked(self.part, stay)
        same = Draft(world, self.orders)
        mend(same)
        fill(same)
        return [self._rank(draft, stay) for draft in (greedy(world, rounds=2), same)]

    def _rank(self, draft: Draft, stay: Stay) -> tuple[int, int]:
        missing, value = draft.rank()
        if not all(_slept_in(draft, x) for x in stay):
            return missing - len(draft.problem.visits), value  # unlawful: nobody would come to the hotel
        return missing, value - _cost(stay)

    def _estimated(self) -> Stay:
        """CP-SAT over the gains of single nights and of two that share a day."""
        from ortools.sat.python import cp_model  # when it is needed: the server starts without it

        nights = self.part.nights
        model = cp_model.CpModel()
        takes = [model.new_bool_var(x.id) for x in nights]
        aim = [take * _one(self.gain((x,))) for take, x in zip(takes, nights, strict=True)]
        for a, b in itertools.combinations(range(len(nights)), 2):
            if not _together(self.part, (nights[a], nights[b])):
                model.add(takes[a] + takes[b] <= 1)
            elif nights[a].morning == nights[b].evening or nights[b].morning == nights[a].evening:
                both = model.new_bool_var("")
                model.add_multiplication_equality(both, [takes[a], takes[b]])
                more = _one(self.gain((nights[a], nights[b])))
                aim.append(both * (more - _one(self.gain((nights[a],))) - _one(self.gain((nights[b],)))))
        model.maximize(sum(aim))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = 0.5
        if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return ()
        return tuple(x for take, x in zip(takes, nights, strict=True) if solver.boolean_value(take))


def _may_come(visit: Visit, rep: str) -> bool:
    return bool(visit.windows or visit.windows_by_day) and (visit.reps is None or rep in visit.reps)


def _one(gain: tuple[int, int]) -> int:
    """A promise outweighs any value."""
    return gain[0] * 10_000_000 + int(np.clip(gain[1], -1_000_000, 1_000_000))


def _together(problem: Problem, stay: Sequence[Night]) -> bool:
    """Whether one rep can sleep in all of these: one hotel an evening and a morning, no day at work between."""
    if len({x.evening for x in stay}) < len(stay) or len({x.morning for x in stay}) < len(stay):
        return False
    ends = {name for x in stay for name in (x.evening, x.morning)}
    return not any(d.id in ends for x in stay for d in _between(problem, x))


def _stays(problem: Problem, nights: Sequence[Night]) -> Iterable[Stay]:
    """Every set of nights that can be slept together, the empty one first."""
    yield ()
    for size in range(1, len(nights) + 1):
        sets = [stay for stay in itertools.combinations(nights, size) if _together(problem, stay)]
        if not sets:
            return
        yield from sets


def _slept_in(draft: Draft, night: Night) -> bool:
    """Whether both the evening's and the morning's route visit somebody."""
    index = draft.problem.rep_day_index
    return bool(draft.routes[index[night.evening]]) and bool(draft.routes[index[night.morning]])


def _sound(problem: Problem, draft: Draft, stay: Stay) -> tuple[Draft, Stay]:
    """The draft with whole meetings and without useless nights."""
    while True:
        draft, fewer = _useful(problem, meetings.whole(booked(problem, stay), draft), stay)
        if fewer == stay:
            return draft, stay
        stay = fewer


def _useful(problem: Problem, draft: Draft, stay: Stay) -> tuple[Draft, Stay]:
    """The draft without the nights that nobody sleeps or that cost more than they bring."""
    left = stay
    for night in stay:
        fewer = tuple(x for x in left if x != night)
        base = replace(draft.problem, rep_days=booked(problem, fewer).rep_days)
        without = Draft(base, dict(enumerate(draft.routes)))
        mend(without)
        fill(without)
        here = (draft.rank()[0], draft.rank()[1] - _cost(left))
        if not _slept_in(draft, night) or (without.rank()[0], without.rank()[1] - _cost(fewer)) >= here:
            draft, left = without, fewer
    return draft, left
