"""What a phone holds: the company, its user, the territories they work and the prospects there; read from the tables
each time. Of these it is given as many as it can hold (`fitting`)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple
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
    false,
    func,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import Device, TeamMember
from server.auth.roles import Level
from server.kit import clock
from server.kit.settings import settings
from server.phones import rules
from server.phones.models import PhoneRules
from server.sync.models import Bucket, SyncItem
from server.sync.protocol.wire import MAX_BUCKETS, SCHEMA_PROSPECTS
from server.sync.pulling.entities import kept_from
from server.territories import queries as territories
from server.territories.models import Territory

NOBODY = "nobody"
"""The key of the bucket, beside those of the territories, for accounts that nobody is responsible for."""

type Kind = Literal["company", "territory", "user", "prospects"]


def as_text(ids: Select[Any]) -> Select[Any]:
    """Ids as the keys of buckets."""
    column = ids.subquery().c[0]
    return select(cast(column, String))


@dataclass(frozen=True, slots=True)
class Subscription:
    """A bucket that somebody may read now."""

    id: int
    kind: Kind
    priority: int
    gen: int
    rows: int = 0
    """As they were last counted; 0 where they were not."""
    is_counted: bool = True

    @property
    def is_always_given(self) -> bool:
        """The company's and the user's own: without them a phone is of no use."""
        return self.kind == "company" or (self.kind == "user" and self.priority == 0)


ME = bindparam("me", type_=Uuid)
TEAMS = bindparam("teams", type_=ARRAY(Uuid))
TODAY = bindparam("today", type_=Date)
DEVICE = bindparam("device", type_=Uuid)
"""Who reads, in which teams, on which day, on which phone: a statement is made once for each level of rights."""


WORKED = as_text(territories.of_members(select(ME), TODAY))
"""The territories that somebody works themself."""


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
def readable(level: Level) -> CompoundSelect[int, str, str, int, int, int | None, bool]:
    """The buckets that a level of rights to accounts opens, and whether each is a territory that the user works
    themself. One question for each kind, so that each asks the index."""
    leads = level in (Level.TEAM, Level.REGION, Level.ALL)
    people = and_(Bucket.kind == "user", Bucket.key.in_(as_text(people_of(level))))
    opened: list[tuple[ColumnElement[bool], ColumnElement[bool]]] = [
        (Bucket.kind == "company", false()),
        (people, false()),
    ]
    areas = areas_of(level)
    if areas is not None:
        ground = and_(Bucket.kind == "territory", Bucket.key.in_(as_text(areas)))
        opened.append((ground, Bucket.key.in_(WORKED) if leads else true()))
    if leads:
        opened.append((and_(Bucket.kind == "territory", Bucket.key == NOBODY), false()))
    opened += [(and_(Bucket.kind == "prospects", one, KNOWS_PROSPECTS), false()) for one in grounds_of(level)]
    columns = (Bucket.id, Bucket.kind, Bucket.key, Bucket.priority, Bucket.gen, Bucket.rows)
    return union_all(*(select(*columns, near.label("near")).where(one) for one, near in opened))


KNOWS_PROSPECTS = exists().where(Device.id == DEVICE, Device.schema_version >= SCHEMA_PROSPECTS)
"""Older phones are not offered these buckets."""


def grounds_of(level: Level) -> list[ColumnElement[bool]]:
    """Whose prospects a phone holds: of the territories that its user works, and of nobody's ground where pages show
    that, to those who lead and to everybody while no territory is drawn."""
    own = Bucket.key.in_(WORKED)
    undrawn = ~exists().where(Territory.deleted_at.is_(None))
    leads = level in (Level.TEAM, Level.REGION, Level.ALL)
    return [own, Bucket.key == NOBODY if leads else and_(Bucket.key == NOBODY, undrawn)]


def subscriptions(session: Session, scope: Scope) -> list[Subscription]:
    """The buckets that a person may read at this moment, the most urgent first: those of their own, then the
    territories that they work, then those of others, prospects last."""
    found = session.execute(readable(scope.level("accounts:read")), reader(scope))
    return chosen(scope, found)


def chosen(scope: Scope, found: Iterable[Sequence[Any]]) -> list[Subscription]:
    """The buckets of a person out of what `readable` found."""
    kept, own = kept_from(scope), str(scope.user_id)
    several = []
    for id_, kind, key, priority, gen, rows, near in found:
        if kind != "prospects" or scope.may("density:read"):
            urgency = priority if kind != "user" or key == own else 1
            one = Subscription(id_, kind, urgency, generation(gen, kept), rows or 0, is_counted=rows is not None)
            several.append((urgency, not near, id_, one))
    return [one for *_, one in sorted(several, key=lambda each: each[:3])]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a phone is given of what its user may read."""

    given: list[Subscription]
    """The most urgent first."""
    left_out: list[Subscription]
    """For which there is no room, the most urgent first."""
    further: int
    """So many lie behind the 64 that a phone can hold."""

    @property
    def rows(self) -> int:
        """How many rows it is given; one that lies in two buckets comes twice, and counts twice."""
        return sum(one.rows for one in self.given)

    def noted(self) -> dict[str, Any]:
        """It as it is kept at the phone."""
        return {"rows": self.rows, "left_out": [one.id for one in self.left_out], "further": self.further}


RETURNS = 0.9
"""What was left out comes back when this share of the ceiling has room for it, so that it does not come and go with
every few rows."""
CEILING = func.coalesce(select(PhoneRules.max_rows).scalar_subquery(), rules.MAX_ROWS)
"""So many rows a phone is given."""


def fitting(several: Sequence[Subscription], ceiling: int, before: Mapping[str, Any] | None) -> Fitted:
    """Give a phone whole buckets, the most urgent first, up to the ceiling; one for which there is no room is left out,
    a smaller one behind it may still come. The company's and the user's own are always given, even where they alone
    are more. What was left out before needs more room: the same answer comes again from what it notes itself.
    """
    always = [one for one in several if one.is_always_given]
    others = [one for one in several if not one.is_always_given]
    most = MAX_BUCKETS - len(always)
    was_out = set(before["left_out"]) if before else set()
    rows, left_out = sum(one.rows for one in always), []
    for one in others[:most]:
        if rows + one.rows > (ceiling * RETURNS if one.id in was_out else ceiling):
            left_out.append(one)
        else:
            rows += one.rows
    without = {one.id for one in left_out} | {one.id for one in others[most:]}
    return Fitted([one for one in several if one.id not in without], left_out, max(0, len(others) - most))


COUNT = """
with counted as materialized (
    select i.bucket_id, count(*) as rows from sync_item i where i.op = 'P' and {of_items} group by i.bucket_id),
due as (
    select b.id, coalesce(c.rows, 0) as rows from bucket b left join counted c on c.bucket_id = b.id
    where {of_buckets} and b.rows is distinct from coalesce(c.rows, 0) order by b.id for no key update of b)
update bucket b set rows = due.rows from due where b.id = due.id
"""
COUNT_ALL = text(COUNT.format(of_items="true", of_buckets="true"))
COUNT_SOME = text(
    COUNT.format(of_items="i.bucket_id = any(cast(:ids as int[]))", of_buckets="b.id = any(cast(:ids as int[]))")
)


def count(session: Session, ids: Collection[int] | None = None) -> None:
    """Count how many rows buckets hold; None: all of them."""
    session.execute(COUNT_ALL if ids is None else COUNT_SOME, {} if ids is None else {"ids": list(ids)})


NAMES = text("""
select b.id, b.kind, coalesce(t.name, u.name), coalesce(b.rows, 0)
from bucket b
left join territory t on t.id = case when b.kind in ('territory', 'prospects') and b.key <> :nobody then b.key::uuid end
left join app_user u on u.id = case when b.kind = 'user' then b.key::uuid end
where b.id = any(cast(:ids as int[]))
""")


class Named(NamedTuple):
    """A bucket as people know it."""

    kind: Kind
    name: str | None
    """Of the territory or the person; None: nobody's."""
    rows: int


def named(session: Session, ids: Collection[int]) -> dict[int, Named]:
    """Buckets in people's words, by their ids."""
    if not ids:
        return {}
    found = session.execute(NAMES, {"ids": list(ids), "nobody": NOBODY})
    return {id_: Named(kind, name, rows) for id_, kind, name, rows in found}


def generation(gen: int, kept: str) -> int:
    """What a phone compares to know whether to read a bucket again: it moves with what its user is kept from, so
    that rows and values go away from a phone, or come back, although none has changed."""
    if not kept:
        return gen
    return (gen + crc32(kept.encode())) & 0x7FFFFFFF


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
