"""What was made of white space: leads, tasks and wanted visits, so that it is made once and can be taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room."""
    op.create_table(
        "white_space_action",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="leads, tasks or visits."),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "counts",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="What was made, and what was left out and why.",
        ),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('leads', 'tasks', 'visits')", name=op.f("ck_white_space_action_kind")),
        sa.ForeignKeyConstraint(
            ["by"], ["app_user.id"], name=op.f("fk_white_space_action_by_app_user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_white_space_action")),
    )
    op.create_table(
        "white_space_item",
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False, comment="Of the lead, activity or demand."),
        sa.Column("prospect_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("cell", sa.BigInteger(), nullable=True, comment="The hexagon that a task is about."),
        sa.ForeignKeyConstraint(
            ["action_id"],
            ["white_space_action.id"],
            name=op.f("fk_white_space_item_action_id_white_space_action"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("action_id", "row_id", name=op.f("pk_white_space_item")),
    )
    for name in ("row_id", "prospect_id", "account_id"):
        op.create_index(op.f(f"ix_white_space_item_{name}"), "white_space_item", [name])
