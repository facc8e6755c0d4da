"""What a plan was searched from, as one hash; and the segment that it keeps to."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; plans of before have neither."""
    op.add_column(
        "plan",
        sa.Column(
            "problem_sha256",
            sa.String(),
            nullable=True,
            comment="Of all that the search was given: equal ones give equal plans.",
        ),
    )
    op.add_column(
        "plan",
        sa.Column("segment_id", sa.Uuid(), nullable=True, comment="Only its accounts are visited; promises are kept."),
    )
    op.create_index(op.f("ix_plan_segment_id"), "plan", ["segment_id"])
    op.create_foreign_key(op.f("fk_plan_segment_id"), "plan", "segment", ["segment_id"], ["id"], ondelete="SET NULL")
