"""Tables of holidays, closed sites and absent reps."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class HolidayCalendar(Record, Base):
    """The public holidays of a country or one of its parts, which the company keeps."""

    __tablename__ = "holiday_calendar"

    country: Mapped[str] = mapped_column(comment="ISO 3166-1, two letters.")
    part: Mapped[str] = mapped_column(server_default="", comment="Part of the country, as ISO 3166-2 without country.")
    is_main: Mapped[bool] = mapped_column(server_default=text("false"), comment="Of reps who have no other one.")

    __table_args__ = (
        Index("uq_holiday_calendar_place", "country", "part", unique=True, postgresql_where=text("deleted_at is null")),
        Index(
            "uq_holiday_calendar_main",
            "is_main",
            unique=True,
            postgresql_where=text("is_main and deleted_at is null"),
        ),
    )


class RepCalendar(Base):
    """A rep who keeps the holidays of another place than the company."""

    __tablename__ = "rep_calendar"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    calendar_id: Mapped[UUID] = mapped_column(ForeignKey("holiday_calendar.id", ondelete="CASCADE"), index=True)


class CompanyDay(Record, Base):
    """A day on which the company does otherwise than the calendar: closed, or at work on a holiday."""

    __tablename__ = "company_day"

    day: Mapped[date]
    name: Mapped[str]
    is_working: Mapped[bool] = mapped_column(server_default=text("false"), comment="At work although it is a holiday.")

    __table_args__ = (Index("uq_company_day", "day", unique=True, postgresql_where=text("deleted_at is null")),)


class SiteClosure(Record, Base):
    """A site that is closed from a day to a day."""

    __tablename__ = "site_closure"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str]

    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days"),
        Index("ix_site_closure_last_day", "last_day"),
    )


class AbsenceKind(StrEnum):
    """Why a rep does not work."""

    VACATION = "vacation"
    SICK = "sick"
    TRAINING = "training"
    OTHER = "other"


class RepAbsence(Record, Base):
    """A rep who does not work from a day to a day."""

    __tablename__ = "rep_absence"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    kind: Mapped[str]
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind in ('vacation', 'sick', 'training', 'other')", name="kind"),
        CheckConstraint("last_day >= first_day", name="days"),
        Index("ix_rep_absence_last_day", "last_day"),
    )
