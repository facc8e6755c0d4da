"""Plans of the accounts that a filter finds."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the filter of a plan."""
    op.add_column(
        "plan",
        sa.Column(
            "filter", sa.String(), nullable=True, comment="Of accounts: only these are visited; promises are kept."
        ),
    )
