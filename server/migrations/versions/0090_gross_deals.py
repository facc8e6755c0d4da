"""Lines of deals know whether their price contains the tax, and take discounts as fine as documents do."""

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tax of a line; what is stored stays a price without tax."""
    op.add_column(
        "opportunity_line",
        sa.Column(
            "is_gross",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The price contains the tax.",
        ),
    )
    op.add_column(
        "opportunity_line",
        sa.Column("tax_percent", sa.Numeric(6, 3), nullable=True, comment="Null: unknown, counts as nothing."),
    )
    op.alter_column(
        "opportunity_line",
        "discount",
        type_=sa.Numeric(6, 5),
        existing_type=sa.Numeric(5, 4),
        existing_nullable=False,
        existing_comment="Share, 0 to 1.",
        existing_server_default=sa.text("0"),
    )
