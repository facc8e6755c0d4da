"""What a phone holds: the company, its user, the territories they work and the prospects there; read from the tables
each time."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID
from zlib import crc32

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    Select,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import Device, TeamMember
from server.auth.roles import Level
from server.kit import clock
from server.kit.settings import settings
from server.sync.entities import kept_from
from server.sync.models import Bucket, SyncItem
from server.sync.wire import MAX_BUCKETS, SCHEMA_PROSPECTS
from server.territories import queries as territories
from server.territories.models import Territory

NOBODY = "nobody"
"""The key of the bucket, beside those of the territories, for accounts that nobody is responsible for."""

type Kind = Literal["company", "territory", "user", "prospects"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A bucket that somebody may read now."""

    id: int
    kind: Kind
    priority: int
    gen: int


ME = bindparam("me", type_=Uuid)
TEAMS = bindparam("teams", type_=ARRAY(Uuid))
TODAY = bindparam("today", type_=Date)
DEVICE = bindparam("device", type_=Uuid)
"""Who reads, in which teams, on which day, on which phone: a statement is made once for each level of rights."""


def reader(scope: Scope) -> dict[str, Any]:
    """The values of these for somebody now."""
    today = clock.today(scope.zone or settings().zone)
    return {"me": scope.user_id, "teams": list(scope.team_ids), "today": today, "device": scope.device_id}


@lru_cache
def people_of(level: Level) -> Select[Any]:
    """Whose buckets somebody reads: their own, and with a team's rights those of the team."""
    own = select(ME)
    if level in (Level.TEAM, Level.REGION):
        return select(own.union(select(TeamMember.user_id).where(TeamMember.team_id == any_(TEAMS))).subquery())
    return own


def areas_of(level: Level) -> Select[Any] | None:
    """Which territories somebody reads; the same rule as for accounts on pages."""
    if level <= Level.OWN:
        return None
    if level >= Level.ALL:
        return select(Territory.id).where(Territory.deleted_at.is_(None))
    if level == Level.TERRITORY:
        return territories.of_members(people_of(level), TODAY)
    return territories.of_leader(people_of(level), TODAY, beside=level == Level.REGION)


@lru_cache
def readable(level: Level) -> CompoundSelect[int, str, str, int, int]:
    """The buckets that a level of rights to accounts opens. One question for each kind, so that each asks the index."""
    opened = [Bucket.kind == "company", and_(Bucket.kind == "user", Bucket.key.in_(as_text(people_of(level))))]
    areas = areas_of(level)
    if areas is not None:
        opened.append(and_(Bucket.kind == "territory", Bucket.key.in_(as_text(areas))))
    if level in (Level.TEAM, Level.REGION, Level.ALL):
        opened.append(and_(Bucket.kind == "territory", Bucket.key == NOBODY))
    opened += [and_(Bucket.kind == "prospects", one, KNOWS_PROSPECTS) for one in grounds_of(level)]
    columns = (Bucket.id, Bucket.kind, Bucket.key, Bucket.priority, Bucket.gen)
    return union_all(*(select(*columns).where(one) for one in opened))


KNOWS_PROSPECTS = exists().where(Device.id == DEVICE, Device.schema_version >= SCHEMA_PROSPECTS)
"""Older phones are not offered these buckets."""


def grounds_of(level: Level) -> list[ColumnElement[bool]]:
    """Whose prospects a phone holds: of the territories that its user works, and of nobody's ground where pages show
    that, to those who lead and to everybody while no territory is drawn."""
    own = Bucket.key.in_(as_text(territories.of_members(select(ME), TODAY)))
    undrawn = ~exists().where(Territory.deleted_at.is_(None))
    leads = level in (Level.TEAM, Level.REGION, Level.ALL)
    return [own, Bucket.key == NOBODY if leads else and_(Bucket.key == NOBODY, undrawn)]


def subscriptions(session: Session, scope: Scope) -> list[Subscription]:
    """The buckets of a person at this moment, the most urgent first; at most what a phone can hold."""
    found = session.execute(readable(scope.level("accounts:read")), reader(scope))
    return chosen(scope, found)


def chosen(scope: Scope, found: Iterable[Sequence[Any]]) -> list[Subscription]:
    """The buckets of a person out of what `readable` found."""
    kept, own = kept_from(scope), str(scope.user_id)
    several = [
        Subscription(id_, kind, priority if kind != "user" or key == own else 1, generation(gen, kept))
        for id_, kind, key, priority, gen in found
        if kind != "prospects" or scope.may("density:read")
    ]
    several.sort(key=lambda one: (one.priority, one.kind != "company", one.id))
    company = [one for one in several if one.kind == "company"]
    others = [one for one in several if one.kind != "company"]
    return others[: MAX_BUCKETS - len(company)] + company


def generation(gen: int, kept: str) -> int:
    """What a phone compares to know whether to read a bucket again: it moves with what its user is kept from, so
    that rows and values go away from a phone, or come back, although none has changed."""
    if not kept:
        return gen
    return (gen + crc32(kept.encode())) & 0x7FFFFFFF


def as_text(ids: Select[Any]) -> Select[Any]:
    """Ids as the keys of buckets."""
    column = ids.subquery().c[0]
    return select(cast(column, String))


def held(session: Session, allowed: list[Subscription], code: int, ids: Collection[UUID]) -> set[UUID]:
    """Which of some rows are in one of the buckets: only those may be sent."""
    asked = {"e": code, "ids": list(ids), "buckets": [one.id for one in allowed]}
    return set(session.scalars(HELD, asked))


HELD = select(SyncItem.id).where(
    SyncItem.e == bindparam("e"),
    SyncItem.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    SyncItem.op == "P",
    SyncItem.bucket_id == any_(bindparam("buckets", type_=ARRAY(Integer))),
)
