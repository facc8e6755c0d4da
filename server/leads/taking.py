"""How leads come in: one from somewhere, once; or many at once that are known to be none yet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.pins import PIN_FIELDS
from server.accounts.queries import home_country
from server.auth.access import Scope
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Conflict
from server.kit.ids import uuid7
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.leads import placing
from server.leads.caring import care_for_new, take_care
from server.leads.models import Lead, LeadSignal, LeadSource, SignalKind
from server.leads.resembling import LikeLead, like_leads
from server.leads.service import add_signal, check_number, check_owner, keep_assignment, region_of
from server.leads.values import new_values, phones_e164
from server.records.currencies import in_minor_units

SIGN_OF = {
    LeadSource.FORM: SignalKind.FORM,
    LeadSource.API: SignalKind.API,
    LeadSource.IMPORT: SignalKind.IMPORT,
    LeadSource.MAP: SignalKind.MAP,
    LeadSource.MAIL: SignalKind.MAIL,
    LeadSource.PHONE: SignalKind.CALL,
    LeadSource.WHITE_SPACE: SignalKind.MAP,
    LeadSource.PROSPECT: SignalKind.MAP,
}
"""What a new lead is a sign of, by its source."""


@dataclass(frozen=True)
class NewLead:
    """What comes in of a lead."""

    fields: Mapping[str, Any]
    """By the names in `values.LEAD`."""
    source: LeadSource
    at: LonLat | None = None
    """Where somebody dropped a pin; kept as it was given."""
    form_id: UUID | None = None
    consent_text: str | None = None
    consented_at: datetime | None = None
    id: UUID | None = None
    """Made by a phone, else made here."""
    always: bool = False
    """Take it in although it is there already."""
    signal: SignalKind | None = None
    """What it is a sign of; else its source says it."""


@dataclass(frozen=True)
class Taken:
    """What became of what came in."""

    lead: Lead
    is_repeat: bool
    """It was there already; this is one more sign of it."""
    alike: list[LikeLead] = field(default_factory=list)


def take_in(session: Session, new: NewLead, scope: Scope | None = None) -> Taken:
    """Take a lead in; placing, assigning and scoring follow in the background within seconds.

    What is there and open already gets one more signal instead of a second lead. Refuses what nobody could name and
    values that cannot be.
    """
    if (known := asked_before(session, new, scope)) is not None:
        return Taken(known, is_repeat=False)
    lead = drafted(session, new, scope, lambda: home_country(session))
    if not new.always:  # Two posts of the same form at the same moment are one lead.
        one_at_a_time(session, "leads.take_in")
    alike = [] if new.always else like_leads(session, lead)
    repeated = next((one for one in alike if one.is_repeat), None)
    if repeated is not None:
        person = scope.user_id if scope else None
        there = session.get_one(Lead, repeated.lead_id, with_for_update=True, populate_existing=True)
        learn_from(session, there, lead)
        add_signal(session, there.id, sign(new), lead.message, facts=came_from(lead), actor_id=person)
        return Taken(there, is_repeat=True, alike=alike)
    add(session, [(new, lead)], scope)
    defer(session, take_care, key=f"lead:{lead.id}", lead_id=str(lead.id), priority=10)
    session.refresh(lead)
    return Taken(lead, is_repeat=False, alike=alike)


def asked_before(session: Session, new: NewLead, scope: Scope | None) -> Lead | None:
    """The lead that the same phone sent before. Refuses the id of somebody else's."""
    known = None if new.id is None else session.get(Lead, new.id)
    if known is not None and (scope is None or known.created_by != scope.user_id):
        raise another_entry()
    return known


def another_entry() -> Conflict:
    """What one hears of an id that is taken, and no more: not what it is, nor whose."""
    return Conflict("There is another entry with this id.", help="Enter it once more.", field="id")


def take_in_many(session: Session, news: Sequence[NewLead], scope: Scope) -> list[UUID]:
    """Take leads in that are known to be none yet, in as many statements as one; returns their ids in order.

    Placing, assigning and scoring follow in the background in batches. Refuses what `take_in` refuses of one.
    """
    home = cache(lambda: home_country(session))
    leads = [drafted(session, new, scope, home) for new in news]
    add(session, list(zip(news, leads, strict=True)), scope)
    if leads:
        defer(session, care_for_new, key="leads.care_for_new", priority=10)
    return [lead.id for lead in leads]


def drafted(session: Session, new: NewLead, scope: Scope | None, home: Callable[[], str | None]) -> Lead:
    """The lead that comes in, with checked values and a pin; not in the session yet."""
    if scope is not None:
        scope.need_changes("lead", (name for name, value in new.fields.items() if value not in (None, "", [])))
    values = new_values(new.fields)
    values.setdefault("currency", settings().currency)
    values = in_minor_units(values, ("expected_value",))
    lead = Lead(**values, source=new.source, form_id=new.form_id, consent_text=new.consent_text)
    lead.consented_at = new.consented_at
    lead.phones_e164 = phones_e164(lead.phones or (), region_of(lead, home))
    lead.emails, lead.phones = lead.emails or [], lead.phones or []
    lead.id = new.id or uuid7()
    if new.at is not None:
        placing.set_by_hand(lead, new.at)
    else:
        placing.reset_pin(lead)
    check_number(session, lead.number, None)
    check_owner(session, lead.owner_id)
    return lead


def add(session: Session, drafts: Sequence[tuple[NewLead, Lead]], scope: Scope | None) -> None:
    """Write leads with whose they are, their territory and their first sign."""
    for new, lead in drafts:
        if scope is not None and scope.source != "job":
            lead.created_by = scope.user_id
            from_map = new.source in (LeadSource.MAP, LeadSource.WHITE_SPACE, LeadSource.PROSPECT)
            if lead.owner_id is None and from_map and not scope.may("leads:assign"):
                lead.owner_id = scope.user_id
        if lead.owner_id is not None:
            lead.assigned_at = clock.now()
        session.add(lead)
    session.flush()
    for new, lead in drafts:
        if lead.owner_id is not None:
            keep_assignment(session, lead, scope, "keeps" if scope and lead.owner_id == scope.user_id else "by_hand")
        body = lead.message.strip()[:20_000] if lead.message else None
        first = LeadSignal(lead_id=lead.id, kind=sign(new), body=body, facts=came_from(lead), actor_id=lead.created_by)
        session.add(first)
    placing.align(session, [lead.id for _, lead in drafts])


def sign(new: NewLead) -> SignalKind:
    """What a new lead is a sign of."""
    return new.signal or SIGN_OF.get(new.source, SignalKind.HAND)


def came_from(lead: Lead) -> dict[str, Any]:
    """Where one sign came from."""
    found = {"source": lead.source, "campaign": lead.campaign, "referrer": lead.referrer, **(lead.utm or {})}
    return {name: value for name, value in found.items() if value}


def learn_from(session: Session, there: Lead, again: Lead) -> None:
    """What a repeat brings that the lead did not have yet; what is there stays."""
    for name in ("company", "person", "website", "campaign", "referrer", "expected_value"):
        if getattr(there, name) is None and getattr(again, name, None) is not None:
            setattr(there, name, getattr(again, name))
    there.phones = list(dict.fromkeys([*there.phones, *again.phones]))[:10]
    there.phones_e164 = list(dict.fromkeys([*there.phones_e164, *again.phones_e164]))[:10]
    there.emails = list(dict.fromkeys([*there.emails, *again.emails]))[:10]
    if again.consented_at is not None and there.consented_at is None:
        there.consent_text, there.consented_at = again.consent_text, again.consented_at
    if there.pin is None and (again.pin is not None or again.street or again.city):
        for name in ("street", "postcode", "city", "country"):
            setattr(there, name, getattr(again, name) or getattr(there, name))
        if again.pin is not None:
            for name in PIN_FIELDS:
                setattr(there, name, getattr(again, name))
        else:
            placing.reset_pin(there)
    session.flush()
    defer(session, take_care, key=f"lead:{there.id}", lead_id=str(there.id), priority=10)
