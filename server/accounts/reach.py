"""Whom a permission reaches: accounts row by row, or all of their ids at once for what hangs on them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, wraps
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    Uuid,
    and_,
    any_,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from server.accounts.models import Account, AccountRep, Folded, Site
from server.auth.access import Scope
from server.auth.models import TeamMember
from server.auth.roles import Level
from server.kit import clock
from server.kit.settings import settings
from server.territories import queries as territories

LIVING = and_(Account.deleted_at.is_(None), Account.merged_into.is_(None))
GATHERED = (Level.OWN, Level.TERRITORY)
"""Levels at which one person's accounts are few enough to be held as an array."""


def today_of(scope: Scope) -> date:
    """The day it is where the person works."""
    return clock.today(scope.zone or settings().zone)


@dataclass(frozen=True)
class Reader:
    """Who reads; two with the same key read the same, so a statement that is drafted for one is kept for both."""

    key: tuple[Hashable, ...]
    scope: Scope = field(compare=False)

    @classmethod
    def of(cls, scope: Scope) -> "Reader":
        """Somebody with their rights, today."""
        return cls((*scope.reach, today_of(scope)), scope)


class Part[T](Protocol):
    """A part of a statement, by whose rights it asks."""

    def __call__(self, scope: Scope, permission: str = "accounts:read") -> T:
        """The part."""


def drafted[T](draft: Callable[[Scope, str], T]) -> Part[T]:
    """Decorate what writes a part of a statement: it is written once for a reader, not for each statement."""
    once = lru_cache(maxsize=256)(lambda reader, permission: draft(reader.scope, permission))

    @wraps(draft)
    def part(scope: Scope, permission: str = "accounts:read") -> T:
        return once(Reader.of(scope), permission)

    return part


@drafted
def within_reach(scope: Scope, permission: str = "accounts:read") -> ColumnElement[bool]:
    """Whether a permission of somebody reaches an account, deleted or not.

    `own`: owned by or assigned to the person; `territory`: also those with a site in a territory the person works;
    `team`: the same for everybody in the person's teams, territories of their sales regions that nobody works, and
    accounts that nobody is responsible for; `region`: also all other territories of the same sales regions.
    """
    level, today = scope.level(permission), today_of(scope)
    if level >= Level.ALL:
        return true()
    assigned = select(AccountRep.account_id).where(AccountRep.user_id == scope.user_id)
    own = (Account.owner_id == scope.user_id) | Account.id.in_(assigned)
    if level <= Level.OWN:
        return own if level == Level.OWN else ~true()
    if level == Level.TERRITORY:
        return own | territories_reach(territories.of_member(scope.user_id, today))
    people, areas = team_and_areas(scope, today, level)
    nobodys = and_(Account.owner_id.is_(None), Account.territory_id.is_(None))
    return people_reach(people) | territories_reach(areas) | nobodys


def team_and_areas(scope: Scope, today: date, level: Level) -> tuple[Select[Any], Select[Any]]:
    """The people of somebody's teams, and the territories that somebody who leads these answers for."""
    mates = select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids))
    everybody = mates.union(select(literal(scope.user_id))).subquery()
    people = select(everybody.c[0])
    return people, territories.of_leader(people, today, beside=level == Level.REGION)


def reached_of(scope: Scope, today: date, level: Level) -> tuple[Select[Any], Select[Any]]:
    """The people and the territories that a level between one's own and all reaches."""
    if level in (Level.TEAM, Level.REGION):
        return team_and_areas(scope, today, level)
    return select(literal(scope.user_id)), territories.of_member(scope.user_id, today)


@dataclass(frozen=True)
class Reached:
    """The people and the territories that somebody's level between one's own and all reaches, read at this moment."""

    people: frozenset[UUID]
    areas: frozenset[UUID]

    @classmethod
    def now(cls, session: Session, scope: Scope, permission: str = "accounts:read") -> "Reached | None":
        """Read them; None where the level asks for none."""
        if not Level.OWN < (level := scope.level(permission)) < Level.ALL:
            return None
        people, areas = reached_of(scope, today_of(scope), level)
        return cls(frozenset(session.scalars(people)), frozenset(session.scalars(areas)))

    def team(self) -> ColumnElement[bool]:
        """Whether an account is reached by a level of teams, as `within_reach` says it.

        The planner is told who they are: each account asks arrays, and subqueries only where these do not say so.
        """
        people, areas = (any_(literal(sorted(some), ARRAY(Uuid))) for some in (self.people, self.areas))
        assigned = select(AccountRep.account_id).where(AccountRep.user_id == people)
        sites = select(Site.account_id).where(Site.territory_id == areas, Site.deleted_at.is_(None))
        return or_(
            Account.owner_id == people,
            Account.territory_id == areas,
            and_(Account.owner_id.is_(None), Account.territory_id.is_(None)),
            Account.id.in_(assigned.correlate(None)),
            Account.id.in_(sites.correlate(None)),
        )


def people_reach(people: Select[Any]) -> ColumnElement[bool]:
    """Owned by or assigned to one of these people."""
    assigned = select(AccountRep.account_id).where(AccountRep.user_id.in_(people))
    return Account.owner_id.in_(people) | Account.id.in_(assigned)


def territories_reach(areas: Select[Any]) -> ColumnElement[bool]:
    """In one of these territories, with its main site or another one."""
    sites = select(Site.account_id).where(Site.territory_id.in_(areas), Site.deleted_at.is_(None)).correlate(None)
    return Account.territory_id.in_(areas) | Account.id.in_(sites)


@drafted
def reached_ids(scope: Scope, permission: str) -> CompoundSelect[Any]:
    """The ids of the accounts that a permission below the right over all reaches: each sign asks an index of its own.

    The same accounts as `within_reach`, for statements over rows that hang on accounts: they need them all at once.
    """
    return union_all(*(select(Account.id).where(LIVING, sign).correlate(None) for sign in signs_of(scope, permission)))


def signs_of(scope: Scope, permission: str) -> list[ColumnElement[bool]]:
    """By what an account is reached: the owner, and whatever else."""
    level, today = scope.level(permission), today_of(scope)
    if level == Level.NONE:
        return [false()]
    people, areas = reached_of(scope, today, level)
    is_alone = level not in (Level.TEAM, Level.REGION)
    owned = Account.owner_id == scope.user_id if is_alone else Account.owner_id.in_(people)
    signs = [owned, Account.id.in_(select(AccountRep.account_id).where(AccountRep.user_id.in_(people)))]
    if level != Level.OWN:
        sites = select(Site.account_id).where(Site.territory_id.in_(areas), Site.deleted_at.is_(None))
        signs += [Account.territory_id.in_(areas), Account.id.in_(sites.correlate(None))]
    if level in (Level.TEAM, Level.REGION):
        signs.append(and_(Account.owner_id.is_(None), Account.territory_id.is_(None)))
    return signs


def all_reached(scope: Scope, permission: str) -> ColumnElement[bool]:
    """Whether an account is reached by a permission below the right over all, for lists of them.

    One's own are read by their owner's index, row after row; looked up by their ids they would cost four times as much.
    """
    if scope.level(permission) not in GATHERED:
        return Account.id.in_(reached_ids(scope, permission))
    _, *others = (select(Account.id).where(LIVING, sign) for sign in signs_of(scope, permission))
    ids = func.array(union(*(one.correlate(None) for one in others)).scalar_subquery(), type_=ARRAY(Uuid))
    return (Account.owner_id == scope.user_id) | (Account.id == any_(ids))


@drafted
def array_of_reached(scope: Scope, permission: str) -> Any:
    """The ids of `reached_ids` and of what was merged into these, as one array by which rows are found in their index.

    For the few thousand of one person; to look many more up, the planner wants to know how many they are.
    """
    reached = reached_ids(scope, permission).cte()
    ids = union_all(select(reached.c.id).correlate(None), merged_into(select(reached.c.id)))
    return func.array(ids.scalar_subquery(), type_=ARRAY(Uuid))


def at_reached(column: Any, scope: Scope, permission: str) -> list[ColumnElement[bool]]:
    """The signs of a row that hangs, by `column`, on accounts which a permission below the right over all reaches."""
    if scope.level(permission) in GATHERED:
        return [column == any_(array_of_reached(scope, permission))]
    reached = reached_ids(scope, permission)
    return [column.in_(reached), column.in_(merged_into(reached))]


def standing_for(column: ColumnElement[Any] | InstrumentedAttribute[Any], accounts: Any) -> ColumnElement[bool]:
    """Whether a column names one of these accounts, or one that was merged into one of them."""
    return column.in_(accounts) | column.in_(merged_into(accounts))


def merged_into(accounts: Any) -> Select[Any]:
    """The ids of what was merged into one of these accounts."""
    return select(Folded.id).where(Folded.survivor_id.in_(accounts)).correlate(None)


def reached_through(
    column: ColumnElement[Any] | InstrumentedAttribute[Any], scope: Scope, permission: str = "accounts:read"
) -> ColumnElement[bool]:
    """Whether a column names an account that a permission of somebody reaches, or one that was merged into one."""
    level = scope.level(permission)
    if level <= Level.NONE:
        return false()
    if level < Level.ALL:
        return standing_for(column, reached_ids(scope, permission))
    one, folded = aliased(Account), aliased(Folded)
    alive = select(literal(1)).where(one.deleted_at.is_(None), one.merged_into.is_(None))
    merged = alive.where(one.id == folded.survivor_id, folded.id == column)
    return alive.where(one.id == column).correlate_except(one).exists() | merged.correlate_except(one, folded).exists()


def reached_one_by_one(column: ColumnElement[Any] | InstrumentedAttribute[Any], scope: Scope, permission: str) -> Any:
    """The same as `reached_through`, for a few rows: the account of each is asked, none is gathered."""
    asked = select(literal(1)).where(LIVING, within_reach(scope, permission))
    itself = asked.where(Account.id == column).correlate_except(Account).exists()
    merged = asked.where(Account.id == Folded.survivor_id, Folded.id == column).correlate_except(Account, Folded)
    return itself | merged.exists()


def own_or_reached(
    key: Any,
    column: Any,
    scope: Scope,
    permission: str,
    *own: ColumnElement[bool],
    few: bool = False,
) -> ColumnElement[bool]:
    """Whether a row fulfils one of `own` or hangs, by `column`, on an account that a permission of somebody reaches.

    `key` is the row's id. Each sign asks an index of its own: joined by "or" they would read the whole table, a million
    contacts to find the six thousand of a rep. With `few` each of a few rows is asked instead, such as those of a tile.
    """
    level = scope.level(permission)
    if few or not Level.NONE < level < Level.ALL:
        return or_(*own, reached_through(column, scope, permission))
    signs = (*own, *at_reached(column, scope, permission))
    found: ColumnElement[bool] = key.in_(union_all(*(select(key).where(sign).correlate(None) for sign in signs)))
    return found
