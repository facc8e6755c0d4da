"""Tables of plans."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of plans."""
    op.create_table(
        "plan",
        sa.Column("state", sa.String(), server_default="queued", nullable=False),
        sa.Column("rep_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False, comment="Calendar days, the first one included."),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True, comment="CPU seconds of the search; null: limited by steps."),
        sa.Column("steps", sa.Integer(), nullable=True, comment="Steps of the search; the same plan on every run."),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("progress", sa.String(), nullable=True, comment="What a running plan is doing."),
        sa.Column("error", sa.String(), nullable=True, comment="Why it failed, for people."),
        sa.Column("error_help", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "estimated",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Some drive is a straight-line estimate, not a road.",
        ),
        sa.Column("summary", postgresql.JSONB(), nullable=True, comment="Counts and sums, see PlanSummary."),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('queued', 'running', 'ready', 'failed', 'published')", name=op.f("ck_plan_state")
        ),
        sa.CheckConstraint("days between 1 and 7", name=op.f("ck_plan_days")),
        sa.CheckConstraint("seconds is not null or steps is not null", name=op.f("ck_plan_budget")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_plan_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index("ix_plan_first_day", "plan", ["first_day"], unique=False)
    op.create_table(
        "route",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("rep_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="The rep's day, in `zone`."),
        sa.Column("zone", sa.String(), nullable=False, comment="IANA time zone of the day."),
        sa.Column("start_anchor", postgresql.JSONB(), nullable=False, comment="Where the day begins: name, lon, lat."),
        sa.Column("end_anchor", postgresql.JSONB(), nullable=False, comment="Where it ends: name, lon, lat."),
        sa.Column("leaves_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returns_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("break_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("break_s", sa.Integer(), nullable=True),
        sa.Column("drive_s", sa.Integer(), nullable=False, comment="Of all legs."),
        sa.Column("distance_m", sa.Integer(), nullable=False, comment="Of all legs."),
        sa.Column("estimated", sa.Boolean(), nullable=False, comment="Some leg is a straight-line estimate."),
        sa.Column("polylines", sa.ARRAY(sa.Text()), nullable=False, comment="One polyline6 per leg: stops + 1."),
        sa.Column(
            "legs",
            postgresql.JSONB(),
            nullable=False,
            comment="Per leg: seconds, metres, estimated; the last one leads home.",
        ),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when it counts; a later plan of the same day takes its place.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_route_plan_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rep_id"], ["app_user.id"], name=op.f("fk_route_rep_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")),
    )
    op.create_index("ix_route_day", "route", ["day"], unique=False)
    op.create_index(op.f("ix_route_plan_id"), "route", ["plan_id"], unique=False)
    op.create_index("ix_route_rep", "route", ["rep_id", "day"], unique=False)
    op.create_index(
        "uq_route_published",
        "route",
        ["rep_id", "day"],
        unique=True,
        postgresql_where=sa.text("published_at is not null and deleted_at is null"),
    )
    op.create_table(
        "stop",
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column(
            "visit_id",
            sa.Uuid(),
            nullable=True,
            comment="Null until the plan is published, unless it was promised before.",
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="1 is the first."),
        sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drive_s", sa.Integer(), nullable=False, comment="Of the leg that leads here."),
        sa.Column("distance_m", sa.Integer(), nullable=False, comment="Of the leg that leads here."),
        sa.Column("estimated", sa.Boolean(), nullable=False, comment="That leg is a straight-line estimate."),
        sa.Column("why", sa.String(), nullable=False, comment="What brought it into the plan, as a sentence."),
        sa.Column("prize_s", sa.Integer(), nullable=False, comment="What the visit is worth, in seconds of driving."),
        sa.Column(
            "overdue_days", sa.Integer(), nullable=False, comment="On the day of the visit; 0 while there is time."
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "rev", sa.BigInteger(), server_default=sa.text("1"), nullable=False, comment="Revision, +1 for each change."
        ),
        sa.Column(
            "frev",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Revision of each changed field.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_stop_account_id")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_stop_route_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stop_site_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_stop_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
    )
    op.create_index(op.f("ix_stop_account_id"), "stop", ["account_id"], unique=False)
    op.create_index(op.f("ix_stop_route_id"), "stop", ["route_id"], unique=False)
    op.create_index(op.f("ix_stop_site_id"), "stop", ["site_id"], unique=False)
    op.create_index(op.f("ix_stop_visit_id"), "stop", ["visit_id"], unique=False)
    op.create_table(
        "unplanned",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True, comment="Of a promised visit."),
        sa.Column("rep_ids", sa.ARRAY(sa.Uuid()), nullable=False, comment="Who could have gone."),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("prize_s", sa.Integer(), nullable=False),
        sa.Column("overdue_days", sa.Integer(), nullable=False, comment="On the first day of the plan."),
        sa.Column("reasons", postgresql.JSONB(), nullable=False, comment="Each with `code` and `text`."),
        sa.CheckConstraint("jsonb_array_length(reasons) > 0", name=op.f("ck_unplanned_reasons")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_unplanned_account_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_unplanned_plan_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_unplanned_site_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_unplanned_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unplanned")),
    )
    op.create_index(op.f("ix_unplanned_plan_id"), "unplanned", ["plan_id"], unique=False)
    for table in ("plan", "route", "stop"):
        op.execute(f"select records_attach('{table}')")
