"""Ready-made areas of a region: admin areas as mapped, postcodes as mapped or grown around their addresses."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from shapely import from_wkb, transform
from shapely.geometry import MultiPoint, MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo import territories as shapes
from server.kit.errors import Invalid
from server.territories import service as territories

ADMIN_UNION = text("select st_asbinary(st_multi(st_union(area))) from region_place where id = any(:ids)")

POSTCODES = text(
    """
    select a.postcode, count(*) from region_address a join region r on r.id = a.region_id
    where r.state = 'ready' and a.postcode <> '' group by a.postcode having count(*) >= 3 order by a.postcode
    """
)
MAPPED = text(
    """
    select p.postcode, st_asbinary(st_union(p.area)) from region_place p join region r on r.id = p.region_id
    where r.state = 'ready' and p.kind = 'postcode' and p.area is not null and p.postcode = any(:codes)
    group by p.postcode
    """
)
ADDRESSES = text(
    """
    select a.postcode, st_x(a.point), st_y(a.point) from region_address a join region r on r.id = a.region_id
    where r.state = 'ready' and a.postcode <> '' and a.region_id in (
        select region_id from region_address where postcode = any(:codes)
    )
    """
)
COUNTRIES = text(
    """
    select st_asbinary(st_union(p.area)) from region_place p join region r on r.id = p.region_id
    where r.state = 'ready' and p.area is not null and p.admin_level = (
        select min(admin_level) from region_place where region_id = p.region_id and area is not null
    )
    """
)
FAR_DEG = 0.02
"""Where nothing is mapped around the addresses, their ground ends this far from the outermost ones."""


KNOWN = text(
    """
    select min(away) / 1000 from (
        select st_distance(st_makeenvelope(bbox[1], bbox[2], bbox[3], bbox[4], 4326)::geography, hull::geography)
        from region, st_geomfromtext(:hull, 4326) hull where state = 'ready' and bbox is not null
        union all
        select st_distance(st_envelope(t.area)::geography, hull::geography)
        from territory t, st_geomfromtext(:hull, 4326) hull where t.deleted_at is null
        union all (
            select st_distance(s.pin::geography, hull::geography) from site s, st_geomfromtext(:hull, 4326) hull
            where s.pin is not null and s.deleted_at is null order by s.pin <-> st_geomfromtext(:hull, 4326) limit 1
        )
    ) known (away)
    """
)
NEAR_KM = 50
"""So near to a region, a territory or an account ground is taken without a word."""


def away_km(session: Session, area: BaseGeometry) -> float:
    """How far an area lies from the regions, territories and accounts there are, in km; 0 where there are none."""
    return float(session.scalar(KNOWN, {"hull": area.convex_hull.wkt}) or 0)


def far_off(session: Session, areas: Iterable[tuple[str, MultiPolygon]]) -> Iterable[str]:
    """Which areas, each with its name, lie far from everything that is known, in words."""
    for name, area in areas:
        away = away_km(session, area)
        if away <= NEAR_KM:
            continue
        if away_km(session, transform(area, lambda xy: xy[:, ::-1])) <= NEAR_KM:
            yield f"“{name}” lies {away:.0f} km from all that is known: are latitude and longitude swapped?"
        else:
            yield f"“{name}” lies {away:.0f} km from all that is known."


def postcodes(session: Session) -> list[str]:
    """The postcodes of the served regions that at least three addresses have."""
    return [row[0] for row in session.execute(POSTCODES)]


def admin_union(session: Session, ids: Sequence[int], *, name: str) -> MultiPolygon:
    """The union of admin areas; refuses when there is none of them."""
    union = session.execute(ADMIN_UNION, {"ids": list(ids)}).scalar_one() if ids else None
    if union is None:
        raise Invalid(f"“{name}” has no area.", help="Draw an outline or choose admin areas.", field="area")
    return territories.checked_area(from_wkb(bytes(union)), name=name)


def postcode_areas(session: Session, codes: Sequence[str]) -> Mapping[str, MultiPolygon]:
    """The area of each postcode: as mapped where it is, else all ground nearer to its addresses than to others'.

    Refuses postcodes that the served regions do not know, by name.
    """
    found = {
        code: shapes.polygons(from_wkb(bytes(area))) for code, area in session.execute(MAPPED, {"codes": list(codes)})
    }
    left = [code for code in codes if code not in found]
    if left:
        grown = grown_areas(session, left)
        unknown = sorted(set(left) - set(grown))
        if unknown:
            raise Invalid(
                f"No address has the postcode {', '.join(unknown)}.",
                help="Add a region that holds it, or leave it out.",
                field="postcodes",
            )
        found |= {code: grown[code] for code in left}
    return found


def grown_areas(session: Session, codes: Sequence[str]) -> Mapping[str, MultiPolygon]:
    """Areas of postcodes around their addresses, cut along the border of the region."""
    rows = session.execute(ADDRESSES, {"codes": list(codes)}).all()
    if not rows:
        return {}
    lonlats = np.array([row[1:] for row in rows], dtype=float)
    border = session.execute(COUNTRIES).scalar_one_or_none()
    hull = MultiPoint(lonlats).convex_hull.buffer(FAR_DEG)
    within = from_wkb(bytes(border)).intersection(hull) if border is not None else hull
    return shapes.around_points(lonlats, [row[0] for row in rows], within=hull if within.is_empty else within)


def area_of_places(session: Session, *, name: str, admin_area_ids: Sequence[int], codes: Sequence[str]) -> MultiPolygon:
    """The union of admin areas and postcodes."""
    areas = [admin_union(session, admin_area_ids, name=name)] if admin_area_ids or not codes else []
    if codes:
        areas += postcode_areas(session, codes).values()
    return shapes.together(areas)
