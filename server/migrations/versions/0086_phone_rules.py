"""What the company says to all its phones: after how many days without the server they close."""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the rules; without a row they are as Waymark begins."""
    op.create_table(
        "phone_rules",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "lock_days",
            sa.SmallInteger(),
            server_default=sa.text("14"),
            nullable=False,
            comment="So many days without the server close what a phone shows; unsent work stays.",
        ),
        sa.CheckConstraint("one", name="ck_phone_rules_one"),
        sa.CheckConstraint("lock_days between 1 and 90", name="ck_phone_rules_lock_days"),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_phone_rules")),
    )
