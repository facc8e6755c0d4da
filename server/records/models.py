"""The columns that every record carries, its history and its conflicts."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, FetchedValue, Identity, Index, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Record:
    """Mixin of every row that people edit and phones sync.

    The trigger `records_touch` (migration 0002) keeps `rev`, `frev` and `updated_at` and writes `field_history`,
    whoever changes the row: a page, a phone, an import or SQL by hand.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    rev: Mapped[int] = mapped_column(
        BigInteger, server_default=text("1"), server_onupdate=FetchedValue(), comment="Revision, +1 for each change."
    )
    frev: Mapped[dict[str, int]] = mapped_column(
        JSONB,
        server_default=text("'{}'::jsonb"),
        server_onupdate=FetchedValue(),
        comment="Revision of each changed field.",
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), server_onupdate=FetchedValue()
    )
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Joinable(Record):
    """Mixin of records of which two can become one, see `records.joining`."""

    merged_into: Mapped[UUID | None] = mapped_column(
        Uuid, index=True, comment="The row that lives on after a merge; this one is out of sight as if it was deleted."
    )


class RecordMerge(Base):
    """One lead, product or contact went into another; holds what an undo needs."""

    __tablename__ = "record_merge"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    entity: Mapped[str] = mapped_column(comment="The table of both.")
    winner_id: Mapped[UUID] = mapped_column(index=True)
    loser_id: Mapped[UUID]
    merged_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    merged_by: Mapped[UUID | None]
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Each column of the winner, before and after.")
    moved: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Ids of rows that were hung on the winner, by kind.")
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_by: Mapped[UUID | None]

    __table_args__ = (
        Index("uq_record_merge_loser", "loser_id", unique=True, postgresql_where=text("undone_at is null")),
    )


FORGOTTEN = "forgotten"
"""Stands in the history for a value that may not be kept any longer."""


class FieldHistory(Base):
    """One changed field of one record; `*` stands for the creation of the row."""

    __tablename__ = "field_history"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    entity: Mapped[str]
    row_id: Mapped[UUID]
    rev: Mapped[int] = mapped_column(BigInteger)
    field: Mapped[str]
    old: Mapped[Any | None] = mapped_column(JSONB)
    new: Mapped[Any | None] = mapped_column(JSONB)
    actor: Mapped[UUID | None]
    source: Mapped[str]
    op_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    __table_args__ = (
        Index("ix_field_history_row", "entity", "row_id", "rev"),
        Index("ix_field_history_at", "row_id", "at", "id"),
        Index("ix_field_history_op", "op_id", postgresql_where=text("op_id is not null")),
    )


class ConflictKind(StrEnum):
    """Why a change could not simply be applied."""

    CONCURRENT = "concurrent"
    EDIT_AFTER_DELETE = "edit_after_delete"
    DELETE_VS_EDIT = "delete_vs_edit"
    OUT_OF_SCOPE = "out_of_scope"


class ConflictState(StrEnum):
    """What became of a conflict."""

    OPEN = "open"
    KEPT_SERVER = "kept_server"
    TOOK_MINE = "took_mine"
    CUSTOM = "custom"


class FieldConflict(Base):
    """Two people's values for one field: nothing is dropped, somebody decides."""

    __tablename__ = "field_conflict"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    entity: Mapped[str]
    row_id: Mapped[UUID]
    field: Mapped[str]
    kind: Mapped[str]
    policy: Mapped[str]
    base: Mapped[Any | None] = mapped_column(JSONB)
    mine: Mapped[Any | None] = mapped_column(JSONB)
    server: Mapped[Any | None] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(server_default=ConflictState.OPEN.value)
    actor: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    op_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    resolved_by: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    chosen: Mapped[Any | None] = mapped_column(JSONB, comment="What the field held after the decision.")
    stood: Mapped[Any | None] = mapped_column(JSONB, comment="What it held before; an undo puts it back.")
    restored: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="A deleted record came back by the decision: there is no undo."
    )

    __table_args__ = (
        Index("ix_field_conflict_row", "entity", "row_id"),
        Index("ix_field_conflict_open", "state", "created_at"),
    )
