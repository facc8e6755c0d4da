"""Two years of tickets: more in winter and on Mondays, most of them solved in time, some missed, a few open today."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.access import system_scope
from server.auth.models import Role, User
from server.demo.words import say
from server.kit import clock
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.tickets import queues, timing, visits
from server.tickets.models import (
    ClockEvent,
    ClockKind,
    MessageKind,
    Priority,
    Queue,
    Source,
    Ticket,
    TicketCounter,
    TicketMessage,
    TicketState,
)
from server.tickets.opening import FIRST_NUMBER
from server.tickets.sla import Hours, due, worked
from server.tickets.visits import VisitWish

DAYS = 730
A_YEAR_EACH = 1.1
"""Tickets of an account in a year."""
OPEN_DAYS = 21
"""Of tickets so young, many are still open."""

SUBJECTS = {
    "Service": (
        ("The oven does not heat", "Since this morning it stays cold; we have customers at eleven.", 3),
        ("Coffee machine drips", "Water runs out below the machine. No hurry, but the floor is wet.", 1),
        ("Display shows E07", "It shows E07 after the weekend and does not start.", 2),
        ("Spare part for the cutter", "Which blade fits the model of 2019? Please send one.", 1),
        ("Cooling too warm", "The shelf is at nine degrees. We have moved everything.", 3),
        ("Noise while it runs", "It hums louder than before. Can somebody look at it at the next visit?", 0),
    ),
    "Orders": (
        ("Delivery is incomplete", "Two boxes are missing; the delivery note says eight.", 2),
        ("Invoice has the wrong address", "Please make it out to the company, not to the shop.", 1),
        ("When does it come?", "We ordered last week and have heard nothing.", 1),
        ("Return of goods", "We took too many and would like to send twelve back.", 0),
        ("Price differs from the quote", "The quote said 4.80, the invoice says 5.20.", 1),
    ),
}
"""By queue: subject, text, and how much it presses."""
ANSWERS = (
    "Thank you for telling us. Somebody looks at it today.",
    "I have asked the warehouse and write as soon as I know more.",
    "Could you send us a photo of the type plate?",
    "Rita is near you this week and brings the part along.",
)
THANKS = ("That worked, thank you.", "Thank you, all good now.", "Here is the photo.", "Fine, we wait for it.")
CANNED = (
    ("Thanks, we look at it", "Dear {name},\n\nthank you ({number}). We look at it today.\n\n{agent}", None),
    ("Solved", "Dear {name},\n\nwe hope that all works again. If not, just answer.\n\n{agent}", "solved"),
    ("Photo of the type plate", "Could you send us a photo of the type plate, at the back?", "waiting_customer"),
)


@dataclass
class Made:
    """Rows on their way into the tables."""

    tickets: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]


def make(session: Session, today: date, seed: int = 45) -> int:
    """Make queues, canned answers and two years of tickets, once; gives how many tickets there are then."""
    if session.scalar(select(Queue.id).limit(1)) is not None:
        return 0
    chance = random.Random(seed)
    agents = session.scalars(
        select(User).where(User.role.in_((Role.SUPPORT, Role.REP)), User.active).order_by(User.login)
    ).all()
    support = [user.id for user in agents if user.role == Role.SUPPORT] or [user.id for user in agents]
    if not support:
        return 0
    made_queues = set_up(session, support)
    accounts = session.scalars(
        select(Account)
        .where(Account.deleted_at.is_(None), Account.merged_into.is_(None))
        .order_by(Account.number, Account.name, Account.id)
    ).all()
    count = round(len(accounts) * A_YEAR_EACH * DAYS / 365)
    moments = sorted(moment(chance, today) for _ in range(count))
    made = Made([], [], [])
    hours = {queue.id: timing.hours_of(session, queue) for queue in made_queues}
    for number, at in enumerate(moments, FIRST_NUMBER):
        queue = chance.choices(made_queues, (3, 2))[0]
        add(chance, made, queue, hours[queue.id], chance.choice(accounts), support, number, at)
    for table, rows in ((Ticket, made.tickets), (TicketMessage, made.messages), (ClockEvent, made.events)):
        if rows:
            session.execute(insert(table), rows)
    if made.tickets:
        session.execute(insert(TicketCounter).values(id=1, last=FIRST_NUMBER + count - 1))
    for queue in made_queues:
        queues.recount(session, queue)
    want_visits(session, today)
    return len(made.tickets)


def set_up(session: Session, support: Sequence[UUID]) -> list[Queue]:
    """The two queues and the canned answers."""
    scope = system_scope()
    made = [
        queues.create(
            session, scope,
            {
                "name": say(name), "assignment": rule, "agent_ids": [str(one) for one in support], "form_is_open": True,
                "asks_rating": True, "form_intro": say(intro), "signature": say("Kind regards\nYour service"),
                "hours": "Mo-Fr 07:30-12:00,13:00-17:30; PH off",
            },
        )
        for name, rule, intro in (
            ("Service", "least_loaded", "Something does not work? Tell us what, and we see to it."),
            ("Orders", "round_robin", "Questions about a delivery, an invoice or a return."),
        )
    ]  # fmt: skip
    for title, body, state in CANNED:
        queues.save_answer(session, scope, None, 0, {"title": say(title), "body": say(body), "state_after": state})
    return made


def moment(chance: random.Random, today: date) -> datetime:
    """When somebody asks: more in winter, on Mondays and in the morning; hardly at weekends."""
    while True:
        day = today - timedelta(days=chance.randrange(DAYS))
        weight = (1.0, 0.8, 0.75, 0.75, 0.7, 0.12, 0.06)[day.weekday()] * (1.0 if day.month in (11, 12, 1, 2) else 0.72)
        if chance.random() < weight:
            minute = min(max(round(chance.gauss(10.5 * 60, 160)), 6 * 60), 20 * 60)
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute - 60)
            if at < clock.now() - timedelta(minutes=20):
                return at


def add(
    chance: random.Random,
    made: Made,
    queue: Queue,
    hours: Hours,
    account: Account,
    support: Sequence[UUID],
    number: int,
    at: datetime,
) -> None:
    """One ticket with its conversation and what it missed."""
    subject, body, presses = chance.choice(next(found for name, found in SUBJECTS.items() if say(name) == queue.name))
    priority = list(Priority)[min(max(presses + chance.choice((-1, 0, 0, 0, 1)), 0), 3)]
    agent, source = chance.choice(support), chance.choices((Source.MAIL, Source.FORM, Source.WEB), (5, 3, 2))[0]
    ticket = Ticket(
        id=uuid7(), number=number, queue_id=queue.id, account_id=account.id, subject=say(subject), source=source.value,
        priority=priority.value, opened_at=at, requester_name=f"Office of {account.name}", tags=[],
        requester_email=(account.email or f"office{number}@example.com").lower(), assignee_id=agent, used_s=0,
        language=settings().language,
    )  # fmt: skip
    tell(made, ticket, at, MessageKind.INCOMING, body)
    now, pace = clock.now(), chance.lognormvariate(-1.2, 0.75)
    answer_within = timing.target(queue, priority, ClockKind.ANSWER) or timedelta(hours=4)
    solve_within = timing.target(queue, priority, ClockKind.SOLVE) or timedelta(hours=32)
    answered = due(hours, at, answer_within * pace) or at
    solved = due(hours, answered, solve_within * chance.lognormvariate(-1.1, 0.7)) or answered
    if at > now - timedelta(days=OPEN_DAYS) and chance.random() < 0.8:
        solved = now + timedelta(days=1)
        answered = answered if at < now - timedelta(days=3) or chance.random() < 0.4 else solved
    elif solved >= now:
        solved = now - timedelta(hours=chance.uniform(1, 20))
    ticket.state, ticket.clock_since = TicketState.NEW.value, at
    missed(made, ticket, hours, ClockKind.ANSWER, due(hours, at, answer_within), min(answered, now))
    if answered < now:
        ticket.answered_at = answered
        ticket.answered_in_s = round(worked(hours, at, answered).total_seconds())
        tell(made, ticket, answered, MessageKind.OUTGOING, chance.choice(ANSWERS), author_id=agent)
        ticket.state = chance.choices(
            (TicketState.OPEN, TicketState.WAITING_CUSTOMER, TicketState.WAITING_US), (2, 5, 2)
        )[0].value
    if solved < now:
        if chance.random() < 0.6:
            tell(made, ticket, answered + (solved - answered) * 0.7, MessageKind.INCOMING, chance.choice(THANKS))
        missed(made, ticket, hours, ClockKind.SOLVE, due(hours, at, solve_within), solved)
        closed = now - solved > timedelta(days=queue.reopen_days)
        ticket.state = (TicketState.CLOSED if closed else TicketState.SOLVED).value
        ticket.solved_at, ticket.clock_since = solved, None
        ticket.used_s = ticket.solved_in_s = round(worked(hours, at, solved).total_seconds())
        if chance.random() < 0.35:
            ticket.rating = int(chance.random() < (0.93 if ticket.used_s < solve_within.total_seconds() else 0.55))
    elif ticket.state == TicketState.WAITING_CUSTOMER:
        ticket.used_s, ticket.clock_since = ticket.answered_in_s or 0, None
    columns = [column.key for column in Ticket.__table__.columns]
    values = {name: ticket.__dict__.get(name) for name in columns}
    skipped = ("rev", "frev", "created_at", "updated_at", "custom")
    made.tickets.append({name: value for name, value in values.items() if name not in skipped})


def tell(made: Made, ticket: Ticket, at: datetime, kind: MessageKind, body: str, author_id: UUID | None = None) -> None:
    """A line of the conversation."""
    name = ticket.requester_name if kind is MessageKind.INCOMING else None
    made.messages.append(
        {"id": uuid7(), "ticket_id": ticket.id, "at": at, "kind": kind.value, "body": say(body), "author_id": author_id,
         "author_name": name}
    )  # fmt: skip


def missed(made: Made, ticket: Ticket, hours: Hours, kind: ClockKind, at: datetime | None, until: datetime) -> None:
    """What was due before it happened."""
    if at is not None and at < until:
        late = round(worked(hours, at, until).total_seconds())
        made.events.append(
            {"id": uuid7(), "ticket_id": ticket.id, "kind": kind.value, "event": "breach", "queue_id": ticket.queue_id,
             "due_at": at, "found_at": until, "late_s": late}
        )  # fmt: skip


def want_visits(session: Session, today: date, most: int = 4) -> None:
    """The most urgent open tickets ask for a visit this week."""
    urgent = select(Ticket).where(
        Ticket.state.in_((TicketState.OPEN, TicketState.WAITING_US, TicketState.NEW)),
        Ticket.priority.in_((Priority.URGENT, Priority.HIGH)),
    )
    for ticket in session.scalars(urgent.order_by(Ticket.number.desc()).limit(most)).all():
        scope = replace(system_scope(), user_id=ticket.assignee_id or UUID(int=0))
        visits.request_visit(session, scope, ticket.id, VisitWish(today + timedelta(days=4)))
