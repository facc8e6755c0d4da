"""The geometry of territories: outlines mended, split, given away; gaps, overlaps, and areas grown around points."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

WORLD = box(-180, -90, 180, 90)
GRID = 1e-9
"""Degrees; a tenth of a millimetre: corners nearer to each other than that are one."""
KM_A_DEGREE = 111.32
MAX_CROSSINGS = 1_000
MAX_TOUCHES = 20
"""Edges that an edge meets, on the average over an outline: itself, the two beside it, those of neighbouring parts."""
MAX_NEAR = 30_000_000
"""Pairs of edges whose boxes meet."""


class Tangled(ValueError):
    """An outline whose edges meet so often that mending it would take minutes."""


@dataclass(frozen=True)
class Tidied:
    """An outline as it can be stored, and what had to be done to it."""

    area: MultiPolygon
    """Valid, within the world; empty when nothing of it is an area."""
    crossed_itself: bool = False
    """Its edges crossed; what it enclosed was kept."""
    crossed_antimeridian: bool = False
    """It lay across the 180th meridian and was cut there."""


@dataclass(frozen=True)
class Shared:
    """Ground that two areas claim."""

    one: int
    """Position of the first area."""
    other: int
    """Position of the second one."""
    area: MultiPolygon
    """What they share."""


def polygons(geometry: BaseGeometry) -> MultiPolygon:
    """The areas of any geometry; its points and lines are left out."""
    parts = shapely.get_parts(geometry, return_index=False)
    flat = [one for part in parts for one in shapely.get_parts(part) if isinstance(one, Polygon) and not one.is_empty]
    return MultiPolygon(flat)


def tidied(geometry: BaseGeometry) -> Tidied:
    """An outline mended where it crosses itself and cut where it crosses the antimeridian.

    Parameters
    ----------
    geometry
        Polygonal, in degrees. It lies across the antimeridian when it reaches past 180 degrees, or when one of its
        edges is longer than half the world.

    Raises
    ------
    Tangled
        When its edges cross more than `MAX_CROSSINGS` times, or lie on each other in heaps.
    """
    unrolled = geometry
    if any(_jumps(ring) for ring in _rings(geometry)):
        unrolled = MultiPolygon([_unrolled(one) for one in polygons(geometry).geoms])
    rings = _rings(unrolled)
    edges = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in rings]) if rings else np.empty((0, 4))
    _check_near(edges)
    crossed_itself = not unrolled.is_valid
    if crossed_itself:
        _check_crossings(edges)
        mended = shapely.make_valid(unrolled, method="structure", keep_collapsed=False)
    else:
        mended = unrolled
    west, _, east, _ = mended.bounds if not mended.is_empty else (0.0, 0.0, 0.0, 0.0)
    crosses = west < -180 or east > 180
    if crosses:
        turns = [affinity.translate(mended, xoff=turn).intersection(WORLD) for turn in (-360, 0, 360)]
        mended = shapely.union_all(turns)
    return Tidied(polygons(mended), crossed_itself, crosses)


def _check_near(edges: NDArray[np.float64], sample: int = 256) -> None:
    """Refuse edges whose boxes lie on each other in heaps; even to see whether they cross would take minutes."""
    if len(edges) ** 2 <= MAX_NEAR:
        return
    west_south, east_north = np.minimum(edges[:, :2], edges[:, 2:]), np.maximum(edges[:, :2], edges[:, 2:])
    boxes = np.asarray(shapely.box(*west_south.T, *east_north.T))
    chosen = np.random.default_rng(0).choice(boxes, sample, replace=False)
    if shapely.STRtree(boxes).query(chosen).shape[1] * len(edges) / sample > MAX_NEAR:
        raise Tangled


def _check_crossings(edges: NDArray[np.float64]) -> None:
    """Count where edges cross or touch, a few at a time, and stop when it is too much."""
    lines = np.asarray(shapely.linestrings(edges.reshape(-1, 2, 2)))
    tree = shapely.STRtree(lines)
    order = np.random.default_rng(0).permutation(len(edges))
    crossings, touches, start, step = 0, 0, 0, 16
    while start < len(order):
        some = order[start : start + step]
        one, other = tree.query(lines[some], predicate="intersects")
        touches += len(one)
        crossings += int(_cross(edges[some[one]], edges[other]).sum())
        if crossings > 2 * MAX_CROSSINGS or touches > MAX_TOUCHES * (len(edges) + MAX_CROSSINGS):
            raise Tangled
        start, step = start + step, min(2 * step, 512)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which edges (n, 4) cross in their middle."""

    def sides(edge: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        along = edge[:, 2:] - edge[:, :2]
        start, end = other[:, :2] - edge[:, :2], other[:, 2:] - edge[:, :2]
        left = along[:, 0] * start[:, 1] - along[:, 1] * start[:, 0]
        return np.asarray(left * (along[:, 0] * end[:, 1] - along[:, 1] * end[:, 0]))

    return np.asarray((sides(a, b) < 0) & (sides(b, a) < 0))


def _rings(geometry: BaseGeometry) -> list[NDArray[np.float64]]:
    found = [one for part in shapely.get_parts(geometry) for one in shapely.get_parts(part)]
    rings = [ring for one in found if isinstance(one, Polygon) for ring in (one.exterior, *one.interiors)]
    return [shapely.get_coordinates(ring) for ring in rings]


def _jumps(ring: NDArray[np.float64]) -> bool:
    return bool(len(ring) > 1 and np.abs(np.diff(ring[:, 0])).max() > 180)


def _unrolled(polygon: Polygon) -> Polygon:
    def ring(line: BaseGeometry) -> NDArray[np.float64]:
        xy = shapely.get_coordinates(line).copy()
        xy[:, 0] = np.unwrap(xy[:, 0], period=360)
        return xy

    return Polygon(ring(polygon.exterior), [ring(hole) for hole in polygon.interiors])


def square_km(geometry: BaseGeometry) -> float:
    """About how large an area in degrees is; exact to a percent for what a person can drive through."""
    if geometry.is_empty:
        return 0.0
    latitude = float(shapely.centroid(geometry).y)
    return float(geometry.area) * KM_A_DEGREE**2 * cos(radians(latitude))


def split(area: MultiPolygon, line: LineString) -> tuple[MultiPolygon, MultiPolygon] | None:
    """The two sides of a line drawn across an area; None when the line does not cut it in two.

    Pieces lie on the side of the line on which their inner point lies; the line is lengthened at both ends, so that one
    that ends just inside still cuts.
    """
    longer = _lengthened(line, by=0.1 * max(area.bounds[2] - area.bounds[0], area.bounds[3] - area.bounds[1]))
    edges = shapely.union_all([area.boundary, longer])
    pieces = [one for one in shapely.get_parts(shapely.polygonize([edges])) if area.covers(one.representative_point())]
    if len(pieces) < 2:
        return None
    left = [one for one in pieces if _is_left(longer, one)]
    right = [one for one in pieces if not _is_left(longer, one)]
    if not left or not right:
        return None
    return polygons(shapely.union_all(left)), polygons(shapely.union_all(right))


def _lengthened(line: LineString, *, by: float) -> LineString:
    xy = shapely.get_coordinates(line)
    first, last = xy[0] - xy[1], xy[-1] - xy[-2]
    start = xy[0] + first / max(float(np.hypot(*first)), 1e-12) * by
    end = xy[-1] + last / max(float(np.hypot(*last)), 1e-12) * by
    return LineString([start, *xy, end])


def _is_left(line: LineString, piece: Polygon) -> bool:
    """Whether a piece lies left of the nearest stretch of a line."""
    point = piece.representative_point()
    at = line.project(point)
    step = max(line.length * 1e-6, 1e-9)
    a, b = line.interpolate(max(0.0, at - step)), line.interpolate(min(line.length, at + step))
    return bool((b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) > 0)


def without(area: BaseGeometry, ground: BaseGeometry) -> MultiPolygon:
    """What is left of an area when some ground is taken away."""
    return polygons(shapely.difference(area, ground, grid_size=GRID))


def together(areas: Sequence[BaseGeometry]) -> MultiPolygon:
    """One area of several."""
    return polygons(shapely.union_all(list(areas), grid_size=GRID))


def overlaps(areas: Sequence[BaseGeometry], *, least_km2: float = 0.01) -> list[Shared]:
    """Ground that two areas share, the largest first; slivers below a hectare are not told."""
    if len(areas) < 2:
        return []
    tree = shapely.STRtree(list(areas))
    one, other = tree.query(list(areas), predicate="intersects")
    found = []
    for a, b in sorted({(int(i), int(j)) for i, j in zip(one, other, strict=True) if i < j}):
        common = polygons(shapely.intersection(areas[a], areas[b]))
        if square_km(common) > least_km2:
            found.append(Shared(a, b, common))
    return sorted(found, key=lambda shared: -square_km(shared.area))


def gaps(
    areas: Sequence[BaseGeometry], *, within: BaseGeometry | None = None, least_km2: float = 0.01
) -> list[Polygon]:
    """Ground between areas that none of them claims, the largest first.

    These are the holes of their union, strips narrower than 100 m between them, and what they leave of `within`.
    """
    if not areas:
        return []
    whole = shapely.union_all(list(areas))
    filled = shapely.union_all([Polygon(one.exterior) for one in polygons(whole).geoms])
    reach = 50 / (KM_A_DEGREE * 1000)
    closed = filled.buffer(reach, join_style="mitre").buffer(-reach, join_style="mitre")
    ground = [filled, closed] if within is None else [filled, closed, within]
    left = polygons(shapely.difference(shapely.union_all(ground), whole)).geoms
    return sorted((one for one in left if square_km(one) > least_km2), key=lambda one: -square_km(one))


def nearest(ground: BaseGeometry, areas: Sequence[BaseGeometry]) -> int:
    """Which area has the longest border with some ground; where none touches it, the one that is nearest."""
    rim = ground.buffer(60 / (KM_A_DEGREE * 1000))
    borders = [float(shapely.intersection(area, rim).area) for area in areas]
    if max(borders) > 0:
        return int(np.argmax(borders))
    return int(np.argmin([shapely.distance(area, ground) for area in areas]))


def around_points(
    lonlats: NDArray[np.float64], labels: Sequence[str], *, within: BaseGeometry, round_deg: float = 0.001
) -> Mapping[str, MultiPolygon]:
    """An area for each label that holds the ground nearer to its points than to those of others.

    Points are gathered on a grid of `round_deg` first, where the most frequent label counts; the areas are Voronoi
    cells, put together by label and cut along `within`.

    Parameters
    ----------
    lonlats
        Shape (n, 2), degrees.
    labels
        Of each point.
    """
    counts: dict[tuple[int, int], dict[str, int]] = {}
    for (x, y), label in zip(np.round(lonlats / round_deg).astype(int).tolist(), labels, strict=True):
        there = counts.setdefault((x, y), {})
        there[label] = there.get(label, 0) + 1
    cells = {cell: max(sorted(there), key=lambda one: there[one]) for cell, there in counts.items()}
    if len(cells) < 2:
        return {label: polygons(within) for label in set(cells.values())}
    seeds = [Point(x * round_deg, y * round_deg) for x, y in cells]
    faces = shapely.get_parts(shapely.voronoi_polygons(MultiPoint(seeds), extend_to=within))
    seed, face = shapely.STRtree(faces).query(seeds, predicate="intersects")
    names = list(cells.values())
    owned = sorted((names[int(i)], int(j)) for i, j in zip(seed, face, strict=True))
    grown = {
        label: shapely.union_all([faces[j] for _, j in mine]).intersection(within)
        for label, mine in itertools.groupby(owned, key=lambda pair: pair[0])
    }
    return {label: found for label, area in grown.items() if not (found := polygons(area)).is_empty}
