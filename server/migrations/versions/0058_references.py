"""Activities and notes know what another system calls them, so that an import finds them again."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0052"
branch_labels = None
depends_on = None

TABLES = ("activity", "note")


def upgrade() -> None:
    """Add the column; no two living rows are called alike."""
    comment = "What another system calls it; imports recognise it by that."
    for table in TABLES:
        op.add_column(table, sa.Column("reference", sa.String(), nullable=True, comment=comment))
        op.create_index(
            f"uq_{table}_reference",
            table,
            ["reference"],
            unique=True,
            postgresql_where=sa.text("deleted_at is null"),
        )


def downgrade() -> None:
    """Forget the names."""
    for table in TABLES:
        op.drop_index(f"uq_{table}_reference", table)
        op.drop_column(table, "reference")
