"""Contacts that may be the same person."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.contacts import queries
from server.contacts.models import Contact, ContactAccount

LIKE = 0.55
"""Least similarity (trigrams) of two names at one account."""


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
