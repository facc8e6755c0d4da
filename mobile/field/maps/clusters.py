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
        one = _together(found)
        bubbles.join(found, bubbles.near(one.x, one.y, APART_PX / world_px) or bubbles.found(one.x, one.y))
    for found in alone:
        near = bubbles.near(found[0].x, found[0].y, BESIDE_PX / world_px)
        bubbles.join(found, near or bubbles.found(found[0].x, found[0].y, alone=True))
    placed = [replace(_together(found), x=place[0], y=place[1]) for place, found in bubbles.held.items()]
    return _aside(placed, list(clear), world_px)


class _Places:
    """Bubbles by where they stand."""

    def __init__(self, cell: float) -> None:
        self.held: dict[tuple[float, float], list[Spot]] = {}
        self._cell, self._grid = cell, defaultdict[tuple[int, int], list[tuple[float, float]]](list)

    def found(self, x: float, y: float, *, alone: bool = False) -> tuple[float, float]:
        """A new place; one of a pin that stands alone draws nobody to it."""
        if not alone:
            self._grid[int(x / self._cell), int(y / self._cell)].append((x, y))
        return x, y

    def near(self, x: float, y: float, reach: float) -> tuple[float, float] | None:
        """The nearest bubble within reach, which is a cell at most."""
        column, row = int(x / self._cell), int(y / self._cell)
        around = (
            place for dx in (-1, 0, 1) for dy in (-1, 0, 1) for place in self._grid.get((column + dx, row + dy), ())
        )
        return min(
            (place for place in around if math.dist(place, (x, y)) < reach),
            key=lambda place: math.dist(place, (x, y)),
            default=None,
        )

    def join(self, spots: list[Spot], place: tuple[float, float]) -> None:
        """Count pins with a bubble."""
        self.held.setdefault(place, []).extend(spots)


def _aside(bubbles: list[Cluster], clear: list[tuple[float, float]], world_px: float) -> list[Cluster]:
    """The bubbles beside the places that are to stay clear, as near as one finds room; a single pin stays."""
    far, apart = CLEAR_PX / world_px, APART_PX / world_px
    taken = {(one.x, one.y) for one in bubbles if len(one.keys) > 1}
    moved = []
    for one in bubbles:
        at = one.x, one.y
        hit = next((place for place in clear if math.dist(place, at) < far), None) if len(one.keys) > 1 else None
        if hit is not None:
            taken.discard(at)
            along = math.atan2(at[1] - hit[1], at[0] - hit[0])
            ways = ((hit[0] + far * math.cos(along + turn), hit[1] + far * math.sin(along + turn)) for turn in ROUND)
            others = [(place, far * 0.99) for place in clear] + [(place, apart * 0.99) for place in taken]
            at = next((way for way in ways if all(math.dist(way, place) >= least for place, least in others)), at)
            taken.add(at)
        moved.append(replace(one, x=at[0], y=at[1]))
    return moved


def _together(spots: list[Spot]) -> Cluster:
    inks = Counter(spot.ink for spot in spots)
    return Cluster(
        tuple(spot.key for spot in spots),
        sum(spot.x for spot in spots) / len(spots),
        sum(spot.y for spot in spots) / len(spots),
        tuple(sorted(inks.items(), key=lambda pair: (-pair[1], pair[0]))),
    )
