"""Two territories for the made-up company: north and south of where half of the region's addresses lie."""

from shapely import from_wkb
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.regions.models import Region

TOWNS = text(
    """
    select p.id, st_asbinary(p.area), st_y(st_pointonsurface(p.area)) as latitude,
           (select count(*) from region_address a where a.region_id = p.region_id and st_covers(p.area, a.point)) as n
    from region_place p
    where p.region_id = :region and p.area is not null and p.admin_level = :level
    order by latitude desc, p.id
    """
)
LEVELS = text(
    """
    select admin_level from region_place
    where region_id = :region and area is not null and admin_level between 5 and 10
    group by admin_level having count(*) between 4 and 400
    order by count(*) filter (where kind = 'municipality') desc, admin_level limit 1
    """
)
MIDDLE = text(
    "select percentile_cont(0.5) within group (order by st_y(point)) from region_address where region_id = :region"
)


def halves(session: Session, region: Region) -> tuple[MultiPolygon, MultiPolygon]:
    """The northern and the southern half: whole municipalities where the region has them, else cut by a line."""
    level = session.execute(LEVELS, {"region": region.id}).scalar_one_or_none()
    towns = session.execute(TOWNS, {"region": region.id, "level": level}).all() if level is not None else []
    total = sum(row.n for row in towns)
    if len(towns) < 4 or total == 0:
        return cut(session, region)
    north: list[BaseGeometry] = []
    south: list[BaseGeometry] = []
    seen = 0
    for row in towns:
        (north if seen < total / 2 else south).append(from_wkb(bytes(row[1])))
        seen += row.n
    return (whole(north), whole(south)) if north and south else cut(session, region)


def cut(session: Session, region: Region) -> tuple[MultiPolygon, MultiPolygon]:
    """The region's box, cut at the latitude that halves its addresses."""
    west, south, east, north = region.bbox or (-180.0, -90.0, 180.0, 90.0)
    middle = session.execute(MIDDLE, {"region": region.id}).scalar_one_or_none() or (south + north) / 2
    return whole([box(west, middle, east, north)]), whole([box(west, south, east, middle)])


def whole(parts: list[BaseGeometry]) -> MultiPolygon:
    """The union of some areas."""
    union = unary_union(parts)
    polygons = [part for part in getattr(union, "geoms", [union]) if isinstance(part, Polygon)]
    return MultiPolygon(polygons)
