"""Tickets as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, cast, func, literal, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts.models import Account, Site
from server.accounts.tiles import BUFFER, CELLS, EXTENT, SINGLE_FROM_ZOOM, WORLD_M
from server.auth.access import Scope
from server.kit import clock
from server.kit.tiles import Tile
from server.tickets import queries
from server.tickets.fields import NEXT_DUE, PRIORITY_RANK, UNSOLVED_NOW, is_overdue
from server.tickets.models import Ticket


def placed(statement: Select[Ticket]) -> Select[Any]:
    """The tickets with the site at which they stand on the map: their own, else the main one of their account."""
    site = (
        select(Site.pin)
        .where(Site.account_id == Account.id, Site.deleted_at.is_(None), or_(Site.is_main, Site.id == Ticket.site_id))
        .order_by((Site.id == Ticket.site_id).desc().nulls_last())
        .limit(1)
        .correlate(Account, Ticket)
        .lateral("there")
    )
    standing = statement.join(Account, Account.id == func.account_surviving(Ticket.account_id))
    placed: Select[Any] = standing.join(site, site.c.pin.is_not(None)).add_columns(site.c.pin)
    return placed


def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The tickets of a tile that somebody may see: without a filter those not solved; counted below zoom 9."""
    now, box = clock.now(), func.ST_TileEnvelope(at.z, at.x, at.y)
    tickets = queries.chosen(session, scope, now, filter=filter, search=search)
    if not filter and not search:
        tickets = tickets.where(UNSOLVED_NOW)
    clustered = at.z < SINGLE_FROM_ZOOM
    reach = func.ST_Transform(box if clustered else func.ST_Expand(box, WORLD_M / 2**at.z * BUFFER / EXTENT), 4326)
    there = placed(tickets)
    pin: Any = there.selected_columns.pin
    inside = there.where(pin.op("&&")(reach), func.ST_Y(pin).between(-85.06, 85.06))
    rows = clusters(inside, pin, box, at, now) if clustered else singles(inside, pin, box, now)
    layer = rows.subquery("tickets")
    statement = select(func.ST_AsMVT(layer.table_valued(), "tickets", EXTENT, "geom")).where(layer.c.geom.is_not(None))
    return bytes(session.execute(statement).scalar_one() or b"")


def singles(inside: Select[Any], pin: Any, box: ColumnElement[Any], now: datetime) -> Select[Any]:
    """One feature for each ticket; nothing that a role can be kept from."""
    return inside.with_only_columns(
        func.ST_AsMVTGeom(func.ST_Transform(pin, 3857), box, EXTENT, BUFFER, True).label("geom"),
        cast(Ticket.id, Text).label("id"),
        Ticket.number,
        Ticket.subject.label("name"),
        Ticket.state,
        Ticket.priority,
        PRIORITY_RANK.label("rank"),
        is_overdue(now).label("is_overdue"),
    )


def clusters(inside: Select[Any], pin: Any, box: ColumnElement[Any], at: Tile, now: datetime) -> Select[Any]:
    """One feature for each occupied cell of the tile's grid."""
    cell_m = WORLD_M / 2**at.z / CELLS
    point = func.ST_Transform(pin, 3857)
    points = inside.with_only_columns(
        point.label("point"),
        is_overdue(now).label("is_overdue"),
        func.floor(func.ST_X(point) / literal(cell_m)).label("column"),
        func.floor(func.ST_Y(point) / literal(cell_m)).label("row"),
    ).subquery("points")
    centre = func.ST_Centroid(func.ST_Collect(points.c.point))
    return select(
        func.ST_AsMVTGeom(centre, box, EXTENT, BUFFER, True).label("geom"),
        func.count().label("count"),
        func.count().filter(points.c.is_overdue).label("overdue"),
    ).group_by(points.c.column, points.c.row)


def at_a_place(session: Session, scope: Scope, ids: Iterable[UUID]) -> list[queries.TicketRow]:
    """Those of some tickets of the map that somebody may see: what is due next first."""
    now = clock.now()
    statement = queries.with_names(queries.visible_to(scope).where(Ticket.id.in_(list(ids))), now)
    order = (func.coalesce(NEXT_DUE, queries.NEVER), Ticket.id)
    return [queries.TicketRow(*row) for row in session.execute(statement.order_by(*order))]
