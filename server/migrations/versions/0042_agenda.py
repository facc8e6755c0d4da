"""Calls, meetings, tasks and mails; reminders; calendar feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False, comment="SHA-256 of the secret, which is shown once."),
        sa.Column("contents", postgresql.ARRAY(sa.Text()), nullable=False, comment="Of visit, meeting, call, task."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_calendar_feed_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_feed_digest")),
    )
    op.create_index(op.f("ix_calendar_feed_user_id"), "calendar_feed", ["user_id"], unique=False)
    op.create_table(
        "activity",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True, comment="Null: only its owner's."),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column(
            "contact_id", sa.Uuid(), nullable=True, comment="No key, as the three below: their rooms come and go."
        ),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("participant_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "is_all_day",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="From midnight to midnight in zone.",
        ),
        sa.Column(
            "zone",
            sa.String(),
            nullable=False,
            comment="IANA time zone in which it was agreed; repeats follow its clocks.",
        ),
        sa.Column("due_on", sa.Date(), nullable=True, comment="The day, in zone, by which a task is to be done."),
        sa.Column("effort_s", sa.Integer(), nullable=True, comment="How long a task takes."),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Where it stands in lists: start, else due day, else when it was made.",
        ),
        sa.Column("place", sa.String(), nullable=True, comment="An address or a link, when it is not the site."),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("priority", sa.String(), server_default="normal", nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("direction", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("follows_id", sa.Uuid(), nullable=True, comment="What it is the next step of."),
        sa.Column("rrule", sa.String(), nullable=True, comment="How it repeats, as RFC 5545 says it."),
        sa.Column(
            "exdates",
            postgresql.ARRAY(sa.DateTime(timezone=True)),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Repeats that do not take place.",
        ),
        sa.Column(
            "repeats_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="End of its last repeat; null: never, or none.",
        ),
        sa.Column("series_id", sa.Uuid(), nullable=True, comment="Set for one repeat that was changed by itself."),
        sa.Column(
            "replaces_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Which repeat of the series it stands for: its start as the rule has it.",
        ),
        sa.Column("reminder_min", sa.Integer(), nullable=True, comment="Minutes before, when its people are reminded."),
        sa.Column(
            "is_private", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Others see “busy”."
        ),
        sa.Column("uid", sa.String(), nullable=True, comment="As a foreign calendar calls it; null: from the id."),
        sa.Column("message_id", sa.String(), nullable=True, comment="Of a mail, without brackets."),
        sa.Column("thread_id", sa.String(), nullable=True, comment="Message id of the first mail of the conversation."),
        sa.Column("sender", sa.String(), nullable=True, comment="Of a mail."),
        sa.Column(
            "recipients",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Of a mail.",
        ),
        sa.Column("outgoing_id", sa.Uuid(), nullable=True, comment="The mail in the outbox."),
        sa.Column("received_id", sa.Uuid(), nullable=True, comment="The mail as it came in."),
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
        sa.CheckConstraint("kind in ('call', 'meeting', 'task', 'mail')", name=op.f("ck_activity_kind")),
        sa.CheckConstraint("state in ('open', 'done', 'cancelled')", name=op.f("ck_activity_state")),
        sa.CheckConstraint("(series_id is null) = (replaces_at is null)", name=op.f("ck_activity_repeat")),
        sa.CheckConstraint("ends_at is null or ends_at >= starts_at", name=op.f("ck_activity_times")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_activity_account_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_activity_owner_id")),
        sa.ForeignKeyConstraint(["series_id"], ["activity.id"], name=op.f("fk_activity_series_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_activity_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    op.create_index("ix_activity_account", "activity", ["account_id", "at", "id"], unique=False)
    op.create_index(
        "ix_activity_message",
        "activity",
        ["message_id"],
        unique=False,
        postgresql_where=sa.text("message_id is not null"),
    )
    op.create_index(
        "ix_activity_open_tasks",
        "activity",
        ["owner_id", "at"],
        unique=False,
        postgresql_where=sa.text("kind = 'task' and state = 'open' and deleted_at is null"),
    )
    op.create_index("ix_activity_owner", "activity", ["owner_id", "at", "id"], unique=False)
    op.create_index("ix_activity_participants", "activity", ["participant_ids"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_activity_reminder",
        "activity",
        ["at"],
        unique=False,
        postgresql_where=sa.text("reminder_min is not null and state = 'open'"),
    )
    op.create_index(
        "ix_activity_repeating",
        "activity",
        ["owner_id"],
        unique=False,
        postgresql_where=sa.text("rrule is not null and deleted_at is null"),
    )
    op.create_index(
        "ix_activity_site", "activity", ["site_id"], unique=False, postgresql_where=sa.text("site_id is not null")
    )
    op.create_index(
        "ix_activity_thread", "activity", ["thread_id"], unique=False, postgresql_where=sa.text("thread_id is not null")
    )
    op.create_index("ix_activity_uid", "activity", ["uid"], unique=False, postgresql_where=sa.text("uid is not null"))
    op.create_index("uq_activity_repeat", "activity", ["series_id", "replaces_at"], unique=True)
    op.create_table(
        "activity_reminder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False, comment="What it reminds of."),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name=op.f("fk_activity_reminder_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_activity_reminder_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_reminder")),
    )
    op.create_index(
        "ix_activity_reminder_unseen",
        "activity_reminder",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("seen_at is null"),
    )
    op.create_index("uq_activity_reminder", "activity_reminder", ["activity_id", "user_id", "starts_at"], unique=True)
    op.execute("select records_attach('activity')")
