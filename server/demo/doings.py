"""Two years of calls, meetings, tasks and mails of the demonstration's company: seeded, busier before the seasons."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.activities.agenda.models import Activity
from server.auth.models import Role, User
from server.demo.words import say
from server.kit import clock
from server.kit.settings import settings

SPACE = UUID("0a4f6a4e-55a1-5c43-9a6e-0b7d4f7a2c11")
DAYS = 730
SEASON = (0.8, 0.9, 1.2, 1.1, 1.0, 0.9, 0.6, 0.7, 1.3, 1.4, 1.5, 0.8)
"""How busy each month is: quiet summers, full autumns."""
YEARLY = {"A": 26, "B": 13, "C": 6}
"""Contacts with an account in a year beside visits."""

CALLS = ("Reordered by phone", "Asked about delivery", "Price of the autumn range", "Late delivery",
         "Fixed a date for the next visit", "Asked for samples", "Invoice was wrong", "New buyer")  # fmt: skip
MEETINGS = ("Yearly talk", "Presentation of the new range", "Tasting with the team", "Contract for next year")
TASKS = ("Send the price list", "Bring samples", "Write the offer", "Check the credit limit", "Fit the new shelf",
         "Photograph the shop window", "Ask for a reference")  # fmt: skip
MAILS = ("Your offer of last week", "Order confirmation", "Question about payment terms", "Our new catalogue",
         "Thank you for the visit", "Opening hours over the holidays")  # fmt: skip
RESULTS = ("reached", "reached", "reached", "not_reached", "message_left", "call_back", "interested", "not_interested")


OPTIONAL = (
    "starts_at", "ends_at", "due_on", "done_at", "outcome", "direction", "rrule", "reminder_min", "effort_s",
    "message_id", "sender", "note", "site_id",
)  # fmt: skip
OFFICE_HOURS = (
    (1, 16, "call", "Calls to customers without an order"),
    (3, 13, "meeting", "Sales training"),
    (4, 16, "task", "Weekly report"),
)
"""Day of the week, hour, and what is done then."""
MANAGING = ((1, 9, "Ride along with a rep"), (2, 15, "Forecast talk"), (4, 11, "Talk with purchasing"))
"""Day of the week, hour, and the meeting of a manager."""
OFFICE_TASKS = (
    (-1, "Approve the discounts of the week"), (0, "Answer the complaint about late deliveries"),
    (2, "Say the numbers of the quarter"), (5, "Look at the proposed classes"), (9, "Plan the visits of next month"),
)  # fmt: skip
"""Days from today, and what a manager has to do by then."""


@dataclass(frozen=True)
class Customer:
    """An account with what its history needs."""

    id: UUID
    name: str
    email: str
    rank: str
    owner_id: UUID
    site_id: UUID | None


def make(session: Session, today: date) -> int:
    """Write the history, and what stands in the next weeks; again changes nothing. Returns how many."""
    if session.scalar(select(Activity.id).limit(1)) is not None:
        return 0
    reps = list(session.scalars(select(User.id).where(User.role == Role.REP, User.active).order_by(User.login)))
    if not reps:
        return 0
    rows = [row for one in _customers(session, reps) for row in _history(one, today)]
    rows += [row for number, rep in enumerate(reps) for row in _weeks(rep, number, today)]
    managers = session.scalars(select(User.id).where(User.role == Role.MANAGER, User.active).order_by(User.login))
    rows += [row for number, key in enumerate(managers) for row in _desk(key, number, today)]
    for begin in range(0, len(rows), 2000):
        session.execute(insert(Activity), rows[begin : begin + 2000])
    return len(rows)


def _customers(session: Session, reps: Sequence[UUID]) -> list[Customer]:
    main = select(Site.account_id, Site.id).where(Site.is_main, Site.deleted_at.is_(None)).subquery()
    found = session.execute(
        select(Account.id, Account.name, Account.email, Account.account_class, Account.owner_id, main.c.id)
        .outerjoin(main, main.c.account_id == Account.id)
        .where(Account.deleted_at.is_(None), Account.merged_into.is_(None))
        .order_by(Account.number, Account.id)
    )
    return [
        Customer(key, name, email or "", rank or "C", owner or reps[number % len(reps)], site)
        for number, (key, name, email, rank, owner, site) in enumerate(found)
    ]


def _history(one: Customer, today: date) -> Iterator[dict[str, Any]]:
    chance = random.Random(f"doings:{one.name}")
    days = [today - timedelta(days=chance.randrange(1, DAYS)) for _ in range(2 * YEARLY.get(one.rank, 6))]
    for number, day in enumerate(sorted(days)):
        if day.weekday() >= 5 or chance.random() > SEASON[day.month - 1] / 1.5:
            continue
        at = _at(day, chance.randrange(8, 17), chance.choice((0, 15, 30, 45)))
        kind = chance.choices(("call", "mail", "task", "meeting"), (5, 4, 3, 1))[0]
        yield from _one(one, kind, number, at, chance)
    for number in range(chance.choices((0, 1, 2), (5, 4, 1))[0]):
        due = today + timedelta(days=chance.randrange(-6, 21))
        at = _at(due, 0, 0)
        more = {"due_on": due, "state": "open", "priority": chance.choice(("normal", "normal", "high"))}
        site = {"site_id": one.site_id} if chance.random() < 0.3 else {}
        yield _row(one, "task", f"next{number}", at, chance.choice(TASKS), **more, **site, effort_s=900)


def _one(one: Customer, kind: str, number: int, at: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    minutes = timedelta(minutes=chance.choice((5, 10, 15) if kind == "call" else (30, 60, 90)))
    if kind == "mail":
        domain = one.email.partition("@")[2] or "customer.example"
        sender, direction = (f"office@{domain}", "in") if chance.random() < 0.5 else ("sales@company.example", "out")
        subject = chance.choice(MAILS)
        more = {"message_id": f"demo-{uuid5(SPACE, f'{one.id}/{number}')}", "sender": sender, "direction": direction}
        yield _row(one, kind, str(number), at, subject, state="done", done_at=at, note=f"{say(subject)}.", **more)
        return
    past = {"state": "done", "done_at": at, "starts_at": at, "ends_at": at + minutes}
    if kind == "call":
        past |= {"outcome": chance.choice(RESULTS), "direction": chance.choice(("in", "out"))}
        yield _row(one, kind, str(number), at, chance.choice(CALLS), **past)
    elif kind == "meeting":
        yield _row(one, kind, str(number), at, chance.choice(MEETINGS), **past, outcome="held")
    else:
        yield _row(one, kind, str(number), at, chance.choice(TASKS), state="done", done_at=at, due_on=at.date())


def _weeks(rep: UUID, number: int, today: date) -> Iterator[dict[str, Any]]:
    """What a rep's calendar holds around today: the team's Monday, office hours, the next talks."""
    own = Customer(rep, f"rep {number}", "", "C", rep, None)
    chance = random.Random(f"weeks:{number}")
    monday = today - timedelta(days=today.weekday())
    begin = _at(monday - timedelta(days=364), 7, 30)
    team = {"starts_at": begin, "ends_at": begin + timedelta(minutes=30), "rrule": "FREQ=WEEKLY", "account_id": None}
    yield _row(own, "meeting", "team", begin, "Week's start with the team", **team)
    for week in range(-1, 3):
        for day, hour, kind, subject in OFFICE_HOURS:
            if chance.random() < 0.75:
                at = _at(monday + timedelta(days=7 * week + day), hour, 0)
                times = {"starts_at": at, "ends_at": at + timedelta(minutes=chance.choice((45, 60)))}
                yield _row(own, kind, f"{week}-{day}", at, subject, **times, account_id=None, reminder_min=10)


def _desk(manager: UUID, number: int, today: date) -> Iterator[dict[str, Any]]:
    """What a manager has to do around today: the same Monday, talks with the reps, tasks of the office."""
    own = Customer(manager, f"manager {number}", "", "C", manager, None)
    monday = today - timedelta(days=today.weekday())
    begin = _at(monday - timedelta(days=364), 7, 30)
    team = {"starts_at": begin, "ends_at": begin + timedelta(minutes=30), "rrule": "FREQ=WEEKLY", "account_id": None}
    yield _row(own, "meeting", "team", begin, "Week's start with the team", **team)
    for week in range(-1, 3):
        for place, (day, hour, subject) in enumerate(MANAGING):
            at = _at(monday + timedelta(days=7 * week + day), hour, 0)
            times = {"starts_at": at, "ends_at": at + timedelta(minutes=60), "account_id": None, "reminder_min": 10}
            yield _row(own, "meeting", f"{week}-{place}", at, subject, **times)
    for place, (days, subject) in enumerate(OFFICE_TASKS):
        due = today + timedelta(days=days)
        more = {"due_on": due, "account_id": None, "effort_s": 1800, "priority": "high" if days < 0 else "normal"}
        yield _row(own, "task", f"desk{place}", _at(due, 0, 0), subject, **more)


def _row(one: Customer, kind: str, key: str, at: datetime, subject: str, **more: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(OPTIONAL), "id": uuid5(SPACE, f"{one.id}/{kind}/{key}"), "kind": kind, "account_id": one.id,
        "owner_id": one.owner_id, "subject": say(subject), "at": at, "zone": settings().zone, "state": "open",
        "priority": "normal", "created_at": min(at, clock.now()), "thread_id": more.get("message_id"), **more,
    }  # fmt: skip


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(settings().zone)).astimezone(UTC)
