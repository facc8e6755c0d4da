"""Sharing small areas out: fragments mended first, then single areas change hands along borders (annealing)."""

import math
import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from geo.balance.starting import flown
from geo.balance.types import EVENED, HOURS, POTENTIAL, SCENARIOS, VALUE, Areas, Goal, pieces

STEPS_AN_AREA, FEWEST_STEPS, MOST_STEPS = 600, 20_000, 3_000_000
CHAIN, ROUND = 2, 5
"""An area with no more neighbours of its own territory is a link of a chain; with fewer neighbours at all it lies on a
rim, where nothing is said by that."""
COLD = 1e-6
"""The last temperature of the annealing; the first one is the heat of the goal."""
TELL_EVERY = 2000

type Tell = Callable[[float], None]
"""Told the share that is done, 0 to 1; may raise to stop."""


def scenarios(
    areas: Areas, *, seed: int = 0, tell: Tell = lambda share: None
) -> Iterator[tuple[Goal, NDArray[np.int64]]]:
    """Each of `SCENARIOS` with a territory for each area.

    First the ground is evened out, from the present territories and from round ones around their middles: from the
    present ones alone a search does not find across ground without any work. Each scenario begins with what came out.

    Parameters
    ----------
    seed
        Equal seeds give equal answers.
    tell
        Told the share of all that is done.
    """
    turns = len(SCENARIOS) + 1

    def teller(turn: int) -> Tell:
        return lambda share: tell((turn + share) / turns)

    evened = shared(areas, EVENED, [areas.owner, flown(areas)], seed=seed, tell=teller(0))
    for turn, goal in enumerate(SCENARIOS, 1):
        yield goal, shared(areas, goal, [evened], seed=seed, tell=teller(turn))


def shared(
    areas: Areas, goal: Goal, starts: Sequence[NDArray[np.int64]], *, seed: int = 0, tell: Tell = lambda share: None
) -> NDArray[np.int64]:
    """A territory for each area after a goal: every territory whole, and nothing of the ground left over.

    Searched for from each of the starts, shape (N,) each; the cheapest end is taken. Equal seeds give equal answers.
    """
    searches = [_Search(areas, whole(areas, start), goal, random.Random(seed)) for start in starts]
    for turn, search in enumerate(searches):
        search.run(lambda share, turn=turn: tell((turn + share) / len(searches)))  # type: ignore[misc]
    return min(searches, key=lambda search: search.least).best


def whole(areas: Areas, owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same, but the smaller pieces of torn territories go to a neighbour, and nobody is left without an area."""
    owner = owner.copy()
    for territory in range(areas.count):
        if not (owner == territory).any():
            counts = np.bincount(owner, minlength=areas.count)
            movable = [i for i in range(len(owner)) if counts[owner[i]] > 1]
            if movable:
                owner[max(movable, key=lambda i: (areas.owner[i] == territory, counts[owner[i]], -i))] = territory
    for _ in range(len(owner)):
        torn = [piece for k in range(areas.count) for piece in pieces(areas, owner, k)[1:]]
        if not torn:
            break
        for piece in torn:
            own = owner[piece[0]]
            around = [int(owner[j]) for i in piece for j in areas.neighbours[i] if owner[j] != own]
            if around:
                owner[piece] = max(sorted(set(around)), key=around.count)
    return owner


class _Search:
    """The present state of an annealing: who has what, and what each territory adds up to."""

    def __init__(self, areas: Areas, owner: NDArray[np.int64], goal: Goal, chance: random.Random) -> None:
        self.areas, self.goal, self.chance = areas, goal, chance
        self.owner: list[int] = owner.tolist()
        self.first: list[int] = areas.owner.tolist()
        self.work: list[list[float]] = areas.work.tolist()
        self.travel: list[list[float]] = areas.travel_h.T.tolist()
        self.totals: list[list[float]] = areas.totals(owner).tolist()
        self.means: list[float] = [max(float(one), 1e-9) for one in areas.totals(owner).mean(axis=0)]
        self.weights: tuple[float, ...] = (goal.hours, goal.value, goal.potential)
        self.slack: tuple[float, ...] = (goal.hours_slack, goal.value_slack, goal.value_slack)
        self.sizes = np.bincount(owner, minlength=areas.count).tolist()
        self.border: float = goal.compact * areas.count / max(1, sum(map(len, areas.neighbours)) // 2) * 4
        self.narrow: float = goal.narrow * areas.count / max(1, sum(map(len, areas.neighbours)) // 2) * 4
        self.price = [self.narrow if len(others) >= ROUND else 0.0 for others in areas.neighbours]
        self.same = [sum(self.owner[j] == self.owner[i] for j in others) for i, others in enumerate(areas.neighbours)]
        everybody = max(1, int(areas.accounts.sum()))
        share = goal.moves * areas.count * 0.1 / everybody
        self.moving: list[float] = [share * (one + 0.05) for one in areas.accounts.tolist()]
        self.best = owner.copy()
        self.cost = self.least = self.whole_cost()

    def run(self, tell: Tell) -> None:
        """Try single moves along borders, hot first and cold at last; keeps the best."""
        n = len(self.owner)
        if self.areas.count < 2 or n < 2:
            return
        steps = self.goal.patience * min(MOST_STEPS, max(FEWEST_STEPS, STEPS_AN_AREA * n))
        cooling = math.log(COLD / self.goal.heat)
        for step in range(steps):
            if step % TELL_EVERY == 0:
                tell(step / steps)
            area = self.chance.randrange(n)
            others = self.areas.neighbours[area]
            if not others:
                continue
            new = self.owner[others[self.chance.randrange(len(others))]]
            old = self.owner[area]
            if new == old or self.sizes[old] == 1:
                continue
            cost = self.cost_of(area, old, new)
            heat = self.goal.heat * math.exp(cooling * step / steps)
            pays = cost < 0 or self.chance.random() < math.exp(-cost / heat)
            if pays and self.holds_together(area, old):
                self.move(area, old, new, cost)
        tell(1.0)

    def whole_cost(self) -> float:
        """What the present state costs; single moves only know what they change of it."""
        pairs = ((i, j) for i, others in enumerate(self.areas.neighbours) for j in others if i < j)
        edges = sum(self.owner[i] != self.owner[j] for i, j in pairs)
        moved = sum(cost for i, cost in enumerate(self.moving) if self.owner[i] != self.first[i])
        strains = (self.strain(k, column, 0) for k in range(self.areas.count) for column in (HOURS, VALUE, POTENTIAL))
        links = sum(price for price, same in zip(self.price, self.same, strict=True) if same <= CHAIN)
        return sum(strains) + self.border * edges + moved + links

    def strain(self, territory: int, column: int, more: float) -> float:
        """What the deviation of a territory costs when it gets so much more."""
        away: float = abs(self.totals[territory][column] + more - self.means[column]) / self.means[column]
        away = max(0.0, away - self.slack[column]) + away * 0.01
        cost: float = self.weights[column] * away * away
        return cost

    def cost_of(self, area: int, old: int, new: int) -> float:
        """What it costs when an area changes hands; below zero it pays."""
        cost = 0.0
        for column in (HOURS, VALUE, POTENTIAL):
            amount = self.work[area][column]
            gives = amount + self.travel[area][old] if column == HOURS else amount
            takes = amount + self.travel[area][new] if column == HOURS else amount
            cost += self.strain(old, column, -gives) - self.strain(old, column, 0)
            cost += self.strain(new, column, takes) - self.strain(new, column, 0)
        olds = news = 0
        for other in self.areas.neighbours[area]:
            has = self.owner[other]
            if has == old:
                olds += 1
                if self.same[other] == CHAIN + 1:
                    cost += self.price[other]
            elif has == new:
                news += 1
                if self.same[other] == CHAIN:
                    cost -= self.price[other]
        cost += self.border * (olds - news) + self.price[area] * ((news <= CHAIN) - (olds <= CHAIN))
        first = self.first[area]
        return cost + self.moving[area] * ((old == first) - (new == first))

    def move(self, area: int, old: int, new: int, cost: float) -> None:
        """An area changes hands."""
        for column in (HOURS, VALUE, POTENTIAL):
            self.totals[old][column] -= self.work[area][column]
            self.totals[new][column] += self.work[area][column]
        self.totals[old][HOURS] -= self.travel[area][old]
        self.totals[new][HOURS] += self.travel[area][new]
        for other in self.areas.neighbours[area]:
            self.same[other] += (self.owner[other] == new) - (self.owner[other] == old)
        self.owner[area] = new
        self.same[area] = sum(self.owner[other] == new for other in self.areas.neighbours[area])
        self.sizes[old] -= 1
        self.sizes[new] += 1
        self.cost += cost
        if self.cost < self.least - 1e-7:
            self.least = self.cost
            self.best = np.array(self.owner, dtype=np.int64)

    def holds_together(self, area: int, territory: int) -> bool:
        """Whether a territory stays whole without one of its areas."""
        mine = [j for j in self.areas.neighbours[area] if self.owner[j] == territory]
        if len(mine) < 2:
            return bool(mine)
        return self.reached(mine[0], mine[1:], area)

    def reached(self, start: int, goals: Sequence[int], without: int) -> bool:
        """Whether some areas of a territory are reached from another one without crossing an area."""
        territory = self.owner[start]
        seen, todo, left = {start, without}, [start], set(goals)
        while todo and left:
            for j in self.areas.neighbours[todo.pop(0)]:
                if j not in seen and self.owner[j] == territory:
                    seen.add(j)
                    left.discard(j)
                    todo.append(j)
        return not left
