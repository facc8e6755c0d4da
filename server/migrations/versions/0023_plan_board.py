"""Tables of the plan board: what a plan was computed from, and its versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and let a plan say on which one it is based."""
    op.add_column(
        "plan",
        sa.Column("based_on", sa.Uuid(), nullable=True, comment="The plan that it takes further."),
    )
    op.create_foreign_key(op.f("fk_plan_based_on"), "plan", "plan", ["based_on"], ["id"], ondelete="SET NULL")
    op.create_index(op.f("ix_plan_based_on"), "plan", ["based_on"])
    op.add_column(
        "unplanned",
        sa.Column(
            "key", sa.String(), nullable=True, comment="Of the wish in the plan's basis; null when it has no place."
        ),
    )
    op.create_table(
        "plan_basis",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stamp", sa.Uuid(), nullable=False, comment="Changes with the row; keys what a process remembers of it."
        ),
        sa.Column(
            "blueprint",
            sa.LargeBinary(),
            nullable=False,
            comment="server.plans.build.Blueprint as zlib of JSON.",
        ),
        sa.Column("roads", sa.LargeBinary(), nullable=False, comment="The travel matrix, see server.plans.basis."),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_basis_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan_basis")),
    )
    versions()


def versions() -> None:
    """The states of a plan."""
    op.create_table(
        "plan_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 is the first; a step back is a new one."),
        sa.Column("made_by", sa.Uuid(), nullable=True, comment="Null for the planner."),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="What was done, see server.plans.adjusting.Kind."),
        sa.Column("detail", postgresql.JSONB(), nullable=False, comment="Names and times for the sentence about it."),
        sa.Column("board", postgresql.JSONB(), nullable=False, comment="routing.adjusting.Board."),
        sa.Column("summary", postgresql.JSONB(), nullable=False, comment="Counts and sums, see PlanSummary."),
        sa.Column("goes_back_to", sa.Integer(), nullable=True, comment="The version that it repeats, for a step back."),
        sa.Column("request", sa.Uuid(), nullable=True, comment="The client's own key: the same request counts once."),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_version_plan_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_plan_version_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint("plan_id", "number", name="uq_plan_version_number"),
        sa.UniqueConstraint("plan_id", "request", name="uq_plan_version_request"),
    )
