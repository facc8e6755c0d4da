"""Tables of the rule by which accounts are classed, and of what it has suggested."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Numeric, func, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class Basis(StrEnum):
    """How the rule draws its lines."""

    THRESHOLDS = "thresholds"
    """Amounts a year."""
    PERCENTILES = "percentiles"
    """Shares of all accounts."""


class ClassState(StrEnum):
    """What became of a suggestion."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    OVERTAKEN = "overtaken"
    """The figures or the class have changed since."""


class ClassRule(Base):
    """The company's rule; there is one."""

    __tablename__ = "class_rule"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    is_on: Mapped[bool] = mapped_column(server_default=text("false"))
    basis: Mapped[str] = mapped_column(server_default=Basis.PERCENTILES.value)
    potential_share: Mapped[float] = mapped_column(
        server_default=text("0.3"), comment="How much of the weight is potential; the rest is value."
    )
    a_from: Mapped[Decimal] = mapped_column(
        Numeric(14, 2), server_default=text("50000"), comment="Worth a year from which an account is A."
    )
    b_from: Mapped[Decimal] = mapped_column(Numeric(14, 2), server_default=text("15000"))
    a_share: Mapped[float] = mapped_column(server_default=text("0.15"), comment="Share of all accounts that are A.")
    b_share: Mapped[float] = mapped_column(server_default=text("0.35"))
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("one", name="one"),
        CheckConstraint("basis in ('thresholds', 'percentiles')", name="basis"),
        CheckConstraint("potential_share between 0 and 1", name="potential_share"),
        CheckConstraint("a_from > b_from and b_from > 0", name="amounts"),
        CheckConstraint("a_share > 0 and b_share > 0 and a_share + b_share < 1", name="shares"),
    )


class ClassChange(Base):
    """Another class that the rule suggests for an account, and what somebody said to it."""

    __tablename__ = "class_change"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    old_class: Mapped[str | None]
    new_class: Mapped[str]
    interval_days: Mapped[int] = mapped_column(comment="Days between visits that go with the new class.")
    worth: Mapped[Decimal] = mapped_column(Numeric(14, 2), comment="Value and potential, weighed.")
    currency: Mapped[str]
    why: Mapped[str] = mapped_column(comment="The reason in a sentence.")
    basis: Mapped[str] = mapped_column(comment="Of the rule, when it was suggested.")
    share: Mapped[float | None] = mapped_column(comment="Share of all accounts that are worth as much or more.")
    begins_at: Mapped[Decimal | None] = mapped_column(Numeric(14, 2), comment="Worth from which the class begins.")
    state: Mapped[str] = mapped_column(server_default=ClassState.OPEN.value)
    suggested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str | None] = mapped_column(comment="Why it was refused.")

    __table_args__ = (
        CheckConstraint("new_class in ('A', 'B', 'C')", name="class"),
        CheckConstraint("state in ('open', 'approved', 'refused', 'overtaken')", name="state"),
        Index("uq_class_change_open", "account_id", unique=True, postgresql_where=text("state = 'open'")),
    )
