"""Tickets as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, cast, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.kit import clock
from server.kit.filtering.guard import answers_in_time
from server.kit.layers import Layer
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


@answers_in_time
def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The tickets of a tile that somebody may see: without a filter those not solved; counted below zoom 9."""
    now = clock.now()
    tickets = queries.chosen(session, scope, now, filter=filter, search=search, few=True)
    if not filter and not search:
        tickets = tickets.where(UNSOLVED_NOW)
    there = placed(tickets)
    layer = Layer("tickets", at, there.selected_columns.pin)
    inside = layer.inside(there)
    if layer.is_clustered:
        rows = layer.clusters(inside, is_overdue(now).label("is_overdue"), totals=overdue)
    else:
        rows = layer.singles(inside, *told(now))
    return layer.encoded(session, rows)


def told(now: datetime) -> tuple[Any, ...]:
    """What is told of each ticket: nothing that a role can be kept from."""
    return (
        cast(Ticket.id, Text).label("id"),
        Ticket.number,
        Ticket.subject.label("name"),
        Ticket.state,
        Ticket.priority,
        PRIORITY_RANK.label("rank"),
        is_overdue(now).label("is_overdue"),
    )


def overdue(points: Any) -> list[Any]:
    """How many tickets of a cell are overdue."""
    return [func.count().filter(points.is_overdue).label("overdue")]


def at_a_place(session: Session, scope: Scope, ids: Iterable[UUID]) -> list[queries.TicketRow]:
    """Those of some tickets of the map that somebody may see: what is due next first."""
    now = clock.now()
    statement = queries.with_names(queries.visible_to(scope).where(Ticket.id.in_(list(ids))), now)
    order = (func.coalesce(NEXT_DUE, queries.NEVER), Ticket.id)
    return [queries.TicketRow(*row) for row in session.execute(statement.order_by(*order))]
