"""Tables of imports: the file as it was read, what its rows mean, and what becomes of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Identity, Index, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.kit.settings import settings


class State(StrEnum):
    """Where an import stands."""

    RECEIVED = "received"
    """The file is read; its columns wait for a meaning."""
    CHECKING = "checking"
    CHECKED = "checked"
    """The dry run is done; nothing is changed yet."""
    APPLYING = "applying"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    """Everything is as it was before, but for what is listed as kept."""
    FAILED = "failed"
    """Nothing was changed; the message says why."""


WORKING = (State.CHECKING, State.APPLYING, State.UNDOING)
"""Somebody works on it in the background."""


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
    format: Mapped[str] = mapped_column(comment="csv, xlsx, geojson or gpkg.")
    encoding: Mapped[str | None]
    delimiter: Mapped[str | None]
    sheet: Mapped[str | None] = mapped_column(comment="Sheet of a workbook, layer of a GeoPackage.")
    header: Mapped[list[str]] = mapped_column(ARRAY(Text))
    row_count: Mapped[int] = mapped_column(server_default=text("0"), comment="Rows that are not empty, without header.")
    empty_rows: Mapped[int] = mapped_column(server_default=text("0"), comment="Empty rows between those with data.")
    mapping: Mapped[dict[str, str]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Position of a column -> field."
    )
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=State.RECEIVED.value)
    done_rows: Mapped[int] = mapped_column(server_default=text("0"), comment="Progress of the present step.")
    read_to: Mapped[int | None] = mapped_column(comment="The last row that an unfinished dry run has read.")
    counts: Mapped[dict[str, int]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Rows by action, and `warnings`."
    )
    message: Mapped[str | None]
    actor: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    profile_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("import_profile.id", ondelete="SET NULL"), comment="Where the columns' meaning comes from."
    )
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_by: Mapped[UUID | None]
    undo_op: Mapped[UUID | None] = mapped_column(comment="The undo in the history of the records.")
    undo_counts: Mapped[dict[str, int]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Records `removed` and `restored`, values `kept`."
    )

    @property
    def currency(self) -> str:
        """The currency of amounts that name none."""
        return str(self.options.get("currency") or settings().currency)


class ImportRow(Base):
    """A row of the file as it was read."""

    __tablename__ = "import_row"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True, comment="As a spreadsheet counts, the header included.")
    cells: Mapped[list[str]] = mapped_column(ARRAY(Text))
    problem: Mapped[str | None] = mapped_column(comment="Why the row could not be read.")
    note: Mapped[str | None] = mapped_column(comment="What was mended while it was read.")
    encoding: Mapped[str | None] = mapped_column(comment="In what it is written, when most of the file is otherwise.")


class ImportPiece(Base):
    """A piece of a text file as it came, so that it can be read in another way until it is imported."""

    __tablename__ = "import_piece"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    packed: Mapped[bytes] = mapped_column(comment="Packed by zlib.")


class ImportChecked(Base):
    """A row that an unfinished dry run has read; the next worker goes on after it."""

    __tablename__ = "import_checked"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    first_row: Mapped[int | None] = mapped_column(comment="The row that it repeats cell by cell.")
    values: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    problems: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    new_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))


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
    kept: Mapped[dict[str, Any]] = mapped_column(
        JSONB,
        server_default=text("'{}'::jsonb"),
        comment="Field -> [what a person wrote and stays, what the file says].",
    )

    __table_args__ = (Index("ix_import_outcome_action", "run_id", "action", "row_no"),)


class ImportProfile(Base):
    """What the columns of a kind of file mean: remembered by itself for its header, or by a person under a name."""

    __tablename__ = "import_profile"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(comment="What is imported, e.g. accounts.")
    name: Mapped[str | None] = mapped_column(comment="Null for what is remembered by itself.")
    header: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="The titles, reduced to letters and digits.")
    mapping: Mapped[list[list[str]]] = mapped_column(JSONB, comment="Pairs of a reduced title and a field.")
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    actor: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    __table_args__ = (
        Index("uq_import_profile_name", "kind", "name", unique=True, postgresql_where=text("name is not null")),
        Index("uq_import_profile_header", "kind", "header", unique=True, postgresql_where=text("name is null")),
    )


class Why(StrEnum):
    """Why an undo left something as it is."""

    EDITED = "edited"
    """A person has changed it since."""
    IMPORTED = "imported"
    """A later import has changed it."""
    REPAIRED = "repaired"
    """A bulk repair has changed it since."""
    MERGED = "merged"
    """A merge of two records has changed it since."""
    CONFIRMED = "confirmed"
    """Check-ins of several days have placed the pin since."""
    IN_USE = "in_use"
    """Another record rests on it."""
    TAKEN = "taken"
    """Another record has the former value by now."""
    FORGOTTEN = "forgotten"
    """The former value may not be kept any longer."""


class ImportKept(Base):
    """What the undo of an import left as it is, because somebody has changed it since."""

    __tablename__ = "import_kept"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), index=True)
    record_id: Mapped[UUID] = mapped_column(comment="What people call it by, e.g. the account of a site.")
    label: Mapped[str]
    field: Mapped[str] = mapped_column(comment="`*` for a record that the import has created.")
    value: Mapped[Any | None] = mapped_column(JSONB, comment="What stays.")
    former: Mapped[Any | None] = mapped_column(JSONB, comment="What stood there before the import.")
    why: Mapped[str]
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    other_run: Mapped[UUID | None] = mapped_column(comment="The later import.")
