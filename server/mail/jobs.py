"""Sending and receiving mail in the background."""

from uuid import UUID

from sqlalchemy import update

from server.jobs import defer, outgoing, task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.mail import imap, mailboxes, queries, smtp, writing
from server.mail.models import Attachment, Message
from server.mail.receiving_models import Mailbox

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


@task("mail.receive", retry=False)
def receive(mailbox_id: str) -> None:
    """Take what is new in a mailbox: each mail is stored first and marked in the mailbox after, so that a worker that
    is stopped in between loses nothing and takes nothing twice.
    """
    key = UUID(mailbox_id)
    with transaction() as session:
        mailbox = session.get(Mailbox, key)
        if mailbox is None or not mailbox.active:
            return
        session.expunge(mailbox)
    trouble = ""
    try:
        with imap.opened(mailbox) as box:
            take_all(mailbox, box)
    except WaymarkError as error:
        trouble = f"{error.message} {error.help}".strip()
    with transaction() as session:
        there = session.get_one(Mailbox, key, with_for_update=True)
        there.trouble, there.read_at = trouble, clock.now()


def take_all(mailbox: Mailbox, box: imap.Box) -> None:
    """Take every new mail of an open mailbox, and mark what was taken."""
    with transaction() as session:
        last = mailboxes.begin(session, mailbox.id, box.uid_validity, box.uid_next)
    for uid in box.after(last):
        mail = box.fetch(uid)
        if mail is not None:
            with transaction() as session:
                mailboxes.take(session, mailbox.id, box.uid_validity, mail)
    with transaction() as session:
        waiting = mailboxes.unmarked(session, mailbox.id, box.uid_validity)
    for uid in waiting:
        box.mark(uid, mailbox.afterwards)
        with transaction() as session:
            mailboxes.marked(session, mailbox.id, box.uid_validity, uid)


@queue.periodic(cron="* * * * *")
@task("mail.receive_all")
def receive_all(timestamp: int) -> None:
    """Every minute: look into every mailbox."""
    del timestamp
    with transaction() as session:
        for mailbox in mailboxes.every(session):
            if mailbox.active:
                key = f"mailbox:{mailbox.id}"
                defer(session, receive, key=key, lock=key, mailbox_id=str(mailbox.id))
