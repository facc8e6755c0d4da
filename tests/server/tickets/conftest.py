"""A company with support: Susi sees all, Rita and Nora see their accounts; one queue that is open day and night."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.service import create_user
from server.kit import clock
from server.mail import service as mail
from server.mail.received import Received
from server.tickets import queues
from server.tickets.models import MessageKind, Queue, Source, Ticket
from server.tickets.service import NewTicket, Saying, open_ticket
from tests.server.plans.conftest import add_company, make_account, monday, plan_now, scope

NOBODY = UUID("01990000-0000-7000-8000-000000000000")
"""The id of no row."""
__all__ = ["make_account", "monday", "plan_now", "scope"]


@pytest.fixture
def people(session: Session) -> dict[str, User]:
    """The small company of the plans, with two of support and an admin."""
    more = {"susi": Role.SUPPORT, "sepp": Role.SUPPORT, "ada": Role.ADMIN}
    return add_company(session) | {
        login: create_user(session, login=login, name=login.title(), role=role) for login, role in more.items()
    }


@pytest.fixture
def clients(client_for: Callable[[User | None], TestClient], people: dict[str, User]) -> dict[str, TestClient]:
    """API clients by login."""
    return {login: client_for(user) for login, user in people.items()}


@pytest.fixture
def make_queue(session: Session, people: dict[str, User]) -> Callable[..., Queue]:
    """Make a queue: `make_queue("Repairs", assignment="owner")`; it works around the clock."""
    susi = scope_of(session, people["susi"], source="api")
    return lambda name="Support", **more: queues.create(session, susi, {"name": name, "hours": "24/7", **more})


@pytest.fixture
def queue(make_queue: Callable[..., Queue]) -> Queue:
    return make_queue(mail_address="help@example.com")


@pytest.fixture
def make_ticket(session: Session, queue: Queue) -> Callable[..., Ticket]:
    """Open a ticket: `make_ticket("The oven is cold", account_id=amann.id)`."""

    def make(subject: str = "The oven is cold", **more: Any) -> Ticket:
        own = {name: more.pop(name) for name in ("key", "files") if name in more}
        queue_id, source = more.pop("queue_id", queue.id), more.pop("source", Source.WEB)
        fields = {"subject": subject, "requester_email": "chef@example.com", "requester_name": "Chef", **more}
        return open_ticket(session, NewTicket(queue_id, "It does not heat.", source, fields, **own))

    return make


@pytest.fixture
def mail_server(session: Session) -> None:
    """Mail can leave; nothing is sent before a worker runs."""
    mail.configure(session, mail.Setup("127.0.0.1", 25, "none", "waymark@example.com"))


@pytest.fixture
def received() -> Callable[..., Received]:
    """A mail that came in: `received("Oven", "It is cold.")`."""
    count = iter(range(1, 10_000))

    def make(subject: str = "Oven", text: str = "It is cold.", **more: Any) -> Received:
        values = {
            "message_id": f"m{next(count)}@customer.example", "references": (), "sender": "chef@example.com",
            "sender_name": "Chef", "to": ("help@example.com",), "sent_at": clock.now(), "is_automatic": False,
        }  # fmt: skip
        return Received(subject=subject, text=text, **(values | more))

    return make


def outgoing(body: str = "We come tomorrow.", key: str = "k1", **more: Any) -> Saying:
    return Saying(body, more.pop("kind", MessageKind.OUTGOING), key, **more)


def long_ago(ticket: Ticket, days: int) -> None:
    """As if a ticket had been solved so many days ago."""
    assert ticket.solved_at is not None
    ticket.solved_at -= timedelta(days=days)


@pytest.fixture
def susi(session: Any, people: Any) -> Any:
    return scope_of(session, people["susi"], source="api")
