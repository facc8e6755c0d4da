"""Deleted tickets are found for the bin."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_ticket_deleted", "ticket", ["deleted_at"], postgresql_where=sa.text("deleted_at is not null"))
