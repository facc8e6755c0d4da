"""Mails that came in get their place in the background."""

from uuid import UUID

from sqlalchemy import select

from server.inbox import service
from server.inbox.models import InboxMail
from server.jobs import defer, task
from server.jobs.service import queue
from server.kit.database import transaction
from server.mail.receiving_models import ReceivedMail

MOST = 500


@task("inbox.take")
def take(received_id: str) -> None:
    """Give one mail its place; a mail that fails keeps no other one waiting."""
    with transaction() as session:
        service.take(session, UUID(received_id))


@queue.periodic(cron="* * * * *")
@task("inbox.take_all")
def take_all(timestamp: int) -> None:
    """Every minute: what has come in and has no place yet."""
    del timestamp
    with transaction() as session:
        placed = select(InboxMail.id).where(InboxMail.received_id == ReceivedMail.id).exists()
        new = select(ReceivedMail.id).where(~placed).order_by(ReceivedMail.received_at).limit(MOST)
        for key in session.scalars(new):
            defer(session, take, key=f"inbox:{key}", lock="inbox", received_id=str(key))
