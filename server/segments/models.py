"""Tables of segments, their members and numbers, and of saved views."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class Sharing(StrEnum):
    """Who sees a segment or a view besides its owner. Its members are cut by everybody's own rights."""

    PRIVATE = "private"
    TEAM = "team"
    ALL = "all"


class Segment(Record, Base):
    """A saved filter of one kind of object (dynamic), or a list of its objects (static)."""

    __tablename__ = "segment"

    subject: Mapped[str] = mapped_column(comment="Kind of object: account, ...")
    name: Mapped[str]
    note: Mapped[str | None]
    filter: Mapped[str | None] = mapped_column(comment="In canonical form; of a static one: what it was made from.")
    is_static: Mapped[bool] = mapped_column(server_default=text("false"))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    sharing: Mapped[str] = mapped_column(server_default=Sharing.PRIVATE.value)

    __table_args__ = (
        CheckConstraint("sharing in ('private', 'team', 'all')", name="sharing"),
        CheckConstraint("is_static or filter is not null", name="filter"),
        Index(
            "uq_segment_name",
            "subject",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
    )


class SegmentMember(Base):
    """An object in a segment: of a static one the truth, of a dynamic one what the last count found."""

    __tablename__ = "segment_member"

    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segment.id", ondelete="CASCADE"), primary_key=True)
    row_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SegmentCount(Base):
    """How many members a segment had on a day, as its owner sees it."""

    __tablename__ = "segment_count"

    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segment.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int]
    entered: Mapped[int] = mapped_column(server_default=text("0"))
    gone: Mapped[int] = mapped_column(server_default=text("0"))
    trouble: Mapped[str | None] = mapped_column(comment="Why it could not be counted.")


class SegmentChange(Base):
    """An object that came into a segment or left it."""

    __tablename__ = "segment_change"

    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segment.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    row_id: Mapped[UUID] = mapped_column(primary_key=True)
    entered: Mapped[bool]


class SavedView(Record, Base):
    """Columns, order and filter of a list, or of a map with its layers and place, under a name."""

    __tablename__ = "saved_view"

    subject: Mapped[str] = mapped_column(comment="Kind of object whose list it is.")
    name: Mapped[str]
    filter: Mapped[str | None]
    sort: Mapped[str | None]
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="The shown ones, from the left.")
    map: Mapped[str | None] = mapped_column(comment="Of a map: what its address says beside the filter.")
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    sharing: Mapped[str] = mapped_column(server_default=Sharing.PRIVATE.value)

    __table_args__ = (CheckConstraint("sharing in ('private', 'team', 'all')", name="sharing"),)
