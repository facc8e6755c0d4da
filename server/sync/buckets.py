"""What a phone holds: the company, its user and the territories they work; read from the tables each time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID
from zlib import crc32

from sqlalchemy import Select, String, and_, cast, literal, or_, select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import TeamMember
from server.auth.roles import Level
from server.kit import clock
from server.kit.settings import settings
from server.sync.entities import kept_from
from server.sync.models import Bucket, SyncItem
from server.sync.wire import MAX_BUCKETS
from server.territories import queries as territories
from server.territories.models import Territory

NOBODY = "nobody"
"""The key of the bucket, beside those of the territories, for accounts that nobody is responsible for."""

type Kind = Literal["company", "territory", "user"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A bucket that somebody may read now."""

    id: int
    kind: Kind
    priority: int
    gen: int


def people_of(scope: Scope) -> Select[Any]:
    """Whose buckets somebody reads: their own, and with a team's rights those of the team."""
    own = select(literal(scope.user_id))
    if scope.level("accounts:read") in (Level.TEAM, Level.REGION) and scope.team_ids:
        return select(own.union(select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids))).subquery())
    return own


def areas_of(scope: Scope, today: date) -> Select[Any] | None:
    """Which territories somebody reads; the same rule as for accounts on pages."""
    level = scope.level("accounts:read")
    if level <= Level.OWN:
        return None
    if level >= Level.ALL:
        return select(Territory.id).where(Territory.deleted_at.is_(None))
    areas = territories.of_members(people_of(scope), today)
    if level == Level.REGION:
        parents = select(Territory.parent_id).where(Territory.id.in_(areas))
        return select(Territory.id).where(or_(Territory.id.in_(areas), Territory.parent_id.in_(parents)))
    return areas


def subscriptions(session: Session, scope: Scope) -> list[Subscription]:
    """The buckets of a person at this moment, the most urgent first; at most what a phone can hold."""
    today = clock.today(scope.zone or settings().zone)
    chosen = [
        Bucket.kind == "company",
        and_(Bucket.kind == "user", Bucket.key.in_(as_text(people_of(scope)))),
    ]
    areas = areas_of(scope, today)
    if areas is not None:
        chosen.append(and_(Bucket.kind == "territory", Bucket.key.in_(as_text(areas))))
    if scope.level("accounts:read") in (Level.TEAM, Level.REGION, Level.ALL):
        chosen.append(and_(Bucket.kind == "territory", Bucket.key == NOBODY))
    kept = kept_from(scope)
    found = [
        Subscription(
            id=bucket.id,
            kind=bucket.kind,  # type: ignore[arg-type]
            priority=bucket.priority if bucket.kind != "user" or bucket.key == str(scope.user_id) else 1,
            gen=generation(bucket, kept),
        )
        for bucket in session.scalars(select(Bucket).where(or_(*chosen)))
    ]
    found.sort(key=lambda one: (one.priority, one.kind != "company", one.id))
    company = [one for one in found if one.kind == "company"]
    others = [one for one in found if one.kind != "company"]
    return others[: MAX_BUCKETS - len(company)] + company


def generation(bucket: Bucket, kept: str) -> int:
    """What a phone compares to know whether to read a bucket again: it moves with what its user is kept from, so
    that rows and values go away from a phone, or come back, although none has changed."""
    if not kept:
        return bucket.gen
    return (bucket.gen + crc32(kept.encode())) & 0x7FFFFFFF


def as_text(ids: Select[Any]) -> Select[Any]:
    """Ids as the keys of buckets."""
    column = ids.subquery().c[0]
    return select(cast(column, String))


def held(session: Session, allowed: list[Subscription], code: int, ids: Collection[UUID]) -> set[UUID]:
    """Which of some rows are in one of the buckets: only those may be sent."""
    statement = select(SyncItem.id).where(
        SyncItem.e == code,
        SyncItem.id.in_(ids),
        SyncItem.op == "P",
        SyncItem.bucket_id.in_([one.id for one in allowed]),
    )
    return set(session.scalars(statement))
