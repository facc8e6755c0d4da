"""Sources of addresses: what changes from version to version, uploads, geocoders elsewhere."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _object(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False, comment=comment)


def _moment(name: str, comment: str | None = None, *, now: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now, comment=comment)


def _count(name: str, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False, comment=comment)


def _text(name: str, comment: str | None = None, default: str | None = None) -> sa.Column[Any]:
    value = None if default is None else sa.text(f"'{default}'")
    return sa.Column(name, sa.String(), server_default=value, nullable=False, comment=comment)


def upgrade() -> None:
    """Create what updates and remote geocoders need."""
    _sources()
    _changes()
    _remote()


def _sources() -> None:
    table = "geocoding_source"
    op.add_column(table, sa.Column("replaces", sa.Uuid(), comment="The source that this one took over from."))
    op.add_column(table, _object("changes", "What is new, changed and gone since then, by kind."))
    op.add_column(table, _object("left_out", "Rows of the files that were left out, by reason."))
    op.add_column(table, _moment("removed_at", "Not asked any more; kept for a while so that it can be brought back."))
    op.drop_index("uq_geocoding_source_name", table)
    op.create_index(
        "uq_geocoding_source_name",
        table,
        ["name"],
        unique=True,
        postgresql_where=sa.text("region_id is null and removed_at is null"),
    )
    op.create_table(
        "geocoding_load",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("file_name"),
        sa.Column("options", JSONB(), nullable=False, comment="Name, country, source and licence as given."),
        _text("state", "waiting, reading, done or failed.", "waiting"),
        _count("rows", "Rows read so far."),
        _text("message", "What became of it, in words.", ""),
        _moment("created_at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_geocoding_load"),
    )


def _changes() -> None:
    op.create_table(
        "geocoding_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False, comment="The source that brought it, or that went."),
        _text("kind", "`street`, `place` or `poi`."),
        _text("change", "`added`, `changed` or `removed`."),
        sa.Column("names", ARRAY(sa.Text()), nullable=False, comment="All its names, old and new."),
        _text("city"),
        sa.Column("postcodes", ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "spots",
            Geometry("GEOMETRY", srid=4326, spatial_index=False),
            nullable=False,
            comment="Where it was and is.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_geocoding_change"),
    )
    op.create_index("ix_geocoding_change_batch", "geocoding_change", ["batch"])
    op.create_table(
        "geocoding_version",
        sa.Column("number", sa.Integer(), sa.Identity(), nullable=False),
        _text("version", "As answers carry it."),
        sa.Column("sources", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("batches", ARRAY(sa.Uuid()), nullable=False, comment="Changes since the version before."),
        sa.Column(
            "is_all_new", sa.Boolean(), nullable=False, comment="The changes are not known: everything may differ."
        ),
        _moment("created_at", now=True),
        _moment("checked_at", "When the last account that it concerns was looked at again."),
        sa.PrimaryKeyConstraint("number", name="pk_geocoding_version"),
    )
    op.create_index("ix_geocoding_version_version", "geocoding_version", ["version"])


def _remote() -> None:
    op.create_table(
        "geocoding_remote",
        _text("provider"),
        _text("url"),
        _text("user_agent"),
        sa.Column(
            "interval_s", sa.Float(), nullable=False, comment="Least seconds between two questions of all workers."
        ),
        sa.Column("daily_cap", sa.Integer(), nullable=False, comment="Most questions a day (UTC)."),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("terms_accepted_by", sa.Uuid()),
        _moment("terms_accepted_at"),
        _moment("next_at", "Before that nobody asks it.", now=True),
        _text("trouble", "What went wrong last; empty when nothing.", ""),
        sa.PrimaryKeyConstraint("provider", name="pk_geocoding_remote"),
    )
    op.create_index(
        "uq_geocoding_remote_on", "geocoding_remote", ["is_on"], unique=True, postgresql_where=sa.text("is_on")
    )
    op.create_table(
        "geocoding_remote_answer",
        _text("provider"),
        _text("question", "The question, folded; see `remote.key_of`."),
        sa.Column("answer", JSONB(), nullable=False, comment="Point, type and address; empty: it knew nothing."),
        _moment("asked_at", now=True),
        sa.PrimaryKeyConstraint("provider", "question", name="pk_geocoding_remote_answer"),
    )
    op.create_table(
        "geocoding_remote_day",
        _text("provider"),
        sa.Column("day", sa.Date(), nullable=False, comment="In UTC."),
        *map(_count, ("asked", "answered")),
        _count("refused", "Errors, time-outs, nonsense, too many."),
        _count("remembered", "Answered from memory."),
        sa.PrimaryKeyConstraint("provider", "day", name="pk_geocoding_remote_day"),
    )
