"""A decided conflict says what was chosen, and what stood before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None

ADDED = (("chosen", "What the field held after the decision."), ("stood", "What it held before; an undo puts it back."))


def upgrade() -> None:
    """Both are empty at what was decided before."""
    for name, comment in ADDED:
        column = sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment=comment)
        op.add_column("field_conflict", column)


def downgrade() -> None:
    """As it was."""
    for name, _ in ADDED:
        op.drop_column("field_conflict", name)
