"""Leads as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, literal, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts.tiles import BUFFER, CELLS, EXTENT, SINGLE_FROM_ZOOM, WORLD_M
from server.auth.access import Scope
from server.kit.tiles import Tile
from server.leads import queries
from server.leads.models import OPEN, Lead


def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The leads of a tile that somebody may see: without a filter those that are open; counted below zoom 9."""
    box = func.ST_TileEnvelope(at.z, at.x, at.y)
    leads = queries.chosen(session, scope, filter=filter, search=search)
    if not filter and not search:
        leads = leads.where(Lead.state.in_(OPEN))
    clustered = at.z < SINGLE_FROM_ZOOM
    reach = func.ST_Transform(box if clustered else func.ST_Expand(box, WORLD_M / 2**at.z * BUFFER / EXTENT), 4326)
    inside = leads.where(Lead.pin.op("&&")(reach), func.ST_Y(Lead.pin).between(-85.06, 85.06))
    layer = (clusters(inside, box, at) if clustered else singles(inside, box, scope.hidden("lead"))).subquery("leads")
    statement = select(func.ST_AsMVT(layer.table_valued(), "leads", EXTENT, "geom")).where(layer.c.geom.is_not(None))
    return bytes(session.execute(statement).scalar_one() or b"")


def singles(inside: Select[Lead], box: ColumnElement[Any], hidden: frozenset[str]) -> Select[Any]:
    """One feature for each lead."""
    return inside.with_only_columns(
        func.ST_AsMVTGeom(func.ST_Transform(Lead.pin, 3857), box, EXTENT, BUFFER, True).label("geom"),
        cast(Lead.id, Text).label("id"),
        func.coalesce(Lead.company, Lead.person).label("name"),
        Lead.state,
        *(() if "score" in hidden else (Lead.score,)),
        cast(Lead.owner_id, Text).label("owner_id"),
        Lead.grade,
        Lead.uncertainty_m,
    )


def clusters(inside: Select[Lead], box: ColumnElement[Any], at: Tile) -> Select[Any]:
    """One feature for each occupied cell of the tile's grid."""
    cell_m = WORLD_M / 2**at.z / CELLS
    point = func.ST_Transform(Lead.pin, 3857)
    points = inside.with_only_columns(
        point.label("point"),
        func.floor(func.ST_X(point) / literal(cell_m)).label("column"),
        func.floor(func.ST_Y(point) / literal(cell_m)).label("row"),
    ).subquery("points")
    centre = func.ST_Centroid(func.ST_Collect(points.c.point))
    return select(
        func.ST_AsMVTGeom(centre, box, EXTENT, BUFFER, True).label("geom"), func.count().label("count")
    ).group_by(points.c.column, points.c.row)
