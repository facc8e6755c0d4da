"""Calendars on other servers, kept the same."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "caldav_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False, comment="Of the calendar."),
        sa.Column("name", sa.String(), nullable=False, comment="As the server calls it."),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False, comment="Sealed; see server.kit.secrets."),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="What ended before stays where it is."),
        sa.Column("sync_token", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "trouble",
            sa.String(),
            server_default=sa.text("''"),
            nullable=False,
            comment="What went wrong last; empty: nothing.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_caldav_link_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caldav_link")),
        sa.UniqueConstraint("user_id", name=op.f("uq_caldav_link_user_id")),
    )
    op.create_table(
        "caldav_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=True, comment="Null: it stays on the server alone."),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=True, comment="Null: not confirmed by the server yet."),
        sa.Column("base", postgresql.JSONB(), nullable=True, comment="The document when both were the same."),
        sa.Column(
            "sent", postgresql.JSONB(), nullable=True, comment="What is on its way: the server may have it already."
        ),
        sa.Column(
            "note",
            sa.String(),
            server_default=sa.text("''"),
            nullable=False,
            comment="Why it is not kept the same; else empty.",
        ),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_caldav_item_activity_id")),
        sa.ForeignKeyConstraint(
            ["link_id"], ["caldav_link.id"], name=op.f("fk_caldav_item_link_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caldav_item")),
    )
    op.create_index(op.f("ix_caldav_item_activity_id"), "caldav_item", ["activity_id"], unique=False)
    op.create_index("uq_caldav_item_activity", "caldav_item", ["link_id", "activity_id"], unique=True)
    op.create_index("uq_caldav_item_href", "caldav_item", ["link_id", "href"], unique=True)
