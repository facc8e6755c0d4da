"""Tickets, their conversation, queues and clock; mails that stand in a conversation."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

RECORDS = ("ticket_queue", "ticket", "ticket_answer")
APPEND_ONLY = ("ticket_message", "ticket_clock_event")

ONLY_APPENDED = """
create function only_appended() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_nargs > 0 and (to_jsonb(new) - tg_argv[0]) = (to_jsonb(old) - tg_argv[0]) then
        return new;
    end if;
    raise exception 'rows of % are only ever appended', tg_table_name;
end $$
"""


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "ticket_counter",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ticket_counter_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_counter")),
    )
    op.create_table(
        "ticket_queue",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False, comment="In the address of its public form: /help/<key>."),
        sa.Column("form_is_open", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("form_intro", sa.String(), nullable=True, comment="Read above the form."),
        sa.Column("mail_address", sa.String(), nullable=True, comment="Lower case; answers ask to be answered there."),
        sa.Column("signature", sa.String(), nullable=True, comment="Below every answer."),
        sa.Column(
            "confirms",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Tells who asked, once, that it has come in.",
        ),
        sa.Column(
            "asks_rating",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Asks whether the customer is content when it is solved.",
        ),
        sa.Column("priority", sa.String(), server_default="normal", nullable=False, comment="Of a new ticket."),
        sa.Column("hours", sa.String(), nullable=False, comment="OpenStreetMap syntax; the clock runs within them."),
        sa.Column("zone", sa.String(), nullable=False, comment="IANA time zone of the hours."),
        sa.Column("country", sa.String(), nullable=True, comment="Whose holidays are kept; null: the company's."),
        sa.Column(
            "targets",
            postgresql.JSONB(),
            nullable=False,
            comment="By priority: minutes of working time to `answer` and to `solve`; null: no target.",
        ),
        sa.Column(
            "reopen_days",
            sa.SmallInteger(),
            server_default=sa.text("14"),
            nullable=False,
            comment="So long an answer opens a solved ticket again.",
        ),
        sa.Column("assignment", sa.String(), server_default="hand", nullable=False),
        sa.Column(
            "agent_ids",
            postgresql.ARRAY(sa.Uuid()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Who works the queue.",
        ),
        sa.Column("last_agent_id", sa.Uuid(), nullable=True, comment="Who got the latest one by turns."),
        *record(),
        sa.CheckConstraint(
            "assignment in ('hand', 'owner', 'territory', 'round_robin', 'least_loaded')",
            name=op.f("ck_ticket_queue_assignment"),
        ),
        sa.CheckConstraint("priority in ('low', 'normal', 'high', 'urgent')", name=op.f("ck_ticket_queue_priority")),
        sa.CheckConstraint("reopen_days between 0 and 365", name=op.f("ck_ticket_queue_reopen_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_queue")),
    )
    op.create_index(
        "uq_ticket_queue_form_key",
        "ticket_queue",
        ["form_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "uq_ticket_queue_mail",
        "ticket_queue",
        ["mail_address"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "ticket_answer",
        sa.Column("queue_id", sa.Uuid(), nullable=True, comment="Null: all."),
        sa.Column("language", sa.String(), nullable=True, comment="Null: any."),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False, comment="With gaps such as {name} and {number}."),
        sa.Column("state_after", sa.String(), nullable=True, comment="State that the ticket takes with it."),
        sa.Column(
            "tags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Added to the ticket's.",
        ),
        *record(),
        sa.ForeignKeyConstraint(["queue_id"], ["ticket_queue.id"], name=op.f("fk_ticket_answer_queue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_answer")),
    )
    op.create_index(op.f("ix_ticket_answer_queue_id"), "ticket_answer", ["queue_id"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("number", sa.BigInteger(), nullable=False, comment="In the subject of mails: [#1042]."),
        sa.Column("key", sa.String(), nullable=True, comment="Who sends the same key again gets the same ticket."),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("requester_name", sa.String(), nullable=True),
        sa.Column("requester_email", sa.String(), nullable=True, comment="Lower case."),
        sa.Column("requester_phone", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="new", nullable=False),
        sa.Column("priority", sa.String(), server_default="normal", nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column(
            "from_address",
            sa.String(),
            nullable=True,
            comment="Network address that sent the form; cleared after a day.",
        ),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True, comment="The ticket that lives on after a merge."),
        sa.Column("follows_id", sa.Uuid(), nullable=True, comment="The closed ticket that this one goes on with."),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answered_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the customer first heard from a person.",
        ),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "clock_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when the clock runs; null while it stands still.",
        ),
        sa.Column(
            "used_s",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Working time before that, in seconds.",
        ),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("solve_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_warn_at", sa.DateTime(timezone=True), nullable=True, comment="When the answer presses."),
        sa.Column("solve_warn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_in_s", sa.Integer(), nullable=True, comment="Working time until the first answer."),
        sa.Column("solved_in_s", sa.Integer(), nullable=True, comment="Working time until it was solved."),
        sa.Column("rating", sa.SmallInteger(), nullable=True, comment="1: content, 0: not."),
        sa.Column("rating_note", sa.String(), nullable=True),
        *record(),
        sa.CheckConstraint("priority in ('low', 'normal', 'high', 'urgent')", name=op.f("ck_ticket_priority")),
        sa.CheckConstraint(
            "state in ('new', 'open', 'waiting_customer', 'waiting_us', 'solved', 'closed')",
            name=op.f("ck_ticket_state"),
        ),
        sa.CheckConstraint("merged_into <> id", name=op.f("ck_ticket_merged_elsewhere")),
        sa.CheckConstraint("rating in (0, 1)", name=op.f("ck_ticket_rating")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_ticket_account_id")),
        sa.ForeignKeyConstraint(["assignee_id"], ["app_user.id"], name=op.f("fk_ticket_assignee_id")),
        sa.ForeignKeyConstraint(["follows_id"], ["ticket.id"], name=op.f("fk_ticket_follows_id")),
        sa.ForeignKeyConstraint(["merged_into"], ["ticket.id"], name=op.f("fk_ticket_merged_into")),
        sa.ForeignKeyConstraint(["queue_id"], ["ticket_queue.id"], name=op.f("fk_ticket_queue_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_ticket_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("key", name=op.f("uq_ticket_key")),
        sa.UniqueConstraint("number", name=op.f("uq_ticket_number")),
    )
    op.create_index("ix_ticket_account", "ticket", ["account_id", "opened_at"], unique=False)
    op.create_index(op.f("ix_ticket_assignee_id"), "ticket", ["assignee_id"], unique=False)
    op.create_index(op.f("ix_ticket_contact_id"), "ticket", ["contact_id"], unique=False)
    op.create_index(op.f("ix_ticket_follows_id"), "ticket", ["follows_id"], unique=False)
    op.create_index(op.f("ix_ticket_merged_into"), "ticket", ["merged_into"], unique=False)
    op.create_index("ix_ticket_opened", "ticket", ["opened_at", "id"], unique=False)
    op.create_index(op.f("ix_ticket_queue_id"), "ticket", ["queue_id"], unique=False)
    op.create_index(op.f("ix_ticket_requester_email"), "ticket", ["requester_email"], unique=False)
    op.create_index(
        "ix_ticket_search",
        "ticket",
        [sa.literal_column("search_words(subject, number::text, requester_email, requester_name)").label("search")],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_ticket_site_id"), "ticket", ["site_id"], unique=False)
    op.create_index(
        "ix_ticket_unsolved",
        "ticket",
        ["queue_id", "solve_due_at", "id"],
        unique=False,
        postgresql_where=sa.text(
            "state in ('new', 'open', 'waiting_customer', 'waiting_us') and merged_into is null and deleted_at is null"
        ),
    )
    op.create_table(
        "ticket_clock_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="`answer` or `solve`."),
        sa.Column("event", sa.String(), nullable=False, comment="`warning` or `breach`."),
        sa.Column("queue_id", sa.Uuid(), nullable=False, comment="The ticket's queue at that time."),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "late_s", sa.Integer(), nullable=False, comment="Working time past the due moment when it was found."
        ),
        sa.CheckConstraint("event in ('warning', 'breach')", name=op.f("ck_ticket_clock_event_event")),
        sa.CheckConstraint("kind in ('answer', 'solve')", name=op.f("ck_ticket_clock_event_kind")),
        sa.ForeignKeyConstraint(["queue_id"], ["ticket_queue.id"], name=op.f("fk_ticket_clock_event_queue_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_clock_event_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_clock_event")),
    )
    op.create_index("ix_ticket_clock_event_due", "ticket_clock_event", ["event", "due_at"], unique=False)
    op.create_index("uq_ticket_clock_event", "ticket_clock_event", ["ticket_id", "kind", "event"], unique=True)
    op.create_table(
        "ticket_link",
        sa.Column("one_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("one_id < other_id", name=op.f("ck_ticket_link_ordered")),
        sa.ForeignKeyConstraint(["one_id"], ["ticket.id"], name=op.f("fk_ticket_link_one_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name=op.f("fk_ticket_link_other_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("one_id", "other_id", name=op.f("pk_ticket_link")),
    )
    op.create_index(op.f("ix_ticket_link_other_id"), "ticket_link", ["other_id"], unique=False)
    op.create_table(
        "ticket_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.String(), nullable=True, comment="Of somebody who is no user."),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("quoted", sa.String(), nullable=True, comment="What the mail repeated of earlier ones."),
        sa.Column(
            "values",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Of a system message: what fills the gaps of its words.",
        ),
        sa.Column("key", sa.String(), nullable=True, comment="The same key is the same message: it is added once."),
        sa.Column(
            "mail_ref",
            sa.String(),
            nullable=True,
            comment="Message-ID of the mail that it came by, without angle brackets.",
        ),
        sa.Column("mail_id", sa.Uuid(), nullable=True, comment="It left as that."),
        sa.Column(
            "is_automatic", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="A machine wrote it."
        ),
        sa.CheckConstraint(
            "kind in ('incoming', 'outgoing', 'internal', 'system')", name=op.f("ck_ticket_message_kind")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_ticket_message_author_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail_message.id"], name=op.f("fk_ticket_message_mail_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_message_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_message")),
        sa.UniqueConstraint("key", name=op.f("uq_ticket_message_key")),
        sa.UniqueConstraint("mail_id", name=op.f("uq_ticket_message_mail_id")),
        sa.UniqueConstraint("mail_ref", name=op.f("uq_ticket_message_mail_ref")),
    )
    op.create_index("ix_ticket_message_ticket", "ticket_message", ["ticket_id", "at", "id"], unique=False)
    op.create_table(
        "ticket_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["ticket_message.id"], name=op.f("fk_ticket_file_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_file")),
    )
    op.create_index(op.f("ix_ticket_file_message_id"), "ticket_file", ["message_id"], unique=False)
    for table in RECORDS:
        op.execute(f"select records_attach('{table}')")
    op.execute(ONLY_APPENDED)
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger only_appended before update or delete on {table}"
            " for each row execute function only_appended('mail_id')"
        )


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
