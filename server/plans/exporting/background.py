"""The quiet base map under a route, taken from the regions' own tables."""

import math
from collections.abc import Sequence

from sqlalchemy.orm import Session

from geo.types import BBox, LonLat
from routing.export.types import MapFeature
from server.geocoding.queries import credits_beside
from server.regions import queries
from server.regions.queries import WORLD_M
from server.roads.queries import regions_covering

_SMALLEST_M, _MOST_FEATURES = 1500.0, 2500
_SHAPE = 1.7
"""Width of the printed map by its height: the paper is filled, whatever the shape of the route."""
_MARGIN = 1.3


def around(session: Session, points: Sequence[LonLat]) -> tuple[MapFeature, ...]:
    """What the base map shows around the points, as coarse as a map of a page's width may be."""
    if not regions_covering(session, points):
        return ()
    drawn = queries.background(session, page_box(points), _MOST_FEATURES)
    return tuple(MapFeature(one.layer, one.kind, one.geometry, one.name) for one in drawn)


def page_box(points: Sequence[LonLat]) -> BBox:
    """The box of a page around the points, with a margin."""
    xs, ys = zip(*(_to_mercator(point) for point in points), strict=True)
    west, south, east, north = min(xs), min(ys), max(xs), max(ys)
    height_m = max(north - south, (east - west) / _SHAPE, _SMALLEST_M) * _MARGIN
    x, y, half = (west + east) / 2, (south + north) / 2, height_m / 2
    return BBox(*_to_degrees(x - half * _SHAPE, y - half), *_to_degrees(x + half * _SHAPE, y + half))


def sources(session: Session, points: Sequence[LonLat]) -> tuple[str, ...]:
    """The attribution lines of regions, address files and geocoders around the points, with the date of their data."""
    lines: dict[str, None] = {}
    for region in regions_covering(session, points):
        data = ", ".join(filter(None, [region.name, str(region.data_date or "")]))
        for line in region.attribution:
            known = line if not region.licence or region.licence in line else f"{line}, {region.licence}"
            lines[f"{known} ({data})"] = None
    return (*lines, *credits_beside(session, page_box(points)))


def _to_mercator(point: LonLat) -> tuple[float, float]:
    """Web Mercator metres of a point."""
    lat = math.radians(max(-85.0, min(85.0, point.lat)))
    return point.lon / 360 * WORLD_M, math.asinh(math.tan(lat)) / (2 * math.pi) * WORLD_M


def _to_degrees(x: float, y: float) -> LonLat:
    """The point at Web Mercator metres."""
    return LonLat(x / WORLD_M * 360, math.degrees(math.atan(math.sinh(y / WORLD_M * 2 * math.pi))))
