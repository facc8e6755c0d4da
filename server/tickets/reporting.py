"""Figures of tickets: what is open by age, how long answers and solutions take, what was missed where and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Integer, cast, func, select
from sqlalchemy.orm import Session

from server.accounts.queries import today_of
from server.auth.access import Scope
from server.kit import clock
from server.tickets.fields import UNSOLVED_NOW, is_overdue
from server.tickets.models import ClockEvent, Queue, Ticket
from server.tickets.queries import visible_to

AGES = ((0, 0, "today"), (1, 2, "1–2 days"), (3, 6, "3–6 days"), (7, 13, "1–2 weeks"), (14, None, "older"))
"""From and to how many days, and how people call it."""


@dataclass(frozen=True)
class AgeGroup:
    """Open tickets of an age."""

    name: str
    low: int
    high: int | None
    open: int
    overdue: int

    @property
    def filter(self) -> str:
        """What finds them in the list."""
        return f"open = true and age >= {self.low}" + (f" and age <= {self.high}" if self.high is not None else "")


@dataclass(frozen=True)
class Spell:
    """How long something takes, in working time."""

    count: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True)
class QueueFigures:
    """What a queue has done in a period."""

    queue_id: UUID
    name: str
    opened: int
    solved: int
    answers: Spell
    solutions: Spell
    content: int
    rated: int


@dataclass(frozen=True)
class WeekMisses:
    """Targets that a queue missed in a week."""

    queue_id: UUID
    name: str
    monday: date
    answers: int
    solutions: int

    def filter(self, kind: str) -> str:
        """What finds those that missed an answer, or a solution, in the list."""
        sunday = self.monday + timedelta(days=6)
        return f'missed_queue = "{self.name}" and missed_{kind} >= {self.monday} and missed_{kind} <= {sunday}'


@dataclass(frozen=True)
class Report:
    """All of it."""

    first: date
    last: date
    ages: Sequence[AgeGroup]
    queues: Sequence[QueueFigures]
    misses: Sequence[WeekMisses]


def report(session: Session, scope: Scope, first: date, last: date) -> Report:
    """The figures of the tickets that somebody may see; times and misses between two days."""
    return Report(
        first, last, ages(session, scope), figures(session, scope, first, last), misses(session, scope, first, last)
    )


def ages(session: Session, scope: Scope) -> list[AgeGroup]:
    """Open tickets by the days since they were opened."""
    days = cast(cast(today_of(scope), Date) - cast(Ticket.opened_at, Date), Integer)

    def within(low: int, high: int | None) -> ColumnElement[bool]:
        return days >= low if high is None else days.between(low, high)

    columns = [
        column
        for low, high, _ in AGES
        for column in (
            func.count().filter(within(low, high)),
            func.count().filter(within(low, high), is_overdue(clock.now())),
        )
    ]
    row = session.execute(visible_to(scope).where(UNSOLVED_NOW).with_only_columns(*columns)).one()
    return [AgeGroup(name, low, high, row[2 * k], row[2 * k + 1]) for k, (low, high, name) in enumerate(AGES)]


def figures(session: Session, scope: Scope, first: date, last: date) -> list[QueueFigures]:
    """What each queue did: opened and solved in the period, and how long that took."""
    opened = cast(Ticket.opened_at, Date).between(first, last)
    answered = cast(Ticket.answered_at, Date).between(first, last)
    solved = cast(Ticket.solved_at, Date).between(first, last)

    def spell(seconds: ColumnElement[int], when: ColumnElement[bool]) -> list[ColumnElement[Any]]:
        return [
            func.count(seconds).filter(when),
            func.percentile_cont(0.5).within_group(seconds).filter(when),
            func.percentile_cont(0.9).within_group(seconds).filter(when),
        ]

    rows: Any = session.execute(
        visible_to(scope)
        .join(Queue, Queue.id == Ticket.queue_id)
        .where(Ticket.merged_into.is_(None), opened | answered | solved)
        .with_only_columns(
            Queue.id, Queue.name, func.count().filter(opened), func.count().filter(solved),
            *spell(Ticket.__table__.c.answered_in_s, answered), *spell(Ticket.__table__.c.solved_in_s, solved),
            func.count().filter(Ticket.rating == 1, solved), func.count(Ticket.rating).filter(solved),
        )
        .group_by(Queue.id, Queue.name)
        .order_by(Queue.name)
    )  # fmt: skip
    return [
        QueueFigures(key, name, begun, ended, Spell(*times[:3]), Spell(*times[3:6]), *times[6:])
        for key, name, begun, ended, *times in rows
    ]


def misses(session: Session, scope: Scope, first: date, last: date) -> list[WeekMisses]:
    """Missed targets by queue and week, the latest week first."""
    monday = cast(func.date_trunc("week", ClockEvent.due_at), Date)
    seen = visible_to(scope).with_only_columns(Ticket.id)
    rows = session.execute(
        select(
            Queue.id, Queue.name, monday,
            func.count().filter(ClockEvent.kind == "answer"), func.count().filter(ClockEvent.kind == "solve"),
        )
        .join(Queue, Queue.id == ClockEvent.queue_id)
        .where(
            ClockEvent.event == "breach",
            cast(ClockEvent.due_at, Date).between(first, last),
            ClockEvent.ticket_id.in_(seen),
        )
        .group_by(Queue.id, Queue.name, monday)
        .order_by(monday.desc(), Queue.name)
    )  # fmt: skip
    return [WeekMisses(*row) for row in rows]


def usual_period(today: date) -> tuple[date, date]:
    """The last thirteen weeks, up to today."""
    return today - timedelta(weeks=13), today
