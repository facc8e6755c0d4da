"""Tables of what people are told, how they want it, and what they follow."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Channel(StrEnum):
    """How somebody is told; everything but `off` also stands in the app."""

    APP = "app"
    MAIL = "mail"
    """One mail at once, outside the quiet hours."""
    DIGEST = "digest"
    """In one mail a day."""
    OFF = "off"


class Notification(Base):
    """One thing that one person is told."""

    __tablename__ = "notification"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(comment="See server.notifications.kinds.KINDS.")
    sentence: Mapped[str] = mapped_column(comment="In English with {gaps}; a page says it in the reader's language.")
    gaps: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"), comment="What fills them.")
    link: Mapped[str] = mapped_column(comment="Where it is read, a path of ours.")
    entity: Mapped[str] = mapped_column(comment="What it is about.")
    row_id: Mapped[UUID]
    made_by: Mapped[UUID | None] = mapped_column(comment="Who did it; null: Waymark.")
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    channel: Mapped[str] = mapped_column(comment="As the person wished when it happened.")
    mailed_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When it went into a mail, or was found too old for one."
    )

    __table_args__ = (
        CheckConstraint("channel in ('app', 'mail', 'digest')", name="channel"),
        Index("ix_notification_user", "user_id", "made_at", "id"),
        Index("ix_notification_unread", "user_id", postgresql_where=text("read_at is null")),
        Index(
            "ix_notification_to_mail",
            "user_id",
            "made_at",
            postgresql_where=text("mailed_at is null and channel <> 'app'"),
        ),
        Index("ix_notification_row", "entity", "row_id"),
    )


class NotificationWish(Base):
    """How somebody wants to be told of one kind; without a row as the kind is by default."""

    __tablename__ = "notification_wish"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]

    __table_args__ = (CheckConstraint("channel in ('app', 'mail', 'digest', 'off')", name="channel"),)


class NotificationHours(Base):
    """When somebody wants mails; without a row at any hour, and the digest in the morning."""

    __tablename__ = "notification_hours"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    quiet_from: Mapped[time | None] = mapped_column(comment="From here on no mail, in the person's zone.")
    quiet_until: Mapped[time | None] = mapped_column(comment="Until here; earlier than the beginning: over midnight.")
    digest_at: Mapped[time] = mapped_column(server_default=text("'07:00'"))


class Follow(Base):
    """That somebody follows something, or does not although it would follow from their work."""

    __tablename__ = "follow"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    entity: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    wanted: Mapped[bool] = mapped_column(server_default=text("true"), comment="False: not told, even as the owner.")
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (Index("ix_follow_row", "entity", "row_id"),)
