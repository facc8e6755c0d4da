"""Tables of visits and their events."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import ARRAY, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class VisitState(StrEnum):
    """Where a visit stands."""

    PLANNED = "planned"
    EN_ROUTE = "en_route"
    CHECKED_IN = "checked_in"
    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Appointment(StrEnum):
    """What was promised to the customer, in order of authority."""

    FIXED = "fixed"
    FLEXIBLE_DAY = "flexible_day"
    FLEXIBLE_WEEK = "flexible_week"


class Outcome(StrEnum):
    """What came of a visit. A company may have others on its pick list; only an order has a meaning of its own."""

    ORDER = "order"
    FOLLOW_UP = "follow_up"
    INFORMATION = "information"
    NOT_INTERESTED = "not_interested"
    NOBODY_THERE = "nobody_there"


class Verification(StrEnum):
    """Whether a check-in happened at the customer's."""

    VERIFIED = "verified"
    OUT_OF_RANGE = "out_of_range"
    LOW_ACCURACY = "low_accuracy"
    UNVERIFIABLE = "unverifiable"
    SUSPECTED_MOCK = "suspected_mock"


VISIT_MOMENT = "coalesce(done_at, checked_in_at, planned_start_at, ((day + '12:00:00'::interval) at time zone zone))"
"""When a visit took place, or will; the index of timelines holds exactly this expression."""


class Visit(Record, Base):
    """One visit of one rep at one site."""

    __tablename__ = "visit"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    rep_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    day: Mapped[date] = mapped_column(comment="The rep's day, in `zone`.")
    zone: Mapped[str] = mapped_column(comment="IANA time zone of the day.")
    state: Mapped[str] = mapped_column(server_default=VisitState.PLANNED.value)
    appointment: Mapped[str | None]
    meeting_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="Shared by the visits of the reps who come to one appointment together."
    )
    objective: Mapped[str | None]
    outcome: Mapped[str | None]
    note: Mapped[str | None]
    planned_start_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    planned_end_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checkin: Mapped[WKBElement | WKTElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    accuracy_m: Mapped[float | None]
    distance_m: Mapped[float | None] = mapped_column(comment="From the check-in to the pin.")
    verification: Mapped[str | None]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    visit_type_id: Mapped[UUID | None] = mapped_column(ForeignKey("visit_type.id"))
    form_version_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("form_version.id"), comment="What was asked; the answers go by it."
    )
    answers: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="By the keys of the form's questions."
    )
    custom: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Values of the company's own fields by key."
    )

    __table_args__ = (
        Index("ix_visit_account", "account_id", "day"),
        Index("ix_visit_rep", "rep_id", "day"),
        Index("ix_visit_day", "day"),
        Index(
            "ix_visit_counted",
            "state",
            "day",
            "account_id",
            postgresql_include=["outcome"],
            postgresql_where=text("deleted_at is null"),
        ),
        Index("ix_visit_moment", "account_id", text(VISIT_MOMENT), "id"),
    )


class VisitEvent(Base):
    """Something that happened to a visit: a fact, only ever appended."""

    __tablename__ = "visit_event"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"), index=True)
    state: Mapped[str]
    outcome: Mapped[str | None]
    note: Mapped[str | None]
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), comment="By the phone's clock, corrected.")
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    recorded_by: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    source: Mapped[str]
    checkin: Mapped[WKBElement | WKTElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    accuracy_m: Mapped[float | None]
    mock: Mapped[bool | None]
    distance_m: Mapped[float | None]
    verification: Mapped[str | None]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    signature: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True),
        comment='Who signed, and how: {"name": ..., "strokes": [[x, y, x, y, ...]]} in a box of 1000 by 400.',
    )

    __table_args__ = (
        Index("ix_visit_event_recorded", "recorded_at"),
        Index("ix_visit_event_signed", "visit_id", "recorded_at", postgresql_where=text("signature is not null")),
    )
