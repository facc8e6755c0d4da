"""The search as Python sees it: slices of compiled rounds until the budget is used up."""

from collections.abc import Sequence

import numpy as np

from routing.budget import Meter
from routing.draft import Draft
from routing.engine import anneal
from routing.engine.arrays import LAST_SECOND, MISSING, TRAVEL, Search, build
from routing.engine.compiled import forget
from routing.engine.state import (
    BEST,
    BEST_DRIVEN,
    CROWDED,
    POOL_LENGTH,
    POOL_SHIFT,
    fresh,
    seat,
    widened,
)
from routing.found import Found, GoodRoute, Progress, Tell
from routing.pace import Pace
from routing.types import Problem, RepDay, Visit, Window

HOT, COLD = 5.0, 0.05
"""Temperature at the beginning and at the end, in mean drives between neighbours."""
HOTTER = 4.0
"""How much hotter it begins where driving costs nothing and prizes, not drives, have to be exchanged."""
SLICE = 1_000
"""Rounds between two looks up when only steps are counted."""
SLICE_S = 0.2
"""CPU seconds between two looks up when the clock counts."""


def search(problem: Problem, draft: Draft | None, *, seed: int, meter: Meter, tell: Tell) -> Found:
    """Ruin and recreate with annealing, after Christiaens and Vanden Berghe (2020), until the budget is used up.

    A step of the budget is a round. The best plan seen is the answer, so it never gets worse within a run; the same
    problem, seed and number of steps give the same plan.
    """
    run = _Run(problem, draft.routes if draft else (), seed)
    run.tell(tell)
    run.go(meter, tell)
    return run.found()


def prepare() -> None:
    """Compile for usual and for changing traffic, or load what was compiled before: a moment once per process."""
    visits = tuple(Visit(f"v{k}", k, 1, (Window(0, 90),), prize=50) for k in range(3))
    for pace in (None, Pace((900,))):
        day = RepDay("day", "rep", 0, 0, 0, 0, 100, pace=pace)
        run = _Run(Problem((day,), visits, np.ones((3, 3), dtype=np.int64)), (), 0)
        anneal.anneal(run.search.model, run.state, 10, 2.0, 1.0, False)
    forget()


class _Run:
    """One search under way."""

    def __init__(self, problem: Problem, orders: Sequence[Sequence[int]], seed: int) -> None:
        self.search = build(problem)
        self.state = fresh(self.search, seed, room=4 + max((len(order) for order in orders), default=20))
        seat(self.state, self.search, orders)
        self.rounds = 0
        self.ties = problem.weights.travel == 0
        self.unit = _mean_drive(self.search)
        self.prizes = self.search.scale * problem.weights.prize * sum(v.prize for v in problem.visits)
        anneal.begin(self.search.model, self.state)
        while self._widen():
            anneal.begin(self.search.model, self.state)

    def go(self, meter: Meter, tell: Tell) -> None:
        """Slices until the budget is used up."""
        if not len(self.search.model.options):
            return
        began_s, share = meter.used_s, 0.0
        while (rounds := self._next_slice(meter, meter.used_s - began_s)) > 0:
            until = min(1.0, share + rounds * self._share_of_round(meter, began_s, share))
            anneal.anneal(
                self.search.model, self.state, rounds, self._temperature(share), self._temperature(until), self.ties
            )
            self.rounds += rounds
            self._widen()
            share = self._share(meter)
            self.tell(tell)

    def tell(self, tell: Tell) -> None:
        """Say how far the search is."""
        tell(Progress("search", value=self.value(), iterations=self.rounds))

    def value(self) -> int:
        """Value of the best plan."""
        best = int(self.state.totals[BEST])
        if self.ties:
            best -= int(self.state.totals[BEST_DRIVEN])
        return (self.prizes - best % int(self.search.model.scales[MISSING])) // self.search.scale

    def found(self) -> Found:
        """The best plan and the pool."""
        state = self.state
        orders = {
            s: [int(v) for v in state.best_nodes[s, :length]] for s, length in enumerate(state.best_lengths) if length
        }
        heads = state.pool_heads
        pool = tuple(
            GoodRoute(int(heads[k, POOL_SHIFT]), tuple(int(v) for v in state.pool_nodes[k, : heads[k, POOL_LENGTH]]))
            for k in np.flatnonzero(heads[:, POOL_LENGTH])
        )
        return Found(orders, pool)

    def _next_slice(self, meter: Meter, used_s: float) -> int:
        """How many rounds to go on before looking up; none when the budget is used up."""
        rounds = SLICE
        if meter.budget.seconds is not None:
            left_s = meter.left_s
            if left_s <= 0:
                return 0
            if self.rounds == 0:
                rounds = 20
            else:
                rounds = max(1, int(min(SLICE_S, 0.9 * left_s, used_s + 0.005) * self.rounds / max(used_s, 1e-6)))
        if meter.budget.steps is not None:
            rounds = min(rounds, meter.budget.steps - self.rounds)
        return rounds

    def _share(self, meter: Meter) -> float:
        """How much of the budget is used up."""
        shares = [0.0]
        if meter.budget.steps is not None:
            shares.append(self.rounds / meter.budget.steps)
        if meter.budget.seconds is not None:
            shares.append(meter.used_s / (meter.used_s + max(0.0, meter.left_s)))
        return min(1.0, max(shares))

    def _share_of_round(self, meter: Meter, began_s: float, share: float) -> float:
        """How much of the budget one more round takes."""
        if meter.budget.seconds is None:
            return 1.0 / (meter.budget.steps or 1)
        return (meter.used_s - began_s) / max(1, self.rounds) / (meter.used_s + max(1e-3, meter.left_s))

    def _temperature(self, share: float) -> float:
        hot = HOT * HOTTER if self.ties else HOT
        return self.unit * hot * (COLD / hot) ** share

    def _widen(self) -> bool:
        """Make room when a route ran out of it."""
        if not self.state.totals[CROWDED]:
            return False
        self.state.totals[CROWDED] = 0
        self.state = widened(self.state)
        return True


def _mean_drive(search: Search) -> float:
    """Cost of a drive between neighbours, the scale of all costs."""
    model = search.model
    if model.near.size == 0:
        return 1.0
    near = model.near[:, :10]
    drives = model.drive[np.arange(len(near))[:, None], near]
    roads = drives[drives < LAST_SECOND]
    return max(1.0, float(roads.mean()) if roads.size else 1.0) * max(1.0, float(model.scales[TRAVEL]))
