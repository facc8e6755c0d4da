"""What happened with one person, at whatever account."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, func, literal, literal_column, select, union, union_all
from sqlalchemy.orm import Session, aliased

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.agenda.models import Activity
from server.activities.notes.models import Note
from server.auth.access import Scope
from server.contacts import queries as contacts
from server.kit.paging import decode_cursor, encode_cursor
from server.opportunities.models import Opportunity
from server.tickets.models import Ticket
from server.timeline import entries as reading
from server.timeline.entries import Entry
from server.timeline.queries import Listing, Wish, branch, link_of, values_of
from server.timeline.sources import SOURCES, Source


@dataclass(frozen=True)
class Naming:
    """A table whose rows name a person."""

    kinds: frozenset[str]
    """Of the source that tells of its rows."""
    person: Any
    account: Any


NAMING = (
    Naming(frozenset({"call", "mail", "meeting", "task"}), Activity.contact_id, Activity.account_id),
    Naming(frozenset({"note"}), Note.contact_id, Note.account_id),
    Naming(frozenset({"ticket"}), Ticket.contact_id, Ticket.account_id),
    Naming(frozenset({"stage"}), Opportunity.contact_id, Opportunity.account_id),
)


def page(session: Session, scope: Scope, contact_id: UUID, *, cursor: str | None = None, limit: int = 50) -> Listing:
    """One page of what happened with a person, the latest first; refuses a person whom the reader may not see.

    What stands at an account tells only who may read it there.
    """
    contacts.find(session, scope, contact_id)
    family = list(session.scalars(contacts.family(contact_id)))
    found = [(source, naming) for naming in NAMING for source in SOURCES if source.kinds == naming.kinds]
    told = [(source, naming) for source, naming in found if scope.may(source.permission)]
    reach = reached(session, scope, family, {source.permission for source, _ in told})
    after = decode_cursor(cursor, 3)
    branches = [
        branch(of_person(source, naming, family), scope, some(reach[source.permission]), Wish(), bool(after), limit + 1)
        for source, naming in told
    ]
    if not branches:
        return Listing([], None)
    order: list[ColumnElement[Any]] = [literal_column(name).desc() for name in ("at", "entity", "id")]
    statement = union_all(*branches).order_by(*order).limit(limit + 1)
    rows = session.execute(statement, {**values_of([], after)}).all()
    shown, following = reading.grouped([Entry(**{**row._asdict(), "facts": row.facts or {}}) for row in rows], limit)
    reading.fill_in(session, scope, shown)
    for entry in shown:
        entry.link = link_of(entry, [source for source, _ in told])
    key = (following.at.isoformat(), following.entity, following.id) if following else None
    return Listing(shown, encode_cursor(key) if key else None)


def of_person(source: Source, naming: Naming, family: Iterable[UUID]) -> Source:
    """A source that tells only of some people's rows."""
    people = list(family)

    def happenings(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
        return source.happenings(scope, account_ids).where(naming.person.in_(people))

    return replace(source, happenings=happenings)


def some(ids: Iterable[UUID]) -> Select[Any]:
    """A selection of known ids."""
    return select(func.unnest(literal(list(ids), ARRAY(Uuid))))


def reached(session: Session, scope: Scope, family: list[UUID], permissions: Iterable[str]) -> Mapping[str, list[UUID]]:
    """At which accounts each permission reaches, of those at which something names these people."""
    named = union(*(select(one.account).where(one.person.in_(family)) for one in NAMING)).subquery()
    one = aliased(Account)
    found = {}
    for permission in permissions:
        statement = select(one.id).where(one.id.in_(select(named.c[0])))
        found[permission] = list(session.scalars(statement.where(accounts.reached_through(one.id, scope, permission))))
    return found


def names_of(session: Session, found: Iterable[Entry]) -> Mapping[UUID, str]:
    """The names of the accounts at which entries stand."""
    ids = {entry.account_id for entry in found}
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(ids))) if ids else ()
    return {key: name for key, name in rows}
