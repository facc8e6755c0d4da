"""What is written into a ticket's conversation, and who is told that something changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.models import Role, TeamMember, User
from server.kit.errors import TooLarge
from server.notifications import service as notifications
from server.notifications.kinds import About
from server.tickets.models import ClockEvent, MessageKind, Queue, Ticket, TicketFile, TicketMessage
from server.webhooks import service as webhooks

MOST_FILES = 20
LARGEST_FILE = 15_000_000
LARGEST_ALL = 30_000_000


class FileTooLarge(TooLarge):
    """A file that no ticket takes."""

    code = "file_too_large"


@dataclass(frozen=True)
class NewFile:
    """A file that somebody sends along."""

    name: str
    media_type: str
    content: bytes


def say(session: Session, ticket: Ticket, kind: MessageKind, body: str, **more: Any) -> TicketMessage:
    """Add to the conversation; the columns of the message by their names."""
    message = TicketMessage(ticket_id=ticket.id, kind=kind.value, body=body, **more)
    session.add(message)
    session.flush()
    if kind is not MessageKind.SYSTEM:
        webhooks.announce(session, "ticket_message", str(message.id), "1")
    return message


def note(
    session: Session, ticket: Ticket, words: str, actor: UUID | None = None, *, key: str | None = None, **values: Any
) -> TicketMessage:
    """Write down what happened; the words have gaps for the values, so that they can be read in any language."""
    known = {name: str(value) for name, value in values.items()}
    return say(session, ticket, MessageKind.SYSTEM, words, author_id=actor, values=known, key=key)


def tell(session: Session, ticket: Ticket) -> None:
    """Tell other programs that a ticket changed."""
    session.flush()
    session.refresh(ticket, ["rev", "frev", "updated_at"])
    webhooks.announce(session, "ticket", str(ticket.id), str(ticket.rev))


def tell_missed(session: Session, events: Iterable[ClockEvent]) -> None:
    """Tell who has to know, and other programs, that targets are near or were missed."""
    for event in events:
        ticket = session.get_one(Ticket, event.ticket_id)
        notify(session, ticket, responsible(session, ticket), "ticket_clock", CLOCK_WORDS[event.kind, event.event])
        if event.event == "breach":
            webhooks.announce(session, "ticket_breach", str(event.id), "1")


CLOCK_WORDS = {
    ("answer", "warning"): "#{number} {subject}: the first answer is due soon.",
    ("solve", "warning"): "#{number} {subject}: the solution is due soon.",
    ("answer", "breach"): "#{number} {subject}: the first answer is late.",
    ("solve", "breach"): "#{number} {subject}: the solution is late.",
}


def responsible(session: Session, ticket: Ticket) -> list[UUID]:
    """Who has a ticket, and who leads their team; of one that nobody has, those who work its queue."""
    in_charge = who_has(session, ticket)
    if ticket.assignee_id is None or in_charge != [ticket.assignee_id]:
        return in_charge
    teams = select(TeamMember.team_id).where(TeamMember.user_id == ticket.assignee_id)
    leads = select(User.id).join(TeamMember, TeamMember.user_id == User.id)
    leads = leads.where(TeamMember.team_id.in_(teams), User.role == Role.MANAGER)
    return [ticket.assignee_id, *session.scalars(leads.distinct())]


def who_has(session: Session, ticket: Ticket) -> list[UUID]:
    """Who has a ticket; of one that nobody has who can sign in, those who work its queue."""
    person = session.get(User, ticket.assignee_id) if ticket.assignee_id is not None else None
    if person is not None and person.active and person.deleted_at is None:
        return [person.id]
    return list(session.get_one(Queue, ticket.queue_id).agent_ids)


def notify(
    session: Session, ticket: Ticket, people: Iterable[UUID], kind: str, sentence: str, by: UUID | None = None
) -> None:
    """Tell some people of a ticket, each as they wish."""
    about = About("ticket", ticket.id)
    gaps = {"number": ticket.number, "subject": ticket.subject}
    notifications.notify(session, people, kind, sentence, f"/tickets/{ticket.id}", about, gaps=gaps, by=by)


def check_files(files: Sequence[NewFile]) -> None:
    """Refuse files that are too many or too large; names the file."""
    if len(files) > MOST_FILES:
        raise FileTooLarge(f"{len(files)} files are too many.", help=f"Send at most {MOST_FILES}.", field="files")
    for file in files:
        if len(file.content) > LARGEST_FILE:
            raise FileTooLarge(
                f"“{file.name}” has {len(file.content) / 1e6:.0f} MB.",
                help=f"A file may have {LARGEST_FILE // 1_000_000} MB; send it in parts or as a link.",
                field="files",
            )
    if sum(len(file.content) for file in files) > LARGEST_ALL:
        raise FileTooLarge(
            f"The files have more than {LARGEST_ALL // 1_000_000} MB together.", help="Send fewer.", field="files"
        )


def attach(session: Session, message: TicketMessage, files: Iterable[NewFile]) -> None:
    """Put files to a message."""
    for file in files:
        name = "".join(c for c in file.name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable())[:200] or "file"
        session.add(
            TicketFile(
                message_id=message.id,
                name=name,
                media_type=file.media_type[:100] or "application/octet-stream",
                size=len(file.content),
                content=file.content,
            )
        )
    session.flush()
