"""What people decide about leads: forms, who gets which, what earns points; trained models."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

RECORDS = ("lead_form", "lead_points", "lead_rule")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "lead_form",
        sa.Column("key", sa.String(), nullable=False, comment="In its address; tells nothing."),
        sa.Column("name", sa.String(), nullable=False, comment="As the company calls it."),
        sa.Column("title", sa.String(), nullable=False, comment="Above the form."),
        sa.Column("fields", postgresql.JSONB(), nullable=False, comment="In order: name, and whether it is required."),
        sa.Column("consent_text", sa.String(), nullable=True, comment="Must be agreed to; null: nothing is asked."),
        sa.Column("thanks", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=True),
        sa.Column("language", sa.String(), server_default="en", nullable=False),
        sa.Column(
            "origins",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Pages that may show it, as https://example.com; empty: any.",
        ),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        *record(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_form")),
        sa.UniqueConstraint("key", name=op.f("uq_lead_form_key")),
    )
    op.create_table(
        "lead_model",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "trained_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("is_used", sa.Boolean(), nullable=False, comment="Better than guessing, and the latest."),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False, comment="Of the leads it was trained on."),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, comment="The latest decision among them."),
        sa.Column(
            "cut_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="For the quality: trained on decisions before it, tried on leads after it.",
        ),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("coefficients", postgresql.JSONB(), nullable=False, comment="See leads.learning.Model."),
        sa.Column("quality", postgresql.JSONB(), nullable=False, comment="See leads.learning.Quality."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_model")),
    )
    op.create_index("ix_lead_model_trained_at", "lead_model", ["trained_at"], unique=False)
    op.create_table(
        "lead_points",
        sa.Column("sentence", sa.String(), nullable=False, comment="Why, as reps read it."),
        sa.Column("condition", sa.String(), nullable=False, comment="In the filter language."),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        *record(),
        sa.CheckConstraint("points between -100 and 100", name=op.f("ck_lead_points_points")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_points")),
    )
    op.create_table(
        "lead_rule",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "condition",
            sa.String(),
            server_default="",
            nullable=False,
            comment="In the filter language; empty: every lead.",
        ),
        sa.Column("target", sa.String(), nullable=False, comment="covering, territory, team or person."),
        sa.Column("target_id", sa.Uuid(), nullable=True, comment="The territory, team or person."),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        *record(),
        sa.CheckConstraint("(target = 'covering') = (target_id is null)", name=op.f("ck_lead_rule_target_id")),
        sa.CheckConstraint("target in ('covering', 'territory', 'team', 'person')", name=op.f("ck_lead_rule_target")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_rule")),
    )
    op.create_table(
        "lead_policy",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "most_open", sa.Integer(), server_default=sa.text("30"), nullable=False, comment="Open leads of one rep."
        ),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("most_open between 1 and 10000", name=op.f("ck_lead_policy_most_open")),
        sa.CheckConstraint("one", name=op.f("ck_lead_policy_one")),
        sa.ForeignKeyConstraint(["changed_by"], ["app_user.id"], name=op.f("fk_lead_policy_changed_by")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_lead_policy")),
    )

    for table in RECORDS:
        op.execute(f"select records_attach('{table}')")


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
