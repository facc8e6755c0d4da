"""Tables of calendars that are kept the same."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class CalendarLink(Base):
    """A calendar of one person on another server."""

    __tablename__ = "caldav_link"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), unique=True)
    url: Mapped[str] = mapped_column(comment="Of the calendar.")
    name: Mapped[str] = mapped_column(comment="As the server calls it.")
    username: Mapped[str]
    password: Mapped[str] = mapped_column(comment="Sealed; see server.kit.secrets.")
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="What ended before stays where it is.")
    sync_token: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trouble: Mapped[str] = mapped_column(server_default=text("''"), comment="What went wrong last; empty: nothing.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CalendarItem(Base):
    """One event of the calendar, as both sides had it when they were last the same."""

    __tablename__ = "caldav_item"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    link_id: Mapped[UUID] = mapped_column(ForeignKey("caldav_link.id", ondelete="CASCADE"))
    activity_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("activity.id"), index=True, comment="Null: it stays on the server alone."
    )
    href: Mapped[str]
    etag: Mapped[str | None] = mapped_column(comment="Null: not confirmed by the server yet.")
    base: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="The document when both were the same.")
    sent: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="What is on its way: the server may have it already."
    )
    note: Mapped[str] = mapped_column(server_default=text("''"), comment="Why it is not kept the same; else empty.")

    __table_args__ = (
        Index("uq_caldav_item_href", "link_id", "href", unique=True),
        Index("uq_caldav_item_activity", "link_id", "activity_id", unique=True),
    )
