"""Where a mail belongs: by its thread, its sender, its recipients, or nobody knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, Text, func, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.agenda.models import Activity, Direction, Kind
from server.auth.models import Role, User
from server.contacts.models import Contact, ContactAccount
from server.inbox.models import Fate, InboxMail, KnownSender
from server.kit import clock
from server.mail.addresses import tags_in
from server.mail.models import Message
from server.mail.received import Received
from server.mail.receiving_models import Mailbox
from server.tickets import intake as tickets

MOST_AN_HOUR = 30
"""Mails of one address in an hour; what comes after waits for a person: two machines may be writing each other."""


@dataclass(frozen=True)
class Route:
    """What is to become of a mail, and why."""

    fate: Fate
    reason: str
    account_id: UUID | None = None
    direction: Direction = Direction.IN
    owner_id: UUID | None = None
    thread: Activity | None = None


def route(session: Session, mail: Received, mailbox: Mailbox | None) -> Route:
    """Decide about one mail; the first rule that fits counts."""
    if _is_ours(session, mail):
        return Route(Fate.IGNORED, "It is a mail of our own that came back.")
    if _came_before(session, mail):
        return Route(Fate.IGNORED, "The same mail came before.")
    if _too_many(session, mail.sender):
        return Route(Fate.HELD, f"More than {MOST_AN_HOUR} mails came from this address within an hour.")
    person = _person(session, mail.sender)
    if person is not None:
        return _sent_elsewhere(session, mail, person)
    if tickets.is_for_tickets(session, mail):
        return Route(Fate.TICKET, "It answers a ticket, or went to the address of a queue.")
    thread = _thread(session, mail)
    if thread is not None and thread.account_id is not None:
        return Route(Fate.FILED, "It answers a mail of this account.", thread.account_id, owner_id=thread.owner_id,
                     thread=thread)  # fmt: skip
    if mailbox is not None and mailbox.purpose == "support":
        return Route(Fate.TICKET, "It came to the support mailbox.", account_of(session, mail.sender))
    known = session.get(KnownSender, mail.sender)
    if known is not None:
        if known.account_id is None:
            return Route(Fate.IGNORED, "Mails of this address are ignored.")
        return Route(Fate.FILED, "Somebody filed mails of this address here.", known.account_id)
    account_id = account_of(session, mail.sender)
    if account_id is not None:
        return Route(Fate.FILED, "The sender is known at this account.", account_id)
    return Route(Fate.UNASSIGNED, "The sender is not known.")


def account_of(session: Session, address: str) -> UUID | None:
    """The one account that an address belongs to; of several none."""
    if not address:
        return None
    own = select(func.account_surviving(Account.id)).where(
        func.lower(Account.email) == address, Account.deleted_at.is_(None)
    )
    of_people = (
        select(func.account_surviving(ContactAccount.account_id))
        .join(Contact, Contact.id == ContactAccount.contact_id)
        .where(
            type_coerce(Contact.mail_addresses, ARRAY(Text)).contains([address]),
            Contact.deleted_at.is_(None),
            ContactAccount.deleted_at.is_(None),
            ContactAccount.until.is_(None),
        )
    )
    found: list[UUID] = list(session.scalars(own.union(of_people).limit(2)))
    return found[0] if len(found) == 1 else None


def _is_ours(session: Session, mail: Received) -> bool:
    ours = select(Activity.id).where(Activity.message_id == mail.message_id, Activity.outgoing_id.is_not(None))
    return session.scalar(ours.limit(1)) is not None


def _came_before(session: Session, mail: Received) -> bool:
    """Also when it lies in two mailboxes: they write different heads over it."""
    known = select(InboxMail.id).where(InboxMail.message_id == mail.message_id)
    return session.scalar(known.limit(1)) is not None


def _too_many(session: Session, sender: str) -> bool:
    since = clock.now() - timedelta(hours=1)
    count = select(func.count()).where(InboxMail.sender == sender, InboxMail.at > since)
    return (session.scalar(count) or 0) >= MOST_AN_HOUR


def _person(session: Session, sender: str) -> User | None:
    mine = select(User).where(func.lower(User.email) == sender, User.active, User.deleted_at.is_(None))
    return session.scalars(mine.order_by(User.id).limit(1)).one_or_none() if sender else None


def _sent_elsewhere(session: Session, mail: Received, person: User) -> Route:
    """One of us has put our address in copy: the mail belongs to whom it went to."""
    thread = _thread(session, mail)
    if thread is not None and thread.account_id is not None:
        return Route(Fate.FILED, "One of us wrote it elsewhere.", thread.account_id, Direction.OUT, person.id, thread)
    for address in mail.to:
        known = session.get(KnownSender, address)
        account_id = known.account_id if known else account_of(session, address)
        if account_id is not None:
            return Route(Fate.FILED, "One of us wrote it elsewhere.", account_id, Direction.OUT, person.id)
    return Route(Fate.UNASSIGNED, "One of us wrote it to somebody who is not known.", None, Direction.OUT, person.id)


def _thread(session: Session, mail: Received) -> Activity | None:
    """The latest mail that it answers of those at an account: by its headers, else by a tag in the address."""
    by_headers = select(Activity).where(Activity.message_id.in_(mail.references))
    found = _latest(session, by_headers) if mail.references else None
    tags = tags_in(mail.to)
    return _latest(session, _tagged(tags, mail.to)) if found is None and tags else found


def _tagged(tags: Sequence[UUID], to: Sequence[str]) -> Select[Activity]:
    """The letters of ours whose answers go to one of the addresses: the tag alone proves nothing."""
    letters = select(Activity).join(Message, Message.id == Activity.outgoing_id)
    return letters.where(Activity.id.in_(tags), Activity.kind == Kind.MAIL, func.lower(Message.reply_to).in_(to))


def _latest(session: Session, letters: Select[Activity]) -> Activity | None:
    at_accounts = letters.where(Activity.account_id.is_not(None), Activity.deleted_at.is_(None))
    return session.scalars(at_accounts.order_by(Activity.at.desc(), Activity.id).limit(1)).one_or_none()


def owner_of(session: Session, account_id: UUID, route_owner: UUID | None) -> UUID:
    """In whose name a mail stands at an account: who began the thread, who owns the account, else the first admin
    (without one, whoever is there longest).

    Somebody who cannot sign in any more would never read it.
    """
    account = session.get_one(Account, accounts.surviving(session, account_id))
    for key in (route_owner, account.owner_id):
        person = session.get(User, key) if key is not None else None
        if person is not None and person.active and person.deleted_at is None:
            return person.id
    present = select(User.id).where(User.active, User.deleted_at.is_(None))
    first = present.order_by(User.role != Role.ADMIN, User.created_at, User.id).limit(1)
    return session.scalars(first).one()
