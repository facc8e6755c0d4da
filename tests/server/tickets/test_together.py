"""Several at once: numbers, misses, answers, keys. With real commits and real threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from server.auth.access import Scope, scope_of
from server.auth.models import Role
from server.auth.service import create_user
from server.kit import clock
from server.kit.database import transaction
from server.mail import service as mail
from server.mail.models import Message
from server.tickets import joining, queries, queues, service
from server.tickets.jobs import tidy, watch
from server.tickets.models import ClockEvent, Source, Ticket, TicketState
from server.tickets.service import NewTicket, open_ticket
from tests.server.tickets.conftest import outgoing


@pytest.fixture
def support(empty_database: Any) -> dict[str, Any]:
    """A queue and somebody who works it, really stored."""
    with transaction() as session:
        susi = create_user(session, login="susi", name="Susi", role=Role.SUPPORT)
        scope = scope_of(session, susi, source="api")
        queue = queues.create(session, scope, {"name": "Support", "hours": "24/7"})
        mail.configure(session, mail.Setup("127.0.0.1", 25, "none", "waymark@example.com"))
    return {"queue": queue.id, "scope": scope}


def opened(support: dict[str, Any], key: str | None = None) -> UUID:
    with transaction() as session:
        fields = {"subject": "Oven", "requester_email": "chef@example.com"}
        return open_ticket(session, NewTicket(support["queue"], "Cold.", Source.WEB, fields, key=key)).id


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """The results of some calls that run at the same time; a refusal is its result."""

    def call(job: Callable[[], Any]) -> Any:
        try:
            return job()
        except Exception as error:  # noqa: BLE001 (the test looks at what came)
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(call, job) for job in jobs]]


def test_numbers_have_no_gaps_when_many_open_at_once(support: dict[str, Any]) -> None:
    at_once([lambda: opened(support) for _ in range(6)])
    with transaction() as session:
        numbers = session.scalars(select(Ticket.number).order_by(Ticket.number)).all()
    assert numbers == list(range(numbers[0], numbers[0] + 6))


def test_the_same_key_at_the_same_moment_is_one_ticket(support: dict[str, Any]) -> None:
    found = at_once([lambda: opened(support, "phone-7") for _ in range(4)])
    assert len(set(found)) == 1


def test_parallel_watchers_write_a_miss_down_once(support: dict[str, Any]) -> None:
    ids = [opened(support) for _ in range(3)]
    with transaction() as session:
        for key in ids:
            session.get_one(Ticket, key).answer_due_at = clock.now() - timedelta(minutes=1)
    assert at_once([lambda: watch(0) for _ in range(3)]) == [None] * 3
    watch(0)
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(ClockEvent)) == 3


def test_a_warning_comes_before_the_miss(support: dict[str, Any]) -> None:
    key = opened(support)
    with transaction() as session:
        session.get_one(Ticket, key).answer_warn_at = clock.now() - timedelta(seconds=1)
    watch(0)
    watch(0)
    with transaction() as session:
        [event] = session.scalars(select(ClockEvent)).all()
    assert (event.event, event.kind) == ("warning", "answer")


def test_two_who_answer_at_once_send_one_answer(support: dict[str, Any]) -> None:
    key = opened(support)
    with transaction() as session:
        seen = queries.newest(session, key)

    def answer(scope: Scope, name: str) -> str:
        with transaction() as session:
            return str(service.answer(session, scope, key, outgoing(key=name, seen=seen)).id)

    found = at_once([lambda n=name: answer(support["scope"], n) for name in ("one", "two")])  # type: ignore[misc]
    assert sum(isinstance(one, service.AnsweredMeanwhile) for one in found) == 1
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_two_who_merge_the_same_pair_do_it_once(support: dict[str, Any]) -> None:
    one, other = opened(support), opened(support)

    def merge(winner: UUID, loser: UUID) -> None:
        with transaction() as session:
            joining.merge(session, support["scope"], winner, loser)

    found = at_once([lambda: merge(one, other), lambda: merge(one, other)])
    assert found == [None, None]
    crossed = at_once([lambda: merge(other, one)])
    assert "merged" in str(crossed[0])


def test_what_was_solved_long_ago_is_closed_at_night(support: dict[str, Any]) -> None:
    old, new = opened(support), opened(support)
    with transaction() as session:
        for key in (old, new):
            ticket = session.get_one(Ticket, key)
            service.edit(session, support["scope"], key, ticket.rev, {"state": "solved"})
    with transaction() as session:
        session.execute(text("update ticket set solved_at = now() - interval '20 days' where id = :id"), {"id": old})
    tidy(0)
    with transaction() as session:
        states = {key: session.get_one(Ticket, key).state for key in (old, new)}
    assert states == {old: TicketState.CLOSED, new: TicketState.SOLVED}
