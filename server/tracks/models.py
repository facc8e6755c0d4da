"""Tables of tracks."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class TrackKind(StrEnum):
    """What a phone says of the way."""

    WAY = "way"
    PAUSE = "pause"
    """The rep wants nothing recorded for the rest of the day."""
    RESUME = "resume"
    """And wants it again."""


class Track(Record, Base):
    """A piece of the way that a rep went on a day, or that nothing is recorded from here on. A fact: never changed."""

    __tablename__ = "track"

    rep_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    day: Mapped[date] = mapped_column(comment="In the rep's time zone.")
    zone: Mapped[str] = mapped_column(comment="IANA time zone.")
    kind: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), comment="Of the first fix, or of the pause or its end."
    )
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="Of the last fix.")
    fixes: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, comment="By time, each with at (UTC), lon, lat (degrees) and accuracy_m; empty for a pause and its end."
    )
    way: Mapped[WKBElement | WKTElement | None] = mapped_column(
        Geometry("LINESTRING", srid=4326, spatial_index=False),
        comment="The fixes as a line, simplified to 10 m; null where there are none.",
    )

    __table_args__ = (
        CheckConstraint("kind in ('way', 'pause', 'resume')", name="kind"),
        CheckConstraint("(kind = 'way') = (way is not null)", name="way"),
        Index("ix_track_rep_day", "rep_id", "day"),
        Index("ix_track_day", "day"),
    )


class HeldWay(Base):
    """What a pause that came late has taken out of a way: the end of the pause may still be on its way here, and gives
    back what lies behind it. Nobody is shown it, and it is gone a day later."""

    __tablename__ = "held_way"

    id: Mapped[UUID] = mapped_column(primary_key=True, comment="That of the track.")
    rep_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="Of the last fix.")
    fixes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, comment="As those of the track.")
    held_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
