"""A decision about a conflict knows that a deleted record came back by it."""

import sqlalchemy as sa
from alembic import op

revision = "0115"
down_revision = "0114"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of decisions that were taken before nobody knows it."""
    restored: sa.Column[bool] = sa.Column(
        "restored",
        sa.Boolean(),
        server_default=sa.text("false"),
        nullable=False,
        comment="A deleted record came back by the decision: there is no undo.",
    )
    op.add_column("field_conflict", restored)


def downgrade() -> None:
    """As it was."""
    op.drop_column("field_conflict", "restored")
