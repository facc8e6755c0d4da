"""Public holidays, closed sites, absent reps."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020a"
down_revision = "0020"
branch_labels = None
depends_on = None

RECORDS = ("holiday_calendar", "company_day", "site_closure", "rep_absence")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "company_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "is_working",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="At work although it is a holiday.",
        ),
        *record(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_day")),
    )
    op.create_index(
        "uq_company_day", "company_day", ["day"], unique=True, postgresql_where=sa.text("deleted_at is null")
    )
    op.create_table(
        "holiday_calendar",
        sa.Column("country", sa.String(), nullable=False, comment="ISO 3166-1, two letters."),
        sa.Column(
            "part",
            sa.String(),
            server_default="",
            nullable=False,
            comment="Part of the country, as ISO 3166-2 without country.",
        ),
        sa.Column(
            "is_main",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Of reps who have no other one.",
        ),
        *record(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday_calendar")),
    )
    op.create_index(
        "uq_holiday_calendar_main",
        "holiday_calendar",
        ["is_main"],
        unique=True,
        postgresql_where=sa.text("is_main and deleted_at is null"),
    )
    op.create_index(
        "uq_holiday_calendar_place",
        "holiday_calendar",
        ["country", "part"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "rep_absence",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        *record(),
        sa.CheckConstraint("kind in ('vacation', 'sick', 'training', 'other')", name=op.f("ck_rep_absence_kind")),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_rep_absence_days")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_rep_absence_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rep_absence")),
    )
    op.create_index("ix_rep_absence_last_day", "rep_absence", ["last_day"], unique=False)
    op.create_index(op.f("ix_rep_absence_user_id"), "rep_absence", ["user_id"], unique=False)
    op.create_table(
        "rep_calendar",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["holiday_calendar.id"], name=op.f("fk_rep_calendar_calendar_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_rep_calendar_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_rep_calendar")),
    )
    op.create_index(op.f("ix_rep_calendar_calendar_id"), "rep_calendar", ["calendar_id"], unique=False)
    op.create_table(
        "site_closure",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        *record(),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_site_closure_days")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_closure_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_closure")),
    )
    op.create_index("ix_site_closure_last_day", "site_closure", ["last_day"], unique=False)
    op.create_index(op.f("ix_site_closure_site_id"), "site_closure", ["site_id"], unique=False)
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
