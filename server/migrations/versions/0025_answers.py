"""What a plan was made for and from, what it changes, and what would let in the visits that it left out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "plan",
        sa.Column("occasion", sa.String(), server_default="plan", nullable=False, comment="See PlanOccasion."),
    )
    op.add_column(
        "plan",
        sa.Column(
            "adjustments",
            postgresql.JSONB(),
            nullable=True,
            comment="Rules that somebody bent, and the routes to begin with; see plans.relaxing.",
        ),
    )
    op.add_column(
        "plan",
        sa.Column("changes", postgresql.JSONB(), nullable=True, comment="What it changes of the day; plans.changes."),
    )
    op.add_column(
        "plan",
        sa.Column(
            "replaced",
            postgresql.JSONB(),
            nullable=True,
            comment="Routes and visits as they were before it was accepted, for taking it back.",
        ),
    )
    op.create_check_constraint("ck_plan_occasion", "plan", "occasion in ('plan', 'relaxed', 'running_day', 'absence')")
    op.add_column(
        "stop", sa.Column("because", postgresql.JSONB(), nullable=True, comment="`why` as data; see routing.explain.")
    )
    op.add_column(
        "unplanned",
        sa.Column(
            "relaxations",
            postgresql.JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="What would let it in, the smallest first; see plans.relaxing.",
        ),
    )
