"""What is written into a ticket's conversation, and who is told that something changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.kit.errors import TooLarge
from server.tickets.models import ClockEvent, MessageKind, Ticket, TicketFile, TicketMessage
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
    """Tell other programs that targets were missed."""
    for event in events:
        if event.event == "breach":
            webhooks.announce(session, "ticket_breach", str(event.id), "1")


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
