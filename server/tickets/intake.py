"""What comes in from customers: mails and answers, threaded to their ticket, safe from loops."""

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.locks import one_at_a_time
from server.mail.models import Message
from server.mail.queries import configured
from server.mail.received import Received
from server.tickets import queries, telling
from server.tickets.folding import folded
from server.tickets.models import MessageKind, Queue, Source, Ticket, TicketMessage, TicketState
from server.tickets.opening import NewTicket, open_ticket
from server.tickets.states import enter
from server.tickets.telling import LARGEST_ALL, LARGEST_FILE, MOST_FILES, NewFile
from server.tickets.values import LONGEST_BODY, LONGEST_SUBJECT

NUMBER = re.compile(r"\[#(\d{1,15})\]")
PREFIX = re.compile(r"^\s*((re|aw|fwd?|wg|antw)\s*:\s*)+", re.IGNORECASE)
MOST_AN_HOUR = 20
"""A sender who opens more tickets within an hour adds to the latest one instead."""
NOT_PLAIN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def is_for_tickets(session: Session, received: Received) -> bool:
    """Whether a mail answers a ticket, or went to the address of a queue."""
    return _queue_of(session, received) is not None or _answered(session, received) is not None


def take(session: Session, received: Received) -> Ticket | None:
    """A mail of the support mailbox: to the queue that it is for, else to the oldest one; None without any queue."""
    oldest = select(Queue).where(Queue.deleted_at.is_(None)).order_by(Queue.created_at, Queue.id).limit(1)
    queue = _queue_of(session, received) or session.scalars(oldest).first()
    return take_mail(session, received, queue) if queue is not None else None


def _queue_of(session: Session, received: Received) -> Queue | None:
    there = select(Queue).where(Queue.mail_address.in_(received.to), Queue.deleted_at.is_(None))
    return session.scalars(there.order_by(Queue.created_at, Queue.id).limit(1)).first()


def take_mail(session: Session, received: Received, queue: Queue) -> Ticket | None:
    """A mail to a queue: a new ticket, or an answer to one. The same mail twice is taken once.

    It belongs to a ticket when it answers one of its mails, or when its subject names the number and it comes from
    who asked; a stranger who names a number gets a ticket of their own, linked to that one. A mail of our own that
    came back is left alone: None. Nothing is ever sent in answer to a machine.
    """
    one_at_a_time(session, f"ticket-sender:{received.sender}")
    reference = received.message_id.strip("<>")[:900]
    known = session.scalars(select(TicketMessage).where(TicketMessage.mail_ref == reference)).one_or_none()
    if known is not None:
        return session.get(Ticket, queries.surviving(session, known.ticket_id))
    if received.sender in _own_addresses(session):
        return None
    body, quoted = folded(NOT_PLAIN.sub(" ", received.text))
    files, left_out = _files(received)
    named = _named(session, received)
    ticket = _answered(session, received) or (named if named and _is_from(session, named, received.sender) else None)
    ticket = ticket or _flooded(session, received.sender)
    text = (body or received.subject or "–")[:LONGEST_BODY]
    if ticket is not None:
        ticket = hear(
            session, ticket.id, text, quoted=quoted, mail_ref=reference, is_automatic=received.is_automatic,
            author=received.sender_name or received.sender, files=files,
        )  # fmt: skip
    else:
        subject = PREFIX.sub("", NUMBER.sub("", received.subject)).strip()
        fields = {
            "subject": (subject or text.splitlines()[0])[:LONGEST_SUBJECT],
            "requester_name": (received.sender_name or None) and received.sender_name[:200],
            "requester_email": received.sender,
        }
        new = NewTicket(
            queue.id, text, Source.MAIL, fields, quoted=quoted, mail_ref=reference,
            is_automatic=received.is_automatic, files=files,
        )  # fmt: skip
        ticket = open_ticket(session, new)
        if named is not None:
            words = "Its subject names #{number}, which somebody else had asked."
            telling.note(session, ticket, words, number=named.number)
    for name, size in left_out:
        words = "The file {name} ({size} MB) is too large and was left out; it is in the mail."
        telling.note(session, ticket, words, name=name, size=round(size / 1e6))
    return ticket


def hear(
    session: Session,
    ticket_id: UUID,
    body: str,
    *,
    author: str | None = None,
    quoted: str | None = None,
    mail_ref: str | None = None,
    is_automatic: bool = False,
    files: tuple[NewFile, ...] = (),
) -> Ticket:
    """The customer says something: it is our turn again.

    A solved ticket is opened again within its queue's days; later a new one goes on with it. What a machine says
    (out of office, a bounce) is kept and changes nothing else.
    """
    ticket = session.get_one(
        Ticket, queries.surviving(session, ticket_id), with_for_update=True, populate_existing=True
    )
    queue, now = session.get_one(Queue, ticket.queue_id), clock.now()
    is_over = ticket.state == TicketState.CLOSED or (
        ticket.solved_at is not None and now - ticket.solved_at > timedelta(days=queue.reopen_days)
    )
    if (is_over or ticket.deleted_at is not None) and not is_automatic:
        return _follow_up(session, ticket, body, quoted=quoted, mail_ref=mail_ref, files=files)
    message = telling.say(
        session, ticket, MessageKind.INCOMING, body, author_name=author, quoted=quoted, mail_ref=mail_ref,
        is_automatic=is_automatic,
    )  # fmt: skip
    telling.attach(session, message, files)
    if not is_automatic:
        if ticket.state == TicketState.SOLVED:
            telling.note(session, ticket, "Opened again by the customer's answer.")
        if ticket.state != TicketState.NEW:
            enter(session, ticket, TicketState.WAITING_US, now)
        if ticket.assignee_id is not None:
            words = "#{number} {subject}: the customer has answered."
            telling.notify(session, ticket, telling.who_has(session, ticket), "ticket_given", words)
    telling.tell(session, ticket)
    return ticket


def _follow_up(
    session: Session,
    ticket: Ticket,
    body: str,
    *,
    quoted: str | None,
    mail_ref: str | None,
    files: tuple[NewFile, ...],
) -> Ticket:
    names = (
        "subject", "account_id", "site_id", "contact_id", "requester_name", "requester_email", "requester_phone",
        "language",
    )  # fmt: skip
    fields = {name: getattr(ticket, name) for name in names}
    new = NewTicket(
        ticket.queue_id, body, Source(ticket.source), fields, quoted=quoted, mail_ref=mail_ref, files=files,
        follows_id=ticket.id,
    )  # fmt: skip
    made = open_ticket(session, new)
    telling.note(session, made, "Goes on with #{number}, which is closed.", number=ticket.number)
    return made


def _own_addresses(session: Session) -> set[str]:
    server = configured(session)
    queues = session.scalars(select(Queue.mail_address).where(Queue.mail_address.is_not(None)))
    return {one.lower() for one in (*queues, server.sender if server else None) if one}


def _answered(session: Session, received: Received) -> Ticket | None:
    """The ticket one of whose mails this answers."""
    references = [one.strip("<>") for one in received.references][-30:]
    ours = [key for one in references if (key := _uuid(one.partition("@")[0])) is not None]
    mails = select(Message.id).where(Message.id.in_(ours), Message.purpose == "ticket")
    confirmed = select(func.replace(Message.key, "ticket-received:", "")).where(
        Message.id.in_(ours), Message.key.like("ticket-received:%")
    )
    found = session.scalar(
        select(TicketMessage.ticket_id)
        .where(or_(TicketMessage.mail_ref.in_(references), TicketMessage.mail_id.in_(mails)))
        .order_by(TicketMessage.at.desc())
        .limit(1)
    )
    found = found or _uuid(session.scalar(confirmed.limit(1)) or "")
    return session.get(Ticket, queries.surviving(session, found)) if found is not None else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _named(session: Session, received: Received) -> Ticket | None:
    """The ticket whose number the subject names."""
    match = NUMBER.search(received.subject)
    if match is None:
        return None
    found = session.scalars(select(Ticket).where(Ticket.number == int(match[1]))).one_or_none()
    return session.get(Ticket, queries.surviving(session, found.id)) if found is not None else None


def _is_from(session: Session, ticket: Ticket, sender: str) -> bool:
    """Whether a sender has to do with a ticket: who asked, in it or in one merged into it."""
    asked = select(Ticket.id).where(Ticket.id.in_(queries.family(ticket.id)), Ticket.requester_email == sender)
    return session.scalar(asked.limit(1)) is not None


def _flooded(session: Session, sender: str) -> Ticket | None:
    """The latest ticket of a sender who has opened too many within an hour."""
    lately = select(Ticket).where(
        Ticket.requester_email == sender,
        Ticket.source == Source.MAIL,
        Ticket.merged_into.is_(None),
        Ticket.opened_at > clock.now() - timedelta(hours=1),
    )
    found = session.scalars(lately.order_by(Ticket.opened_at.desc()).limit(MOST_AN_HOUR)).all()
    return found[0] if len(found) >= MOST_AN_HOUR else None


def _files(received: Received) -> tuple[tuple[NewFile, ...], list[tuple[str, int]]]:
    """The files of a mail that a ticket takes, and name and size of the others."""
    taken, left_out, total = list[NewFile](), list[tuple[str, int]](), 0
    for part in received.parts:
        size = len(part.content)
        if size > LARGEST_FILE or total + size > LARGEST_ALL or len(taken) >= MOST_FILES:
            left_out.append((part.name[:200], size))
        else:
            taken.append(NewFile(part.name, part.media_type, part.content))
            total += size
    return tuple(taken), left_out
