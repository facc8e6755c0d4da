"""Tables of hand-overs."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.records.models import Record


class HandoverState(StrEnum):
    """Where a hand-over stands."""

    WAITING = "waiting"
    """For its day."""
    DONE = "done"
    UNDONE = "undone"


class Handover(Record, Base):
    """Some accounts that go to another owner."""

    __tablename__ = "handover"

    to_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    day: Mapped[date] = mapped_column(comment="From this day on, in the company's zone.")
    note: Mapped[str] = mapped_column(comment="What the new owner should know.")
    takes_visits: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="The planned visits of the earlier owners go along."
    )
    state: Mapped[str] = mapped_column(server_default=HandoverState.WAITING.value)
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trouble: Mapped[str | None] = mapped_column(comment="Why it could not be done on its day.")

    __table_args__ = (
        CheckConstraint("state in ('waiting', 'done', 'undone')", name="state"),
        Index("ix_handover_waiting", "day", postgresql_where=text("state = 'waiting'")),
    )


class HandoverAccount(Base):
    """One account of a hand-over and whose it was."""

    __tablename__ = "handover_account"

    handover_id: Mapped[UUID] = mapped_column(ForeignKey("handover.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    from_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    visit_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=text("'{}'"), comment="Planned visits that went along, for taking it back."
    )
