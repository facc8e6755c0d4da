"""Reads of history and conflicts."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.records.merging import Json
from server.records.models import ConflictState, FieldConflict, FieldHistory


def values_at(
    session: Session, entity: str, row_id: UUID, rev: int, fields: Iterable[str], current: Mapping[str, Json]
) -> dict[str, Json]:
    """The values that fields of a record had at a revision, told by the first change after it."""
    names = list(fields)
    rows = session.execute(
        select(FieldHistory.field, FieldHistory.old)
        .distinct(FieldHistory.field)
        .where(
            FieldHistory.entity == entity,
            FieldHistory.row_id == row_id,
            FieldHistory.rev > rev,
            FieldHistory.field.in_(names),
        )
        .order_by(FieldHistory.field, FieldHistory.rev)
    )
    return {name: current.get(name) for name in names} | {name: old for name, old in rows}


def last_ops(session: Session, entity: str, row_id: UUID, rev: int) -> dict[str, UUID | None]:
    """The op of a phone by which each field of a record was changed last since a revision; None where it was none. `*`
    stands for the record's creation."""
    rows = session.execute(
        select(FieldHistory.field, FieldHistory.op_id)
        .distinct(FieldHistory.field)
        .where(FieldHistory.entity == entity, FieldHistory.row_id == row_id, FieldHistory.rev > rev)
        .order_by(FieldHistory.field, FieldHistory.rev.desc(), FieldHistory.id.desc())
    )
    return {name: op_id for name, op_id in rows}


def history(session: Session, entity: str, row_ids: Iterable[UUID], *, limit: int = 200) -> list[FieldHistory]:
    """The latest changes of some records, newest first."""
    statement = (
        select(FieldHistory)
        .where(FieldHistory.entity == entity, FieldHistory.row_id.in_(list(row_ids)))
        .order_by(FieldHistory.at.desc(), FieldHistory.id.desc())
        .limit(limit)
    )
    return list(session.scalars(statement))


def open_conflicts(session: Session, *, entity: str, row_ids: Iterable[UUID]) -> list[FieldConflict]:
    """Conflicts of some records that nobody has decided yet."""
    statement = (
        select(FieldConflict)
        .where(
            FieldConflict.state == ConflictState.OPEN,
            FieldConflict.entity == entity,
            FieldConflict.row_id.in_(list(row_ids)),
        )
        .order_by(FieldConflict.created_at)
    )
    return list(session.scalars(statement))
