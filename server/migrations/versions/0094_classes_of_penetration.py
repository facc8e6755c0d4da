"""The legend's classes of penetration are kept with the others: they come with the next learning, which is due now."""

from alembic import op

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("update density_state set learned_at = null")


def downgrade() -> None:
    op.execute("update density_state set breaks = breaks - 'penetration'")
