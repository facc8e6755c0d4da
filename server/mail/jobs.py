"""Sending mail in the background."""

from uuid import UUID

from sqlalchemy import update

from server.jobs import defer, outgoing, task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.mail import queries, smtp, writing
from server.mail.models import Attachment, Message

_INTERRUPTED = "The worker was stopped while the mail was handed over; it may have arrived."


@task("mail.send")
def send(message_id: str) -> None:
    """Send one mail. Running twice, or after a killed worker, sends it once: from the moment its content goes out
    until the server's answer nobody can know, and then a person decides.
    """
    key = UUID(message_id)
    with transaction() as session:
        message = outgoing.claim(session, Message, key)
        if message is None:
            return
        if message.handed_at is not None:
            outgoing.is_unsure(message, _INTERRUPTED)
            return
        server = queries.configured(session)
        if server is None:
            outgoing.try_later(message, "No mail server is set up.")
            return
        try:
            wire, there = writing.written(message, server), writing.connection(server)
        except WaymarkError as error:
            outgoing.try_later(message, f"{error.message} {error.help}".strip())
            return
        sender, to = server.sender, list(message.to)
    try:
        refused = smtp.hand_over(there, sender, to, wire, lambda: _mark_handed(key))
    except smtp.NotHandedOver as error:
        with transaction() as session:
            message = session.get_one(Message, key, with_for_update=True)
            message.handed_at = None
            (outgoing.is_failed if error.is_final else outgoing.try_later)(message, str(error))
        return
    except smtp.MaybeHandedOver as error:
        with transaction() as session:
            outgoing.is_unsure(session.get_one(Message, key, with_for_update=True), str(error))
        return
    with transaction() as session:
        note = "; ".join(f"{address} was refused: {why}" for address, why in refused.items())
        outgoing.is_sent(session.get_one(Message, key, with_for_update=True), note)
        session.execute(update(Attachment).where(Attachment.message_id == key).values(content=None))


def _mark_handed(key: UUID) -> None:
    with transaction() as session:
        session.get_one(Message, key, with_for_update=True).handed_at = clock.now()


@queue.periodic(cron="* * * * *")
@task("mail.send_due")
def send_due(timestamp: int) -> None:
    """Every minute: send what waits for its next try, and what a worker has left behind."""
    del timestamp
    with transaction() as session:
        for key in outgoing.due(session, Message):
            defer(session, send, key=f"mail:{key}", lock=f"mail:{key}", message_id=str(key))
