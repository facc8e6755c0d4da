"""Tables of the forecast: rates, quotas, what people call, and what each night looked like."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, func
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class Span(StrEnum):
    """How long a period of the forecast is."""

    MONTH = "month"
    QUARTER = "quarter"


class ExchangeRate(Record, Base):
    """What one unit of a currency is worth in the company's currency, from a day on."""

    __tablename__ = "exchange_rate"

    currency: Mapped[str] = mapped_column(comment="ISO 4217.")
    day: Mapped[date] = mapped_column(comment="From this day on, until the next rate.")
    rate: Mapped[Decimal] = mapped_column(Numeric(18, 8), comment="One unit in the company's currency.")

    __table_args__ = (
        CheckConstraint("rate > 0", name="rate"),
        CheckConstraint("length(currency) = 3", name="currency"),
        Index("uq_exchange_rate", "currency", "day", unique=True),
    )


class Quota(Record, Base):
    """What somebody should sell in a quarter, in the company's currency."""

    __tablename__ = "quota"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    quarter: Mapped[date] = mapped_column(comment="The quarter's first day.")
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        Index("uq_quota", "user_id", "quarter", unique=True),
    )


class ForecastCall(Base):
    """What somebody says a person will sell in a period; rows are only added, the latest one counts."""

    __tablename__ = "forecast_call"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), comment="Whose sales.")
    caller_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), comment="Who says so: themselves or a manager.")
    span: Mapped[str]
    period: Mapped[date] = mapped_column(comment="The period's first day.")
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2), comment="In the company's currency.")
    note: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("span in ('month', 'quarter')", name="span"),
        Index("ix_forecast_call", "user_id", "span", "period", "at"),
    )


class ForecastNight(Base):
    """A day of which there is a snapshot; days that were missed are not made up."""

    __tablename__ = "forecast_night"

    day: Mapped[date] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    deals: Mapped[int]


class ForecastSnapshot(Base):
    """An open deal as it stood on a day."""

    __tablename__ = "forecast_snapshot"

    day: Mapped[date] = mapped_column(ForeignKey("forecast_night.day", ondelete="CASCADE"), primary_key=True)
    opportunity_id: Mapped[UUID] = mapped_column(ForeignKey("opportunity.id"), primary_key=True, index=True)
    pipeline_id: Mapped[UUID]
    stage_id: Mapped[UUID]
    owner_id: Mapped[UUID | None]
    territory_id: Mapped[UUID | None]
    amount: Mapped[Decimal | None] = mapped_column(Numeric)
    currency: Mapped[str]
    probability: Mapped[Decimal] = mapped_column(Numeric(4, 3))
    category: Mapped[str]
    close_on: Mapped[date]
