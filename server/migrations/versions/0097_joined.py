"""Leads and products are merged too: who went into whom, and what an undo needs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0097"
down_revision = "0094"
branch_labels = None
depends_on = None

MERGED_INTO = "The row that lives on after a merge; this one is out of sight as if it was deleted."


def upgrade() -> None:
    """Add what a merge says; nothing was merged so far."""
    for table in ("lead", "product"):
        op.add_column(table, sa.Column("merged_into", sa.Uuid(), nullable=True, comment=MERGED_INTO))
        op.create_index(op.f(f"ix_{table}_merged_into"), table, ["merged_into"])
    op.create_table(
        "record_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False, comment="The table of both."),
        sa.Column("winner_id", sa.Uuid(), nullable=False),
        sa.Column("loser_id", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=True),
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Each column of the winner, before and after.",
        ),
        sa.Column(
            "moved",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Ids of rows that were hung on the winner, by kind.",
        ),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_merge")),
    )
    op.create_index(op.f("ix_record_merge_winner_id"), "record_merge", ["winner_id"])
    op.create_index(
        "uq_record_merge_loser",
        "record_merge",
        ["loser_id"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )


def downgrade() -> None:
    """What was merged stays deleted."""
    op.drop_table("record_merge")
    for table in ("lead", "product"):
        op.drop_index(op.f(f"ix_{table}_merged_into"), table)
        op.drop_column(table, "merged_into")
