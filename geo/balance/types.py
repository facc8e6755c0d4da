"""What a balance is computed from and what comes out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.territories import KM_A_DEGREE

HOURS, VALUE, POTENTIAL = range(3)
"""Columns of `work`."""
STRIP = 5
"""So many small areas in a row, where a territory is nowhere wider than two, are a strip that people should see."""


@dataclass(frozen=True, eq=False)
class Areas:
    """Small areas that touch each other, at least one, and the K territories that share them."""

    lonlats: NDArray[np.float64]
    """Shape (N, 2), degrees; where the work of an area is."""
    work: NDArray[np.float64]
    """Shape (N, 3); hours without the way there, value and potential a year."""
    accounts: NDArray[np.int64]
    """Shape (N,)."""
    neighbours: tuple[tuple[int, ...], ...]
    """Of each area those with a common border; all areas hang together."""
    travel_h: NDArray[np.float64]
    """Shape (K, N); hours a year on the way to an area and home when a territory has it."""
    owner: NDArray[np.int64]
    """Shape (N,); the territory that has an area now."""
    fixed: NDArray[np.float64]
    """Shape (K, 3); work that stays with a territory wherever it lies."""

    def __post_init__(self) -> None:
        n, k = len(self.owner), len(self.fixed)
        if not n:
            raise ValueError("there are no areas to share out; give at least one")
        if self.work.shape != (n, 3) or len(self.neighbours) != n or self.travel_h.shape != (k, n):
            raise ValueError("work, neighbours and travel must have one row per area")
        if not (self.owner.min() >= 0 and self.owner.max() < k):
            raise ValueError("every area must belong to one of the territories")

    @property
    def count(self) -> int:
        """How many territories there are."""
        return len(self.fixed)

    def totals(self, owner: NDArray[np.int64]) -> NDArray[np.float64]:
        """Shape (K, 3); hours with the way, value and potential of each territory."""
        found = self.fixed.copy()
        np.add.at(found, owner, self.work)
        np.add.at(found[:, HOURS], owner, self.travel_h[owner, np.arange(len(owner))])
        return found


@dataclass(frozen=True)
class Goal:
    """What a scenario is after; weights are relative to each other."""

    key: str
    hours: float = 1.0
    value: float = 0.3
    potential: float = 0.1
    compact: float = 0.02
    """Weight of borders between territories."""
    moves: float = 0.0
    """Weight of accounts that change hands."""
    narrow: float = 0.0
    """Weight of areas that are only a link of a chain: no more than two of their neighbours belong with them."""
    hours_slack: float = 0.0
    """Deviations from the mean up to this share cost nothing."""
    value_slack: float = 0.0
    heat: float = 0.02
    """How much worse the search lets things get at first."""
    patience: int = 1
    """How many times as many steps as usual."""


HOURS_BAR, VALUE_BAR = 0.042, 0.084
"""Deviations from the mean that keep spreads within 10 % of the hours and 20 % of the value, with some room."""
EVENED = Goal("evened", hours=60, value=30, potential=1, moves=0.5, hours_slack=0.03, value_slack=0.07, compact=0.06)
"""Comes first: weak weights find across ground without work, and what they find is within the bars or near."""
SCENARIOS = (
    Goal(
        "few",
        3000,
        1500,
        0.1,
        compact=0.1,
        narrow=0.1,
        moves=20,
        hours_slack=HOURS_BAR,
        value_slack=VALUE_BAR,
        heat=0.3,
    ),
    Goal("even", 600, 3000, 0.1, compact=5, narrow=1, moves=0.02, value_slack=VALUE_BAR, heat=0.3),
    Goal("compact", 4000, 4000, 0.1, compact=30, hours_slack=0.038, value_slack=VALUE_BAR, heat=5, patience=2),
)
"""Few moves, even hours, compact: what is beyond the bars outweighs all else, within them only the name counts."""


@dataclass(frozen=True)
class Measures:
    """How good a way of sharing is."""

    hours: tuple[float, ...]
    value: tuple[float, ...]
    potential: tuple[float, ...]
    travel_h: tuple[float, ...]
    """Of each territory, a year."""
    hours_spread: float
    """(largest - smallest) / mean."""
    value_spread: float
    potential_spread: float
    moved_accounts: int
    compactness: float
    """Share of neighbouring areas that belong together, 0 to 1."""
    pieces: tuple[int, ...]
    """In how many pieces each territory lies; 1 is whole."""
    strips_km: tuple[float, ...] = ()
    """How long the longest strip is through which each territory reaches new ground; 0 where there is none."""


def spread(amounts: NDArray[np.float64]) -> float:
    """(largest - smallest) / mean; 0 where there is nothing to share."""
    mean = float(amounts.mean()) if len(amounts) else 0.0
    return float(amounts.max() - amounts.min()) / mean if mean > 0 else 0.0


def alike(one: Measures, other: Measures, within: float = 0.02) -> bool:
    """Whether two ways of sharing come to nearly the same: every territory's hours, value and potential, all ways, and
    compactness differ by at most this share of the mean. How many accounts change hands is left out.
    """
    amounts = ((one.hours, other.hours), (one.value, other.value), (one.potential, other.potential))
    ways = ((sum(one.travel_h),), (sum(other.travel_h),))
    close = all(
        abs(a - b) <= within * sum(mine) / len(mine)
        for mine, its in (*amounts, ways)
        for a, b in zip(mine, its, strict=True)
    )
    return close and abs(one.compactness - other.compactness) <= within


def measured(areas: Areas, owner: NDArray[np.int64]) -> Measures:
    """The measures of a way of sharing."""
    totals = areas.totals(owner)
    travel = np.zeros(areas.count)
    np.add.at(travel, owner, areas.travel_h[owner, np.arange(len(owner))])
    pairs = [(i, j) for i, others in enumerate(areas.neighbours) for j in others if i < j]
    same = sum(owner[i] == owner[j] for i, j in pairs)
    hours, value, potential = ([float(one) for one in totals[:, column]] for column in (HOURS, VALUE, POTENTIAL))
    return Measures(
        hours=tuple(hours),
        value=tuple(value),
        potential=tuple(potential),
        travel_h=tuple(float(one) for one in travel),
        hours_spread=spread(totals[:, HOURS]),
        value_spread=spread(totals[:, VALUE]),
        potential_spread=spread(totals[:, POTENTIAL]),
        moved_accounts=int(areas.accounts[owner != areas.owner].sum()),
        compactness=float(same) / len(pairs) if pairs else 1.0,
        pieces=tuple(len(pieces(areas, owner, k)) for k in range(areas.count)),
        strips_km=strips_km(areas, owner),
    )


def strips_km(areas: Areas, owner: NDArray[np.int64]) -> tuple[float, ...]:
    """Of each territory the length of the longest strip of ground that it is given, in km from end to end; 0: none.

    A strip are `STRIP` areas or more that hang together and lie nowhere deeper in their territory than two abreast.
    """
    near = areas.neighbours
    inner = np.array([all(owner[j] == owner[i] for j in others) for i, others in enumerate(near)])
    broad = np.array([inner[i] or any(inner[j] and owner[j] == owner[i] for j in near[i]) for i in range(len(owner))])
    thin = np.where((owner != areas.owner) & ~broad, owner, -1)
    found = np.zeros(areas.count)
    for territory in range(areas.count):
        for piece in pieces(areas, thin, territory):
            if len(piece) >= STRIP:
                places = areas.lonlats[piece] * [np.cos(np.radians(areas.lonlats[piece[0], 1])), 1.0]
                away = np.hypot(*(places[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
                found[territory] = max(found[territory], float(away.max()) * KM_A_DEGREE)
    return tuple(float(one) for one in found)


def pieces(areas: Areas, owner: NDArray[np.int64], territory: int) -> list[list[int]]:
    """The areas of a territory that hang together, the largest piece first."""
    left = {int(i) for i in np.flatnonzero(owner == territory)}
    found = []
    while left:
        start = min(left)
        left.remove(start)
        piece, todo = [start], [start]
        while todo:
            for j in areas.neighbours[todo.pop()]:
                if j in left:
                    left.remove(j)
                    piece.append(j)
                    todo.append(j)
        found.append(piece)
    return sorted(found, key=lambda piece: -sum(areas.work[piece, HOURS]) - 1e-9 * len(piece))
