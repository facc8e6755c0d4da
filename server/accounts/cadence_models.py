"""Table of call intervals that differ from the ones Waymark begins with."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Cadence(Base):
    """How often accounts of a class are visited: in the company, or by one rep."""

    __tablename__ = "cadence"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("app_user.id", ondelete="CASCADE"), comment="Of the accounts this person owns; null: the company's."
    )
    account_class: Mapped[str]
    interval_days: Mapped[int] = mapped_column(comment="Days between two visits.")
    tolerance: Mapped[float] = mapped_column(comment="Share of the interval by which a visit may come early or late.")
    rev: Mapped[int] = mapped_column(BigInteger, server_default="1", comment="Revision, +1 for each change.")
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("account_class in ('A', 'B', 'C')", name="class"),
        CheckConstraint("interval_days between 1 and 730", name="interval"),
        CheckConstraint("tolerance between 0 and 0.5", name="tolerance"),
        Index("uq_cadence", "user_id", "account_class", unique=True, postgresql_nulls_not_distinct=True),
    )
