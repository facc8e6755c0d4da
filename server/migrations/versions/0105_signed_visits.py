"""Who signed a visit is looked up by the visit, however many others were recorded lately."""

import sqlalchemy as sa
from alembic import op

revision = "0105"
down_revision = "0104"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Without it a plan that was made before the table grew walks from the newest event of all."""
    op.create_index(
        "ix_visit_event_signed",
        "visit_event",
        ["visit_id", "recorded_at"],
        postgresql_where=sa.text("signature is not null"),
    )


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_visit_event_signed", "visit_event")
