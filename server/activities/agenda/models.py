"""Tables of calls, meetings, tasks and mails, and of the calendars that follow them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class Kind(StrEnum):
    """What somebody does."""

    CALL = "call"
    MEETING = "meeting"
    TASK = "task"
    MAIL = "mail"


class State(StrEnum):
    """Where it stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """How much it presses."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Result(StrEnum):
    """What came of a call or a meeting."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    MESSAGE_LEFT = "message_left"
    CALL_BACK = "call_back"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    HELD = "held"
    NO_SHOW = "no_show"


class Direction(StrEnum):
    """Who began it."""

    OUT = "out"
    IN = "in"


class Activity(Record, Base):
    """One call, meeting, task or mail."""

    __tablename__ = "activity"

    kind: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), comment="Null: only its owner's.")
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    contact_id: Mapped[UUID | None] = mapped_column(comment="No key, as the three below: their rooms come and go.")
    opportunity_id: Mapped[UUID | None]
    ticket_id: Mapped[UUID | None]
    lead_id: Mapped[UUID | None]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    participant_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=text("'{}'"))
    subject: Mapped[str]
    note: Mapped[str | None]
    starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_all_day: Mapped[bool] = mapped_column(server_default=text("false"), comment="From midnight to midnight in zone.")
    zone: Mapped[str] = mapped_column(comment="IANA time zone in which it was agreed; repeats follow its clocks.")
    due_on: Mapped[date | None] = mapped_column(comment="The day, in zone, by which a task is to be done.")
    effort_s: Mapped[int | None] = mapped_column(comment="How long a task takes.")
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), comment="Where it stands in lists: start, else due day, else when it was made."
    )
    place: Mapped[str | None] = mapped_column(comment="An address or a link, when it is not the site.")
    state: Mapped[str] = mapped_column(server_default=State.OPEN.value)
    priority: Mapped[str] = mapped_column(server_default=Priority.NORMAL.value)
    outcome: Mapped[str | None]
    flags: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="What is odd about it, as a phone took it down."
    )
    direction: Mapped[str | None]
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    follows_id: Mapped[UUID | None] = mapped_column(comment="What it is the next step of.")
    rrule: Mapped[str | None] = mapped_column(comment="How it repeats, as RFC 5545 says it.")
    exdates: Mapped[list[datetime]] = mapped_column(
        ARRAY(DateTime(timezone=True)), server_default=text("'{}'"), comment="Repeats that do not take place."
    )
    repeats_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="End of its last repeat; null: never, or none."
    )
    series_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("activity.id"), comment="Set for one repeat that was changed by itself."
    )
    replaces_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Which repeat of the series it stands for: its start as the rule has it."
    )
    reminder_min: Mapped[int | None] = mapped_column(comment="Minutes before, when its people are reminded.")
    is_private: Mapped[bool] = mapped_column(server_default=text("false"), comment="Others see “busy”.")
    reference: Mapped[str | None] = mapped_column(comment="What another system calls it; imports recognise it by that.")
    uid: Mapped[str | None] = mapped_column(comment="As a foreign calendar calls it; null: from the id.")
    message_id: Mapped[str | None] = mapped_column(comment="Of a mail, without brackets.")
    thread_id: Mapped[str | None] = mapped_column(comment="Message id of the first mail of the conversation.")
    sender: Mapped[str | None] = mapped_column(comment="Of a mail.")
    recipients: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"), comment="Of a mail.")
    outgoing_id: Mapped[UUID | None] = mapped_column(comment="The mail in the outbox.")
    received_id: Mapped[UUID | None] = mapped_column(comment="The mail as it came in.")

    __table_args__ = (
        CheckConstraint("kind in ('call', 'meeting', 'task', 'mail')", name="kind"),
        CheckConstraint("state in ('open', 'done', 'cancelled')", name="state"),
        CheckConstraint("ends_at is null or ends_at >= starts_at", name="times"),
        CheckConstraint("starts_at is null or ends_at is not null", name="ends"),
        CheckConstraint("(series_id is null) = (replaces_at is null)", name="repeat"),
        Index("ix_activity_account", "account_id", "at", "id"),
        Index("ix_activity_owner", "owner_id", "at", "id"),
        Index("ix_activity_participants", "participant_ids", postgresql_using="gin"),
        Index(
            "ix_activity_open_tasks",
            "owner_id",
            "at",
            postgresql_where=text("kind = 'task' and state = 'open' and deleted_at is null"),
        ),
        Index("ix_activity_repeating", "owner_id", postgresql_where=text("rrule is not null and deleted_at is null")),
        Index("uq_activity_repeat", "series_id", "replaces_at", unique=True),
        Index("ix_activity_uid", "uid", postgresql_where=text("uid is not null")),
        Index("uq_activity_reference", "reference", unique=True, postgresql_where=text("deleted_at is null")),
        Index("ix_activity_message", "message_id", postgresql_where=text("message_id is not null")),
        Index("ix_activity_thread", "thread_id", postgresql_where=text("thread_id is not null")),
        Index("ix_activity_site", "site_id", postgresql_where=text("site_id is not null")),
        Index("ix_activity_contact", "contact_id", "at", postgresql_where=text("contact_id is not null")),
        Index("ix_activity_reminder", "at", postgresql_where=text("reminder_min is not null and state = 'open'")),
    )


class Reminder(Base):
    """A reminder that somebody got: one for each person and moment, however often the job runs."""

    __tablename__ = "activity_reminder"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    activity_id: Mapped[UUID] = mapped_column(ForeignKey("activity.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="What it reminds of.")
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("uq_activity_reminder", "activity_id", "user_id", "starts_at", unique=True),
        Index("ix_activity_reminder_unseen", "user_id", postgresql_where=text("seen_at is null")),
    )


class CalendarFeed(Base):
    """A secret address under which a calendar program reads somebody's calendar."""

    __tablename__ = "calendar_feed"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(unique=True, comment="SHA-256 of the secret, which is shown once.")
    contents: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="Of visit, meeting, call, task.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
