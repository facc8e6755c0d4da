"""Visit demand, call intervals, the company's night, and what a rep's day may cost."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns."""
    demands()
    cadence()
    nights()
    columns()
    op.execute("select records_attach('visit_demand')")


def record() -> list[sa.Column[Any]]:
    """The columns that every record carries."""
    return [
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
    ]


def demands() -> None:
    """What wants a visit."""
    op.create_table(
        "visit_demand",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True, comment="Null: the main site."),
        sa.Column("origin", sa.String(), nullable=False, comment="What kind of thing wants the visit."),
        sa.Column(
            "origin_key",
            sa.String(),
            nullable=False,
            comment="Which one of its kind; asking twice for it changes nothing.",
        ),
        sa.Column("sentence", sa.String(), nullable=False, comment="Why, as reps and plans say it."),
        sa.Column("earliest", sa.Date(), nullable=True, comment="Not before this day."),
        sa.Column("deadline", sa.Date(), nullable=True, comment="By the end of this day."),
        sa.Column("prize_s", sa.Integer(), nullable=False, comment="What the visit is worth, in seconds of driving."),
        sa.Column("service_s", sa.Integer(), nullable=True, comment="How long it takes; null: as usual at the site."),
        sa.Column(
            "mandatory",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Must be planned before all others.",
        ),
        sa.Column(
            "rep_ids",
            sa.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Who may go; empty: whoever works the account.",
        ),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column(
            "visit_id",
            sa.Uuid(),
            nullable=True,
            comment="The visit that serves it; no key, because `activities` lies above.",
        ),
        sa.Column("asked_by", sa.Uuid(), nullable=True, comment="Null: a program or a job."),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        *record(),
        sa.CheckConstraint("state in ('open', 'planned', 'done', 'withdrawn')", name=op.f("ck_visit_demand_state")),
        sa.CheckConstraint(
            "deadline is null or earliest is null or deadline >= earliest", name=op.f("ck_visit_demand_days")
        ),
        sa.CheckConstraint("prize_s >= 0", name=op.f("ck_visit_demand_prize")),
        sa.CheckConstraint("service_s between 60 and 86400", name=op.f("ck_visit_demand_service")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_visit_demand_account_id")),
        sa.ForeignKeyConstraint(["asked_by"], ["app_user.id"], name=op.f("fk_visit_demand_asked_by")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_visit_demand_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_demand")),
    )
    op.create_index(op.f("ix_visit_demand_account_id"), "visit_demand", ["account_id"], unique=False)
    op.create_index(op.f("ix_visit_demand_site_id"), "visit_demand", ["site_id"], unique=False)
    op.create_index(op.f("ix_visit_demand_visit_id"), "visit_demand", ["visit_id"], unique=False)
    op.create_index(
        "ix_visit_demand_wanting",
        "visit_demand",
        ["deadline", "id"],
        unique=False,
        postgresql_where=sa.text("state in ('open', 'planned')"),
    )
    op.create_index("uq_visit_demand_origin", "visit_demand", ["origin", "origin_key"], unique=True)


def cadence() -> None:
    """Call intervals of the company and of reps."""
    op.create_table(
        "cadence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "user_id", sa.Uuid(), nullable=True, comment="Of the accounts this person owns; null: the company's."
        ),
        sa.Column("account_class", sa.String(), nullable=False),
        sa.Column("interval_days", sa.Integer(), nullable=False, comment="Days between two visits."),
        sa.Column(
            "tolerance",
            sa.Double(),
            nullable=False,
            comment="Share of the interval by which a visit may come early or late.",
        ),
        sa.CheckConstraint("account_class in ('A', 'B', 'C')", name=op.f("ck_cadence_class")),
        sa.CheckConstraint("interval_days between 1 and 730", name=op.f("ck_cadence_interval")),
        sa.CheckConstraint("tolerance between 0 and 0.5", name=op.f("ck_cadence_tolerance")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_cadence_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cadence")),
    )
    op.create_index(
        "uq_cadence", "cadence", ["user_id", "account_class"], unique=True, postgresql_nulls_not_distinct=True
    )


def nights() -> None:
    """The company's night and its rules."""
    op.create_table(
        "planning_rules",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "stretches",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Lengthen all call intervals alike when there is more work than time.",
        ),
        sa.Column(
            "night_is_on",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Plan every night by itself.",
        ),
        sa.Column(
            "night_hour",
            sa.SmallInteger(),
            server_default=sa.text("20"),
            nullable=False,
            comment="In the company's zone.",
        ),
        sa.Column(
            "night_weekdays",
            sa.ARRAY(sa.SmallInteger()),
            server_default=sa.text("'{4}'"),
            nullable=False,
            comment="On whose evening; 0 = Monday.",
        ),
        sa.Column(
            "night_days",
            sa.SmallInteger(),
            server_default=sa.text("5"),
            nullable=False,
            comment="Calendar days planned.",
        ),
        sa.Column(
            "night_steps",
            sa.Integer(),
            server_default=sa.text("20000"),
            nullable=False,
            comment="Steps of the search for each part.",
        ),
        sa.Column(
            "hotel_cost_s",
            sa.Integer(),
            server_default=sa.text("5400"),
            nullable=False,
            comment="What a hotel night costs, in seconds of driving.",
        ),
        sa.CheckConstraint("hotel_cost_s between 0 and 864000", name=op.f("ck_planning_rules_hotel")),
        sa.CheckConstraint("night_days between 1 and 7", name=op.f("ck_planning_rules_days")),
        sa.CheckConstraint("night_hour between 0 and 23", name=op.f("ck_planning_rules_hour")),
        sa.CheckConstraint("night_steps between 1 and 1000000000", name=op.f("ck_planning_rules_steps")),
        sa.CheckConstraint("one", name=op.f("ck_planning_rules_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_planning_rules")),
    )
    op.create_table(
        "night_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False, comment="Calendar days, the first one included."),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False, comment="Of the search, for each part."),
        sa.Column("asked_by", sa.Uuid(), nullable=True, comment="Null: the clock."),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("days between 1 and 7", name=op.f("ck_night_run_days")),
        sa.ForeignKeyConstraint(["asked_by"], ["app_user.id"], name=op.f("fk_night_run_asked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_night_run")),
    )
    op.create_index("ix_night_run_first_day", "night_run", ["first_day"], unique=False)
    op.create_table(
        "night_part",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False, comment="Of the territory, or of the rep who has none."),
        sa.Column("rep_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column(
            "other_rep_ids",
            sa.ARRAY(sa.Uuid()),
            nullable=False,
            comment="Whom other parts plan: what these lead is left to them.",
        ),
        sa.Column("state", sa.String(), server_default="queued", nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column(
            "is_unchanged",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The plan came out as the one that is published already.",
        ),
        sa.Column(
            "tries", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="How often a worker began it."
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "phases",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Seconds of work by phase.",
        ),
        sa.Column(
            "files",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="SHA-256 of each rep's manifest, by login.",
        ),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("error_help", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('queued', 'running', 'done', 'failed')", name=op.f("ck_night_part_state")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_night_part_plan_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["night_run.id"], name=op.f("fk_night_part_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_night_part")),
    )
    op.create_index(op.f("ix_night_part_run_id"), "night_part", ["run_id"], unique=False)


def columns() -> None:
    """What plans, stops, visits and reps know besides."""
    op.add_column(
        "plan",
        sa.Column(
            "other_rep_ids",
            postgresql.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Planned elsewhere in the same night; theirs is left to them.",
        ),
    )
    op.add_column(
        "plan",
        sa.Column(
            "stretch",
            sa.Double(),
            server_default=sa.text("1"),
            nullable=False,
            comment="All call intervals were lengthened by this factor: more work than time.",
        ),
    )
    op.add_column(
        "rep_profile",
        sa.Column(
            "overtime_s",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How long after the shift's end at most.",
        ),
    )
    op.add_column(
        "rep_profile",
        sa.Column(
            "overtime_cost",
            sa.SmallInteger(),
            server_default=sa.text("2"),
            nullable=False,
            comment="What a second of it costs, in seconds of driving.",
        ),
    )
    op.add_column(
        "rep_profile",
        sa.Column("end_name", sa.String(), nullable=True, comment="Where the day ends, when not where it starts."),
    )
    op.add_column(
        "rep_profile",
        sa.Column(
            "end_point",
            Geometry("POINT", srid=4326, spatial_index=False),
            nullable=True,
            comment="Null: where the day starts.",
        ),
    )
    op.add_column(
        "rep_profile",
        sa.Column(
            "nights_a_week",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Hotel nights that the planner may use.",
        ),
    )
    op.add_column(
        "stop",
        sa.Column(
            "demand_ids",
            postgresql.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="The visit demands that it serves.",
        ),
    )
    op.add_column(
        "visit",
        sa.Column(
            "meeting_id",
            sa.Uuid(),
            nullable=True,
            comment="Shared by the visits of the reps who come to one appointment together.",
        ),
    )
    op.create_index(op.f("ix_visit_meeting_id"), "visit", ["meeting_id"], unique=False)
