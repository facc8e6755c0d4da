"""Tables of tickets, their conversation, their queues and their clock."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.auth import veil
from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record

TICKET_TEXT = "search_words(subject, number::text, requester_email, requester_name)"
"""What a search looks through; the trigram index holds exactly this expression."""


class TicketState(StrEnum):
    """Whose turn it is."""

    NEW = "new"
    """Nobody has taken it up."""
    OPEN = "open"
    """Somebody is at it."""
    WAITING_CUSTOMER = "waiting_customer"
    """The customer has to answer; the clock stands still."""
    WAITING_US = "waiting_us"
    """The customer has answered."""
    SOLVED = "solved"
    CLOSED = "closed"
    """Solved, and too long ago to be opened again."""


UNSOLVED = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING_CUSTOMER, TicketState.WAITING_US)
RUNNING = (TicketState.NEW, TicketState.OPEN, TicketState.WAITING_US)
"""States in which the clock runs."""


class Priority(StrEnum):
    """How much it presses, from little to most."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Source(StrEnum):
    """By which door it came."""

    FORM = "form"
    MAIL = "mail"
    PHONE_APP = "phone_app"
    API = "api"
    WEB = "web"
    IMPORT = "import"


class Assignment(StrEnum):
    """Who gets a new ticket of a queue."""

    HAND = "hand"
    """Nobody; somebody takes it."""
    OWNER = "owner"
    """The account's owner."""
    TERRITORY = "territory"
    """Who works the account's territory."""
    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"


class Queue(Record, Base):
    """Where tickets of one kind wait: its hours, its targets, its people, its addresses."""

    __tablename__ = "ticket_queue"

    name: Mapped[str]
    form_key: Mapped[str] = mapped_column(comment="In the address of its public form: /help/<key>.")
    form_is_open: Mapped[bool] = mapped_column(server_default=text("false"))
    form_intro: Mapped[str | None] = mapped_column(comment="Read above the form.")
    mail_address: Mapped[str | None] = mapped_column(comment="Lower case; answers ask to be answered there.")
    signature: Mapped[str | None] = mapped_column(comment="Below every answer.")
    confirms: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="Tells who asked, once, that it has come in."
    )
    asks_rating: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Asks whether the customer is content when it is solved."
    )
    priority: Mapped[str] = mapped_column(server_default=Priority.NORMAL.value, comment="Of a new ticket.")
    hours: Mapped[str] = mapped_column(comment="OpenStreetMap syntax; the clock runs within them.")
    zone: Mapped[str] = mapped_column(comment="IANA time zone of the hours.")
    country: Mapped[str | None] = mapped_column(comment="Whose holidays are kept; null: the company's.")
    targets: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="By priority: minutes of working time to `answer` and to `solve`; null: no target."
    )
    reopen_days: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("14"), comment="So long an answer opens a solved ticket again."
    )
    assignment: Mapped[str] = mapped_column(server_default=Assignment.HAND.value)
    agent_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=text("'{}'"), comment="Who works the queue."
    )
    last_agent_id: Mapped[UUID | None] = mapped_column(comment="Who got the latest one by turns.")

    __table_args__ = (
        CheckConstraint("priority in ('low', 'normal', 'high', 'urgent')", name="priority"),
        CheckConstraint(
            "assignment in ('hand', 'owner', 'territory', 'round_robin', 'least_loaded')", name="assignment"
        ),
        CheckConstraint("reopen_days between 0 and 365", name="reopen_days"),
        Index("uq_ticket_queue_form_key", "form_key", unique=True, postgresql_where=text("deleted_at is null")),
        Index("uq_ticket_queue_mail", "mail_address", unique=True, postgresql_where=text("deleted_at is null")),
    )


class TicketCounter(Base):
    """The last number given; its row is locked until the ticket is stored, so that no number is left out."""

    __tablename__ = "ticket_counter"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, server_default=text("1"))
    last: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="one"),)


class Ticket(Record, Base):
    """Something that a customer asks for or complains about."""

    __tablename__ = "ticket"

    number: Mapped[int] = mapped_column(BigInteger, unique=True, comment="In the subject of mails: [#1042].")
    key: Mapped[str | None] = mapped_column(unique=True, comment="Who sends the same key again gets the same ticket.")
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("ticket_queue.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    contact_id: Mapped[UUID | None] = mapped_column(index=True)
    requester_name: Mapped[str | None]
    requester_email: Mapped[str | None] = mapped_column(index=True, comment="Lower case.")
    requester_phone: Mapped[str | None]
    subject: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=TicketState.NEW.value)
    priority: Mapped[str] = mapped_column(server_default=Priority.NORMAL.value)
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    custom: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    source: Mapped[str]
    from_address: Mapped[str | None] = mapped_column(comment="Network address that sent the form; cleared after a day.")
    language: Mapped[str | None]
    merged_into: Mapped[UUID | None] = mapped_column(
        ForeignKey("ticket.id"), index=True, comment="The ticket that lives on after a merge."
    )
    follows_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ticket.id"), index=True, comment="The closed ticket that this one goes on with."
    )
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When the customer first heard from a person."
    )
    solved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    clock_since: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Since when the clock runs; null while it stands still."
    )
    used_s: Mapped[int] = mapped_column(server_default=text("0"), comment="Working time before that, in seconds.")
    answer_due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    solve_due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer_warn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), comment="When the answer presses.")
    solve_warn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answered_in_s: Mapped[int | None] = mapped_column(comment="Working time until the first answer.")
    solved_in_s: Mapped[int | None] = mapped_column(comment="Working time until it was solved.")
    rating: Mapped[int | None] = mapped_column(SmallInteger, comment="1: content, 0: not.")
    rating_note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state in ('new', 'open', 'waiting_customer', 'waiting_us', 'solved', 'closed')", name="state"),
        CheckConstraint("priority in ('low', 'normal', 'high', 'urgent')", name="priority"),
        CheckConstraint("merged_into <> id", name="merged_elsewhere"),
        CheckConstraint("rating in (0, 1)", name="rating"),
        Index("ix_ticket_account", "account_id", "opened_at"),
        Index(
            "ix_ticket_unsolved",
            "queue_id",
            "solve_due_at",
            "id",
            postgresql_where=text(
                "state in ('new', 'open', 'waiting_customer', 'waiting_us')"
                " and merged_into is null and deleted_at is null"
            ),
        ),
        Index("ix_ticket_opened", "opened_at", "id"),
        Index("ix_ticket_deleted", "deleted_at", postgresql_where=text("deleted_at is not null")),
        Index(
            "ix_ticket_search",
            literal_column(TICKET_TEXT).label("search"),
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
    )


veil.over_rows(Ticket, "ticket")


class TicketLink(Base):
    """Two tickets that have to do with each other."""

    __tablename__ = "ticket_link"

    one_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True, index=True)

    __table_args__ = (CheckConstraint("one_id < other_id", name="ordered"),)


class MessageKind(StrEnum):
    """Who speaks to whom."""

    INCOMING = "incoming"
    """The customer to us."""
    OUTGOING = "outgoing"
    """We to the customer."""
    INTERNAL = "internal"
    """Among ourselves; never handed out."""
    SYSTEM = "system"
    """What happened to the ticket."""


class TicketMessage(Base):
    """One entry of the conversation; only ever appended."""

    __tablename__ = "ticket_message"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    kind: Mapped[str]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    author_name: Mapped[str | None] = mapped_column(comment="Of somebody who is no user.")
    body: Mapped[str]
    quoted: Mapped[str | None] = mapped_column(comment="What the mail repeated of earlier ones.")
    values: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Of a system message: what fills the gaps of its words."
    )
    key: Mapped[str | None] = mapped_column(unique=True, comment="The same key is the same message: it is added once.")
    mail_ref: Mapped[str | None] = mapped_column(
        unique=True, comment="Message-ID of the mail that it came by, without angle brackets."
    )
    mail_id: Mapped[UUID | None] = mapped_column(ForeignKey("mail_message.id"), unique=True, comment="It left as that.")
    is_automatic: Mapped[bool] = mapped_column(server_default=text("false"), comment="A machine wrote it.")

    __table_args__ = (
        CheckConstraint("kind in ('incoming', 'outgoing', 'internal', 'system')", name="kind"),
        Index("ix_ticket_message_ticket", "ticket_id", "at", "id"),
    )


veil.over_rows(TicketMessage, "ticket")


class TicketFile(Base):
    """A file that belongs to a message."""

    __tablename__ = "ticket_file"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("ticket_message.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class ClockKind(StrEnum):
    """What is due."""

    ANSWER = "answer"
    SOLVE = "solve"


class ClockEvent(Base):
    """A target that is near, or was missed; each once for a ticket, and only ever appended."""

    __tablename__ = "ticket_clock_event"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str] = mapped_column(comment="`answer` or `solve`.")
    event: Mapped[str] = mapped_column(comment="`warning` or `breach`.")
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("ticket_queue.id"), comment="The ticket's queue at that time.")
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    late_s: Mapped[int] = mapped_column(comment="Working time past the due moment when it was found.")

    __table_args__ = (
        CheckConstraint("kind in ('answer', 'solve')", name="kind"),
        CheckConstraint("event in ('warning', 'breach')", name="event"),
        Index("uq_ticket_clock_event", "ticket_id", "kind", "event", unique=True),
        Index("ix_ticket_clock_event_due", "event", "due_at"),
    )


class CannedAnswer(Record, Base):
    """An answer to take ready-made; with a state and tags it does several things at once."""

    __tablename__ = "ticket_answer"

    queue_id: Mapped[UUID | None] = mapped_column(ForeignKey("ticket_queue.id"), index=True, comment="Null: all.")
    language: Mapped[str | None] = mapped_column(comment="Null: any.")
    title: Mapped[str]
    body: Mapped[str] = mapped_column(comment="With gaps such as {name} and {number}.")
    state_after: Mapped[str | None] = mapped_column(comment="State that the ticket takes with it.")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"), comment="Added to the ticket's.")
