"""What phones edit and conflicts are about, accounts, sites and people alike: how it is found as it stands now after
merges, who reaches it, and how it is read, written and brought back."""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from server.accounts import editing
from server.accounts import queries as accounts
from server.accounts import service as accounts_service
from server.accounts.binned import restore_site
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import User
from server.contacts import queries as contacts
from server.contacts import service as contacts_service
from server.contacts.models import Contact
from server.contacts.values import editor as contact_editor
from server.kit.errors import NotFound
from server.records.editing import Editor, Outcome
from server.records.merging import Delta
from server.records.models import FieldConflict
from server.records.service import Actor

type Row = Account | Site | Contact

PLACE = aliased(Site)
"""The site that a conflict is about. What was merged away stands for what it went into, as wherever phones send."""
ACCOUNT_ID = case((FieldConflict.entity == "site", PLACE.account_id), else_=FieldConflict.row_id)
IS_OF_A_PERSON = FieldConflict.entity == "contact"


class Found(NamedTuple):
    """A conflict with what it is about."""

    conflict: FieldConflict
    account: Account | None
    contact: Contact | None
    """One of both: the account, also of a site, or the person."""
    sender: str | None

    @property
    def whole(self) -> Account | Contact:
        """The account or the person."""
        whole = self.account or self.contact
        assert whole is not None
        return whole


def found() -> Select[FieldConflict, Account, Contact, str]:
    """All conflicts of what phones edit, as `Found` has them."""
    is_account = and_(FieldConflict.entity.in_(("account", "site")), Account.id == func.account_surviving(ACCOUNT_ID))
    return (
        select(FieldConflict, Account, Contact, User.name)
        .select_from(FieldConflict)
        .outerjoin(PLACE, and_(FieldConflict.entity == "site", PLACE.id == func.site_standing(FieldConflict.row_id)))
        .outerjoin(Account, is_account)
        .outerjoin(Contact, and_(IS_OF_A_PERSON, Contact.id == func.contact_surviving(FieldConflict.row_id)))
        .outerjoin(User, User.id == FieldConflict.actor)
        .where(or_(Account.id.is_not(None), Contact.id.is_not(None)))
    )


def asked(scope: Scope) -> ColumnElement[bool]:
    """Whether the field of a conflict is none that is hidden from somebody."""
    shown = [
        or_(IS_OF_A_PERSON if kind == "account" else ~IS_OF_A_PERSON, FieldConflict.field.not_in(sorted(hidden)))
        for kind in ("account", "contact")
        if (hidden := scope.hidden(kind))
    ]
    return and_(FieldConflict.id.is_not(None), *shown)


def within_reach(scope: Scope) -> ColumnElement[bool]:
    """Whether somebody reaches what a conflict is about, deleted or not."""
    return or_(
        and_(Account.id.is_not(None), accounts.within_reach(scope)),
        and_(IS_OF_A_PERSON, contacts.held_within_reach(scope)),
    )


def reach(session: Session, scope: Scope, ids: set[UUID]) -> set[UUID]:
    """The accounts and people among some that somebody may see, deleted or not."""
    if not ids:
        return set()
    seen = select(Account.id).where(Account.id.in_(ids), accounts.within_reach(scope))
    people = select(Contact.id).where(Contact.id.in_(ids), contacts.held_within_reach(scope))
    return {*session.scalars(seen), *session.scalars(people)}


def stored(session: Session, entity: str, row_id: UUID) -> Row:
    """A row locked for a change, whoever may see it; what was merged away stands for what it went into."""
    row: Row | None
    if entity == "account":
        account_id = accounts.surviving(session, row_id)
        row = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    elif entity == "contact":
        contact_id = contacts.surviving(session, row_id)
        row = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    else:
        site_id = accounts.standing_site(session, row_id)
        row = session.get(Site, site_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no such {entity}.", id=str(row_id))
    return row


def row_of(session: Session, conflict: FieldConflict, whole: Account | Contact) -> Row:
    """The record that a conflict is about, as it stands: what was merged away is what it went into."""
    if conflict.entity != "site":
        return whole
    return session.get_one(Site, accounts.standing_site(session, conflict.row_id))


def editor_of(session: Session, row: Row) -> Editor:
    """How a record is edited, on pages and by phones."""
    return contact_editor(session) if isinstance(row, Contact) else editing.editor(session, row)


def value_of(session: Session, row: Row, conflict: FieldConflict) -> JsonValue:
    """What the field of a conflict holds now."""
    return editor_of(session, row).values(row).get(conflict.field)


def merge(
    session: Session,
    scope: Scope,
    row: Row,
    base_rev: int,
    deltas: Mapping[str, Delta],
    actor: Actor,
    own: Collection[str],
) -> Outcome:
    """Merge an edit that was made without a network into a locked record; see `accounts.service.patch`."""
    match row:
        case Site():
            return accounts_service.patch_site(session, scope, row.id, base_rev, deltas, actor, own)
        case Contact():
            scope.need("contacts:write")
            return contacts_service.patch(session, scope, row.id, base_rev, deltas, actor, own)
        case Account():
            return accounts_service.patch(session, scope, row.id, base_rev, deltas, actor, own)


def put(session: Session, scope: Scope, row: Row, field: str, value: JsonValue) -> None:
    """Write one field of a locked record, as an ordinary edit."""
    match row:
        case Site():
            accounts_service.edit_site(session, scope, row.id, row.rev, {field: value})
        case Contact():
            contacts_service.edit(session, scope, row.id, row.rev, {field: value})
        case Account():
            accounts_service.edit(session, scope, row.id, row.rev, {field: value})


def is_gone(whole: Account | Contact, row: Row) -> bool:
    """Whether a record is in the bin, by itself or with its account."""
    return whole.deleted_at is not None or row.deleted_at is not None


def bring_back(session: Session, scope: Scope, whole: Account | Contact, row: Row) -> bool:
    """Take a record out of the bin, with its account; returns whether it was there. Refuses whoever may not do that."""
    was_gone = is_gone(whole, row)
    if isinstance(whole, Contact):
        contacts_service.restore(session, scope, whole.id)
    elif whole.deleted_at is not None:
        scope.need("accounts:delete")
        accounts_service.restore(session, scope, whole.id)
        session.refresh(row)
    if isinstance(row, Site) and row.deleted_at is not None:
        restore_site(session, scope, row.id)
    return was_gone
