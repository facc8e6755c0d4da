"""People, tickets, deals, the agenda, orders, leads and the catalogue reach phones; signatures of visits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations import sales_feed

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Attach the feed to the tables, put what is there into its buckets, and make room for signatures."""
    op.add_column(
        "visit_event",
        sa.Column(
            "signature",
            postgresql.JSONB(),
            nullable=True,
            comment='Who signed, and how: {"name": ..., "strokes": [[x, y, x, y, ...]]} in a box of 1000 by 400.',
        ),
    )
    for statement in (*sales_feed.FUNCTIONS, sales_feed.ATTACHED, *sales_feed.ROWS_OF_BEFORE):
        op.execute(statement)
