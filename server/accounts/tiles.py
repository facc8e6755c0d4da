"""Accounts as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, and_, cast, func, null, select, text
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts import gathered, queries, tally_tiles
from server.accounts.fields import overdue_days
from server.accounts.models import Account, Site
from server.accounts.reach import Reached
from server.accounts.reaching import Reaching
from server.accounts.tally_tiles import Asked, by_parts
from server.auth.access import Scope
from server.kit.filtering import parse
from server.kit.filtering.guard import answers_in_time
from server.kit.filtering.nodes import Node
from server.kit.layers import WORLD_M, Layer
from server.kit.tiles import MAX_ZOOM, Tile

MOST_SINGLES = 1_000
"""More sites in one tile are drawn as clusters at every zoom, so that no tile grows beyond some 200 kB."""
MOST_LOOKED_AT = 4_000
PLANNED_EACH_TIME = text("set local plan_cache_mode = force_custom_plan")
"""One plan for every tile and every reader, as a connection keeps it after ten tiles, took fifteen times as long."""

type Beside = Callable[[Select[Any], Select[Any]], tuple[Select[Any], tuple[Any, ...]]]
"""From the sites that are drawn one by one, and the ids of all accounts of the tile, to the same sites joined with what
a room above tells of their accounts, and its columns."""


@answers_in_time
def tile(
    session: Session,
    scope: Scope,
    at: Tile,
    *,
    filter: str | None = None,
    search: str | None = None,
    beside: Beside | None = None,
) -> bytes:
    """The accounts of a tile that somebody may see: single ones, or clusters with counts by class.

    Clusters stand below zoom 9, and where single ones would be too many. What asks of status, class, owner and
    territory alone is answered from counts that are kept.
    """
    session.execute(PLANNED_EACH_TIME)
    layer, rows = features(session, scope, at, filter=filter, search=search, beside=beside)
    return layer.encoded(session, rows)


def features(
    session: Session,
    scope: Scope,
    at: Tile,
    *,
    filter: str | None = None,
    search: str | None = None,
    beside: Beside | None = None,
) -> tuple[Layer, Select[Any]]:
    """The features of a tile as a statement."""
    layer, reaching = Layer("accounts", at, Site.pin), Reaching(session)
    tree = parse(filter) if filter and filter.strip() else None
    words = queries.language(reaching, scope) if tree is not None else None
    accounts = queries.chosen(reaching, scope, filter=filter, search=search, words=words, few=True)
    sites = accounts.join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None)))
    counted = Asked(scope, tree, words) if asks_counts(tree, search) else None
    if not layer.is_clustered and is_crowded(session, at, counted, layer.inside(sites)):
        layer = replace(layer, single_from_zoom=MAX_ZOOM + 1)
    shows_class = scope.sees("account", "account_class")
    if counted is None and at.z <= gathered.DEEPEST_ZOOM and tally_tiles.is_full(session, at, gathered.WORTH):
        reached = Reached.now(session, scope)
        asked = queries.chosen(reaching, scope, filter=filter, search=search, words=words, reached=reached)
        everywhere = tally_tiles.everywhere(asked, shows_class=shows_class)
        kept = gathered.shelf.get(
            gathered.key_of(scope, reached, filter, search),
            lambda: gathered.gathered(session, scope, everywhere),
            lambda answer: gathered.holds(session, scope, answer),
        )
        return layer, tally_tiles.drawn(layer, [kept.of(at)], shows_class)
    if layer.is_clustered:
        return layer, tally_tiles.clusters(layer, accounts, counted, shows_class=shows_class)
    grade = Account.account_class if shows_class else cast(null(), Text)
    inside, more = layer.inside(sites), ()
    if beside is not None:
        there = layer.inside(select(Site.account_id).where(Site.deleted_at.is_(None)))
        inside, more = beside(inside, there)
    return layer, layer.singles(inside, *told(queries.today_of(scope), grade), *more)


def asks_counts(tree: Node | None, search: str | None) -> bool:
    """Whether the counts that are kept can answer."""
    return not (search and search.strip()) and (tree is None or by_parts(tree))


def is_crowded(session: Session, at: Tile, counted: Asked | None, inside: Select[Any]) -> bool:
    """Whether a tile holds more sites than are drawn one by one, or looked at to find some."""
    if tally_tiles.is_full(session, at, MOST_LOOKED_AT):
        return True
    if counted is not None:
        return tally_tiles.is_crowded(session, at, counted, inside, MOST_SINGLES)
    some = inside.with_only_columns(Site.id).limit(MOST_SINGLES + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > MOST_SINGLES


def told(today: Any, grade: Any) -> tuple[Any, ...]:
    """What is told of each site; the account's class is as its reader may know it."""
    return (
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
