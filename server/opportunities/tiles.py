"""Deals as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, null, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Double, Numeric, Text

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.auth import veil
from server.auth.access import Scope
from server.kit import clock
from server.kit.filtering.guard import answers_in_time
from server.kit.layers import Layer
from server.kit.tiles import Tile
from server.opportunities import queries
from server.opportunities.fields import in_base, is_rotten
from server.opportunities.models import Opportunity, Stage


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


@answers_in_time
def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The deals of a tile that somebody may see: single ones, or clusters with counts and sums below zoom 8."""
    deals = placed(queries.chosen(session, scope, filter=filter, search=search, few=True))
    layer = Layer("deals", at, deals.selected_columns.pin, single_from_zoom=8)
    inside, today = layer.inside(deals), accounts.today_of(scope)
    if layer.is_clustered:
        rows = layer.clusters(inside, known(today).label("amount"), totals=amount)
    else:
        rows = layer.singles(inside, *told(today))
    return layer.encoded(session, rows)


def known(today: date) -> ColumnElement[Any]:
    """The amount in the company's currency; empty where it is hidden from the reader of this request."""
    return cast(null(), Numeric) if "amount" in veil.hidden("opportunity") else in_base(today)


def told(today: date) -> tuple[Any, ...]:
    """What is told of each deal."""
    return (
        cast(Opportunity.id, Text).label("id"),
        Opportunity.name,
        Account.name.label("account"),
        cast(Opportunity.stage_id, Text).label("stage_id"),
        Stage.name.label("stage"),
        Opportunity.state,
        cast(known(today), Double).label("amount"),
        is_rotten(clock.now()).label("is_rotten"),
    )


def amount(points: Any) -> list[Any]:
    """What the deals of a cell come to."""
    return [cast(func.sum(points.amount), Double).label("amount")]
