"""Where an account's sites lie is read from one index, in the order of the accounts; the square of level 12 around a
site is worked out where it is asked."""

import sqlalchemy as sa
from alembic import op

revision = "0125"
down_revision = "0124"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the squares into the index."""
    op.execute("create index ix_account_spot_of_account on account_spot (account_id) include (square, site_id)")
    op.drop_index("ix_account_spot_account_id", "account_spot")
    op.drop_column("account_spot", "block")


def downgrade() -> None:
    """Keep the square again, and an index without squares."""
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
    op.create_index("ix_account_spot_account_id", "account_spot", ["account_id"])
    op.drop_index("ix_account_spot_of_account", "account_spot")
