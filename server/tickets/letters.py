"""What is written to customers: answers of people, and the two letters that are sent by themselves."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.contacts.models import Channel, Purpose
from server.contacts.service import NotWanted, may_contact
from server.kit.settings import settings
from server.mail import service as mail
from server.mail.models import Message
from server.mail.queries import configured
from server.tickets.models import UNSOLVED, MessageKind, Queue, Ticket, TicketMessage
from server.tickets.queries import family

MOST_REFERENCES = 20
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "received": "Thank you for your message. It has come in under the number {number}; somebody will look at it."
        " Whoever answers this mail adds to it.",
        "rating": "Was this helpful? Tell us with one click:",
    },
    "de": {
        "received": "Danke für Ihre Nachricht. Sie ist unter der Nummer {number} eingegangen; jemand sieht sie sich an."
        " Wer auf diese Mail antwortet, ergänzt sie.",
        "rating": "War das hilfreich? Sagen Sie es uns mit einem Klick:",
    },
}


def words(ticket: Ticket, key: str) -> str:
    """A sentence in the customer's language, or the company's."""
    known = WORDS.get(ticket.language or settings().language, WORDS["en"])
    return known[key].format(number=f"#{ticket.number}")


def send_answer(
    session: Session, ticket: Ticket, queue: Queue, message: TicketMessage, files: Sequence[mail.File], rate_url: str
) -> Message:
    """Send what somebody of us said, so that the answer to it finds back. Refuses without a mail server."""
    parts = [message.body, queue.signature or ""]
    if rate_url:
        parts.append(f"{words(ticket, 'rating')} {rate_url}")
    return _send(session, ticket, queue, f"ticket-message:{message.id}", parts, files)


def confirm(session: Session, ticket: Ticket, queue: Queue) -> Message | None:
    """Tell who asked, once, that it has come in; where no mail can leave nothing is said."""
    address = ticket.requester_email
    if address is None or not queue.confirms or configured(session) is None:
        return None
    if not may_answer(session, ticket)[0]:
        return None
    parts = [words(ticket, "received"), queue.signature or ""]
    return _send(session, ticket, queue, f"ticket-received:{ticket.id}", parts, (), is_personal=False)


def _send(
    session: Session,
    ticket: Ticket,
    queue: Queue,
    key: str,
    parts: Sequence[str],
    files: Sequence[mail.File],
    *,
    is_personal: bool = True,
) -> Message:
    assert ticket.requester_email is not None
    return mail.queue(
        session,
        key=key,
        purpose="ticket",
        to=[ticket.requester_email],
        subject=f"Re: {ticket.subject} [#{ticket.number}]",
        body="\n\n".join(part.strip() for part in parts if part.strip()) + "\n",
        files=files,
        sender_name=queue.name if is_personal else None,
        reply_to=queue.mail_address,
        references=references(session, ticket.id),
    )


def may_answer(session: Session, ticket: Ticket) -> tuple[bool, str]:
    """Whether who asked may be written to, and why (not): an open question is answered to whoever wants no more."""
    assert ticket.requester_email is not None
    asked = f"ticket #{ticket.number}" if ticket.state in UNSOLVED and ticket.merged_into is None else None
    return may_contact(session, ticket.requester_email, Channel.MAIL, Purpose.SERVICE, asked=asked)


def need_reachable(session: Session, ticket: Ticket) -> str | None:
    """Refuse who may not be written to; where only their own question allows it, the words that say so."""
    may, why = may_answer(session, ticket)
    if not may:
        raise NotWanted(
            f"{ticket.requester_email} must not be written to. {why}",
            help="Reach them another way, and write an internal note of it.",
        )
    assert ticket.requester_email is not None
    wanted, _ = may_contact(session, ticket.requester_email, Channel.MAIL, Purpose.SERVICE)
    return None if wanted else why


def references(session: Session, ticket_id: UUID) -> list[str]:
    """The ids of the mails of a conversation as mail programs know them, the latest last."""
    rows = session.execute(
        select(TicketMessage.mail_ref, TicketMessage.mail_id)
        .where(
            TicketMessage.ticket_id.in_(family(ticket_id)),
            TicketMessage.kind.in_((MessageKind.INCOMING, MessageKind.OUTGOING)),
        )
        .order_by(TicketMessage.at.desc(), TicketMessage.id.desc())
        .limit(MOST_REFERENCES)
    ).all()
    server = configured(session)
    domain = server.sender.rpartition("@")[2] if server else ""
    found = [ref or (f"{mail_id}@{domain}" if mail_id and domain else None) for ref, mail_id in reversed(rows)]
    return [one for one in found if one and all(c not in one for c in "<> \t\r\n")]
