"""Plans of the accounts that a filter finds; saved views of the map."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the filter of a plan and for what a map shows beside its filter."""
    op.add_column(
        "plan",
        sa.Column(
            "filter", sa.String(), nullable=True, comment="Of accounts: only these are visited; promises are kept."
        ),
    )
    op.add_column(
        "saved_view",
        sa.Column("map", sa.String(), nullable=True, comment="Of a map: what its address says beside the filter."),
    )
