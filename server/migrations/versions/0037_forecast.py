"""Exchange rates, quotas, calls and snapshots of the forecast."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    money()
    calls()
    snapshots()
    for name in ("exchange_rate", "quota"):
        op.execute(f"select records_attach('{name}')")


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


def money() -> None:
    """Rates and quotas."""
    op.create_table(
        "exchange_rate",
        sa.Column("currency", sa.String(), nullable=False, comment="ISO 4217."),
        sa.Column("day", sa.Date(), nullable=False, comment="From this day on, until the next rate."),
        sa.Column(
            "rate", sa.Numeric(precision=18, scale=8), nullable=False, comment="One unit in the company's currency."
        ),
        *record(),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_exchange_rate_currency")),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rate_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rate")),
    )
    op.create_index("uq_exchange_rate", "exchange_rate", ["currency", "day"], unique=True)
    op.create_table(
        "quota",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("quarter", sa.Date(), nullable=False, comment="The quarter's first day."),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        *record(),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_quota_amount")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_quota_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota")),
    )
    op.create_index("uq_quota", "quota", ["user_id", "quarter"], unique=True)


def calls() -> None:
    """What people call."""
    op.create_table(
        "forecast_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose sales."),
        sa.Column("caller_id", sa.Uuid(), nullable=False, comment="Who says so: themselves or a manager."),
        sa.Column("span", sa.String(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False, comment="The period's first day."),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False, comment="In the company's currency."),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("span in ('month', 'quarter')", name=op.f("ck_forecast_call_span")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_forecast_call_amount")),
        sa.ForeignKeyConstraint(["caller_id"], ["app_user.id"], name=op.f("fk_forecast_call_caller_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_forecast_call_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_call")),
    )
    op.create_index("ix_forecast_call", "forecast_call", ["user_id", "span", "period", "at"], unique=False)


def snapshots() -> None:
    """What each night looked like."""
    op.create_table(
        "forecast_night",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_forecast_night")),
    )
    op.create_table(
        "forecast_snapshot",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("probability", sa.Numeric(precision=4, scale=3), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("close_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["day"], ["forecast_night.day"], name=op.f("fk_forecast_snapshot_day"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"], ["opportunity.id"], name=op.f("fk_forecast_snapshot_opportunity_id")
        ),
        sa.PrimaryKeyConstraint("day", "opportunity_id", name=op.f("pk_forecast_snapshot")),
    )
    op.create_index(op.f("ix_forecast_snapshot_opportunity_id"), "forecast_snapshot", ["opportunity_id"], unique=False)
