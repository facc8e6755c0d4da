"""The rules of the inbox: each mail gets its place once, by rule or by hand."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Direction, Kind, State
from server.auth.access import Scope
from server.inbox import routing
from server.inbox.models import Fate, InboxMail, KnownSender
from server.inbox.routing import Route
from server.kit.errors import Conflict, NotFound
from server.mail.received import Received
from server.mail.receiving import parse
from server.mail.receiving_models import Mailbox, ReceivedMail
from server.notifications.kinds import About
from server.notifications.service import notify
from server.tickets import intake as tickets


class AlreadyDecided(Conflict):
    """Somebody else was faster."""

    code = "already_decided"


def take(session: Session, received_id: UUID) -> InboxMail:
    """Give a mail that came in its place; twice is once."""
    known = session.scalars(select(InboxMail).where(InboxMail.received_id == received_id)).one_or_none()
    if known is not None:
        return known
    stored = session.get_one(ReceivedMail, received_id)
    mail = parse(stored.content)
    ticket_id = None
    decided = routing.route(session, mail, session.get(Mailbox, stored.mailbox_id))
    if decided.fate is Fate.TICKET:
        decided, ticket_id = _as_ticket(session, mail, decided)
    row = InboxMail(
        received_id=received_id,
        message_id=mail.message_id,
        fate=decided.fate.value,
        reason=decided.reason,
        sender=mail.sender,
        sender_name=mail.sender_name,
        subject=mail.subject or "–",
        sent_at=mail.sent_at,
        is_automatic=mail.is_automatic,
        account_id=decided.account_id,
        ticket_id=ticket_id,
    )
    session.add(row)
    session.flush()
    if decided.fate is Fate.FILED:
        put_at(session, row, mail, decided)
    session.flush()
    return row


def _as_ticket(session: Session, mail: Received, decided: Route) -> tuple[Route, UUID | None]:
    """The ticket that a mail makes or answers. Where there is no queue it goes to its account, or to a person."""
    ticket = tickets.take(session, mail)
    if ticket is None and tickets.is_for_tickets(session, mail):
        return Route(Fate.IGNORED, "It is a mail of our own that came back."), None
    if ticket is None:
        return replace(decided, fate=Fate.FILED if decided.account_id else Fate.UNASSIGNED), None
    return replace(decided, account_id=ticket.account_id), ticket.id


def put_at(session: Session, row: InboxMail, mail: Received, decided: Route) -> Activity:
    """Write a mail down at an account."""
    assert decided.account_id is not None
    thread = decided.thread
    values = {
        "account_id": decided.account_id,
        "contact_id": thread.contact_id if thread else None,
        "subject": row.subject[:300],
        "note": mail.text[:100_000],
        "state": State.DONE.value,
        "direction": decided.direction.value,
    }
    own = {
        "message_id": mail.message_id,
        "thread_id": (thread.thread_id if thread else None) or (mail.references[0] if mail.references else None)
        or mail.message_id,
        "sender": mail.sender,
        "recipients": list(mail.to)[:100],
        "received_id": row.received_id,
        "done_at": mail.sent_at,
        "follows_id": thread.id if thread else None,
    }  # fmt: skip
    owner = routing.owner_of(session, decided.account_id, decided.owner_id)
    activity = agenda.add(session, agenda.NewActivity(Kind.MAIL, owner, values, own))
    row.account_id, row.activity_id, row.fate = activity.account_id, activity.id, Fate.FILED.value
    session.flush()
    if decided.direction is Direction.IN and not mail.is_automatic:
        told = {"sender": mail.sender_name or mail.sender, "subject": row.subject}
        link = f"/calendar/activities/{activity.id}"
        notify(session, [owner], "mail", "{sender} writes: {subject}", link, About("activity", activity.id), gaps=told)
    return activity


def file(session: Session, scope: Scope, mail_id: UUID, account_id: UUID, *, remember: bool) -> Activity:
    """Somebody says whose mail it is; remembered, the next ones of the address go there by themselves.

    Refuses one that was decided already and an account that the person may not see.
    """
    row = waiting(session, mail_id)
    seen = accounts.visible_to(scope, "accounts:assign").with_only_columns(Account.id).order_by(None)
    if session.scalar(seen.where(Account.id == accounts.surviving(session, account_id))) is None:
        raise NotFound("There is no such account.", field="account_id")
    mail = parse(session.get_one(ReceivedMail, row.received_id).content)
    decided = routing.route(session, replace(mail, message_id=f"again-{row.id}"), None)
    direction = decided.direction if decided.owner_id else Direction.IN
    activity = put_at(session, row, mail, Route(Fate.FILED, "", account_id, direction, decided.owner_id))
    row.reason, row.decided_by = "Somebody filed it here.", scope.user_id
    if remember and direction is Direction.IN and row.sender:
        _remember(session, row.sender, activity.account_id, scope.user_id)
    session.flush()
    return activity


def ignore(session: Session, scope: Scope, mail_id: UUID, *, remember: bool) -> None:
    """Somebody says that a mail is nobody's; remembered, the next ones of the address are passed over."""
    row = waiting(session, mail_id)
    row.fate, row.reason, row.decided_by = Fate.IGNORED.value, "Somebody passed it over.", scope.user_id
    if remember and row.sender:
        _remember(session, row.sender, None, scope.user_id)
    session.flush()


def waiting(session: Session, mail_id: UUID) -> InboxMail:
    """A mail that waits for a person; refuses one that was decided."""
    row = session.get(InboxMail, mail_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such mail.")
    if row.fate not in (Fate.UNASSIGNED, Fate.HELD):
        raise AlreadyDecided("Somebody has decided this already.", help="Reload to see the outcome.")
    return row


def _remember(session: Session, address: str, account_id: UUID | None, user_id: UUID) -> None:
    values = {"account_id": account_id, "decided_by": user_id}
    statement = insert(KnownSender).values(address=address, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["address"], set_=values))
