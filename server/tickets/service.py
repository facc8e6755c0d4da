"""The rules of tickets: changing, giving, answering, solving, opening again. Each verb says when it refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.values import plain
from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, PreconditionFailed
from server.kit.secrets import seal
from server.kit.settings import settings
from server.mail import service as mail
from server.tickets import editing, letters, opening, queries, telling, timing
from server.tickets.editing import Edited
from server.tickets.intake import hear, take_mail
from server.tickets.models import MessageKind, Queue, Ticket, TicketMessage, TicketState
from server.tickets.opening import NewTicket, open_ticket
from server.tickets.states import enter, withdraw_visits
from server.tickets.telling import NewFile
from server.tickets.values import LONGEST_BODY

__all__ = [
    "AnsweredMeanwhile", "NewTicket", "Saying", "answer", "assign", "delete", "edit", "hear", "open_ticket", "rate",
    "restore", "take_mail",
]  # fmt: skip

WORDS = {
    "state": "State: {old} → {new}.",
    "priority": "Priority: {old} → {new}.",
    "queue_id": "Queue: {old} → {new}.",
    "assignee_id": "Given to {new}.",
}
"""How the conversation tells of a change; other fields are in the history only."""


class AnsweredMeanwhile(PreconditionFailed):
    """Somebody said something while the answer was written."""

    code: ClassVar[str] = "answered_meanwhile"


class NoAddress(Conflict):
    """An answer has nowhere to go."""

    code: ClassVar[str] = "no_address"


@dataclass(frozen=True)
class Saying:
    """What somebody of us says."""

    body: str
    kind: MessageKind
    key: str
    """Made with the form: a second click sends nothing twice."""
    seen: UUID | None = None
    """The newest thing that was said when it was written; see `queries.newest`."""
    state_after: TicketState | None = None
    tags: Sequence[str] = ()
    """Added to the ticket's."""
    files: Sequence[NewFile] = field(default=())


def open_for(session: Session, scope: Scope, new: NewTicket) -> Ticket:
    """Open a ticket that somebody writes down for a customer. Refuses one that they could not see afterwards."""
    scope.need_changes("ticket", (name for name, value in new.fields.items() if value))
    ticket = open_ticket(session, new)
    if session.scalar(queries.visible_to(scope, "tickets:write").where(Ticket.id == ticket.id)) is None:
        raise Forbidden(
            "The new ticket would lie outside your area.", help="Choose one of your accounts, or take it yourself."
        )
    return ticket


def edit(session: Session, scope: Scope, ticket_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Edited:
    """Change fields of a ticket that the editor saw at `base_rev`; what two people changed differently is refused.

    Refuses to give a ticket to somebody else without the right to assign.
    """
    ticket = locked(session, scope, ticket_id)
    scope.need_changes("ticket", changes)
    state_before = TicketState(ticket.state)
    found = editing.edit(session, ticket, base_rev, changes)
    opening.check_references(
        session, {name: getattr(ticket, name) for name in ("account_id", "site_id", "assignee_id", "queue_id")}
    )
    if "assignee_id" in found.applied:
        _check_may_give(scope, ticket)
        if ticket.state == TicketState.NEW and ticket.assignee_id is not None:
            ticket.state = TicketState.OPEN
    for name in WORDS:
        if name in found.applied:
            old, new = (_named(session, name, value) for value in (found.before[name], getattr(ticket, name)))
            telling.note(session, ticket, WORDS[name], scope.user_id, old=old, new=new)
    if "assignee_id" in found.applied and ticket.assignee_id is not None:
        words = "#{number} {subject} is given to you."
        telling.notify(session, ticket, [ticket.assignee_id], "ticket_given", words, by=scope.user_id)
    if found.applied:
        wanted, ticket.state = TicketState(ticket.state), state_before
        enter(session, ticket, wanted, clock.now())
        telling.tell(session, ticket)
    return found


def assign(session: Session, scope: Scope, ticket_id: UUID, user_id: UUID | None) -> Ticket:
    """Give a ticket to somebody, or back to the queue. Refuses to give it to others without the right to assign."""
    ticket = queries.find(session, scope, ticket_id, "tickets:write")
    edit(session, scope, ticket_id, ticket.rev, {"assignee_id": user_id})
    return ticket


def answer(session: Session, scope: Scope, ticket_id: UUID, saying: Saying) -> TicketMessage:
    """Say something in a ticket: to the customer by mail, or among ourselves.

    The same key again changes nothing. Refuses when somebody said something in between, so that it is read first, and
    an answer to a customer without a mail address.
    """
    ticket = locked(session, scope, ticket_id)
    known = session.scalars(select(TicketMessage).where(TicketMessage.key == saying.key)).one_or_none()
    if known is not None:
        return known
    scope.need_changes("ticket", ("tags",) if saying.tags else ())
    body = plain(saying.body, LONGEST_BODY, lines=True)
    if body is None:
        raise Invalid("The answer is empty.", help="Write something.", field="body")
    if ticket.merged_into is not None:
        raise Conflict(
            "The ticket was merged into another one.", help="Answer there.", merged_into=str(ticket.merged_into)
        )
    telling.check_files(saying.files)
    newest = queries.newest(session, ticket.id)
    if saying.seen != newest:
        raise AnsweredMeanwhile(
            "Somebody said something while you were writing. Your text is kept; nothing was sent.",
            help="Read what is new, then send it again.",
            newest=str(newest),
        )
    if saying.kind not in (MessageKind.OUTGOING, MessageKind.INTERNAL):
        raise Invalid("Only answers and internal notes are written by hand.", field="kind")
    message = telling.say(session, ticket, saying.kind, body, author_id=scope.user_id, key=saying.key)
    telling.attach(session, message, saying.files)
    ticket.tags = list(dict.fromkeys([*ticket.tags, *saying.tags]))
    if saying.kind is MessageKind.OUTGOING:
        _send(session, scope, ticket, message, saying)
    elif saying.state_after is not None:
        enter(session, ticket, saying.state_after, clock.now())
    telling.tell(session, ticket)
    return message


def _send(session: Session, scope: Scope, ticket: Ticket, message: TicketMessage, saying: Saying) -> None:
    if ticket.requester_email is None:
        raise NoAddress(
            "Nobody's mail address is known here.", help="Enter one at the right, or write an internal note."
        )
    despite = letters.need_reachable(session, ticket)
    if despite is not None:
        telling.note(session, ticket, "Written to although: {why}", scope.user_id, why=despite)
    queue, now = session.get_one(Queue, ticket.queue_id), clock.now()
    after = saying.state_after or TicketState.WAITING_CUSTOMER
    rate_url = ""
    if queue.asks_rating and after is TicketState.SOLVED and settings().public_url:
        rate_url = f"{str(settings().public_url).rstrip('/')}/help/rating/{seal(f'rating:{ticket.id}')}"
    files = [mail.File(file.name, file.media_type, file.content) for file in saying.files]
    sent = letters.send_answer(session, ticket, queue, message, files, rate_url)
    session.flush()
    message.mail_id = sent.id
    if ticket.answered_at is None:
        hours = timing.hours_of(session, queue)
        ticket.answered_in_s = round(timing.used(ticket, hours, now).total_seconds())
        ticket.answered_at = now
    if ticket.assignee_id is None:
        ticket.assignee_id = scope.user_id
    enter(session, ticket, after, now)


def rate(session: Session, ticket_id: UUID, is_content: bool, note: str | None) -> Ticket:
    """The customer says whether they are content; the last word counts."""
    ticket = session.get_one(Ticket, queries.surviving(session, ticket_id), with_for_update=True)
    ticket.rating, ticket.rating_note = int(is_content), plain(note, 2000, lines=True)
    words = "The customer was content." if is_content else "The customer was not content."
    telling.note(session, ticket, words)
    telling.tell(session, ticket)
    return ticket


def delete(session: Session, scope: Scope, ticket_id: UUID) -> Ticket:
    """Take a ticket away; its number stays given, its visit is wanted no more. It can be brought back."""
    ticket = locked(session, scope, ticket_id, "tickets:assign")
    ticket.deleted_at = clock.now()
    timing.turn(session, ticket, session.get_one(Queue, ticket.queue_id), clock.now())
    withdraw_visits(session, ticket)
    telling.tell(session, ticket)
    return ticket


def restore(session: Session, scope: Scope, ticket_id: UUID) -> Ticket:
    """Bring a deleted ticket back; its clock goes on."""
    reach = queries.within_reach(scope, "tickets:assign")
    ticket = session.scalars(select(Ticket).where(Ticket.id == ticket_id, reach).with_for_update()).one_or_none()
    if ticket is None:
        return queries.find(session, scope, ticket_id)
    ticket.deleted_at = None
    timing.turn(session, ticket, session.get_one(Queue, ticket.queue_id), clock.now())
    telling.tell(session, ticket)
    return ticket


def locked(session: Session, scope: Scope, ticket_id: UUID, permission: str = "tickets:write") -> Ticket:
    """A ticket that somebody may change, held until the transaction ends."""
    ticket = queries.find(session, scope, ticket_id, permission)
    session.refresh(ticket, with_for_update=True)
    return ticket


def _check_may_give(scope: Scope, ticket: Ticket) -> None:
    if ticket.assignee_id not in (None, scope.user_id) and not scope.may("tickets:assign"):
        raise Forbidden("You may take tickets, not give them to others.", help="Ask somebody of support.")


def _named(session: Session, name: str, value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "nobody"
    if name == "queue_id":
        return session.get_one(Queue, value).name
    return session.get_one(User, value).name if name == "assignee_id" else str(value)
