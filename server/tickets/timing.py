"""The clock of a ticket in its queue: when it runs, what is due when, what was missed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.accounts.opening_hours import holiday_hours, parse_hours
from server.closures.queries import days_off
from server.kit import clock
from server.kit.ids import uuid7
from server.tickets.models import RUNNING, ClockEvent, ClockKind, Queue, Ticket
from server.tickets.sla import Hours, due, worked

COMPANY_DAYS = timedelta(days=500)
"""The company's own days off are looked up so far back and ahead."""
WARNED_AT = 0.8
"""A target presses when so much of its time is used up."""


def hours_of(session: Session, queue: Queue) -> Hours:
    """When a queue's people work: its opening hours, the holidays of its country, the company's own days."""
    today = clock.today(queue.zone)
    off = days_off(session, (), today - COMPANY_DAYS, today + COMPANY_DAYS)

    def is_off(day: date) -> bool:
        name, is_working = off.company.get(day, (None, False))
        return not is_working if name is not None else off.holiday_at(queue.country, day) is not None

    return Hours(parse_hours(queue.hours), queue.zone, is_off, holiday_hours(queue.hours) or ())


def target(queue: Queue, priority: str, kind: ClockKind) -> timedelta | None:
    """The working time within which something must have happened; None without a target."""
    targets: Mapping[str, Any] = queue.targets.get(priority) or {}
    minutes = targets.get(kind.value)
    return timedelta(minutes=minutes) if minutes else None


def used(ticket: Ticket, hours: Hours, now: datetime) -> timedelta:
    """The working time that a ticket has taken so far, waiting for the customer left out."""
    running = worked(hours, ticket.clock_since, now) if ticket.clock_since is not None else timedelta()
    return timedelta(seconds=ticket.used_s) + running


def turn(session: Session, ticket: Ticket, queue: Queue, now: datetime, hours: Hours | None = None) -> list[ClockEvent]:
    """Let the clock run, stand still or go on, as state, priority and queue now say; returns what was missed by now.

    What is overdue is written down before a change could hide it.
    """
    hours = hours or hours_of(session, queue)
    missed = note_missed(session, ticket, hours, now)
    runs = ticket.state in RUNNING and ticket.merged_into is None and ticket.deleted_at is None
    if ticket.clock_since is not None and not runs:
        ticket.used_s, ticket.clock_since = round(used(ticket, hours, now).total_seconds()), None
    elif ticket.clock_since is None and runs:
        ticket.clock_since = now
    for kind, is_met in ((ClockKind.ANSWER, ticket.answered_at is not None), (ClockKind.SOLVE, False)):
        within = target(queue, ticket.priority, kind)
        at = warn = None
        if within is not None and ticket.clock_since is not None and not is_met:
            before = timedelta(seconds=ticket.used_s)
            at = due(hours, ticket.clock_since, within - before)
            warn = due(hours, ticket.clock_since, within * WARNED_AT - before)
        setattr(ticket, f"{kind}_due_at", at)
        setattr(ticket, f"{kind}_warn_at", warn)
    session.flush()
    return missed


def note_missed(session: Session, ticket: Ticket, hours: Hours, now: datetime) -> list[ClockEvent]:
    """Write down what is overdue; two who look at the same moment write it down once."""
    found = []
    for kind, at in ((ClockKind.ANSWER, ticket.answer_due_at), (ClockKind.SOLVE, ticket.solve_due_at)):
        if at is not None and at <= now:
            found += _note(session, ticket, kind, "breach", at, now, worked(hours, at, now))
    return found


def note_pressing(session: Session, ticket: Ticket, now: datetime) -> list[ClockEvent]:
    """Write down that a target is near; each is warned of once."""
    found = []
    for kind in ClockKind:
        warn, at = getattr(ticket, f"{kind}_warn_at"), getattr(ticket, f"{kind}_due_at")
        if warn is not None and at is not None and warn <= now < at:
            found += _note(session, ticket, kind, "warning", at, now, timedelta())
    return found


def _note(
    session: Session, ticket: Ticket, kind: ClockKind, event: str, at: datetime, now: datetime, late: timedelta
) -> list[ClockEvent]:
    values = {
        "id": uuid7(), "ticket_id": ticket.id, "kind": kind.value, "event": event, "queue_id": ticket.queue_id,
        "due_at": at, "found_at": now, "late_s": round(late.total_seconds()),
    }  # fmt: skip
    fresh = insert(ClockEvent).values(values).on_conflict_do_nothing(index_elements=["ticket_id", "kind", "event"])
    return list(session.scalars(fresh.returning(ClockEvent)))


@dataclass(frozen=True)
class Countdown:
    """What is due next at a ticket, as people read it."""

    kind: ClockKind
    at: datetime | None
    """None while the clock stands still."""
    left_s: float
    """Working time that is left; negative past the due moment."""
    is_paused: bool


def countdowns(ticket: Ticket, queue: Queue, hours: Hours, now: datetime) -> list[Countdown]:
    """What is still due at a ticket, in order."""
    found = []
    for kind, is_met in (
        (ClockKind.ANSWER, ticket.answered_at is not None),
        (ClockKind.SOLVE, ticket.solved_at is not None),
    ):
        within = target(queue, ticket.priority, kind)
        if within is not None and not is_met and ticket.merged_into is None:
            left = (within - used(ticket, hours, now)).total_seconds()
            at: datetime | None = getattr(ticket, f"{kind}_due_at")
            found.append(Countdown(kind, at, left, ticket.clock_since is None))
    return found


class KnownHours:
    """The hours of queues, each looked up once."""

    def __init__(self, session: Session) -> None:
        self.session, self._known = session, dict[UUID, tuple[Queue, Hours]]()

    def of(self, queue_id: UUID) -> tuple[Queue, Hours]:
        """A queue with its hours."""
        if queue_id not in self._known:
            queue = self.session.get_one(Queue, queue_id)
            self._known[queue_id] = queue, hours_of(self.session, queue)
        return self._known[queue_id]
