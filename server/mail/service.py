"""The rules of outgoing mail: the server it goes through, queueing each mail once, asking for it again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.jobs import defer, outgoing
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.secrets import seal
from server.kit.settings import settings
from server.mail.addresses import SECURITIES, host_name
from server.mail.addresses import address as address
from server.mail.jobs import send
from server.mail.models import Attachment, MailServer, Message
from server.mail.queries import configured


class NoMailServer(Conflict):
    """Mail cannot leave."""

    code = "no_mail_server"


@dataclass(frozen=True)
class Setup:
    """How an admin wants mail to leave."""

    host: str
    port: int
    security: str
    sender: str
    sender_name: str = ""
    username: str = ""
    password: str | None = None
    """None keeps the one that is stored."""


@dataclass(frozen=True)
class File:
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes


def configure(session: Session, wish: Setup) -> MailServer:
    """Say through which server mail leaves. Refuses what cannot be a server or an address."""
    host = host_name(wish.host, "mail.example.com")
    if not 1 <= wish.port <= 65535:
        raise Invalid("A port is a number from 1 to 65535.", help="465 for TLS, 587 for STARTTLS.", field="port")
    if wish.security not in SECURITIES:
        raise Invalid("There is no such protection.", help=f"Take one of: {', '.join(SECURITIES)}.", field="security")
    if wish.password and not wish.username:
        raise Invalid("A password needs its user name.", field="username")
    for field, value in (("username", wish.username), ("password", wish.password or "")):
        if not value.isascii():
            raise Invalid(
                "User name and password may hold plain letters, digits and signs only: mail servers take no others.",
                help="Choose another one at the mail server.",
                field=field,
            )
    server = session.get(MailServer, 1) or MailServer(id=1)
    is_elsewhere = (server.host, server.username) != (host, wish.username)
    server.host, server.port, server.security = host, wish.port, wish.security
    server.username, server.sender_name = wish.username, " ".join(wish.sender_name.split())
    server.sender, server.changed_at = address(wish.sender, "sender"), clock.now()
    if wish.password:
        server.password = seal(wish.password)
    elif is_elsewhere:
        server.password = None  # a password never goes to a server or user that it was not given for
    session.add(server)
    session.flush()
    return server


def queue(
    session: Session,
    *,
    key: str,
    purpose: str,
    to: Sequence[str],
    subject: str,
    body: str,
    files: Iterable[File] = (),
    sender_name: str | None = None,
    reply_to: str | None = None,
    references: Sequence[str] = (),
) -> Message:
    """Put a mail into the outbox; the same key is the same mail and stays as it is. Refuses without a server.

    A person's mail has the person as `sender_name`; one without says that a machine has sent it.
    """
    if configured(session) is None:
        raise NoMailServer("No mail server is set up.", help="An admin does that under Integrations.")
    known = session.scalars(select(Message).where(Message.key == key)).one_or_none()
    if known is not None:
        return known
    message = Message(
        key=key,
        purpose=purpose,
        to=[address(one) for one in to],
        subject=" ".join(subject.split()),
        body=body,
        sender_name=" ".join(sender_name.split()) if sender_name else None,
        reply_to=address(reply_to) if reply_to else None,
        references=[one for one in references if one.isascii() and not set(one) & set("<> \r\n\t")][-20:],
    )
    message.attachments = [
        Attachment(
            position=number, name=file.name, media_type=file.media_type, size=len(file.content), content=file.content
        )
        for number, file in enumerate(files)
    ]
    session.add(message)
    session.flush()
    ask(session, message.id)
    return message


def ask(session: Session, message_id: UUID) -> None:
    """Let a worker send a mail now."""
    defer(session, send, key=f"mail:{message_id}", lock=f"mail:{message_id}", message_id=str(message_id))


def send_again(session: Session, message_id: UUID) -> Message:
    """Send a mail that failed or may not have arrived. Refuses one that is on its way or whose files are gone."""
    message = session.get(Message, message_id, with_for_update=True)
    if message is None:
        raise NotFound("There is no such mail.")
    if message.state not in (outgoing.State.FAILED, outgoing.State.UNSURE):
        raise Conflict(f"The mail is {message.state}.", help="Only what failed or is unsure is sent again.")
    outgoing.ask_again(message)
    message.handed_at = None
    ask(session, message.id)
    return message


def send_trial(session: Session, name: str, to: str) -> Message:
    """Send a mail, in somebody's name, that tries the settings."""
    return queue(
        session,
        key=f"test:{clock.now().isoformat()}",
        purpose="test",
        to=[address(to, "to")],
        subject=f"{settings().company}: test",
        body=f"This mail was sent by {name} to try the settings of outgoing mail. They work.\n",
    )
