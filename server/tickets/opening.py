"""A new ticket: numbered without gaps, tied to its account, given to somebody, its clock set running."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.accounts.values import cleaned, plain
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.ids import uuid7
from server.kit.locks import one_at_a_time
from server.tickets import assigning, letters, queries, telling, timing
from server.tickets.models import MessageKind, Queue, Source, Ticket, TicketCounter, TicketState
from server.tickets.telling import NewFile
from server.tickets.values import LONGEST_BODY, TICKET

FIRST_NUMBER = 1001


@dataclass(frozen=True)
class NewTicket:
    """What somebody asks for."""

    queue_id: UUID
    body: str
    source: Source
    fields: Mapping[str, Any]
    """By the names in `values.TICKET`."""
    key: str | None = None
    """The same key again is the same ticket."""
    id: UUID | None = None
    """Made by a phone, else made here."""
    opened_by: UUID | None = None
    """The user who wrote it down for the customer."""
    files: Sequence[NewFile] = field(default=())
    quoted: str | None = None
    mail_ref: str | None = None
    is_automatic: bool = False
    from_address: str | None = None
    follows_id: UUID | None = None


def open_ticket(session: Session, new: NewTicket) -> Ticket:
    """Take a ticket in, give it to somebody by its queue's rule, and tell who asked that it is here.

    The same key again gives the same ticket. Refuses an empty text, unknown references and files that are too large.
    """
    if new.key is not None:
        one_at_a_time(session, f"ticket:{new.key}")
        known = session.scalars(select(Ticket).where(Ticket.key == new.key)).one_or_none()
        if known is not None:
            return known
    queue = queries.queue(session, new.queue_id)
    body = plain(new.body, LONGEST_BODY, lines=True)
    if body is None:
        raise Invalid("The text is empty.", help="Say what it is about.", field="body")
    telling.check_files(new.files)
    values = {"priority": queue.priority} | {k: cleaned(TICKET, k, v) for k, v in new.fields.items()}
    values["queue_id"] = queue.id
    if "subject" not in values:
        values["subject"] = cleaned(TICKET, "subject", body.splitlines()[0][:100])
    find_account(session, values)
    check_references(session, values)
    now = clock.now()
    ticket = Ticket(
        id=new.id or uuid7(), key=new.key, source=new.source.value, from_address=new.from_address,
        follows_id=new.follows_id, opened_at=now, **values,
    )  # fmt: skip
    ticket.state = values.get("state") or (TicketState.OPEN if ticket.assignee_id else TicketState.NEW)
    ticket.used_s = 0
    ticket.number = next_number(session)
    session.add(ticket)
    session.flush()
    message = telling.say(
        session, ticket, MessageKind.INCOMING, body, author_id=new.opened_by, author_name=ticket.requester_name,
        quoted=new.quoted, mail_ref=new.mail_ref, is_automatic=new.is_automatic,
    )  # fmt: skip
    telling.attach(session, message, new.files)
    give(session, ticket, queue)
    timing.turn(session, ticket, queue, now)
    if new.source in (Source.FORM, Source.MAIL) and not new.is_automatic:
        letters.confirm(session, ticket, queue)
    telling.tell(session, ticket)
    return ticket


def next_number(session: Session) -> int:
    """The next number; others wait until this ticket is stored or given up, so that none is left out."""
    fresh = insert(TicketCounter).values(id=1, last=FIRST_NUMBER)
    counted = fresh.on_conflict_do_update(index_elements=["id"], set_={"last": TicketCounter.last + 1})
    return session.scalars(counted.returning(TicketCounter.last)).one()


def give(session: Session, ticket: Ticket, queue: Queue) -> None:
    """Give a ticket that nobody has to somebody, by the queue's rule, and write down why."""
    if ticket.assignee_id is not None:
        return
    choice = assigning.choose(session, queue, ticket)
    if choice is None:
        return
    ticket.assignee_id = choice.user_id
    session.flush()
    who = session.get_one(User, choice.user_id).name
    telling.note(session, ticket, "Given to {who}, who {why}.", who=who, why=choice.why)
    telling.notify(session, ticket, [choice.user_id], "ticket_given", "#{number} {subject} is given to you.")


def find_account(session: Session, values: dict[str, Any]) -> None:
    """The account that a mail address belongs to, when exactly one has it."""
    email = values.get("requester_email")
    if values.get("account_id") is not None or email is None:
        return
    standing = func.account_surviving(Account.id)
    found = session.scalars(
        select(standing).where(func.lower(Account.email) == email, Account.deleted_at.is_(None)).distinct().limit(2)
    ).all()
    if len(found) == 1:
        values["account_id"] = found[0]


def check_references(session: Session, values: Mapping[str, Any]) -> None:
    """Refuse an account, site or person that does not exist."""
    account_id, site_id = values.get("account_id"), values.get("site_id")
    if account_id is not None:
        account = session.get(Account, accounts.surviving(session, account_id))
        if account is None or account.deleted_at is not None:
            raise Invalid("There is no such account.", field="account_id")
        accounts.hold(session, account.id)
    if site_id is not None:
        site = session.get(Site, site_id)
        if (
            site is None
            or site.deleted_at is not None
            or account_id is None
            or accounts.surviving(session, site.account_id) != accounts.surviving(session, account_id)
        ):
            raise Invalid("The site does not belong to the account.", field="site_id")
    if values.get("assignee_id") is not None:
        person = session.get(User, values["assignee_id"])
        if person is None or not person.active or person.deleted_at is not None:
            raise Invalid("There is no such person.", help="Choose somebody who can sign in.", field="assignee_id")
    if values.get("queue_id") is not None:
        queries.queue(session, values["queue_id"])
