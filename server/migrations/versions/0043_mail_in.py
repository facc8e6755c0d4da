"""Mail that comes in, letters that people write, the inbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "mail_template",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_template")),
    )
    op.create_index(
        "uq_mail_template_name", "mail_template", ["name"], unique=True, postgresql_where=sa.text("deleted_at is null")
    )
    op.create_table(
        "mailbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "purpose", sa.String(), nullable=False, comment="`sales`: to the accounts; `support`: becomes tickets."
        ),
        sa.Column(
            "address",
            sa.String(),
            nullable=False,
            comment="Where answers go; put in copy, it files what people send elsewhere.",
        ),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(), nullable=False, comment="`tls`, `starttls` or `none`."),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True, comment="Sealed; see server.kit.secrets."),
        sa.Column("folder", sa.String(), server_default=sa.text("'INBOX'"), nullable=False),
        sa.Column(
            "afterwards",
            sa.String(),
            nullable=False,
            comment="What is done with a mail that was taken: keep, seen or delete.",
        ),
        sa.Column("takes_old", sa.Boolean(), nullable=False, comment="Also what lies there when it is set up."),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "trouble",
            sa.String(),
            server_default=sa.text("''"),
            nullable=False,
            comment="What went wrong last; empty: nothing.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("afterwards in ('keep', 'seen', 'delete')", name=op.f("ck_mailbox_afterwards")),
        sa.CheckConstraint("purpose in ('sales', 'support')", name=op.f("ck_mailbox_purpose")),
        sa.CheckConstraint("security in ('tls', 'starttls', 'none')", name=op.f("ck_mailbox_security")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox")),
    )
    op.create_table(
        "mail_received",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("is_cut", sa.Boolean(), nullable=False, comment="Too large: only its head was taken."),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "marked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the mailbox was told that it was taken.",
        ),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_mail_received_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_received")),
        sa.UniqueConstraint("sha256", name=op.f("uq_mail_received_sha256")),
    )
    op.create_index("ix_mail_received_at", "mail_received", ["received_at"], unique=False)
    op.create_index(
        "ix_mail_received_unmarked",
        "mail_received",
        ["mailbox_id", "uid"],
        unique=False,
        postgresql_where=sa.text("marked_at is null"),
    )
    op.create_table(
        "mail_signature",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_mail_signature_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_signature")),
        sa.UniqueConstraint("user_id", name=op.f("uq_mail_signature_user_id")),
    )
    op.create_table(
        "inbox_sender",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True, comment="Null: ignored."),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_inbox_sender_account_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_inbox_sender_decided_by")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_inbox_sender")),
    )
    op.create_table(
        "inbox_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("fate", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False, comment="Why, as the page says it."),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("sender_name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True, comment="Null: a rule."),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint(
            "fate in ('filed', 'ticket', 'unassigned', 'held', 'ignored')", name=op.f("ck_inbox_mail_fate")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_inbox_mail_account_id")),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_inbox_mail_activity_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_inbox_mail_decided_by")),
        sa.ForeignKeyConstraint(["received_id"], ["mail_received.id"], name=op.f("fk_inbox_mail_received_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_mail")),
        sa.UniqueConstraint("received_id", name=op.f("uq_inbox_mail_received_id")),
    )
    op.create_index("ix_inbox_mail_message", "inbox_mail", ["message_id"], unique=False)
    op.create_index("ix_inbox_mail_sender", "inbox_mail", ["sender", "at"], unique=False)
    op.create_index(
        "ix_inbox_mail_waiting",
        "inbox_mail",
        ["at"],
        unique=False,
        postgresql_where=sa.text("fate in ('unassigned', 'held')"),
    )
    op.add_column(
        "mail_message",
        sa.Column("sender_name", sa.String(), nullable=True, comment="Who writes; null: the company's machine."),
    )
    op.add_column("mail_message", sa.Column("reply_to", sa.String(), nullable=True, comment="Where answers go."))
    op.add_column(
        "mail_message",
        sa.Column(
            "references",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Message ids that it answers, the nearest last.",
        ),
    )
    op.execute("select records_attach('mail_template')")
    op.execute("select records_attach('mail_signature')")
