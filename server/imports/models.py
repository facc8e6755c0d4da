"""Tables of imports: the file as it was read, what its rows mean, and what becomes of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Index, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class State(StrEnum):
    """Where an import stands."""

    RECEIVED = "received"
    """The file is read; its columns wait for a meaning."""
    CHECKING = "checking"
    CHECKED = "checked"
    """The dry run is done; nothing is changed yet."""
    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"
    """Nothing was changed; the message says why."""


class Mode(StrEnum):
    """What an import may do."""

    BOTH = "both"
    CREATE = "create"
    UPDATE = "update"


class Action(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    """The mode does not allow it."""
    ERROR = "error"


class ImportRun(Base):
    """One import of one file."""

    __tablename__ = "import_run"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(comment="What is imported, e.g. accounts.")
    file_name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger, comment="Bytes.")
    format: Mapped[str] = mapped_column(comment="csv or xlsx.")
    encoding: Mapped[str | None]
    delimiter: Mapped[str | None]
    sheet: Mapped[str | None]
    header: Mapped[list[str]] = mapped_column(ARRAY(Text))
    row_count: Mapped[int] = mapped_column(server_default=text("0"), comment="Rows that are not empty, without header.")
    mapping: Mapped[dict[str, str]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Position of a column -> field."
    )
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=State.RECEIVED.value)
    done_rows: Mapped[int] = mapped_column(server_default=text("0"), comment="Progress of the present step.")
    counts: Mapped[dict[str, int]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Rows by action, and `warnings`."
    )
    message: Mapped[str | None]
    actor: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImportRow(Base):
    """A row of the file as it was read."""

    __tablename__ = "import_row"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True, comment="As a spreadsheet counts, the header included.")
    cells: Mapped[list[str]] = mapped_column(ARRAY(Text))
    problem: Mapped[str | None] = mapped_column(comment="Why the row could not be read.")


class ImportOutcome(Base):
    """What a row means and what becomes of it."""

    __tablename__ = "import_outcome"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Field -> value; only what the row says.")
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, comment="Each with level, field, code, message.")
    key: Mapped[str | None] = mapped_column(comment="What the record is recognised by.")
    new_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), comment="Ids for the rows that a creation writes.")
    target_id: Mapped[UUID | None] = mapped_column(comment="The record that is there.")
    action: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Field -> [before, after]."
    )

    __table_args__ = (Index("ix_import_outcome_action", "run_id", "action", "row_no"),)
