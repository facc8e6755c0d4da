"""Reads of regions: what is served, its areas, its base map."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import Row, Select, func, literal, select, text
from sqlalchemy.orm import Session

from geo.mappack import LAYERS
from geo.types import BBox, LonLat
from server.kit.tiles import Tile
from server.regions.errors import NoSuchRegion
from server.regions.models import Region, RegionPlace, State

WORLD_M = 40_075_016.685578488
"""Circumference of the Web Mercator world."""
MARGIN = 64
"""How far beyond a tile, in its 4096 units, its features reach, so that outlines do not show at the seams."""

_BASEMAP = text(
    """
    with tile as (select ST_TileEnvelope(:z, :x, :y) as box, ST_TileEnvelope(:z, :x, :y, margin => :margin) as reach),
    found as (
        select f.layer, f.kind, nullif(f.name, '') as name,
               ST_AsMVTGeom(ST_Simplify(f.geom, :tolerance_m, true), tile.box, 4096, :units, true) as geom
        from tile join basemap_feature f on f.geom && tile.reach and f.min_zoom <= :z
        where f.region_id = any(:regions)
    ),
    layers as (
        select found.layer, ST_AsMVT(drawn, found.layer, 4096, 'geom') as part
        from found cross join lateral (select found.kind, found.name, found.geom) as drawn
        where found.geom is not null
        group by found.layer
    )
    select coalesce(string_agg(part, ''::bytea order by layer), ''::bytea) from layers
    """
)

_PACK_COLUMN = text(
    """
    with tile as (
        select y, ST_TileEnvelope(:z, :x, y) as box, ST_TileEnvelope(:z, :x, y, margin => :margin) as reach
        from generate_series(cast(:north as int), cast(:south as int)) as y
    ),
    found as (
        select tile.y, f.layer, f.kind, f.name,
               ST_AsMVTGeom(ST_Simplify(f.geom, :tolerance_m, true), tile.box, 4096, :units, true) as geom
        from tile join basemap_feature f on f.geom && tile.reach and f.min_zoom <= :deepest
        where f.region_id = :region
    )
    select y, layer, kind, name, ST_AsBinary(geom) as geom from found where geom is not null order by y
    """
)


_PROSPECT_CHANGES = text(
    """
    select case when was.id is null then 'added' when now.id is null then 'removed' else 'changed' end, count(*)
    from (select * from prospect where region_id = :old) was
    full outer join (select * from prospect where region_id = :new) now on now.id = was.id
    where (was.name, was.kind, was.tags, was.pin::text) is distinct from (now.name, now.kind, now.tags, now.pin::text)
    group by 1
    """
)

_BACKGROUND = text(
    """
    with frame as (select ST_Transform(ST_MakeEnvelope(:west, :south, :east, :north, 4326), 3857) as box),
    found as (
        select layer, kind, name, min_zoom, region_id, id,
               ST_Simplify(ST_ClipByBox2D(geom, frame.box), :tolerance_m, true) as geom
        from frame join basemap_feature on geom && frame.box and min_zoom <= :zoom
        where region_id = any(:regions) and layer <> 'building'
        order by min_zoom, region_id, id
        limit :limit
    )
    select layer, kind, name, ST_AsGeoJSON(ST_Transform(geom, 4326), 5) as geometry
    from found where not ST_IsEmpty(geom) and ST_GeometryType(geom) <> 'ST_GeometryCollection'
    order by array_position(:layers, layer), min_zoom desc, region_id, id
    """
)

_BACKGROUND_SIZE = text(
    """
    with frame as (select ST_Transform(ST_MakeEnvelope(:west, :south, :east, :north, 4326), 3857) as box)
    select count(*) from frame join basemap_feature on geom && frame.box and min_zoom <= :zoom
    where region_id = any(:regions) and layer <> 'building'
    """
)


@dataclass(frozen=True)
class Drawn:
    """A thing of the base map, for pictures and pages that leave the house."""

    layer: str
    kind: str
    name: str
    geometry: dict[str, Any]
    """GeoJSON, EPSG:4326, to a metre."""


def served(session: Session) -> Sequence[Region]:
    """The regions in service, by name."""
    return session.scalars(select(Region).where(Region.state == State.READY).order_by(Region.name)).all()


def served_countries(session: Session) -> Sequence[str]:
    """The countries of the regions in service."""
    return session.scalars(SERVED_COUNTRIES).all()


SERVED_COUNTRIES = select(Region.country).where(Region.state == State.READY)


def country_at(session: Session, point: WKBElement, within_m: float = 0) -> str:
    """The country on whose ground a point (EPSG:4326) lies with all that is so many metres around it, as far as a
    served region draws it; else empty."""
    drawn = select(RegionPlace.country).join(Region, Region.id == RegionPlace.region_id)
    pin = literal(point, Geometry("POINT", srid=4326))
    around = func.geometry(func.ST_Buffer(func.geography(pin), within_m)) if within_m else pin
    held = drawn.where(Region.state == State.READY, RegionPlace.country != "", func.ST_Covers(RegionPlace.area, around))
    return session.scalar(held.order_by(RegionPlace.admin_level, RegionPlace.id).limit(1)) or ""


def all_regions(session: Session) -> Sequence[Region]:
    """Every region, also those being built."""
    return session.scalars(select(Region).order_by(Region.name, Region.version)).all()


def region_by_id(session: Session, region_id: UUID) -> Region:
    """A region in any state; refuses an unknown one."""
    region = session.get(Region, region_id)
    if region is None:
        raise NoSuchRegion("There is no such region.")
    return region


def attributions(session: Session, around: BBox | None = None) -> list[str]:
    """What must be printed wherever data of the served regions (of a box) leaves, each once."""
    seen = (r for r in served(session) if around is None or r.bbox is None or BBox(*r.bbox).meets(around))
    return sorted({line for region in seen for line in region.attribution})


def prospect_changes(session: Session, old: UUID, new: UUID) -> dict[str, int]:
    """How many prospects are added, changed and removed from one version of a region to another; their ids stay."""
    found = session.execute(_PROSPECT_CHANGES, {"old": old, "new": new})
    return {str(change): int(count) for change, count in found}


def admin_areas(level: int | None = None) -> Select[RegionPlace]:
    """Boundaries with their polygons in the served regions: ready-made areas for territories."""
    statement = (
        select(RegionPlace)
        .join(Region, Region.id == RegionPlace.region_id)
        .where(Region.state == State.READY, RegionPlace.admin_level.is_not(None), RegionPlace.area.is_not(None))
        .order_by(RegionPlace.admin_level, RegionPlace.name)
    )
    return statement if level is None else statement.where(RegionPlace.admin_level == level)


_NEAREST = text(
    """
    select place.name, place.distance_m, place.bearing_deg
    from unnest(cast(:lons as float8[]), cast(:lats as float8[])) with ordinality as c (lon, lat, place)
    left join lateral (
        select p.name, ST_DistanceSphere(p.point, ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326)) as distance_m,
               degrees(ST_Azimuth(p.point::geography, ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326)::geography))
                   as bearing_deg
        from region_place p join region r on r.id = p.region_id and r.state = 'ready'
        where p.kind in ('city', 'town', 'village', 'hamlet', 'suburb')
          and p.point && ST_Expand(ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326), 0.15)
        order by p.point <-> ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326) limit 1
    ) place on true
    order by c.place
    """
)


@dataclass(frozen=True)
class Settlement:
    """The settlement nearest to a point."""

    name: str
    distance_m: float
    """From it to the point."""
    bearing_deg: float
    """From it to the point: 0 to 360, north is 0."""


def nearest_settlements(session: Session, points: Sequence[LonLat]) -> list[Settlement | None]:
    """The settlement nearest to each point; None where none is within some ten kilometres."""
    given = {"lons": [at.lon for at in points], "lats": [at.lat for at in points]}
    rows = session.execute(_NEAREST, given)
    return [Settlement(row.name, row.distance_m, row.bearing_deg or 0.0) if row.name else None for row in rows]


def basemap_tile(session: Session, tile: Tile) -> bytes:
    """The base map of all served regions in one tile."""
    regions = [region.id for region in served(session)]
    body: bytes = session.execute(_BASEMAP, {**_frame(tile.z), **tile._asdict(), "regions": regions}).scalar_one()
    return bytes(body)


def pack_column(
    session: Session, region_id: UUID, z: int, x: int, rows: range, deepest_zoom: int
) -> Sequence[Row[Any]]:
    """What a column of the phone's tiles shows: row, layer, kind, name and geometry (WKB, tile coordinates).

    Features are taken up to `deepest_zoom`, because the phone draws the zooms between from these tiles too.
    """
    place = {"z": z, "x": x, "north": rows.start, "south": rows.stop - 1}
    values = {**_frame(z), **place, "deepest": deepest_zoom, "region": region_id}
    return session.execute(_PACK_COLUMN, values).all()


def _frame(z: int) -> dict[str, float]:
    """How far a tile reaches beyond its edges, and the detail that it can show (1/2048 of its width)."""
    return {"margin": MARGIN / 4096, "units": MARGIN, "tolerance_m": WORLD_M / (1 << z) / 2048}


def background(session: Session, bbox: BBox, at_most: int = 6000) -> list[Drawn]:
    """The base map of a box without its buildings, in drawing order, with as much detail as fits into a picture."""
    regions = [region.id for region in served(session)]
    values: dict[str, Any] = {**bbox._asdict(), "regions": regions, "layers": list(LAYERS), "limit": at_most}
    for zoom in range(14, 4, -1):
        if session.execute(_BACKGROUND_SIZE, {**values, "zoom": zoom}).scalar_one() <= at_most:
            break
    width_m = max(1.0, (bbox.east - bbox.west) / 360 * WORLD_M)
    rows = session.execute(_BACKGROUND, {**values, "zoom": zoom, "tolerance_m": width_m / 4000})
    return [Drawn(row.layer, row.kind, row.name, json.loads(row.geometry)) for row in rows if row.geometry]
