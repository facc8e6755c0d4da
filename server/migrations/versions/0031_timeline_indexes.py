"""Indexes of timelines and of the bin: a page of a long story is read from the index of each source."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes."""
    op.create_index("ix_field_history_at", "field_history", ["row_id", "at", "id"], unique=False)
    op.create_index("ix_unplanned_account_id", "unplanned", ["account_id"], unique=False)
    op.create_index(
        "ix_visit_moment",
        "visit",
        [
            "account_id",
            sa.literal_column(
                "coalesce(done_at, checked_in_at, planned_start_at, ((day + '12:00:00'::interval) at time zone zone))"
            ),
            "id",
        ],
        unique=False,
    )
    for table in ("account", "site"):
        op.create_index(
            f"ix_{table}_deleted", table, ["deleted_at"], postgresql_where=sa.text("deleted_at is not null")
        )
