"""A bent plan begins with its board: its adjustments are the bent rules alone."""

from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say what the column holds."""
    op.alter_column(
        "plan",
        "adjustments",
        existing_type=postgresql.JSONB(),
        existing_nullable=True,
        comment="Rules that somebody bent; see plans.relaxing.",
        existing_comment="Rules that somebody bent, and the routes to begin with; see plans.relaxing.",
    )
