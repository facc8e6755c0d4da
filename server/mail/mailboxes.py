"""The rules of mailboxes: setting one up, trying it, taking each of its mails exactly once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.secrets import seal
from server.mail import imap
from server.mail.addresses import SECURITIES, address, host_name
from server.mail.imap import Fetched
from server.mail.receiving_models import Mailbox, ReceivedMail

PURPOSES = ("sales", "support")
AFTERWARDS = ("keep", "seen", "delete")


@dataclass(frozen=True)
class Wish:
    """How an admin wants a mailbox to be read."""

    name: str
    purpose: str
    address: str
    host: str
    port: int
    security: str
    username: str
    password: str | None = None
    """None keeps the one that is stored."""
    folder: str = "INBOX"
    afterwards: str = "seen"
    takes_old: bool = False


def set_up(session: Session, wish: Wish, mailbox_id: UUID | None = None) -> Mailbox:
    """Read a mailbox from now on, or otherwise than before. Refuses what cannot be a server or an address."""
    mailbox = find(session, mailbox_id) if mailbox_id else Mailbox(id=uuid7())
    folder = wish.folder.strip() or "INBOX"
    if not wish.name.strip():
        raise Invalid("The mailbox needs a name.", field="name")
    host = host_name(wish.host, "imap.example.com")
    if not 1 <= wish.port <= 65535:
        raise Invalid("A port is a number from 1 to 65535.", help="993 for TLS, 143 for STARTTLS.", field="port")
    for name, choices in (("security", SECURITIES), ("purpose", PURPOSES), ("afterwards", AFTERWARDS)):
        if getattr(wish, name) not in choices:
            raise Invalid(f"There is no such {name}.", help=f"One of: {', '.join(choices)}.", field=name)
    if not wish.username.strip() or not wish.username.isascii() or not (wish.password or "").isascii():
        raise Invalid("User name and password hold plain letters, digits and signs only.", field="username")
    is_elsewhere = (mailbox.host, mailbox.username, mailbox.folder) != (host, wish.username, folder)
    if wish.password:
        mailbox.password = seal(wish.password)
    elif is_elsewhere:
        mailbox.password = None  # a password never goes to a server or user that it was not given for
    if is_elsewhere:
        mailbox.uid_validity, mailbox.last_uid = None, 0
    mailbox.name, mailbox.purpose, mailbox.address = wish.name.strip(), wish.purpose, address(wish.address, "address")
    mailbox.host, mailbox.port, mailbox.security, mailbox.folder = host, wish.port, wish.security, folder
    mailbox.username, mailbox.afterwards, mailbox.takes_old = wish.username.strip(), wish.afterwards, wish.takes_old
    mailbox.active, mailbox.trouble = True, ""
    session.add(mailbox)
    session.flush()
    return mailbox


def find(session: Session, mailbox_id: UUID) -> Mailbox:
    """A mailbox; refuses an unknown or removed one."""
    mailbox = session.get(Mailbox, mailbox_id)
    if mailbox is None or mailbox.deleted_at is not None:
        raise NotFound("There is no such mailbox.")
    return mailbox


def every(session: Session) -> Sequence[Mailbox]:
    """All mailboxes, by name."""
    return session.scalars(select(Mailbox).where(Mailbox.deleted_at.is_(None)).order_by(Mailbox.name)).all()


def answers_go_to(session: Session) -> str | None:
    """The address of the mailbox to which customers answer."""
    living = select(Mailbox.address).where(Mailbox.deleted_at.is_(None), Mailbox.active, Mailbox.purpose == "sales")
    return session.scalars(living.order_by(Mailbox.created_at).limit(1)).one_or_none()


def remove(session: Session, mailbox_id: UUID) -> None:
    """Read a mailbox no more; what was taken stays."""
    mailbox = find(session, mailbox_id)
    mailbox.active, mailbox.deleted_at, mailbox.password = False, clock.now(), None
    session.flush()


def tried(mailbox: Mailbox) -> int:
    """How many mails lie in the folder now; refuses in words what does not work."""
    with imap.opened(mailbox) as box:
        return len(box.after(0))


def begin(session: Session, mailbox_id: UUID, uid_validity: int, uid_next: int) -> int:
    """From which mail on it is read; a mailbox that counts anew is read from its beginning, and nothing is taken twice
    because the same bytes are the same mail.
    """
    mailbox = session.get_one(Mailbox, mailbox_id, with_for_update=True)
    if mailbox.uid_validity is None:
        mailbox.last_uid = 0 if mailbox.takes_old else max(0, uid_next - 1)
    elif mailbox.uid_validity != uid_validity:
        mailbox.last_uid = 0
    mailbox.uid_validity = uid_validity
    session.flush()
    return mailbox.last_uid


def take(session: Session, mailbox_id: UUID, uid_validity: int, mail: Fetched) -> None:
    """Store a mail as it came, once, and go on behind it."""
    session.execute(
        insert(ReceivedMail)
        .values(
            id=uuid7(),
            mailbox_id=mailbox_id,
            uid_validity=uid_validity,
            uid=mail.uid,
            sha256=hashlib.sha256(mail.content).hexdigest(),
            size=len(mail.content),
            content=mail.content,
            is_cut=mail.is_cut,
        )
        .on_conflict_do_nothing(index_elements=["sha256"])
    )
    mailbox = session.get_one(Mailbox, mailbox_id, with_for_update=True)
    mailbox.last_uid = max(mailbox.last_uid, mail.uid)
    session.flush()


def unmarked(session: Session, mailbox_id: UUID, uid_validity: int) -> list[int]:
    """What was taken and not yet marked in the mailbox: a worker was stopped in between."""
    statement = select(ReceivedMail.uid).where(
        ReceivedMail.mailbox_id == mailbox_id,
        ReceivedMail.uid_validity == uid_validity,
        ReceivedMail.marked_at.is_(None),
    )
    return list(session.scalars(statement.order_by(ReceivedMail.uid)))


def marked(session: Session, mailbox_id: UUID, uid_validity: int, uid: int) -> None:
    """The mailbox knows that a mail was taken."""
    statement = select(ReceivedMail).where(
        ReceivedMail.mailbox_id == mailbox_id, ReceivedMail.uid_validity == uid_validity, ReceivedMail.uid == uid
    )
    for mail in session.scalars(statement):
        mail.marked_at = clock.now()
    session.flush()
