"""Small areas: territories cut along hexagons, which of them touch, and which of them hold which points."""

from collections.abc import Sequence

import h3
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from geo.territories import square_km

MOST = 6000
"""About how many small areas are wanted: enough to even out, few enough to be quick."""
COARSEST, FINEST = 4, 10
NEAR_DEG = 1e-7
"""Borders nearer than a centimetre are one."""


def resolution_for(ground: Sequence[MultiPolygon]) -> int:
    """The finest H3 resolution that cuts the ground into no more than `MOST` small areas."""
    size = sum(square_km(one) for one in ground)
    fitting = [one for one in range(COARSEST, FINEST + 1) if size / h3.average_hexagon_area(one, "km^2") < MOST]
    return max(fitting, default=COARSEST)


def cut(area: MultiPolygon, resolution: int) -> list[Polygon]:
    """A territory's pieces, one for each hexagon that it reaches into; they fill it."""
    cells = h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(area), resolution, contain="overlap")
    outlines = [Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]) for cell in sorted(cells)]
    if not outlines:
        return list(area.geoms)
    shapely.prepare(area)
    found = shapely.intersection(area, np.array(outlines, dtype=object))
    parts = shapely.get_parts(shapely.get_parts(found))
    return [one for one in parts if isinstance(one, Polygon) and one.area > 0]


def borders(pieces: Sequence[Polygon]) -> tuple[tuple[int, ...], ...]:
    """Of each piece those with a common border, not just a corner; pieces that nothing touches join the nearest."""
    array = np.array(pieces, dtype=object)
    tree = shapely.STRtree(array)
    one, other = tree.query(array, predicate="dwithin", distance=NEAR_DEG)
    one, other = one[one != other], other[one != other]
    rims = shapely.buffer(array, NEAR_DEG, quad_segs=1)
    common = shapely.area(shapely.intersection(rims[one], rims[other]))
    edge = np.sqrt(np.minimum(shapely.area(array[one]), shapely.area(array[other])))
    touching = common > NEAR_DEG * edge * 0.1
    near: list[set[int]] = [set() for _ in pieces]
    for i, j in zip(one[touching].tolist(), other[touching].tolist(), strict=True):
        near[i].add(j)
        near[j].add(i)
    _bridged(near, shapely.get_coordinates(shapely.centroid(array)))
    return tuple(tuple(sorted(others)) for others in near)


def _bridged(near: list[set[int]], middles: NDArray[np.float64]) -> None:
    """Islands are joined by their nearest areas, so that all ground hangs together."""
    part = np.full(len(near), -1)
    count = 0
    for start in range(len(near)):
        if part[start] >= 0:
            continue
        todo, part[start] = [start], count
        while todo:
            for j in near[todo.pop()]:
                if part[j] < 0:
                    part[j] = count
                    todo.append(j)
        count += 1
    main = set(np.flatnonzero(part == np.argmax(np.bincount(part))).tolist()) if count else set()
    for number in range(count):
        island = np.flatnonzero(part == number)
        if int(island[0]) in main:
            continue
        land = np.array(sorted(main))
        away = np.hypot(*(middles[island][:, None, :] - middles[land][None, :, :]).transpose(2, 0, 1))
        at, shore = (int(one) for one in np.unravel_index(int(away.argmin()), away.shape))
        near[int(island[at])].add(int(land[shore]))
        near[int(land[shore])].add(int(island[at]))
        main |= set(island.tolist())


def holding(pieces: Sequence[Polygon], lonlats: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shape (n,); the piece that holds each point, or the nearest one."""
    if not len(lonlats):
        return np.zeros(0, dtype=np.int64)
    tree = shapely.STRtree(list(pieces))
    points = [shapely.Point(x, y) for x, y in lonlats.tolist()]
    point, piece = tree.query_nearest(points, all_matches=False)
    found = np.zeros(len(lonlats), dtype=np.int64)
    found[point] = piece
    return found
