"""The quiet base map under a route, taken from the regions' own tables."""

import json
import math
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.export.types import MapFeature
from server.regions.queries import WORLD_M
from server.roads.queries import regions_covering

_PIXELS, _SMALLEST_M, _MOST_FEATURES = 700, 1500.0, 5000
_SHAPE = 1.7
"""Width of the printed map by its height: the paper is filled, whatever the shape of the route."""
_MARGIN = 1.3

_FEATURES = text(
    """
    with box as (select ST_MakeEnvelope(:west, :south, :east, :north, 3857) as box),
    found as (
        select f.layer, f.kind, f.name, f.min_zoom, f.id,
               ST_Simplify(ST_ClipByBox2D(f.geom, box.box), :tolerance_m, true) as geom
        from box join basemap_feature f on f.geom && box.box
        where f.region_id = any(:regions) and f.min_zoom <= :zoom and f.layer <> 'building'
        order by f.min_zoom, f.region_id, f.id
        limit :most
    )
    select layer, kind, name, ST_AsGeoJSON(ST_Transform(geom, 4326), 5) as geometry
    from found where not ST_IsEmpty(geom) and ST_GeometryType(geom) <> 'ST_GeometryCollection'
    order by min_zoom, layer, kind, name, geometry
    """
)


def around(session: Session, points: Sequence[LonLat]) -> tuple[MapFeature, ...]:
    """What the base map shows around the points, as coarse as a map of a page's width may be."""
    regions = regions_covering(session, points)
    if not regions:
        return ()
    west, south, east, north = _box_m(points)
    height_m = max(north - south, (east - west) / _SHAPE, _SMALLEST_M) * _MARGIN
    width_m = height_m * _SHAPE
    x, y = (west + east) / 2, (south + north) / 2
    rows = session.execute(
        _FEATURES,
        {
            "west": x - width_m / 2,
            "south": y - height_m / 2,
            "east": x + width_m / 2,
            "north": y + height_m / 2,
            "regions": [region.id for region in regions],
            "zoom": math.floor(math.log2(_PIXELS / 256 * WORLD_M / height_m)),
            "tolerance_m": height_m / _PIXELS / 2,
            "most": _MOST_FEATURES,
        },
    )
    return tuple(MapFeature(row.layer, row.kind, json.loads(row.geometry), row.name) for row in rows)


def sources(session: Session, points: Sequence[LonLat]) -> tuple[str, ...]:
    """The attribution lines of the regions around the points, with the date of their data."""
    lines: dict[str, None] = {}
    for region in regions_covering(session, points):
        data = ", ".join(filter(None, [region.name, str(region.data_date or "")]))
        for line in region.attribution:
            known = line if not region.licence or region.licence in line else f"{line}, {region.licence}"
            lines[f"{known} ({data})"] = None
    return tuple(lines)


def _box_m(points: Sequence[LonLat]) -> tuple[float, float, float, float]:
    """West, south, east and north of the points in Web Mercator metres."""
    xs = [point.lon / 360 * WORLD_M for point in points]
    lats = [math.radians(max(-85.0, min(85.0, point.lat))) for point in points]
    ys = [math.asinh(math.tan(lat)) / (2 * math.pi) * WORLD_M for lat in lats]
    return min(xs), min(ys), max(xs), max(ys)
