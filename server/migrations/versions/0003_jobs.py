"""Tables of the job queue (procrastinate)."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create procrastinate's tables and functions."""
    op.get_bind().connection.cursor().execute(SchemaManager.get_schema())
