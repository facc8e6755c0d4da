"""Deals as vector tiles: one statement a tile, with the same scope, filter and search as the list; and accounts by the
stage of their deals.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, any_, cast, func, null, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Double, Numeric, Text

from server.accounts import queries as accounts
from server.accounts import tiles as account_tiles
from server.accounts.models import Account, Folded, Site
from server.auth import veil
from server.auth.access import Scope
from server.kit import clock
from server.kit.filtering.guard import answers_in_time
from server.kit.layers import Layer
from server.kit.tiles import Tile
from server.opportunities import queries
from server.opportunities.fields import in_base, is_rotten
from server.opportunities.models import Opportunity, Stage, State


def placed(statement: Select[Opportunity]) -> Select[Any]:
    """The deals with the site at which they stand on the map: their own, else the account's main one."""
    site = queries.THERE.add_columns(Site.pin).lateral("there")
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


def furthest(scope: Scope, pipeline_id: UUID, account_ids: Select[Any]) -> Subquery:
    """Of each account that has open deals in a pipeline: the stage of the one that stands furthest.

    `account_ids` selects whom to ask; the deals are found by them, in one read of an index for each.
    """
    folded = aliased(Folded)
    merged = select(folded.id).where(folded.survivor_id.in_(account_ids))
    asked = func.array(account_ids.union_all(merged).scalar_subquery())
    deals = queries.visible_to(scope, few=True).where(
        Opportunity.account_id == any_(asked),
        Opportunity.pipeline_id == pipeline_id,
        Opportunity.state == State.OPEN,
    )
    columns = (queries.LIVING.label("account_id"), Stage.id.label("stage_id"))
    best = deals.with_only_columns(*columns).distinct(queries.LIVING)
    return best.order_by(queries.LIVING, Stage.position.desc(), Stage.id).subquery("furthest")


def account_tile(
    session: Session,
    scope: Scope,
    at: Tile,
    pipeline_id: UUID,
    *,
    filter: str | None = None,
    search: str | None = None,
) -> bytes:
    """The tile of accounts with the stage in which each stands: of its open deal furthest along a pipeline."""

    def beside(sites: Select[Any], there: Select[Any]) -> tuple[Select[Any], tuple[Any, ...]]:
        found = furthest(scope, pipeline_id, there)
        joined = sites.outerjoin(found, found.c.account_id == Account.id)
        return joined, (cast(found.c.stage_id, Text).label("stage_id"),)

    return account_tiles.tile(session, scope, at, filter=filter, search=search, beside=beside)


def stages_of(session: Session, scope: Scope, pipeline_id: UUID, account_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The same stages by account, for a list."""
    listed = aliased(Account)
    found = furthest(scope, pipeline_id, select(listed.id).where(listed.id.in_(account_ids)))
    rows = session.execute(select(found.c.account_id, found.c.stage_id))
    return {account_id: stage_id for account_id, stage_id in rows}
