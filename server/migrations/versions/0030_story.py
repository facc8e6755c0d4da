"""Files, notifications, notes, hand-overs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

RECORDS = ("note", "handover")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "follow",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column(
            "wanted",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False: not told, even as the owner.",
        ),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_follow_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "entity", "row_id", name=op.f("pk_follow")),
    )
    op.create_index("ix_follow_row", "follow", ["entity", "row_id"], unique=False)
    op.create_table(
        "handover",
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False, comment="From this day on, in the company's zone."),
        sa.Column("note", sa.String(), nullable=False, comment="What the new owner should know."),
        sa.Column(
            "takes_visits",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The planned visits of the earlier owners go along.",
        ),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=True, comment="Why it could not be done on its day."),
        *record(),
        sa.CheckConstraint("state in ('waiting', 'done', 'undone')", name=op.f("ck_handover_state")),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_handover_by_id")),
        sa.ForeignKeyConstraint(["to_id"], ["app_user.id"], name=op.f("fk_handover_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_by_id"), "handover", ["by_id"], unique=False)
    op.create_index(op.f("ix_handover_to_id"), "handover", ["to_id"], unique=False)
    op.create_index(
        "ix_handover_waiting", "handover", ["day"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="See server.notifications.kinds.KINDS."),
        sa.Column(
            "sentence",
            sa.String(),
            nullable=False,
            comment="In English with {gaps}; a page says it in the reader's language.",
        ),
        sa.Column(
            "gaps",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="What fills them.",
        ),
        sa.Column("link", sa.String(), nullable=False, comment="Where it is read, a path of ours."),
        sa.Column("entity", sa.String(), nullable=False, comment="What it is about."),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True, comment="Who did it; null: Waymark."),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channel", sa.String(), nullable=False, comment="As the person wished when it happened."),
        sa.Column(
            "mailed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it went into a mail, or was found too old for one.",
        ),
        sa.CheckConstraint("channel in ('app', 'mail', 'digest')", name=op.f("ck_notification_channel")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_notification_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index("ix_notification_row", "notification", ["entity", "row_id"], unique=False)
    op.create_index(
        "ix_notification_to_mail",
        "notification",
        ["user_id", "made_at"],
        unique=False,
        postgresql_where=sa.text("mailed_at is null and channel <> 'app'"),
    )
    op.create_index(
        "ix_notification_unread", "notification", ["user_id"], unique=False, postgresql_where=sa.text("read_at is null")
    )
    op.create_index("ix_notification_user", "notification", ["user_id", "made_at", "id"], unique=False)
    op.create_table(
        "notification_hours",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True, comment="From here on no mail, in the person's zone."),
        sa.Column(
            "quiet_until", sa.Time(), nullable=True, comment="Until here; earlier than the beginning: over midnight."
        ),
        sa.Column("digest_at", sa.Time(), server_default=sa.text("'07:00'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_notification_hours_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_hours")),
    )
    op.create_table(
        "notification_wish",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.CheckConstraint("channel in ('app', 'mail', 'digest', 'off')", name=op.f("ck_notification_wish_channel")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_notification_wish_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_wish")),
    )
    op.create_table(
        "stored_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False, comment="As it was called where it came from, without folders."),
        sa.Column(
            "media_type", sa.String(), nullable=False, comment="Read from the content, not from what the sender said."
        ),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True, comment="Pixels of a picture, as it is looked at."),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column(
            "thumbnail_sha256",
            sa.String(),
            nullable=True,
            comment="A small picture of it in the store; null until a job has drawn it.",
        ),
        sa.Column("made_by", sa.Uuid(), nullable=True, comment="Null: it came by mail."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_stored_file_sha256")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_stored_file_size")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_stored_file_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
    )
    op.create_index(op.f("ix_stored_file_created_at"), "stored_file", ["created_at"], unique=False)
    op.create_index(op.f("ix_stored_file_sha256"), "stored_file", ["sha256"], unique=False)
    op.create_index(op.f("ix_stored_file_thumbnail_sha256"), "stored_file", ["thumbnail_sha256"], unique=False)
    op.create_table(
        "file_use",
        sa.Column("entity", sa.String(), nullable=False, comment="Table of the row, e.g. `note`."),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_file_use_file_id")),
        sa.PrimaryKeyConstraint("entity", "row_id", "file_id", name=op.f("pk_file_use")),
    )
    op.create_index("ix_file_use_file_id", "file_use", ["file_id"], unique=False)
    op.create_table(
        "handover_account",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=True),
        sa.Column(
            "visit_ids",
            sa.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Planned visits that went along, for taking it back.",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_handover_account_account_id")),
        sa.ForeignKeyConstraint(["from_id"], ["app_user.id"], name=op.f("fk_handover_account_from_id")),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handover.id"], name=op.f("fk_handover_account_handover_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("handover_id", "account_id", name=op.f("pk_handover_account")),
    )
    op.create_index(op.f("ix_handover_account_account_id"), "handover_account", ["account_id"], unique=False)
    op.create_index(op.f("ix_handover_account_from_id"), "handover_account", ["from_id"], unique=False)
    op.create_table(
        "note",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True, comment="The person it is about."),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column(
            "mentions",
            sa.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="People whom the text names with @.",
        ),
        sa.Column(
            "is_pinned",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Stands above the timeline.",
        ),
        sa.Column(
            "is_shareable",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The customer may read it.",
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *record(),
        sa.CheckConstraint("length(text) between 1 and 20000", name=op.f("ck_note_text")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_note_account_id")),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_note_author_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_note_site_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_note_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_account", "note", ["account_id", "written_at", "id"], unique=False)
    op.create_index(op.f("ix_note_author_id"), "note", ["author_id"], unique=False)
    op.create_index(op.f("ix_note_contact_id"), "note", ["contact_id"], unique=False)
    op.create_index(
        "ix_note_deleted", "note", ["deleted_at"], unique=False, postgresql_where=sa.text("deleted_at is not null")
    )
    op.create_index(
        "ix_note_pinned",
        "note",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("is_pinned and deleted_at is null"),
    )
    op.create_index(op.f("ix_note_site_id"), "note", ["site_id"], unique=False)
    op.create_index(op.f("ix_note_visit_id"), "note", ["visit_id"], unique=False)
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
