"""Accounts as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, cast, func, literal, null, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts import queries
from server.accounts.fields import overdue_days
from server.accounts.models import Account, Site
from server.accounts.reaching import Reaching
from server.auth.access import Scope
from server.kit.tiles import Tile

SINGLE_FROM_ZOOM = 9
"""Below this zoom accounts are drawn as clusters."""

CELLS = 16
"""Clusters along the side of a tile."""

EXTENT = 4096
BUFFER = 64
WORLD_M = 40_075_016.68557849


def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The accounts of a tile that somebody may see: single ones, or clusters with counts by class below zoom 9."""
    box = func.ST_TileEnvelope(at.z, at.x, at.y)
    accounts = queries.chosen(Reaching(session), scope, filter=filter, search=search)
    joined = accounts.join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None)))
    clustered = at.z < SINGLE_FROM_ZOOM
    reach = func.ST_Transform(box if clustered else func.ST_Expand(box, WORLD_M / 2**at.z * BUFFER / EXTENT), 4326)
    # The poles have no place in Web Mercator; a pin there would make the projection fail.
    inside = joined.where(Site.pin.op("&&")(reach), func.ST_Y(Site.pin).between(-85.06, 85.06))
    grade = Account.account_class if scope.sees("account", "account_class") else cast(null(), Text)
    rows = clusters(inside, box, at, grade) if clustered else singles(inside, box, queries.today_of(scope), grade)
    layer = rows.subquery("accounts")
    statement = select(func.ST_AsMVT(layer.table_valued(), "accounts", EXTENT, "geom")).where(layer.c.geom.is_not(None))
    return bytes(session.execute(statement).scalar_one() or b"")


def singles(inside: Select[Account], box: ColumnElement[Any], today: Any, grade: Any) -> Select[Any]:
    """One feature for each site; the account's class is as its reader may know it."""
    return inside.with_only_columns(
        func.ST_AsMVTGeom(func.ST_Transform(Site.pin, 3857), box, EXTENT, BUFFER, True).label("geom"),
        cast(Account.id, Text).label("id"),
        cast(Site.id, Text).label("site_id"),
        Account.name,
        Account.number,
        grade.label("account_class"),
        Account.status,
        cast(Account.owner_id, Text).label("owner_id"),
        overdue_days(today).label("overdue_days"),
        Site.grade,
        Site.uncertainty_m,
        # Radius of the circle of doubt in pixels at zoom 14, for tiles of 512 pixels.
        (Site.uncertainty_m * (512 * 2**14 / WORLD_M) / func.cos(func.radians(func.ST_Y(Site.pin)))).label("doubt_px"),
    )


def clusters(inside: Select[Account], box: ColumnElement[Any], at: Tile, grade: Any) -> Select[Any]:
    """One feature for each occupied cell of the tile's grid."""
    cell_m = WORLD_M / 2**at.z / CELLS
    point = func.ST_Transform(Site.pin, 3857)
    points = inside.with_only_columns(
        point.label("point"),
        grade.label("class"),
        func.floor(func.ST_X(point) / literal(cell_m)).label("column"),
        func.floor(func.ST_Y(point) / literal(cell_m)).label("row"),
    ).subquery("points")
    centre = func.ST_Centroid(func.ST_Collect(points.c.point))
    return select(
        func.ST_AsMVTGeom(centre, box, EXTENT, BUFFER, True).label("geom"),
        func.count().label("count"),
        *(func.count().filter(points.c["class"] == name).label(name.lower()) for name in ("A", "B", "C")),
    ).group_by(points.c.column, points.c.row)
