"""What tickets can be filtered by, and what accounts can be filtered by because of their tickets."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, case, cast, func, literal, select
from sqlalchemy.orm import aliased

from server.accounts.models import Account
from server.auth.models import User
from server.kit.filtering import Field, Kind
from server.tickets.models import UNSOLVED, ClockEvent, Priority, Queue, Source, Ticket, TicketState

UNSOLVED_NOW = Ticket.state.in_(UNSOLVED) & Ticket.merged_into.is_(None) & Ticket.deleted_at.is_(None)
"""Whether somebody still has to do something."""

PRIORITY_RANK = case({str(one): rank for rank, one in enumerate(Priority)}, value=Ticket.__table__.c.priority, else_=1)
"""From low to urgent as a number."""

NEXT_DUE = func.least(Ticket.answer_due_at, Ticket.solve_due_at)
"""What is due next; nulls do not count."""

TAG = func.unnest(Ticket.tags).table_valued("tag").render_derived(name="ticket_tagged")


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether something is due that has not happened."""
    return func.coalesce(now >= NEXT_DUE, False)


def of_tags(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some tag of the ticket fulfils it."""
    return select(literal(1)).select_from(TAG).where(condition).correlate(Ticket).exists()


DUE_DAY = cast(ClockEvent.due_at, Date)


def of_misses(kind: str) -> Callable[[ColumnElement[bool]], ColumnElement[bool]]:
    """A target of this kind was missed, and the miss fulfils a condition."""
    missed = (ClockEvent.ticket_id == Ticket.id, ClockEvent.event == "breach", ClockEvent.kind == kind)
    return lambda condition: select(ClockEvent.id).where(*missed, condition).correlate(Ticket).exists()


def of_queue(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A target was missed while the ticket was in a queue that fulfils a condition."""
    missed = select(ClockEvent.id).join(Queue, Queue.id == ClockEvent.queue_id)
    return (
        missed.where(ClockEvent.ticket_id == Ticket.id, ClockEvent.event == "breach", condition)
        .correlate(Ticket)
        .exists()
    )


def fields(now: datetime, today: date) -> Mapping[str, Field]:
    """The fields of tickets by name."""
    assignee = aliased(User)

    def through(table: Any, key: Any) -> Callable[[ColumnElement[bool]], ColumnElement[bool]]:
        return lambda condition: select(table.id).where(table.id == key, condition).correlate(Ticket).exists()

    def field(
        name: str, kind: Kind, column: Any, label: str, choices: tuple[str, ...] = (), exists: Any = None
    ) -> Field:
        return Field(name, kind, column, label, choices, exists)

    breached = select(ClockEvent.id).where(ClockEvent.ticket_id == Ticket.id, ClockEvent.event == "breach")
    days = cast(literal(today), Date) - cast(Ticket.opened_at, Date)
    declared = (
        field("number", Kind.NUMBER, Ticket.__table__.c.number, "Number"),
        field("subject", Kind.TEXT, Ticket.__table__.c.subject, "Subject"),
        field("state", Kind.CHOICE, Ticket.__table__.c.state, "State", tuple(TicketState)),
        field("priority", Kind.CHOICE, Ticket.__table__.c.priority, "Priority", tuple(Priority)),
        field("source", Kind.CHOICE, Ticket.__table__.c.source, "Came by", tuple(Source)),
        field("queue", Kind.TEXT, Queue.__table__.c.name, "Queue", (), through(Queue, Ticket.queue_id)),
        field("assignee", Kind.TEXT, assignee.login, "Assignee's login", (), through(assignee, Ticket.assignee_id)),
        field("account", Kind.TEXT, Account.__table__.c.name, "Account", (), through(Account, Ticket.account_id)),
        field("requester", Kind.TEXT, Ticket.__table__.c.requester_email, "E-mail of who asks"),
        field("tag", Kind.TEXT, TAG.c.tag, "Tag", (), of_tags),
        field("opened", Kind.DATE, cast(Ticket.opened_at, Date), "Opened"),
        field("solved", Kind.DATE, cast(Ticket.solved_at, Date), "Solved"),
        field("age", Kind.NUMBER, days, "Age in days"),
        field("open", Kind.FLAG, Ticket.state.in_(UNSOLVED), "Not solved yet"),
        field("overdue", Kind.FLAG, is_overdue(now), "Overdue"),
        field("breached", Kind.FLAG, breached.correlate(Ticket).exists(), "A target was missed"),
        field("missed_answer", Kind.DATE, DUE_DAY, "An answer was missed on", (), of_misses("answer")),
        field("missed_solve", Kind.DATE, DUE_DAY, "A solution was missed on", (), of_misses("solve")),
        field("missed_queue", Kind.TEXT, Queue.__table__.c.name, "A target was missed in the queue", (), of_queue),
        field("content", Kind.FLAG, func.coalesce(Ticket.rating == 1, False), "The customer was content"),
    )
    return {one.name: one for one in declared}


def matches(words: str, hidden: frozenset[str] = frozenset()) -> ColumnElement[bool]:
    """Every word is found in number, subject or requester; #1042 is a number."""
    who = (None, None) if "requester" in hidden else (Ticket.requester_email, Ticket.requester_name)
    text = func.search_words(Ticket.subject, cast(Ticket.number, Ticket.__table__.c.subject.type), *who)

    def found(word: str) -> ColumnElement[bool]:
        folded = func.rtrim(func.search_words(word.lstrip("#"), None, None, None))
        like = func.concat("%", func.regexp_replace(folded, r"([\\%_])", r"\\\1", "g"), "%")
        exact: ColumnElement[bool] = text.like(like)
        return exact | folded.op("<%")(text) if len(word) > 3 and not word.lstrip("#").isdigit() else exact

    return and_(*(found(word) for word in words.split()[:8]))
