"""Deals as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, literal, null, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Double, Numeric, Text

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.auth import veil
from server.auth.access import Scope
from server.kit import clock
from server.kit.tiles import Tile
from server.opportunities import queries
from server.opportunities.fields import in_base, is_rotten
from server.opportunities.models import Opportunity, Stage

SINGLE_FROM_ZOOM = 8
"""Below this zoom deals are drawn as clusters."""
CELLS = 16
EXTENT = 4096
BUFFER = 64
WORLD_M = 40_075_016.68557849


def placed(statement: Select[Opportunity]) -> Select[Any]:
    """The deals with the site at which they stand on the map: their own, else the account's main one."""
    site = (
        select(Site.id, Site.pin)
        .where(
            Site.account_id == Account.id,
            Site.deleted_at.is_(None),
            or_(Site.is_main, Site.id == Opportunity.site_id),
        )
        .order_by((Site.id == Opportunity.site_id).desc().nulls_last())
        .limit(1)
        .correlate(Account, Opportunity)
        .lateral("there")
    )
    placed: Select[Any] = statement.join(site, site.c.pin.is_not(None)).add_columns(site.c.pin)
    return placed


def without_pin(session: Session, scope: Scope, *, filter: str | None = None, search: str | None = None) -> int:
    """How many of the deals have no place on the map."""
    statement = queries.chosen(session, scope, filter=filter, search=search)
    everything = statement.with_only_columns(Opportunity.id)
    shown = placed(statement).with_only_columns(Opportunity.id)
    missing = select(func.count()).select_from(everything.except_(shown).subquery())
    return session.scalar(missing) or 0


def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The deals of a tile that somebody may see: single ones, or clusters with counts and sums below zoom 8."""
    box = func.ST_TileEnvelope(at.z, at.x, at.y)
    clustered = at.z < SINGLE_FROM_ZOOM
    reach = func.ST_Transform(box if clustered else func.ST_Expand(box, WORLD_M / 2**at.z * BUFFER / EXTENT), 4326)
    deals = placed(queries.chosen(session, scope, filter=filter, search=search))
    pin: Any = deals.selected_columns.pin
    # The poles have no place in Web Mercator; a pin there would make the projection fail.
    inside = deals.where(pin.op("&&")(reach), func.ST_Y(pin).between(-85.06, 85.06))
    today = accounts.today_of(scope)
    rows = clusters(inside, pin, box, at, today) if clustered else singles(inside, pin, box, today)
    layer = rows.subquery("deals")
    statement = select(func.ST_AsMVT(layer.table_valued(), "deals", EXTENT, "geom")).where(layer.c.geom.is_not(None))
    return bytes(session.execute(statement).scalar_one() or b"")


def known(today: date) -> ColumnElement[Any]:
    """The amount in the company's currency; empty where it is hidden from the reader of this request."""
    return cast(null(), Numeric) if "amount" in veil.hidden("opportunity") else in_base(today)


def singles(inside: Select[Any], pin: Any, box: ColumnElement[Any], today: Any) -> Select[Any]:
    """One feature for each deal."""
    return inside.with_only_columns(
        func.ST_AsMVTGeom(func.ST_Transform(pin, 3857), box, EXTENT, BUFFER, True).label("geom"),
        cast(Opportunity.id, Text).label("id"),
        Opportunity.name,
        Account.name.label("account"),
        cast(Opportunity.stage_id, Text).label("stage_id"),
        Stage.name.label("stage"),
        Opportunity.state,
        cast(known(today), Double).label("amount"),
        is_rotten(clock.now()).label("is_rotten"),
    )


def clusters(inside: Select[Any], pin: Any, box: ColumnElement[Any], at: Tile, today: Any) -> Select[Any]:
    """One feature for each occupied cell of the tile's grid."""
    cell_m = WORLD_M / 2**at.z / CELLS
    point = func.ST_Transform(pin, 3857)
    points = inside.with_only_columns(
        point.label("point"),
        known(today).label("amount"),
        func.floor(func.ST_X(point) / literal(cell_m)).label("column"),
        func.floor(func.ST_Y(point) / literal(cell_m)).label("row"),
    ).subquery("points")
    centre = func.ST_Centroid(func.ST_Collect(points.c.point))
    return select(
        func.ST_AsMVTGeom(centre, box, EXTENT, BUFFER, True).label("geom"),
        func.count().label("count"),
        cast(func.sum(points.c.amount), Double).label("amount"),
    ).group_by(points.c.column, points.c.row)
