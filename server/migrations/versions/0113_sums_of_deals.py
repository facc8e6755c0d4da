"""Sums over many deals are added up from the index by account and read no deal."""

from alembic import op

revision = "0113"
down_revision = "0112"
branch_labels = None
depends_on = None

SUMMED = ["deleted_at", "state", "stage_id", "currency", "amount", "closed_at", "probability"]


def upgrade() -> None:
    """The index by account takes along what is added up."""
    op.drop_index("ix_opportunity_account", "opportunity")
    op.create_index("ix_opportunity_account", "opportunity", ["account_id", "created_at"], postgresql_include=SUMMED)


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_opportunity_account", "opportunity")
    op.create_index("ix_opportunity_account", "opportunity", ["account_id", "created_at"])
