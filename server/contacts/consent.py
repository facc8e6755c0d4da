"""Who may be reached, how and why: the one answer that mails, calls, campaigns and reps all obey."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from server.accounts.queries import home_country
from server.contacts.models import Channel, Consent, ConsentState, Contact, How, Purpose, Suppression
from server.contacts.queries import family
from server.kit import clock
from server.kit.errors import Conflict, Invalid
from server.records.values import EMAIL, phone_e164, plain

ASKS_FIRST = frozenset(
    (channel, purpose)
    for channel in (Channel.MAIL, Channel.SMS, Channel.PHONE)
    for purpose in (Purpose.MARKETING, Purpose.SURVEY)
)
"""Where silence is a no: advertising by mail, text or phone needs consent; letters, visits and service need none."""


@dataclass(frozen=True)
class Said:
    """What somebody said about being reached."""

    channel: Channel
    purpose: Purpose
    state: ConsentState
    how: How
    at: datetime | None = None
    """None: now."""
    wording: str | None = None
    """The text that the person was shown."""
    note: str | None = None


class NotWanted(Conflict):
    """Somebody, or an address, may not be reached."""

    code: ClassVar[str] = "not_wanted"


def need_wanted(session: Session, addresses: Iterable[str], purpose: Purpose = Purpose.SERVICE) -> None:
    """Refuse a mail to somebody who may not be reached by mail for this purpose; names the address and says why."""
    for address in addresses:
        may, why = may_contact(session, address, Channel.MAIL, purpose)
        if not may:
            raise NotWanted(f"{address} must not be written to. {why}", help="Reach them another way.", field="to")


def note_consent(session: Session, contact: Contact, said: Said, *, by: UUID | None) -> Consent:
    """Write down what a person said; nothing that was said before is changed. Refuses a moment in the future."""
    now = clock.now()
    if said.at is not None and said.at > now:
        raise Invalid("Nobody has said this yet: the moment lies in the future.", field="at")
    made = Consent(
        contact_id=contact.id,
        channel=said.channel,
        purpose=said.purpose,
        state=said.state,
        how=said.how,
        at=said.at or now,
        recorded_by=by,
        wording=plain(said.wording, 4000, lines=True),
        note=plain(said.note, 500),
    )
    session.add(made)
    session.flush()
    return made


def log_of(session: Session, contact_id: UUID) -> list[Consent]:
    """Everything a person has said, and those who were merged into them, the latest first."""
    statement = select(Consent).where(Consent.contact_id.in_(family(contact_id)))
    return list(session.scalars(statement.order_by(Consent.at.desc(), Consent.recorded_at.desc())))


def states_of(session: Session, contact_id: UUID) -> Mapping[tuple[str, str], Consent]:
    """What holds now, by channel and purpose."""
    found: dict[tuple[str, str], Consent] = {}
    for one in log_of(session, contact_id):
        found.setdefault((one.channel, one.purpose), one)
    return found


def may_contact(
    session: Session, whom: Contact | UUID | str, channel: Channel, purpose: Purpose, *, asked: str | None = None
) -> tuple[bool, str]:
    """Whether a contact, or whoever has an address, may be reached this way for this purpose, and why (not).

    An address that several people share may be used only when none of them forbids it. Whoever has `asked` us
    something that is still open ("ticket #12") gets their answer although they want to hear nothing else, unless
    nobody may use the address at all.
    """
    may, why = _may_contact(session, whom, channel, purpose)
    if may or asked is None or purpose is not Purpose.SERVICE:
        return may, why
    if not isinstance(whom, str) or (address := normalised(session, whom)) is None or suppressed(session, [address]):
        return may, why
    return True, f"It answers their own {asked}, although: {why}"


def _may_contact(session: Session, whom: Contact | UUID | str, channel: Channel, purpose: Purpose) -> tuple[bool, str]:
    if isinstance(whom, UUID):
        found = session.get(Contact, whom)
        if found is None:
            return False, "There is no such contact."
        whom = found
    if isinstance(whom, Contact):
        return _may_reach(session, whom, channel, purpose)
    address = normalised(session, whom)
    if address is None:
        return False, f"“{whom[:100]}” is no address that can be reached."
    if (reason := suppressed(session, [address])) is not None:
        return False, reason
    people = session.scalars(select(Contact).where(_has(address), Contact.deleted_at.is_(None))).all()
    answers = [_may_reach(session, one, channel, purpose) for one in people if one.merged_into is None]
    if not answers:
        return _silence(channel, purpose)
    return next((answer for answer in answers if not answer[0]), answers[0])


def _has(address: str) -> ColumnElement[bool]:
    column = Contact.mail_addresses if "@" in address else Contact.phone_numbers
    return column.contains([address])


def _may_reach(session: Session, contact: Contact, channel: Channel, purpose: Purpose) -> tuple[bool, str]:
    """The answer for one person."""
    if contact.deleted_at is not None:
        return False, "The contact was deleted."
    if contact.do_not_contact:
        reason = (contact.do_not_contact_reason or "no reason given").removesuffix(".")
        return False, f"Asked not to be contacted: {reason}."
    addresses = {
        Channel.MAIL: contact.mail_addresses,
        Channel.PHONE: contact.phone_numbers,
        Channel.SMS: contact.phone_numbers,
    }
    own = addresses.get(channel)
    if own and all(suppressed(session, [one]) for one in own):
        return False, suppressed(session, own) or ""
    said = states_of(session, contact.id).get((channel, purpose))
    if said is None:
        return _silence(channel, purpose)
    verb = "Agreed to" if said.state == ConsentState.GIVEN else "Withdrew"
    words = f"{verb} {purpose} by {channel} on {said.at:%d %B %Y} ({said.how})."
    return said.state == ConsentState.GIVEN, words


def _silence(channel: Channel, purpose: Purpose) -> tuple[bool, str]:
    if (channel, purpose) in ASKS_FIRST:
        return False, f"Has not agreed to {purpose} by {channel}."
    return True, f"{purpose.capitalize()} by {channel} needs no consent, and nobody has objected."


@cache
def allowed(channel: Channel, purpose: Purpose) -> ColumnElement[bool]:
    """The same answer for all contacts of a statement at once; a condition is put together once for a process."""
    older, oldest = aliased(Contact), aliased(Contact)
    nearest = select(older.id).where(older.merged_into == Contact.id).correlate(Contact)
    further = select(oldest.id).join(older, oldest.merged_into == older.id).where(older.merged_into == Contact.id)
    persons = Consent.contact_id == Contact.id, Consent.contact_id.in_(nearest)
    latest = (
        select(Consent.state)
        .where(
            Consent.channel == channel,
            Consent.purpose == purpose,
            or_(*persons, Consent.contact_id.in_(further.correlate(Contact))),
        )
        .order_by(Consent.at.desc(), Consent.recorded_at.desc())
        .limit(1)
        .correlate(Contact)
        .scalar_subquery()
    )
    agreed = func.coalesce(latest == ConsentState.GIVEN, False)
    said = agreed if (channel, purpose) in ASKS_FIRST else latest.is_distinct_from(ConsentState.WITHDRAWN)
    free: list[ColumnElement[bool]] = [Contact.do_not_contact.is_(False), said]
    lists = {
        Channel.MAIL: Contact.mail_addresses,
        Channel.PHONE: Contact.phone_numbers,
        Channel.SMS: Contact.phone_numbers,
    }
    column = lists.get(channel)
    if column is not None:
        blocked = select(Suppression.address).where(Suppression.address == func.any(column)).correlate(Contact)
        free.append(~blocked.exists())
    return and_(*free)


# Addresses that nobody may use


def normalised(session: Session, written: str) -> str | None:
    """A mail address in small letters or a phone number as +…; None for what is neither."""
    address = written.strip()
    if EMAIL.fullmatch(address):
        return address.lower()
    if re.fullmatch(r"[+\d\s()/.-]{4,}", address):
        return phone_e164(address, home_country(session))
    return None


def suppress(session: Session, written: str, reason: str, *, by: UUID | None) -> Suppression:
    """Use an address no more, whoever has it; twice changes nothing. Refuses what is no address."""
    address = normalised(session, written)
    if address is None:
        raise Invalid(f"“{written[:100]}” is neither a mail address nor a phone number.", field="address")
    values = {"address": address, "reason": plain(reason, 300) or "Asked for it.", "by": by}
    session.execute(insert(Suppression).values(values).on_conflict_do_nothing())
    session.flush()
    return session.get_one(Suppression, address, populate_existing=True)


def release(session: Session, address: str) -> bool:
    """Let an address be used again; returns whether it was on the list."""
    found = session.get(Suppression, address)
    if found is not None:
        session.delete(found)
        session.flush()
    return found is not None


def barred(session: Session, written: Iterable[str | None]) -> frozenset[str]:
    """Those of some phone numbers and mail addresses, as they are written, that nobody may use: they are on the list
    of such addresses, or belong to somebody who asked not to be contacted.
    """
    meant = {one: normalised(session, one) for one in written if one}
    asked = sorted({address for address in meant.values() if address})
    listed = select(Suppression.address).where(Suppression.address.in_(asked))
    theirs = func.unnest(Contact.mail_addresses + Contact.phone_numbers).label("address")
    persons = Contact.mail_addresses.overlap(asked) | Contact.phone_numbers.overlap(asked)
    asking = Contact.do_not_contact, Contact.deleted_at.is_(None), Contact.merged_into.is_(None), persons
    found = set(session.scalars(listed.union_all(select(theirs).where(*asking)))) if asked else set()
    return frozenset(one for one, address in meant.items() if address in found)


def suppressed(session: Session, addresses: list[str]) -> str | None:
    """Why one of these addresses may not be used; None when all may."""
    found = session.scalars(select(Suppression).where(Suppression.address.in_(addresses)).limit(1)).one_or_none()
    return None if found is None else f"{found.address} is on the list of addresses that nobody uses: {found.reason}"
