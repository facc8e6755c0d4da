"""Table of the reports that are mailed."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class ReportMail(Base):
    """A report that some people get by mail, each by their own rights, when a period has ended."""

    __tablename__ = "report_mail"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    span: Mapped[str] = mapped_column(comment="`week`, `month`, `quarter` or `year`: sent when it has ended.")
    hour: Mapped[int] = mapped_column(SmallInteger, comment="Of the first day after it, in the company's zone.")
    by: Mapped[str] = mapped_column(comment="How it is told apart; server.reports.figures.By.")
    against: Mapped[str] = mapped_column(comment="What it is compared with; server.reports.periods.Against.")
    filter: Mapped[str] = mapped_column(server_default="", comment="Of accounts; empty: all.")
    recipient_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    next_on: Mapped[date] = mapped_column(comment="The day on which the next one is sent.")
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    problems: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Why somebody did not get the last one."
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (
        CheckConstraint("hour between 0 and 23", name="hour"),
        CheckConstraint("cardinality(recipient_ids) > 0", name="recipients"),
        Index("ix_report_mail_next", "next_on"),
    )
