"""Reads of tickets. Every read starts at `visible_to(scope)`: it decides lists, pages, exports and timelines alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, false, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.around import Around
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.accounts.spots import through
from server.auth.access import Scope
from server.auth.models import TeamMember, User
from server.auth.queries import Person, named, visible_users
from server.auth.roles import GRANTS, Level
from server.kit import clock
from server.kit.errors import NotFound
from server.kit.filtering import Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import answers_in_time
from server.kit.filtering.listing import Listing, key_of, page_of
from server.records.binned import binned
from server.records.happenings import happening
from server.tickets.fields import NEXT_DUE, PRIORITY_RANK, UNSOLVED_NOW, fields, is_overdue, matches
from server.tickets.models import (
    CannedAnswer,
    ClockEvent,
    MessageKind,
    Queue,
    Ticket,
    TicketFile,
    TicketLink,
    TicketMessage,
)

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
NOBODY = "nobody"


def visible_to(scope: Scope, permission: str = "tickets:read", *, few: bool = False) -> Select[Ticket]:
    """The tickets that a permission of somebody reaches: those of the accounts within reach, and one's own.

    A ticket without an account is seen by whoever sees all, by its assignee and by their team.
    """
    return select(Ticket).where(Ticket.deleted_at.is_(None), within_reach(scope, permission, few=few))


def within_reach(scope: Scope, permission: str, *, few: bool = False) -> ColumnElement[bool]:
    """Whether a permission of somebody reaches a ticket, deleted or not."""
    level = scope.level(permission)
    if level in (Level.ALL, Level.NONE):
        return true() if level == Level.ALL else false()
    theirs = [Ticket.assignee_id == scope.user_id]
    if level in (Level.TEAM, Level.REGION):
        mates = select(TeamMember.user_id).where(TeamMember.team_id.in_(scope.team_ids))
        theirs.append(Ticket.assignee_id.in_(mates))
    return accounts.own_or_reached(Ticket.id, Ticket.account_id, scope, permission, *theirs, few=few)


def find(session: Session, scope: Scope, ticket_id: UUID, permission: str = "tickets:read") -> Ticket:
    """The ticket of that id; for a stranger's there is none."""
    ticket = session.scalars(visible_to(scope, permission).where(Ticket.id == ticket_id)).one_or_none()
    if ticket is None:
        raise NotFound("There is no such ticket.", id=str(ticket_id))
    return ticket


def surviving(session: Session, ticket_id: UUID) -> UUID:
    """The ticket that stands for this one after all merges."""
    found = ticket_id
    while (into := session.scalar(select(Ticket.merged_into).where(Ticket.id == found))) is not None:
        found = into
    return found


def family(ticket_id: UUID) -> Select[UUID]:
    """The ids of a ticket and of all tickets merged into it: its messages are read through this."""
    tree = select(Ticket.id).where(Ticket.id == ticket_id).cte("ticket_family", recursive=True)
    tree = tree.union(select(Ticket.id).join(tree, Ticket.merged_into == tree.c.id))
    return select(tree.c.id)


@dataclass(frozen=True)
class TicketRow:
    """A ticket with the names that a list shows."""

    ticket: Ticket
    queue: str
    account_id: UUID | None
    """The account that stands for it after all merges."""
    account: str | None
    assignee: str | None
    due_at: datetime | None
    is_overdue: bool
    is_breached: bool


def with_names(statement: Select[Ticket], now: datetime) -> Select[Any]:
    """A selection of tickets with the columns of `TicketRow`."""
    breached = exists().where(ClockEvent.ticket_id == Ticket.id, ClockEvent.event == "breach")
    standing = func.account_surviving(Ticket.account_id)
    return (
        statement.join(Queue, Queue.id == Ticket.queue_id)
        .outerjoin(Account, Account.id == standing)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .with_only_columns(Ticket, Queue.name, Account.id, Account.name, User.name, NEXT_DUE, is_overdue(now), breached)
    )


def language(session: Session, scope: Scope, now: datetime | None = None) -> Vocabulary:
    """What tickets can be asked by somebody."""
    today = accounts.today_of(scope)
    around = Around(session, accounts.visible_to(scope), Reaching(session, through(Ticket.account_id, Ticket.site_id)))
    known = fields(now or clock.now(), today)
    return vocabulary(session, scope, "ticket", known, today=today, places=around)


def chosen(
    session: Session,
    scope: Scope,
    now: datetime,
    *,
    filter: str | None = None,
    search: str | None = None,
    queue_id: UUID | None = None,
    account_id: UUID | None = None,
    permission: str = "tickets:read",
    few: bool = False,
) -> Select[Ticket]:
    """The tickets that a filter and a search leave of what somebody may see: the same for list and export."""
    statement = visible_to(scope, permission, few=few).where(Ticket.merged_into.is_(None))
    if filter and filter.strip():
        statement = statement.where(compile_filter(parse(filter), language(session, scope, now)))
    if search and search.strip():
        statement = statement.where(matches(search[:200], scope.hidden("ticket")))
    if queue_id is not None:
        statement = statement.where(Ticket.queue_id == queue_id)
    if account_id is not None:
        statement = statement.where(Ticket.account_id.in_(accounts.family(account_id)))
    return statement


def sort_keys() -> dict[str, ColumnElement[Any]]:
    """What a list can be sorted by; nulls come last, so that a cursor can point between rows."""
    return {
        "due": func.coalesce(NEXT_DUE, NEVER),
        "number": Ticket.__table__.c.number,
        "opened": Ticket.__table__.c.opened_at,
        "updated": Ticket.__table__.c.updated_at,
        "priority": PRIORITY_RANK,
        "subject": func.search_text(Ticket.subject, type_=Text),
    }


@answers_in_time
def page(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    queue_id: UUID | None = None,
    account_id: UUID | None = None,
    sort: str = "due",
    cursor: str | None = None,
    limit: int = 50,
    exact: bool = False,
) -> Listing[TicketRow]:
    """One page of the tickets that somebody may see. `sort` names a key, with `-` in front for the other way round."""
    now, key = clock.now(), key_of(sort_keys(), sort)
    statement = chosen(session, scope, now, filter=filter, search=search, queue_id=queue_id, account_id=account_id)
    found = page_of(session, statement, Ticket.id, key, sort=sort, cursor=cursor, limit=limit, exact=exact)
    rows = session.execute(with_names(select(Ticket).where(found.among(Ticket.id)), now))
    return found.listing([TicketRow(*row) for row in found.in_order(rows)])


def detail(session: Session, scope: Scope, ticket_id: UUID, permission: str = "tickets:read") -> TicketRow:
    """One ticket with its names; for a stranger's there is none."""
    statement = visible_to(scope, permission).where(Ticket.id == ticket_id)
    row = session.execute(with_names(statement, clock.now())).one_or_none()
    if row is None:
        raise NotFound("There is no such ticket.", id=str(ticket_id))
    return TicketRow(*row)


def of_account(session: Session, scope: Scope, account_id: UUID, *, limit: int = 50) -> list[TicketRow]:
    """The tickets of an account: those that are open first, then the latest."""
    statement = chosen(session, scope, clock.now(), account_id=account_id, few=True)
    order = (UNSOLVED_NOW.desc(), func.coalesce(NEXT_DUE, NEVER), Ticket.opened_at.desc(), Ticket.id)
    rows = session.execute(with_names(statement, clock.now()).order_by(*order).limit(limit))
    return [TicketRow(*row) for row in rows]


@dataclass(frozen=True)
class Counts:
    """How many tickets are open somewhere."""

    open: int
    overdue: int


def counts_of(session: Session, scope: Scope, account_ids: Iterable[UUID]) -> Mapping[UUID, Counts]:
    """Open and overdue tickets of some accounts, by account; for stops and map cards."""
    standing = func.account_surviving(Ticket.account_id)
    late = func.count().filter(is_overdue(clock.now()))
    rows = session.execute(
        visible_to(scope, few=True)
        .where(UNSOLVED_NOW, standing.in_(list(account_ids)))
        .with_only_columns(standing, func.count(), late)
        .group_by(standing)
    )
    return {account_id: Counts(count, overdue) for account_id, count, overdue in rows}


@dataclass(frozen=True)
class Said:
    """An entry of the conversation with its author and files."""

    message: TicketMessage
    number: int
    """Of the ticket that it was said in; another one after a merge."""
    author: str | None
    files: Sequence[tuple[UUID, str, int]]
    """Id, name and size of each."""


def conversation(session: Session, ticket_id: UUID, *, limit: int = 500) -> list[Said]:
    """What was said in a ticket and in those merged into it, the first first."""
    files = func.jsonb_agg(
        aggregate_order_by(func.jsonb_build_array(TicketFile.id, TicketFile.name, TicketFile.size), TicketFile.id)
    )
    attached = select(files).where(TicketFile.message_id == TicketMessage.id).correlate(TicketMessage)
    rows = session.execute(
        select(TicketMessage, Ticket.number, User.name, attached.scalar_subquery())
        .join(Ticket, Ticket.id == TicketMessage.ticket_id)
        .outerjoin(User, User.id == TicketMessage.author_id)
        .where(TicketMessage.ticket_id.in_(family(ticket_id)))
        .order_by(TicketMessage.at.desc(), TicketMessage.id.desc())
        .limit(limit)
    ).all()
    return [
        Said(message, number, author, [(UUID(key), name, size) for key, name, size in found or ()])
        for message, number, author, found in reversed(rows)
    ]


def newest(session: Session, ticket_id: UUID) -> UUID | None:
    """The latest thing that people said in a ticket; what an answer was written after."""
    statement = select(TicketMessage.id).where(
        TicketMessage.ticket_id.in_(family(ticket_id)), TicketMessage.kind != MessageKind.SYSTEM
    )
    return session.scalar(statement.order_by(TicketMessage.at.desc(), TicketMessage.id.desc()).limit(1))


def file_of(session: Session, scope: Scope, ticket_id: UUID, file_id: UUID) -> TicketFile:
    """A file of a ticket that somebody may see."""
    find(session, scope, ticket_id)
    statement = select(TicketFile).join(TicketMessage, TicketMessage.id == TicketFile.message_id)
    statement = statement.where(TicketFile.id == file_id, TicketMessage.ticket_id.in_(family(ticket_id)))
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("There is no such file.")
    return found


def linked(session: Session, scope: Scope, ticket_id: UUID) -> list[Ticket]:
    """The tickets that have to do with one, as far as somebody may see them; also what it follows, or follows it."""
    ours, theirs = TicketLink.one_id, TicketLink.other_id
    pairs = select(theirs).where(ours == ticket_id).union(select(ours).where(theirs == ticket_id))
    before = select(Ticket.follows_id).where(Ticket.id == ticket_id)
    related = or_(Ticket.id.in_(pairs), Ticket.follows_id == ticket_id, Ticket.id.in_(before))
    return list(session.scalars(visible_to(scope).where(related).order_by(Ticket.number)))


def merged_ones(session: Session, ticket_id: UUID) -> list[Ticket]:
    """The tickets that were merged into one."""
    return list(session.scalars(select(Ticket).where(Ticket.merged_into == ticket_id).order_by(Ticket.number)))


def clock_events(session: Session, ticket_id: UUID) -> list[ClockEvent]:
    """What was near or missed at a ticket, in order."""
    return list(
        session.scalars(select(ClockEvent).where(ClockEvent.ticket_id == ticket_id).order_by(ClockEvent.found_at))
    )


def queues(session: Session) -> list[Queue]:
    """All queues, by name."""
    return list(session.scalars(select(Queue).where(Queue.deleted_at.is_(None)).order_by(Queue.name, Queue.id)))


def queue(session: Session, queue_id: UUID) -> Queue:
    """A queue; refuses an unknown or removed one."""
    found = session.get(Queue, queue_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("There is no such queue.", field="queue_id")
    return found


def workers(session: Session, scope: Scope) -> list[Person]:
    """The people to whom somebody may give tickets: all who work on tickets, one's team, or oneself."""
    level = scope.level("tickets:assign")
    people = visible_users(scope.user_id, scope.team_ids, Level.ALL if level >= Level.ALL else max(level, Level.OWN))
    roles = [role for role, granted in GRANTS.items() if granted.get("tickets:write", Level.NONE) > Level.NONE]
    return named(session, people.where(User.active, User.role.in_(roles)))


def queue_counts(session: Session, scope: Scope) -> Mapping[UUID, Counts]:
    """Open and overdue tickets that somebody may see, by queue."""
    late = func.count().filter(is_overdue(clock.now()))
    statement = visible_to(scope).where(UNSOLVED_NOW).with_only_columns(Ticket.queue_id, func.count(), late)
    return {key: Counts(count, overdue) for key, count, overdue in session.execute(statement.group_by(Ticket.queue_id))}


def answers(session: Session, queue_id: UUID | None = None, language: str | None = None) -> list[CannedAnswer]:
    """The canned answers, those of a queue and a language when they are given, by title."""
    statement = select(CannedAnswer).where(CannedAnswer.deleted_at.is_(None))
    if queue_id is not None:
        statement = statement.where(or_(CannedAnswer.queue_id.is_(None), CannedAnswer.queue_id == queue_id))
    if language is not None:
        statement = statement.where(or_(CannedAnswer.language.is_(None), CannedAnswer.language == language))
    return list(session.scalars(statement.order_by(CannedAnswer.title, CannedAnswer.id)))


def in_bin(scope: Scope) -> Select[Any]:
    """Deleted tickets that somebody may bring back, for the bin; their numbers stay given."""
    columns = binned(
        entity="ticket",
        id=Ticket.id,
        title=func.concat("#", Ticket.number, " ", Ticket.subject),
        deleted_at=Ticket.deleted_at,
        account_id=Ticket.account_id,
    )
    deleted = select(Ticket).where(Ticket.deleted_at.is_not(None), within_reach(scope, "tickets:assign"))
    return deleted.with_only_columns(*columns)


def happenings(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """What a timeline tells of the tickets of some accounts: when each was opened."""
    first = (
        select(TicketMessage.body)
        .where(TicketMessage.ticket_id == Ticket.id, TicketMessage.kind == MessageKind.INCOMING)
        .order_by(TicketMessage.at, TicketMessage.id)
        .limit(1)
        .correlate(Ticket)
        .scalar_subquery()
    )
    facts = func.jsonb_build_object(
        "number", Ticket.number, "state", Ticket.state, "priority", Ticket.priority, "source", Ticket.source
    )
    columns = happening(
        at=Ticket.__table__.c.opened_at,
        kind="ticket",
        entity="ticket",
        id=Ticket.__table__.c.id,
        account_id=Ticket.__table__.c.account_id,
        actor_id=Ticket.__table__.c.assignee_id,
        title=func.concat("#", Ticket.number, " ", Ticket.subject),
        body=func.left(first, 2000),
        facts=cast(facts, JSONB),
    )
    seen = and_(Ticket.account_id.in_(account_ids), Ticket.merged_into.is_(None), literal(scope.may("tickets:read")))
    return visible_to(scope, few=True).where(seen).with_only_columns(*columns)
