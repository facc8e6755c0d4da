"""Which currencies orders and deals are in is read from an index: sums ask it first."""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes."""
    op.create_index("ix_sales_order_currency", "sales_order", ["currency", "day"])
    op.create_index("ix_opportunity_currency", "opportunity", ["currency", "closed_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_opportunity_currency", "opportunity")
    op.drop_index("ix_sales_order_currency", "sales_order")
