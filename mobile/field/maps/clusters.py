"""Which pins are shown alone and which together, by zoom. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

CELL_PX = 64
ALONE_FROM = 16.0
"""From this zoom on every pin stands alone."""


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


def clusters(spots: Iterable[Spot], zoom: float, tile_px: float = 256) -> list[Cluster]:
    """Pins that share a square of the grid of a whole zoom become one, in the middle of them."""
    cells: dict[tuple[int, int] | str, list[Spot]] = defaultdict(list)
    squares = 2 ** int(zoom) * tile_px / CELL_PX
    for spot in spots:
        cells[spot.key if zoom >= ALONE_FROM else (int(spot.x * squares), int(spot.y * squares))].append(spot)
    return [_together(found) for found in cells.values()]


def _together(spots: list[Spot]) -> Cluster:
    inks = Counter(spot.ink for spot in spots)
    return Cluster(
        tuple(spot.key for spot in spots),
        sum(spot.x for spot in spots) / len(spots),
        sum(spot.y for spot in spots) / len(spots),
        tuple(sorted(inks.items(), key=lambda pair: (-pair[1], pair[0]))),
    )
