"""Tables of what the company says to all its phones."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base


class PhoneRules(Base):
    """What holds for every phone; the only row."""

    __tablename__ = "phone_rules"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    lock_days: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("14"),
        comment="So many days without the server close what a phone shows; unsent work stays.",
    )
    tracks_since: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Since when phones record the way of their reps; null: they do not."
    )
    tracks_days: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("30"), comment="After so many days a way is deleted."
    )

    max_rows: Mapped[int] = mapped_column(
        server_default=text("150000"), comment="So many rows a phone is given; buckets beyond are left out."
    )

    @property
    def records_tracks(self) -> bool:
        """Whether phones record the way of their reps."""
        return self.tracks_since is not None

    __table_args__ = (
        CheckConstraint("one", name="one"),
        CheckConstraint("lock_days between 1 and 90", name="lock_days"),
        CheckConstraint("tracks_days between 1 and 365", name="tracks_days"),
        CheckConstraint("max_rows between 1 and 5000000", name="max_rows"),
    )
