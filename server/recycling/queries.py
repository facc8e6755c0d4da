"""Reads of the bin: one union over its kinds, each limited before it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, and_, cast, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session
from sqlalchemy.types import DateTime, Uuid

from server.accounts.duplicates.models import AccountMerge
from server.accounts.models import Account
from server.activities import queries as activities
from server.activities.queries import AtBinned
from server.auth.access import Scope
from server.auth.models import User
from server.kit.paging import decode_cursor, encode_cursor
from server.records.models import FieldHistory, RecordMerge
from server.recycling.kinds import KINDS, Kind

RECORD_MERGES = ("lead_merge", "contact_merge", "product_merge")


@dataclass(frozen=True)
class Deleted:
    """One thing in the bin."""

    entity: str
    id: UUID
    title: str
    deleted_at: datetime
    account_id: UUID | None
    account: str | None
    who: str | None
    visits: tuple[AtBinned, ...] = ()
    """What was reported at an account since it was deleted."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        return KINDS[self.entity]


@dataclass(frozen=True)
class Listing:
    """One page of the bin."""

    rows: list[Deleted]
    next_cursor: str | None


def kinds_for(scope: Scope) -> list[str]:
    """The kinds that somebody can have in the bin."""
    return [name for name, kind in KINDS.items() if scope.may(kind.permission)]


def page(
    session: Session,
    scope: Scope,
    *,
    entities: Iterable[str] = (),
    search: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Listing:
    """One page of what somebody may bring back, the latest first."""
    wanted = set(entities)
    chosen = [name for name in kinds_for(scope) if not wanted or name in wanted]
    if not chosen:
        return Listing([], None)
    after = decode_cursor(cursor, 3)
    branches = []
    for name in chosen:
        rows = KINDS[name].rows(scope).subquery()
        statement = select(rows)
        if search and search.strip():
            words = func.regexp_replace(func.search_text(search.strip()[:200]), r"([\\%_])", r"\\\1", "g")
            statement = statement.where(func.search_text(rows.c.title).like(func.concat("%", words, "%")))
        if after is not None:
            at, key = cast(str(after[0]), DateTime(timezone=True)), cast(str(after[2]), Uuid)
            there = tuple_(at, literal(str(after[1]), Text), key)
            statement = statement.where(tuple_(rows.c.deleted_at, rows.c.entity, rows.c.id) < there)
        newest = statement.order_by(rows.c.deleted_at.desc(), rows.c.id.desc()).limit(limit + 1)
        branches.append(select(newest.subquery()))
    found = named(session, union_all(*branches), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = encode_cursor((last.deleted_at.isoformat(), last.entity, last.id)) if last else None
    return Listing(with_visits(session, scope, found[:limit]), following)


def with_visits(session: Session, scope: Scope, rows: list[Deleted]) -> list[Deleted]:
    """The same; accounts with the visits that were reported there since."""
    ids = [row.id for row in rows if row.entity == "account"]
    visits = activities.reported_since(session, scope, ids) if ids and scope.may("activities:read") else []
    return [replace(row, visits=tuple(one for one in visits if one.account_id == row.id)) for row in rows]


def named(session: Session, together: object, limit: int) -> list[Deleted]:
    """The rows with their account's name and who deleted them."""
    every = together.subquery("every")  # type: ignore[attr-defined]
    order = (every.c.deleted_at.desc(), every.c.entity.desc(), every.c.id.desc())
    rows = select(every).order_by(*order).limit(limit).subquery("shown")
    mine = and_(
        FieldHistory.entity == rows.c.entity, FieldHistory.row_id == rows.c.id, FieldHistory.field == "deleted_at"
    )
    last = select(FieldHistory.actor).where(mine).order_by(FieldHistory.rev.desc()).limit(1).correlate(rows)
    who = func.coalesce(last.scalar_subquery(), AccountMerge.merged_by, RecordMerge.merged_by)
    statement = (
        select(rows.c.entity, rows.c.id, rows.c.title, rows.c.deleted_at, rows.c.account_id, Account.name, User.name)
        .outerjoin(Account, Account.id == rows.c.account_id)
        .outerjoin(AccountMerge, (AccountMerge.id == rows.c.id) & (rows.c.entity == "merge"))
        .outerjoin(RecordMerge, (RecordMerge.id == rows.c.id) & rows.c.entity.in_(RECORD_MERGES))
        .outerjoin(User, User.id == who)
        .order_by(rows.c.deleted_at.desc(), rows.c.entity.desc(), rows.c.id.desc())
    )
    return [Deleted(*row) for row in session.execute(statement)]
