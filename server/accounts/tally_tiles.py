"""Accounts of a tile from what is counted beforehand: everything, or by status, class, owner and territory.

Three parts add up: the counts; sites that have changed since, taken out as they were and added as they are; and
accounts that the reader reaches by another sign than owner and territory, asked row by row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    Uuid,
    and_,
    any_,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import Double, Integer, LargeBinary, Text

from server.accounts.models import Account, AccountClass, AccountRep, Site
from server.accounts.reach import reached_of, team_and_areas, today_of
from server.accounts.tally_models import Changed, Spot, Tally
from server.accounts.tallying import FINEST, FINEST_KEPT
from server.auth.access import Scope
from server.auth.models import User
from server.auth.roles import Level
from server.kit.filtering import Vocabulary, compile_filter
from server.kit.filtering.nodes import All, AnyOf, Between, Comparison, Emptiness, Membership, Node, Not
from server.kit.layers import WORLD_M, Layer
from server.kit.tiles import Tile
from server.territories import queries as territories
from server.territories.models import Territory

SQUARES = 4
"""A tile has 2^4 squares along its side."""

type Kept = type[Tally] | type[Spot]

CHANGED = select(Changed.site_id).where(Changed.site_id.is_not(None))
SINCE = any_(func.array(CHANGED.scalar_subquery(), type_=ARRAY(Uuid)))
"""The sites that were not counted again yet, as an array: there are few, whatever the planner believes."""


def by_parts(tree: Node) -> bool:
    """Whether the counts can answer a filter: it asks of status, class, owner and territory alone."""
    match tree:
        case All(children) | AnyOf(children):
            return all(by_parts(child) for child in children)
        case Not(child):
            return by_parts(child)
        case Comparison() | Between() | Membership() | Emptiness():
            return tree.field in ("status", "class", "owner", "territory")
    return False


@dataclass(frozen=True)
class Asked:
    """What somebody asks of the counts."""

    scope: Scope
    tree: Node | None
    words: Vocabulary | None
    """What the filter may ask; None without one."""

    def fits(self, kept: Kept) -> ColumnElement[bool]:
        """Whether a count is of accounts that the reader reaches and the filter leaves."""
        if self.tree is None or self.words is None:
            return reached(self.scope, kept)
        return and_(reached(self.scope, kept), compile_filter(self.tree, _of(self.words, kept)))


def _of(words: Vocabulary, kept: Kept) -> Vocabulary:
    """The four fields, asked of the counts instead of the accounts."""
    here: dict[str, dict[str, Any]] = {
        "status": {"column": kept.status},
        "class": {"column": kept.account_class},
        "owner": {"exists": _named(User, kept.owner_id, kept)},
        "territory": {"exists": _named(Territory, kept.territory_id, kept)},
    }
    return replace(
        words, fields={name: replace(one, **here[name]) for name, one in words.fields.items() if name in here}
    )


def _named(table: Any, key: Any, kept: Kept) -> Callable[[ColumnElement[bool]], ColumnElement[bool]]:
    return lambda condition: select(table.id).where(table.id == key, condition).correlate(kept).exists()


def reached(scope: Scope, kept: Kept | type[Account]) -> ColumnElement[bool]:
    """Whether somebody reaches accounts by owner or territory: what of `within_reach` the counts can tell."""
    level, today = scope.level("accounts:read"), today_of(scope)
    if level >= Level.ALL:
        return true()
    if level == Level.NONE:
        return false()
    if level == Level.OWN:
        return kept.owner_id == scope.user_id
    if level == Level.TERRITORY:
        return or_(kept.owner_id == scope.user_id, kept.territory_id.in_(territories.of_member(scope.user_id, today)))
    people, areas = team_and_areas(scope, today, level)
    nobodys = and_(kept.owner_id.is_(None), kept.territory_id.is_(None))
    return or_(kept.owner_id.in_(people), kept.territory_id.in_(areas), nobodys)


def _others(scope: Scope) -> Select[Any]:
    """The accounts that somebody may reach by another sign: assigned by hand, or by a site in another territory."""
    level, today = scope.level("accounts:read"), today_of(scope)
    people, areas = reached_of(scope, today, level)
    assigned = select(AccountRep.account_id).where(AccountRep.user_id.in_(people))
    if level == Level.OWN:
        return assigned
    elsewhere = select(Spot.account_id).where(
        Spot.site_territory_id.in_(areas), Spot.site_territory_id.is_distinct_from(Spot.territory_id)
    )
    moved = select(Site.account_id).where(Site.id == SINCE)
    found = assigned.union(elsewhere, moved).subquery()
    return select(found.c[0])


def is_full(session: Session, at: Tile, most: int) -> bool:
    """Whether more sites lie in a tile, whoever asks for which, than are looked at one by one."""
    some = select(Spot.site_id).where(_inside(at)).limit(most + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > most


def is_crowded(session: Session, at: Tile, asked: Asked, inside: Select[Any], most: int) -> bool:
    """Whether a tile holds more sites than are drawn one by one; `inside` selects the rows of the same question."""
    kept = select(Spot.site_id).where(_inside(at), asked.fits(Spot))
    since = inside.where(Site.id == SINCE).with_only_columns(Site.id)
    some = union_all(kept.limit(most + 1), since.limit(most + 1)).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > most


def clusters(layer: Layer, accounts: Select[Any], asked: Asked | None, *, shows_class: bool) -> Select[Any]:
    """The occupied squares of a tile with their counts.

    `accounts` selects those that the reader reaches and filter and search leave; `asked` is the same question to the
    counts, None when they cannot answer it: then each account is asked, but no place is worked out.
    """
    level = min(layer.at.z + SQUARES, FINEST)
    grade: Any = Account.account_class if shows_class else cast(null(), Text)
    inside = layer.inside(accounts.join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None))))
    since = _rows(inside.where(Site.id == SINCE), level, grade)
    if asked is None:
        return drawn(layer, [_joined(layer.at, accounts, level, grade), since], shows_class)
    parts = [
        _kept(layer.at, level, asked) if level <= FINEST_KEPT else _spots(layer.at, level, asked, 1),
        _spots(layer.at, level, asked, -1).where(Spot.site_id == SINCE),
        since,
    ]
    if Level.NONE < asked.scope.level("accounts:read") < Level.ALL:
        others = Account.id == any_(func.array(_others(asked.scope).scalar_subquery(), type_=ARRAY(Uuid)))
        rest = inside.where(others, not_(func.coalesce(reached(asked.scope, Account), False)), Site.id.not_in(CHANGED))
        parts.append(_rows(rest, level, grade))
    return drawn(layer, parts, shows_class)


def everywhere(accounts: Select[Any], *, shows_class: bool) -> CompoundSelect[Any]:
    """The squares of the finest level in which all sites of some accounts lie.

    Rows of class and squares, eight bytes each, the highest first; a class may come twice.
    """
    world = Layer("accounts", Tile(0, 0, 0), Site.pin)
    grade: Any = Account.account_class if shows_class else cast(null(), Text)
    inside = world.inside(accounts.join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None))))
    since = _rows(inside.where(Site.id == SINCE), FINEST, grade).subquery("since")
    counted = accounts.join(Spot, Spot.account_id == Account.id).where(Spot.site_id.not_in(CHANGED))
    return union_all(
        counted.with_only_columns(grade, _bytes(Spot.square)).group_by(grade),
        select(since.c["class"], _bytes(since.c.square)).group_by(since.c["class"]),
    )


def _bytes(squares: Any) -> Any:
    return func.string_agg(func.int8send(squares), literal(b"", LargeBinary), type_=LargeBinary)


def drawn(layer: Layer, parts: list[Select[Any]], shows_class: bool) -> Select[Any]:
    """The sums of some parts, each drawn in the middle of its sites."""
    found = union_all(*parts).subquery("found")
    sites = func.sum(found.c.sites)
    metres, half = literal(WORLD_M / 2**FINEST), literal(WORLD_M / 2)
    east = (func.sum(found.c.x) / sites + 0.5) * metres - half
    north = half - (func.sum(found.c.y) / sites + 0.5) * metres
    centre = func.ST_SetSRID(func.ST_MakePoint(east, north), 3857)
    classes = [
        cast(func.coalesce(sites.filter(found.c["class"] == name), 0) if shows_class else literal(0), Integer)
        for name in AccountClass
    ]
    told = select(
        layer.drawn(centre),
        cast(sites, Integer).label("count"),
        *(count.label(name.lower()) for count, name in zip(classes, AccountClass, strict=True)),
    )
    return told.group_by(found.c.square).having(sites > 0).order_by(found.c.square)  # the same bytes each time


def _inside(at: Tile) -> ColumnElement[bool]:
    """The spots of a tile: a range of squares."""
    depth = FINEST - at.z
    first = square_of(at)
    return and_(Spot.square >= first << 2 * depth, Spot.square < (first + 1) << 2 * depth)


def square_of(at: Tile) -> int:
    """The tile as a square of its level: the bits of column and row by turns, as in `tile_square`."""
    return sum((at.x >> bit & 1) << 2 * bit | (at.y >> bit & 1) << 2 * bit + 1 for bit in range(at.z))


def _kept(at: Tile, level: int, asked: Asked) -> Select[Any]:
    first = square_of(at)
    grade: Any = Tally.account_class.label("class")
    return select(
        Tally.square, grade, Tally.sites, cast(Tally.x, Double).label("x"), cast(Tally.y, Double).label("y")
    ).where(
        Tally.level == level,
        Tally.square >= first << 2 * SQUARES,
        Tally.square < (first + 1) << 2 * SQUARES,
        asked.fits(Tally),
    )


def _spots(at: Tile, level: int, asked: Asked, sign: int) -> Select[Any]:
    grade: Any = Spot.account_class
    return select(*_of_spot(level, grade, sign)).where(_inside(at), asked.fits(Spot))


def _of_spot(level: int, grade: Any, sign: int = 1) -> tuple[Any, ...]:
    return (
        Spot.square.op(">>")(literal(2 * (FINEST - level), Integer)).label("square"),
        grade.label("class"),
        literal(sign, Integer).label("sites"),
        cast(sign * Spot.x, Double).label("x"),
        cast(sign * Spot.y, Double).label("y"),
    )


def _joined(at: Tile, accounts: Select[Any], level: int, grade: Any) -> Select[Any]:
    """Accounts at the places where they were counted."""
    spots = accounts.join(Spot, Spot.account_id == Account.id).where(_inside(at), Spot.site_id.not_in(CHANGED))
    return spots.with_only_columns(*_of_spot(level, grade))


def _rows(inside: Select[Any], level: int, grade: Any) -> Select[Any]:
    lies = func.tile_square(Site.pin).table_valued("square", "x", "y").render_derived("lies")
    return (
        inside.join(lies, true())
        .where(lies.c.square.is_not(None))
        .with_only_columns(
            lies.c.square.op(">>")(literal(2 * (FINEST - level), Integer)).label("square"),
            grade.label("class"),
            literal(1, Integer).label("sites"),
            cast(lies.c.x, Double).label("x"),
            cast(lies.c.y, Double).label("y"),
        )
    )
