"""Tables of the inbox."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Fate(StrEnum):
    """What became of a mail."""

    FILED = "filed"
    """It stands at an account."""
    TICKET = "ticket"
    UNASSIGNED = "unassigned"
    """Nobody knows whose it is: a person decides."""
    HELD = "held"
    """Too many of its kind came at once: a person decides."""
    IGNORED = "ignored"


class InboxMail(Base):
    """One mail that came in, with what became of it; each is decided once."""

    __tablename__ = "inbox_mail"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    received_id: Mapped[UUID] = mapped_column(ForeignKey("mail_received.id"), unique=True)
    message_id: Mapped[str]
    fate: Mapped[str]
    reason: Mapped[str] = mapped_column(comment="Why, as the page says it.")
    sender: Mapped[str]
    sender_name: Mapped[str]
    subject: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    is_automatic: Mapped[bool]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    activity_id: Mapped[UUID | None] = mapped_column(ForeignKey("activity.id"))
    ticket_id: Mapped[UUID | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), comment="Null: a rule.")
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    __table_args__ = (
        CheckConstraint("fate in ('filed', 'ticket', 'unassigned', 'held', 'ignored')", name="fate"),
        Index("ix_inbox_mail_waiting", "at", postgresql_where=text("fate in ('unassigned', 'held')")),
        Index("ix_inbox_mail_sender", "sender", "at"),
        Index("ix_inbox_mail_message", "message_id"),
    )


class KnownSender(Base):
    """Whose mails an address sends, as a person has decided it."""

    __tablename__ = "inbox_sender"

    address: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), comment="Null: ignored.")
    decided_by: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
