"""Imports count the empty rows of their file."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Earlier imports did not count them."""
    comment = "Empty rows between those with data."
    op.add_column(
        "import_run",
        sa.Column("empty_rows", sa.Integer(), server_default=sa.text("0"), nullable=False, comment=comment),
    )


def downgrade() -> None:
    """Forget the counts."""
    op.drop_column("import_run", "empty_rows")
