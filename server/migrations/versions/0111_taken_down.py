"""What a phone took down is taken wherever its account has gone, and says what is odd about it, as visits do."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None

TABLES = ("sales_order", "activity")


def upgrade() -> None:
    """Empty for all that is there."""
    for table in TABLES:
        flags: sa.Column[list[str]] = sa.Column(
            "flags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What is odd about it, as a phone took it down.",
        )
        op.add_column(table, flags)


def downgrade() -> None:
    """As it was."""
    for table in TABLES:
        op.drop_column(table, "flags")
