"""The rules of contacts: taking people in, editing them, their places at accounts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.contacts import queries
from server.contacts.consent import NotWanted, may_contact, need_wanted
from server.contacts.models import Consent, Contact, ContactAccount
from server.contacts.values import CONTACT, LINK, LINKS, editor
from server.fields import service as custom
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.records.editing import CUSTOM, Outcome, changed_meanwhile, kept, require_revision
from server.records.merging import Delta
from server.records.models import FieldConflict, FieldHistory, RecordMerge
from server.records.service import Actor
from server.records.values import cleaned, phone_e164
from server.webhooks import service as webhooks

__all__ = [
    "NotWanted", "create", "delete", "edit", "edit_link", "link", "may_contact", "need_wanted", "restore", "unlink",
]  # fmt: skip


class LinkedAlready(Conflict):
    """A person has one place at an account."""

    code = "linked_already"


@dataclass(frozen=True)
class NewPlace:
    """Where a person is, as somebody describes it."""

    account_id: UUID
    values: Mapping[str, Any]
    """By the names in `values.LINK`."""


def create(
    session: Session,
    scope: Scope,
    given: Mapping[str, Any],
    places: Sequence[NewPlace] = (),
    *,
    contact_id: UUID | None = None,
) -> Contact:
    """Take a person in, at some accounts. Refuses one without a name, and accounts out of reach."""
    scope.need_changes("contact", (name for name, value in given.items() if value))
    own = {name: value for name, value in given.items() if name.startswith(CUSTOM)}
    values = {name: cleaned(CONTACT, name, value) for name, value in given.items() if name not in own}
    values["custom"] = custom.checked(session, "contact", {name.removeprefix(CUSTOM): own[name] for name in own})
    values.setdefault("owner_id", scope.user_id if not places else None)
    contact = Contact(**values)
    if contact_id is not None:
        contact.id = contact_id
    complete(session, contact)
    session.add(contact)
    session.flush()
    for place in places:
        link(session, scope, contact.id, place.account_id, place.values, is_new=True)
    tell(session, contact)
    return contact


def edit(session: Session, scope: Scope, contact_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Outcome:
    """Change fields of a contact that the editor saw at `base_rev`.

    An older revision is merged field by field; where somebody else changed the same field, nothing is applied and both
    values come back.
    """
    contact = find(session, scope, contact_id)
    scope.need_changes("contact", changes)
    how = editor(session)
    merge = how.merged(contact, base_rev, how.deltas_since(session, contact, base_rev, changes))
    if merge.clashes:
        raise changed_meanwhile(contact.name, contact.rev, merge.clashes)
    write(session, contact, how.written(contact, merge.apply))
    return Outcome(contact.rev, frozenset(merge.apply), merge.same)


def patch(
    session: Session,
    scope: Scope,
    contact_id: UUID,
    base_rev: int,
    deltas: Mapping[str, Delta],
    actor: Actor,
    own: Collection[str] = (),
) -> Outcome:
    """Merge an edit of a contact that was made without a network; see `accounts.service.patch`."""
    contact = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if contact is None:
        raise NotFound("There is no such contact.", id=str(contact_id))
    scope.need_changes("contact", deltas)
    reach = select(Contact.id).where(Contact.id == contact_id, queries.held_within_reach(scope, "contacts:write"))
    how = editor(session)
    merge = how.merged(contact, base_rev, deltas, in_scope=session.scalar(reach) is not None, own=own)
    write(session, contact, how.written(contact, merge.apply))
    return Outcome(contact.rev, frozenset(merge.apply), merge.same, merge.clashes, kept(session, contact, merge, actor))


def write(session: Session, contact: Contact, values: Mapping[str, Any]) -> None:
    """Write checked values of a contact. Refuses one that would have no name."""
    if not values:
        return
    for name, value in values.items():
        setattr(contact, name, value)
    complete(session, contact)
    session.flush()
    session.refresh(contact)
    tell(session, contact)


def complete(session: Session, contact: Contact) -> None:
    """What follows from the fields: normalised addresses; a reason stands only beside a refusal."""
    if not contact.first_name and not contact.last_name:
        raise Invalid("The contact has no name.", help="Give a first or a last name.", field="last_name")
    region = accounts.home_country(session)
    numbers = [phone_e164(one["value"], region) for one in contact.phones or ()]
    contact.phone_numbers = list(dict.fromkeys(number for number in numbers if number))
    contact.mail_addresses = list(dict.fromkeys(one["value"].lower() for one in contact.mails or ()))
    if not contact.do_not_contact:
        contact.do_not_contact_reason = None


def tell(session: Session, contact: Contact) -> None:
    """Tell webhooks of a contact's revision."""
    webhooks.announce(session, "contact", str(contact.id), str(contact.rev or 1))


def find(session: Session, scope: Scope, contact_id: UUID, permission: str = "contacts:write") -> Contact:
    """The contact, locked for a change, when the permission reaches it."""
    statement = queries.visible_to(scope, permission).where(Contact.id == contact_id)
    found = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound("There is no such contact.", id=str(contact_id))
    return found


def delete(session: Session, scope: Scope, contact_id: UUID, base_rev: int) -> Contact:
    """Take a contact away with its places at accounts; it can be restored. Refuses an older revision."""
    contact = find(session, scope, contact_id)
    require_revision(contact.name, contact.id, contact.rev, base_rev)
    now = clock.now()
    contact.deleted_at = now
    session.flush()
    there = ContactAccount.contact_id == contact_id, ContactAccount.deleted_at.is_(None)
    session.execute(update(ContactAccount).where(*there).values(deleted_at=now, is_primary=False))
    session.refresh(contact)
    tell(session, contact)
    return contact


def restore(session: Session, scope: Scope, contact_id: UUID) -> Contact:
    """Bring a deleted contact back with the places that went with it."""
    contact = session.get(Contact, contact_id, with_for_update=True)
    if contact is None or not _may_restore(session, scope, contact):
        raise NotFound("There is no such contact.", id=str(contact_id))
    if contact.deleted_at is not None:
        gone = ContactAccount.contact_id == contact_id, ContactAccount.deleted_at == contact.deleted_at
        session.execute(update(ContactAccount).where(*gone).values(deleted_at=None))
        contact.deleted_at = None
        session.flush()
        session.refresh(contact)
        tell(session, contact)
    return contact


def _may_restore(session: Session, scope: Scope, contact: Contact) -> bool:
    """Whether somebody would see the contact if it were there."""
    seen = accounts.reached_through(ContactAccount.account_id, scope, "contacts:write")
    linked = select(ContactAccount.id).where(ContactAccount.contact_id == contact.id, seen)
    return scope.may("contacts:write") and (
        contact.owner_id == scope.user_id
        or session.scalar(linked.limit(1)) is not None
        or session.scalar(select(Contact.id).where(Contact.id == contact.id, queries.within_reach(scope))) is not None
    )


# Places at accounts


def link(
    session: Session,
    scope: Scope,
    contact_id: UUID,
    account_id: UUID,
    given: Mapping[str, Any],
    *,
    is_new: bool = False,
) -> ContactAccount:
    """Say that a person is at an account. Refuses an account out of reach, and a second place at the same one."""
    if not is_new:
        find(session, scope, contact_id)
    account_id = _account(session, scope, account_id)
    there = select(ContactAccount.id).where(
        ContactAccount.contact_id == contact_id,
        ContactAccount.account_id.in_(accounts.family(account_id)),
        ContactAccount.deleted_at.is_(None),
    )
    if session.scalar(there.limit(1)) is not None:
        raise LinkedAlready("The contact is at this account already.", help="Change the roles there.", field="account")
    made = ContactAccount(contact_id=contact_id, account_id=account_id)
    session.add(made)
    _write_link(session, made, {name: cleaned(LINK, name, value) for name, value in given.items()})
    return made


def edit_link(session: Session, scope: Scope, link_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Outcome:
    """Change what a person is at an account; merged like a contact."""
    held = find_link(session, scope, link_id)
    merge = LINKS.merged(held, base_rev, LINKS.deltas_since(session, held, base_rev, changes))
    if merge.clashes:
        raise changed_meanwhile("the place at the account", held.rev, merge.clashes)
    _write_link(session, held, LINKS.written(held, merge.apply))
    return Outcome(held.rev, frozenset(merge.apply), merge.same)


def unlink(session: Session, scope: Scope, link_id: UUID) -> None:
    """Take a person off an account; the person stays."""
    held = find_link(session, scope, link_id)
    contact = session.get_one(Contact, held.contact_id)
    held.deleted_at, held.is_primary = clock.now(), False
    session.flush()
    others = select(ContactAccount.id).where(
        ContactAccount.contact_id == contact.id, ContactAccount.deleted_at.is_(None)
    )
    if contact.owner_id is None and session.scalar(others.limit(1)) is None:
        contact.owner_id = scope.user_id  # or nobody but admins would see it any more
        session.flush()


def find_link(session: Session, scope: Scope, link_id: UUID) -> ContactAccount:
    """A place at an account that somebody may change, locked."""
    held = session.get(ContactAccount, link_id, with_for_update=True, populate_existing=True)
    if held is None or held.deleted_at is not None:
        raise NotFound("There is no such place.", id=str(link_id))
    _account(session, scope, held.account_id)
    find(session, scope, held.contact_id)
    return held


def _account(session: Session, scope: Scope, account_id: UUID) -> UUID:
    """The account that stands for one, when somebody may change its people."""
    standing = accounts.surviving(session, account_id)
    reach = accounts.visible_to(scope, "contacts:write").where(Account.id == standing)
    if session.scalars(reach).one_or_none() is None:
        raise NotFound("There is no such account.", id=str(account_id), field="account")
    return standing


def _write_link(session: Session, held: ContactAccount, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(held, name, value)
    since, until = held.since, held.until
    if isinstance(since, date) and isinstance(until, date) and until < since:
        raise Invalid("The last day lies before the first.", help="Swap the two days.", field="until")
    if values.get("site_id") is not None:
        site = session.get(Site, values["site_id"])
        if site is None or accounts.surviving(session, site.account_id) != held.account_id:
            raise Invalid("The site does not belong to the account.", field="site_id")
    with session.no_autoflush:
        if held.is_primary:
            other = update(ContactAccount).where(
                ContactAccount.account_id == held.account_id, ContactAccount.is_primary
            )
            if held.id is not None:
                other = other.where(ContactAccount.id != held.id)
            session.execute(other.values(is_primary=False))
    session.flush()
    session.refresh(held)


def of_address(session: Session, scope: Scope, addresses: Sequence[str]) -> list[Contact]:
    """The contacts with one of these mail addresses or phone numbers, normalised, that somebody may see."""
    wanted = list(addresses)
    either = or_(Contact.mail_addresses.overlap(wanted), Contact.phone_numbers.overlap(wanted))
    return list(session.scalars(queries.visible_to(scope).where(either).order_by(Contact.id).limit(50)))


def purge(session: Session, before: datetime) -> int:
    """Remove contacts for good that were deleted before a moment; one that said something or was merged stays."""
    said = select(Consent.id).where(Consent.contact_id == Contact.id).exists()
    merged = select(RecordMerge.id).where(
        RecordMerge.entity == "contact", or_(RecordMerge.winner_id == Contact.id, RecordMerge.loser_id == Contact.id)
    )
    old = select(Contact.id).where(Contact.deleted_at < before, ~said, ~merged.exists()).limit(1000)
    ids = session.scalars(old.with_for_update(skip_locked=True)).all()
    links = session.scalars(
        delete_rows(ContactAccount).where(ContactAccount.contact_id.in_(ids)).returning(ContactAccount.id)
    ).all()
    session.execute(delete_rows(FieldHistory).where(FieldHistory.row_id.in_([*ids, *links])))
    session.execute(delete_rows(FieldConflict).where(FieldConflict.entity == "contact", FieldConflict.row_id.in_(ids)))
    session.execute(delete_rows(Contact).where(Contact.id.in_(ids)))
    return len(ids)
