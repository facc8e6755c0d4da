"""Contacts that may be the same person, merging two into one, and taking that back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.contacts import queries
from server.contacts.models import Contact, ContactAccount, ContactMerge
from server.contacts.service import tell, write
from server.contacts.values import editor
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.records.editing import CUSTOM

UNDO = timedelta(days=30)
LIKE = 0.55
"""Least similarity (trigrams) of two names at one account."""
TOGETHER = ("phones", "mails", "languages")


@dataclass(frozen=True)
class Alike:
    """A contact that may be the same person."""

    contact: Contact
    reasons: tuple[str, ...]


def alike(session: Session, scope: Scope, contact: Contact, *, limit: int = 5) -> list[Alike]:
    """Contacts with the same mail or phone, or a similar name at the same account, that somebody may see."""
    mine = select(ContactAccount.account_id).where(
        ContactAccount.contact_id == contact.id, ContactAccount.deleted_at.is_(None)
    )
    beside = select(ContactAccount.contact_id).where(
        ContactAccount.account_id.in_(mine), ContactAccount.deleted_at.is_(None)
    )
    whole = func.concat_ws(" ", Contact.first_name, Contact.last_name)
    own = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    same_mail = Contact.mail_addresses.overlap(contact.mail_addresses)
    same_phone = Contact.phone_numbers.overlap(contact.phone_numbers)
    similar = func.similarity(func.search_text(whole), func.search_text(own)) >= LIKE
    close = similar & Contact.id.in_(beside)
    statement = queries.visible_to(scope).where(Contact.id != contact.id, or_(same_mail, same_phone, close))
    rows = session.execute(statement.add_columns(same_mail, same_phone, close).order_by(Contact.id).limit(limit))
    words = ("same mail address", "same phone", "similar name at the same account")
    return [Alike(one, tuple(word for word, holds in zip(words, why, strict=True) if holds)) for one, *why in rows]


def merge(session: Session, scope: Scope, winner_id: UUID, loser_id: UUID) -> ContactMerge:
    """Let one contact go into another: empty fields are filled, phones and mails put together, places taken over.

    Refuses contacts out of reach and one that went into another meanwhile. Who asked not to be contacted stays so.
    """
    if winner_id == loser_id:
        raise Invalid("A contact cannot be merged with itself.", field="loser_id")
    winner, loser = _locked(session, scope, winner_id, loser_id)
    how = editor(session)
    before = how.values(winner)
    together = _together(winner, loser, how.values(loser), before)
    values = {name: value for name, value in together.items() if scope.may_change("contact", [name])}
    write(session, winner, how.written(winner, values))
    made = ContactMerge(
        id=uuid7(),
        winner_id=winner.id,
        loser_id=loser.id,
        merged_at=clock.now(),
        merged_by=scope.user_id,
        fields={name: [before.get(name), value] for name, value in values.items()},
        links=[{"id": str(one)} for one in _take_places(session, winner.id, loser.id)],
    )
    loser.merged_into = winner.id
    session.add(made)
    session.flush()
    session.refresh(loser)
    tell(session, loser)
    return made


def _locked(session: Session, scope: Scope, *ids: UUID) -> list[Contact]:
    """Contacts that somebody may change, locked in one order."""
    statement = queries.visible_to(scope, "contacts:write").where(Contact.id.in_(ids)).order_by(Contact.id)
    found = {one.id: one for one in session.scalars(statement.with_for_update())}
    missing = next((one for one in ids if one not in found), None)
    if missing is not None:
        into = session.scalar(select(Contact.merged_into).where(Contact.id == missing))
        if into is not None:
            raise Conflict("One of the two has been merged in the meantime.", help="Reload the page.", into=str(into))
        raise NotFound("There is no such contact.", id=str(missing))
    return [found[one] for one in ids]


def _together(winner: Contact, loser: Contact, theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    """What the winner holds afterwards, where it differs."""
    values: dict[str, Any] = {}
    for name, value in theirs.items():
        held = mine.get(name)
        if name in TOGETHER:
            seen = [one["value"].casefold() if isinstance(one, Mapping) else one for one in held or ()]
            more = [
                one for one in value or () if (one["value"].casefold() if isinstance(one, Mapping) else one) not in seen
            ]
            if more:
                values[name] = [*(held or ()), *more]
        elif held in (None, "", []) and value not in (None, "", []) and name != "owner_id":
            values[name] = value
    if loser.do_not_contact and not winner.do_not_contact:
        values |= {"do_not_contact": True, "do_not_contact_reason": loser.do_not_contact_reason}
    elif not winner.do_not_contact:
        values.pop("do_not_contact_reason", None)
    notes = [note for note in (winner.note, loser.note) if note]
    if len(set(notes)) > 1:
        values["note"] = "\n\n".join(dict.fromkeys(notes))
    return values


def _take_places(session: Session, winner_id: UUID, loser_id: UUID) -> list[UUID]:
    """Give the winner the places that only the loser has."""
    there = set(session.scalars(_places(winner_id).with_only_columns(ContactAccount.account_id)))
    made = []
    for one in session.scalars(_places(loser_id)).all():
        if one.account_id in there:
            continue
        place = ContactAccount(
            id=uuid7(), contact_id=winner_id, account_id=one.account_id, site_id=one.site_id, roles=one.roles,
            since=one.since, until=one.until, is_primary=one.is_primary,
        )  # fmt: skip
        one.is_primary = False
        session.flush()
        session.add(place)
        session.flush()
        made.append(place.id)
    return made


def _places(contact_id: UUID) -> Any:
    return select(ContactAccount).where(ContactAccount.contact_id == contact_id, ContactAccount.deleted_at.is_(None))


def undo(session: Session, scope: Scope, merge_id: UUID) -> tuple[ContactMerge, Sequence[str]]:
    """Take a merge back: the loser lives again, fields of the winner go back unless somebody has edited them since.

    Returns the merge and the fields that stayed. Refuses one that is undone or lies more than 30 days back.
    """
    made = session.get(ContactMerge, merge_id, with_for_update=True)
    if made is None:
        raise NotFound("There is no such merge.", id=str(merge_id))
    [winner] = _locked(session, scope, made.winner_id)
    if made.undone_at is not None:
        return made, ()
    if clock.now() - made.merged_at > UNDO:
        raise Conflict("The merge lies more than 30 days back.", help="Make a new contact instead.")
    how, now = editor(session), clock.now()
    current = how.values(winner)
    back = {name: before for name, (before, after) in made.fields.items() if current.get(name) == after}
    known = {name: value for name, value in back.items() if name in how.rules or not name.startswith(CUSTOM)}
    loser = session.get_one(Contact, made.loser_id, with_for_update=True)
    loser.merged_into = None
    for place in made.links:
        held = session.get(ContactAccount, UUID(place["id"]))
        if held is not None and held.deleted_at is None:
            was_primary, held.deleted_at, held.is_primary = held.is_primary, now, False
            session.flush()
            own = session.scalars(_places(loser.id).where(ContactAccount.account_id == held.account_id)).one_or_none()
            if own is not None and was_primary:
                own.is_primary = True
    made.undone_at, made.undone_by = now, scope.user_id
    session.flush()
    write(session, winner, how.written(winner, known))
    session.refresh(loser)
    tell(session, loser)
    return made, sorted(set(made.fields) - set(known))


def merges_into(session: Session, contact_id: UUID) -> list[tuple[ContactMerge, str]]:
    """What was merged into a contact and can be taken back, with the loser's name."""
    rows = session.execute(
        select(ContactMerge, Contact)
        .join(Contact, Contact.id == ContactMerge.loser_id)
        .where(
            ContactMerge.winner_id == contact_id,
            ContactMerge.undone_at.is_(None),
            ContactMerge.merged_at > clock.now() - UNDO,
        )
        .order_by(ContactMerge.merged_at.desc())
    )
    return [(made, loser.name) for made, loser in rows]
