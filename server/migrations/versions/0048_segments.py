"""Segments with members, numbers and changes; saved views."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

SHARING = "sharing in ('private', 'team', 'all')"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "segment",
        sa.Column("subject", sa.String(), nullable=False, comment="Kind of object: account, ..."),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column(
            "filter", sa.String(), nullable=True, comment="In canonical form; of a static one: what it was made from."
        ),
        sa.Column("is_static", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("sharing", sa.String(), server_default="private", nullable=False),
        *record(),
        sa.CheckConstraint(SHARING, name=op.f("ck_segment_sharing")),
        sa.CheckConstraint("is_static or filter is not null", name=op.f("ck_segment_filter")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_segment_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
    )
    op.create_index(op.f("ix_segment_owner_id"), "segment", ["owner_id"])
    op.create_index(
        "uq_segment_name",
        "segment",
        ["subject", sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "segment_member",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        of_segment("segment_member"),
        sa.PrimaryKeyConstraint("segment_id", "row_id", name=op.f("pk_segment_member")),
    )
    op.create_index(op.f("ix_segment_member_row_id"), "segment_member", ["row_id"])
    op.create_table(
        "segment_count",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("entered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("gone", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("trouble", sa.String(), nullable=True, comment="Why it could not be counted."),
        of_segment("segment_count"),
        sa.PrimaryKeyConstraint("segment_id", "day", name=op.f("pk_segment_count")),
    )
    op.create_table(
        "segment_change",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("entered", sa.Boolean(), nullable=False),
        of_segment("segment_change"),
        sa.PrimaryKeyConstraint("segment_id", "day", "row_id", name=op.f("pk_segment_change")),
    )
    op.create_table(
        "saved_view",
        sa.Column("subject", sa.String(), nullable=False, comment="Kind of object whose list it is."),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filter", sa.String(), nullable=True),
        sa.Column("sort", sa.String(), nullable=True),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False, comment="The shown ones, from the left."),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("sharing", sa.String(), server_default="private", nullable=False),
        *record(),
        sa.CheckConstraint(SHARING, name=op.f("ck_saved_view_sharing")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_saved_view_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(op.f("ix_saved_view_owner_id"), "saved_view", ["owner_id"])
    for table in ("segment", "saved_view"):
        op.execute(f"select records_attach('{table}')")


def of_segment(table: str) -> sa.ForeignKeyConstraint:
    """Rows go with their segment."""
    return sa.ForeignKeyConstraint(
        ["segment_id"], ["segment.id"], name=op.f(f"fk_{table}_segment_id"), ondelete="CASCADE"
    )


def record() -> list[sa.Column[Any]]:
    """The columns that every record carries."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
    ]
