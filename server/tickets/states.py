"""From one state to another: what the clock, the visit that was asked for and the figures make of it."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.demands import service as demands
from server.demands.models import DemandOrigin, VisitDemand
from server.tickets import telling, timing
from server.tickets.models import UNSOLVED, Queue, Ticket, TicketState


def enter(session: Session, ticket: Ticket, state: TicketState, now: datetime) -> None:
    """Put a locked ticket into a state; what was missed until now is written down.

    A solved ticket wants no visit any more; one that is opened again goes on with the time that it had used.
    """
    queue = session.get_one(Queue, ticket.queue_id)
    hours = timing.hours_of(session, queue)
    if state in UNSOLVED:
        ticket.solved_at = ticket.solved_in_s = None
    elif ticket.solved_at is None:
        ticket.solved_at = now
        ticket.solved_in_s = round(timing.used(ticket, hours, now).total_seconds())
        withdraw_visits(session, ticket)
    ticket.state = state
    telling.tell_missed(session, timing.turn(session, ticket, queue, now, hours))


def origin_key(ticket: Ticket, round_: int = 1) -> str:
    """How visit demand names a ticket; a further visit after one that took place has a key of its own."""
    return str(ticket.number) if round_ == 1 else f"{ticket.number}-{round_}"


def demands_of(session: Session, ticket: Ticket) -> list[VisitDemand]:
    """The visits that were asked for because of a ticket, the first first."""
    key = str(ticket.number)
    statement = select(VisitDemand).where(
        VisitDemand.origin == DemandOrigin.TICKET,
        or_(VisitDemand.origin_key == key, VisitDemand.origin_key.like(f"{key}-%")),
    )
    return list(session.scalars(statement.order_by(VisitDemand.created_at, VisitDemand.id)))


def withdraw_visits(session: Session, ticket: Ticket) -> int:
    """Want no visit any more because of a ticket; returns how many were still wanted."""
    return sum(
        demands.withdraw(session, DemandOrigin.TICKET, demand.origin_key) for demand in demands_of(session, ticket)
    )
