"""Which pins are shown alone and which together, by zoom. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

CELL_PX = 64
ALONE_FROM = 16.0
"""From this zoom on every pin stands alone."""
APART_PX, BESIDE_PX, CLEAR_PX = 50, 34, 38
"""So far a bubble's middle lies from another's, from a pin that stands alone, and from a place that stays clear."""
ROUND = tuple(math.radians(turn) for turn in (0, 40, -40, 80, -80, 120, -120, 160, -160))


@dataclass(frozen=True)
class Spot:
    """A pin in world units."""

    key: str
    x: float
    y: float
    ink: str


@dataclass(frozen=True)
class Cluster:
    """Pins that lie together; a single one is a cluster of one."""

    keys: tuple[str, ...]
    x: float
    y: float
    inks: tuple[tuple[str, int], ...]
    """How many of which colour, the most frequent first."""


def clusters(
    spots: Iterable[Spot], zoom: float, clear: Iterable[tuple[float, float]] = (), tile_px: float = 256
) -> list[Cluster]:
    """Pins that share a square of the grid of a whole zoom become one, in the middle of them; so do those whose bubbles
    would lie on each other. Bubbles give way to the places (in world units) that are to stay clear."""
    if zoom >= ALONE_FROM:
        return [_together([spot]) for spot in spots]
    cells: dict[tuple[int, int], list[Spot]] = defaultdict(list)
    world_px = 2 ** int(zoom) * tile_px
    for spot in spots:
        cells[int(spot.x * world_px / CELL_PX), int(spot.y * world_px / CELL_PX)].append(spot)
    bubbles, alone = _Places(APART_PX / world_px), []
    for found in sorted(cells.values(), key=len, reverse=True):
        if len(found) == 1:
            alone.append(found)
            continue
        x, y = _middle(found)
        bubbles.join(found, bubbles.near(x, y, APART_PX / world_px) or bubbles.found(x, y))
    for found in alone:
        near = bubbles.near(found[0].x, found[0].y, BESIDE_PX / world_px)
        bubbles.join(found, near or bubbles.found(found[0].x, found[0].y, alone=True))
    placed = [_together(found, place) for place, found in bubbles.held.items()]
    return _aside(placed, list(clear), world_px)


class _Places:
    """Bubbles by where they stand."""

    def __init__(self, cell: float) -> None:
        self.held: dict[tuple[float, float], list[Spot]] = {}
        self._cell, self._grid = cell, defaultdict[tuple[int, int], list[tuple[float, float]]](list)

    def found(self, x: float, y: float, *, alone: bool = False) -> tuple[float, float]:
        """A new place; one of a pin that stands alone draws nobody to it."""
        if not alone:
            column, row = int(x / self._cell), int(y / self._cell)
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    self._grid[column + dx, row + dy].append((x, y))
        return x, y

    def near(self, x: float, y: float, reach: float) -> tuple[float, float] | None:
        """The nearest bubble within reach, which is a cell at most."""
        around = self._grid.get((int(x / self._cell), int(y / self._cell)))
        if not around:
            return None
        place = min(around, key=lambda place: math.dist(place, (x, y)))
        return place if math.dist(place, (x, y)) < reach else None

    def join(self, spots: list[Spot], place: tuple[float, float]) -> None:
        """Count pins with a bubble."""
        self.held.setdefault(place, []).extend(spots)


def _aside(bubbles: list[Cluster], clear: list[tuple[float, float]], world_px: float) -> list[Cluster]:
    """The bubbles beside the places that are to stay clear, as near as one finds room; a single pin stays."""
    far, apart = CLEAR_PX / world_px, APART_PX / world_px
    taken = {(one.x, one.y) for one in bubbles if len(one.keys) > 1}
    for number, one in enumerate(bubbles):
        at = one.x, one.y
        hit = next((place for place in clear if math.dist(place, at) < far), None) if len(one.keys) > 1 else None
        if hit is not None:
            taken.discard(at)
            along = math.atan2(at[1] - hit[1], at[0] - hit[0])
            ways = ((hit[0] + far * math.cos(along + turn), hit[1] + far * math.sin(along + turn)) for turn in ROUND)
            others = [(place, far * 0.99) for place in clear] + [(place, apart * 0.99) for place in taken]
            at = next((way for way in ways if all(math.dist(way, place) >= least for place, least in others)), at)
            taken.add(at)
            bubbles[number] = replace(one, x=at[0], y=at[1])
    return bubbles


def _together(spots: list[Spot], place: tuple[float, float] | None = None) -> Cluster:
    """Spots as one, at a place or in their middle."""
    if place is None:
        place = _middle(spots)
    if len(spots) == 1:
        return Cluster((spots[0].key,), *place, ((spots[0].ink, 1),))
    inks = Counter(spot.ink for spot in spots)
    ordered = tuple(sorted(inks.items(), key=lambda pair: (-pair[1], pair[0])))
    return Cluster(tuple(spot.key for spot in spots), *place, ordered)


def _middle(spots: list[Spot]) -> tuple[float, float]:
    return sum(spot.x for spot in spots) / len(spots), sum(spot.y for spot in spots) / len(spots)
