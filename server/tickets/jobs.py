"""Background work of tickets: what presses, what was missed, what took place, what is closed for good."""

from datetime import timedelta

from sqlalchemy import func, or_, select, text, update

from server.jobs import task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.tickets import telling, timing, visits
from server.tickets.fields import UNSOLVED_NOW
from server.tickets.models import ClockEvent, Queue, Ticket, TicketState

AT_ONCE = 500


@queue.periodic(cron="* * * * *")
@task("tickets.watch")
def watch(timestamp: int) -> None:
    """Every minute: write down what presses and what was missed, each once, and tell who has to know."""
    del timestamp
    while look():
        pass
    with transaction() as session:
        visits.note_visits(session)


def look() -> bool:
    """Some tickets whose moment has come; returns whether there may be more. Workers share them among each other."""
    with transaction() as session:
        now = clock.now()
        noted = select(ClockEvent.kind).where(ClockEvent.ticket_id == Ticket.id)
        due = [
            getattr(Ticket, f"{kind}_{moment}_at").is_not(None)
            & (getattr(Ticket, f"{kind}_{moment}_at") <= now)
            & ~noted.where(ClockEvent.kind == kind, ClockEvent.event.in_(events)).exists()
            for kind in ("answer", "solve")
            for moment, events in (("warn", ("warning", "breach")), ("due", ("breach",)))
        ]
        statement = select(Ticket).where(UNSOLVED_NOW, or_(*due)).order_by(Ticket.id).limit(AT_ONCE)
        tickets = session.scalars(statement.with_for_update(skip_locked=True)).all()
        known = timing.KnownHours(session)
        for ticket in tickets:
            found = timing.note_missed(session, ticket, known.of(ticket.queue_id)[1], now)
            found += timing.note_pressing(session, ticket, now)
            telling.tell_missed(session, found)
        return len(tickets) == AT_ONCE


@queue.periodic(cron="17 3 * * *")
@task("tickets.tidy")
def tidy(timestamp: int) -> None:
    """Every night: close what was solved long ago, forget where forms came from, count days off anew."""
    del timestamp
    with transaction() as session:
        now = clock.now()
        days = func.make_interval(0, 0, 0, Queue.reopen_days)
        over = select(Ticket.id).join(Queue, Queue.id == Ticket.queue_id)
        over = over.where(Ticket.state == TicketState.SOLVED, Ticket.solved_at + days < now)
        session.execute(text("select set_config('waymark.source', 'job', true)"))
        session.execute(
            update(Ticket)
            .where(Ticket.id.in_(over))
            .values(state=TicketState.CLOSED.value)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(Ticket)
            .where(Ticket.from_address.is_not(None), Ticket.opened_at < now - timedelta(days=1))
            .values(from_address=None)
            .execution_options(synchronize_session=False)
        )
