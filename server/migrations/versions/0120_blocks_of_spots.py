"""A counted site knows the square of level 12 around it: by these a filter's answer is gathered."""

import sqlalchemy as sa
from alembic import op

revision = "0120"
down_revision = "0119"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the square; its statistics tell the planner how few there are, so that two processes can count apart."""
    op.add_column(
        "account_spot",
        sa.Column(
            "block",
            sa.Integer(),
            sa.Computed("(square >> 24)::integer", persisted=True),
            nullable=False,
            comment="The square of level 12 around it.",
        ),
    )
    op.execute("analyze account_spot")


def downgrade() -> None:
    """Drop the square."""
    op.drop_column("account_spot", "block")
