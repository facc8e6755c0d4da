"""What leaves the house: a row that waits, is sent by a job, is tried again with growing pauses, and says so."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import DateTime, Index, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from server.kit import clock
from server.kit.ids import uuid7

PAUSES_S = (60, 300, 900, 3600, 10_800, 21_600, 43_200)
"""Seconds before the second, third, ... try; after the last one it is given up: a day after the first try."""
LOST_AFTER = timedelta(minutes=15)
"""A row that is being sent for longer belonged to a worker that is gone."""


class State(StrEnum):
    """How something that leaves stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNSURE = "unsure"
    """Handed over, but nobody confirmed it: sending again might make two of it, so a person decides."""
    FAILED = "failed"


class Outgoing:
    """Mixin of a table whose rows leave the house."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    state: Mapped[str] = mapped_column(server_default=State.WAITING.value)
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="Not before that."
    )
    claimed_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Since when a worker has been at it."
    )
    trouble: Mapped[str] = mapped_column(
        server_default=text("''"), comment="What went wrong last, in words; empty when nothing."
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index, ...]:
        name = str(cls.__tablename__)  # type: ignore[attr-defined]
        return (Index(f"ix_{name}_due", "next_at", postgresql_where=text("state in ('waiting', 'sending')")),)


def due[T: Outgoing](session: Session, table: type[T]) -> Sequence[UUID]:
    """What should be sent now, oldest first; also what a worker has left behind."""
    now = clock.now()
    waits = (table.state == State.WAITING) & (table.next_at <= now)
    lost = (table.state == State.SENDING) & (table.claimed_at < now - LOST_AFTER)
    return session.scalars(select(table.id).where(or_(waits, lost)).order_by(table.next_at).limit(1000)).all()


def claim[T: Outgoing](session: Session, table: type[T], key: UUID) -> T | None:
    """Take a row for sending; nothing when it is done, not due yet, or not there. Callers hold a job's lock on it."""
    row = session.get(table, key, with_for_update={"of": table}, populate_existing=True)
    if row is None or row.state not in (State.WAITING, State.SENDING):
        return None
    if row.state == State.WAITING and row.next_at > clock.now():
        return None
    row.state, row.claimed_at, row.attempts = State.SENDING, clock.now(), row.attempts + 1
    return row


def is_sent(row: Outgoing, note: str = "") -> None:
    """It has arrived; the note says what is to be known all the same."""
    row.state, row.trouble, row.done_at, row.claimed_at = State.SENT, note, clock.now(), None


def is_unsure(row: Outgoing, why: str) -> None:
    """It may have arrived: somebody decides whether it is sent again."""
    row.state, row.trouble, row.done_at, row.claimed_at = State.UNSURE, why, clock.now(), None


def is_failed(row: Outgoing, why: str) -> None:
    """It did not arrive, and trying again would end the same way."""
    row.state, row.trouble, row.done_at, row.claimed_at = State.FAILED, why, clock.now(), None


def try_later(row: Outgoing, why: str) -> None:
    """It did not arrive: wait and try again, or give up after the last try."""
    if row.attempts > len(PAUSES_S):
        is_failed(row, f"{why} Given up after {row.attempts} tries.")
        return
    row.state, row.trouble, row.claimed_at = State.WAITING, why, None
    row.next_at = clock.now() + timedelta(seconds=PAUSES_S[row.attempts - 1])


def ask_again(row: Outgoing) -> None:
    """Somebody wants it sent, whatever became of it before."""
    row.state, row.attempts, row.done_at, row.claimed_at = State.WAITING, 0, None, None
    row.next_at = clock.now()
