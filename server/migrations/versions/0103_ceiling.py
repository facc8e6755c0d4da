"""A ceiling on the rows that one phone is given."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The ceiling, how many rows a bucket holds, and what a phone was given."""
    op.add_column(
        "phone_rules",
        sa.Column(
            "max_rows",
            sa.Integer(),
            server_default=sa.text("150000"),
            nullable=False,
            comment="So many rows a phone is given; buckets beyond are left out.",
        ),
    )
    op.create_check_constraint(op.f("ck_phone_rules_max_rows"), "phone_rules", "max_rows between 1 and 5000000")
    op.add_column(
        "bucket", sa.Column("rows", sa.Integer(), nullable=True, comment="As they were last counted; null: not yet.")
    )
    op.add_column(
        "device",
        sa.Column(
            "holding",
            postgresql.JSONB(),
            nullable=True,
            comment="What it was given at its last hello: rows, left_out (ids of buckets), further (how many).",
        ),
    )


def downgrade() -> None:
    """Every phone is given everything again."""
    op.drop_column("device", "holding")
    op.drop_column("bucket", "rows")
    op.drop_constraint(op.f("ck_phone_rules_max_rows"), "phone_rules")
    op.drop_column("phone_rules", "max_rows")
