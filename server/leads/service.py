"""The rules of leads: taken in once, edited, worked, handed over, given up, taken up again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.pins import BY_PEOPLE
from server.accounts.queries import home_country
from server.accounts.values import country_code
from server.auth.access import Scope
from server.auth.models import User
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound
from server.kit.settings import settings
from server.leads import placing, queries, telling
from server.leads.caring import take_care
from server.leads.models import (
    OPEN,
    Lead,
    LeadAssignment,
    LeadSignal,
    LeadSource,
    LeadState,
    LostReason,
    SignalKind,
)
from server.leads.values import phones_e164
from server.records.currencies import in_minor_units

OF_OPEN_DATA = (LeadSource.PROSPECT, LeadSource.WHITE_SPACE)
"""Leads whose pin and name are those of a firm that open data knows."""


class NotNow(Conflict):
    """The lead is not in a state for this."""

    code: ClassVar[str] = "lead_state"


class NumberTaken(Conflict):
    """Two leads cannot share a number."""

    code: ClassVar[str] = "number_taken"


def add_signal(
    session: Session,
    lead_id: UUID,
    kind: SignalKind,
    body: str | None = None,
    *,
    key: str | None = None,
    facts: Mapping[str, Any] | None = None,
    actor_id: UUID | None = None,
    at: datetime | None = None,
) -> bool:
    """Note a sign of a lead's interest; the same key of the same kind is noted once. Returns whether it was new."""
    body = body.strip()[:20_000] if body and body.strip() else None
    made = insert(LeadSignal).values(
        lead_id=lead_id, kind=kind, key=key, body=body, facts=dict(facts or {}), actor_id=actor_id
    )
    if at is not None:
        made = made.values(at=at)
    added = session.execute(made.on_conflict_do_nothing().returning(LeadSignal.id)).first()
    return added is not None


def note_ours(session: Session, lead_id: UUID, words: str, actor_id: UUID | None) -> None:
    """Note what became of a lead in a sentence of ours, which pages say in their reader's language."""
    add_signal(session, lead_id, SignalKind.NOTE, words, facts={"ours": True}, actor_id=actor_id)


def find(session: Session, scope: Scope, lead_id: UUID, permission: str = "leads:write") -> Lead:
    """The lead, or the one that it was merged into, locked for a change, when the permission reaches it."""
    statement = queries.visible_to(scope, permission).where(Lead.id == queries.standing(lead_id))
    lead = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if lead is None:
        raise NotFound("There is no such lead.", id=str(lead_id))
    return lead


def write(session: Session, scope: Scope, lead: Lead, values: Mapping[str, Any]) -> None:
    """Write checked values. Refuses a lead without a name, a number that is taken, giving away what is not yours."""
    if not values:
        return
    if not (values.get("company", lead.company) or values.get("person", lead.person)):
        raise Invalid("Company: is missing.", help="Name the company or the person.", field="company")
    if "number" in values:
        check_number(session, values["number"], lead.id)
    if "owner_id" in values:
        hand_over(session, scope, lead, values["owner_id"])
    for name, value in in_minor_units(values, ("expected_value",), lead).items():
        if name != "owner_id":
            setattr(lead, name, value if value is not None or name not in ("currency",) else settings().currency)
    if "phones" in values or "country" in values:
        lead.phones_e164 = phones_e164(lead.phones, region_of(lead, lambda: home_country(session)))
    if placing.ADDRESS_FIELDS & values.keys() and lead.grade not in BY_PEOPLE:
        placing.reset_pin(lead)
    session.flush()
    defer(session, take_care, key=f"lead:{lead.id}", lead_id=str(lead.id))
    session.refresh(lead)
    telling.announce(session, lead)


def place_by_hand(session: Session, scope: Scope, lead_id: UUID, point: LonLat) -> Lead:
    """Set the pin by hand; no geocoder moves it afterwards."""
    lead = find(session, scope, lead_id)
    placing.set_by_hand(lead, point)
    placing.align(session, [lead.id])
    defer(session, take_care, key=f"lead:{lead.id}", lead_id=str(lead.id))
    session.refresh(lead)
    return lead


def hand_over(session: Session, scope: Scope, lead: Lead, user_id: UUID | None) -> None:
    """Give a lead to somebody, or take it back so that the rules decide again."""
    if user_id == lead.owner_id:
        return
    if not scope.may("leads:assign"):
        raise Forbidden("Only managers hand leads over.", help="Ask your manager.", field="owner_id")
    check_owner(session, user_id)
    lead.owner_id, lead.assigned_at = user_id, clock.now() if user_id else None
    steps = keep_assignment(session, lead, scope, "by_hand" if user_id else "taken_away")
    session.flush()
    if user_id is not None:
        telling.tell(session, lead, steps, by=scope.user_id)


def keep_assignment(session: Session, lead: Lead, scope: Scope | None, code: str) -> list[dict[str, Any]]:
    """Write down that a person decided who gets a lead; gives the reason."""
    owner = session.get(User, lead.owner_id) if lead.owner_id else None
    step = {"code": code, "who": owner.name if owner else "", "by": scope.name if scope else "Waymark"}
    session.add(
        LeadAssignment(lead_id=lead.id, user_id=lead.owner_id, because=[step], by=scope.user_id if scope else None)
    )
    return [step]


def hand_over_many(session: Session, scope: Scope, lead_ids: Iterable[UUID], user_id: UUID | None) -> int:
    """Give some leads to somebody; returns how many changed hands. Those out of reach are left alone."""
    changed = 0
    for lead in reached(session, scope, lead_ids, "leads:assign"):
        if lead.owner_id != user_id and lead.state in OPEN:
            hand_over(session, scope, lead, user_id)
            defer(session, take_care, key=f"lead:{lead.id}", lead_id=str(lead.id))
            changed += 1
    return changed


def work(session: Session, scope: Scope, lead_id: UUID, state: LeadState) -> Lead:
    """Say that a lead is being worked, or is worth an offer. Refuses one that is decided."""
    if state not in OPEN:
        raise Invalid(f"“{state}” needs more than a word.", help="Disqualify with a reason, or convert.", field="state")
    lead = find(session, scope, lead_id)
    need_open(lead)
    lead.state = state
    session.flush()
    telling.announce(session, lead)
    return lead


def disqualify(session: Session, scope: Scope, lead_id: UUID, reason: LostReason, note: str | None = None) -> Lead:
    """Give a lead up, with a reason. Refuses one that is decided."""
    lead = find(session, scope, lead_id)
    need_open(lead)
    give_up(lead, reason, note)
    session.flush()
    telling.announce(session, lead)
    return lead


def give_up(lead: Lead, reason: LostReason, note: str | None) -> None:
    """The lead is none."""
    if reason == LostReason.OTHER and not (note or "").strip():
        raise Invalid("“Other” needs a few words.", help="Say why it is no lead.", field="note")
    lead.state, lead.reason, lead.reason_note = LeadState.DISQUALIFIED, reason, (note or "").strip() or None
    lead.decided_at = clock.now()


def disqualify_many(
    session: Session, scope: Scope, lead_ids: Iterable[UUID], reason: LostReason, note: str | None = None
) -> int:
    """Give some leads up; returns how many. Those that are decided or out of reach are left alone."""
    changed = 0
    for lead in reached(session, scope, lead_ids, "leads:write"):
        if lead.state in OPEN:
            give_up(lead, reason, note)
            changed += 1
    session.flush()
    return changed


def reopen(session: Session, scope: Scope, lead_id: UUID) -> Lead:
    """Take up again what was given up."""
    lead = find(session, scope, lead_id)
    if lead.state != LeadState.DISQUALIFIED:
        raise NotNow(f"The lead is {lead.state}.", help="Only a disqualified lead is taken up again.")
    lead.state, lead.reason, lead.reason_note, lead.decided_at = LeadState.WORKING, None, None, None
    session.flush()
    telling.announce(session, lead)
    return lead


def delete(session: Session, scope: Scope, lead_id: UUID) -> None:
    """Take a lead away; it can be restored. Refuses one that has become an account."""
    lead = find(session, scope, lead_id)
    if lead.state == LeadState.CONVERTED:
        raise NotNow("The lead has become an account.", help="Undo the conversion first.")
    lead.deleted_at = clock.now()
    session.flush()


def delete_many(session: Session, scope: Scope, lead_ids: Iterable[UUID]) -> int:
    """Take some leads away; returns how many. Those that became accounts, are gone or out of reach are left alone."""
    found = [lead for lead in reached(session, scope, lead_ids, "leads:write") if lead.state != LeadState.CONVERTED]
    for lead in found:
        lead.deleted_at = clock.now()
    session.flush()
    return len(found)


def restore(session: Session, scope: Scope, lead_id: UUID) -> Lead:
    """Bring a deleted lead back. Refuses one that was merged into another, a number that is taken by now, and a firm of
    open data that was made a lead once more meanwhile."""
    lead = session.scalars(select(Lead).where(Lead.id == lead_id, queries.within_reach(scope, "leads:write"))).first()
    if lead is None:
        raise NotFound("There is no such lead.", id=str(lead_id))
    if lead.merged_into is not None:
        raise NotNow("This lead was merged into another one.", help="Undo the merge.", into=str(lead.merged_into))
    check_number(session, lead.number, lead.id)
    refuse_a_second(session, lead)
    lead.deleted_at = None
    session.flush()
    session.refresh(lead)
    return lead


def refuse_a_second(session: Session, lead: Lead) -> None:
    """A firm of open data is one lead: the one that was made last goes on. Says nothing of whose that is."""
    if lead.source not in OF_OPEN_DATA or lead.pin is None:
        return
    same = select(Lead.id).where(
        Lead.id != lead.id, Lead.deleted_at.is_(None), Lead.source.in_(OF_OPEN_DATA), Lead.company == lead.company,
        func.ST_Equals(Lead.pin, lead.pin),
    )  # fmt: skip
    if session.scalar(select(same.exists())):
        raise NotNow(f"“{lead.company}” was made a lead once more meanwhile.", help="Go on with that one.")


def reached(session: Session, scope: Scope, lead_ids: Iterable[UUID], permission: str) -> Sequence[Lead]:
    """Those of some leads that a permission reaches, locked for a change."""
    statement = queries.visible_to(scope, permission).where(Lead.id.in_(list(lead_ids))).order_by(Lead.id)
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).all()


def need_open(lead: Lead) -> None:
    """Refuse a lead that is decided."""
    if lead.state not in OPEN:
        raise NotNow(
            f"“{lead.company or lead.person}” is {lead.state} already.",
            help="Reopen it, or undo the conversion, to go on.",
        )


def check_number(session: Session, number: str | None, own_id: UUID | None) -> None:
    """Refuse a number that another lead has."""
    taken = select(Lead.id).where(Lead.number == number, Lead.deleted_at.is_(None), Lead.id.is_distinct_from(own_id))
    if number is not None and session.scalars(taken).first() is not None:
        raise NumberTaken(f"Another lead has the number {number}.", help="Choose another number.", field="number")


def check_owner(session: Session, user_id: UUID | None) -> None:
    """Refuse an owner who is not there."""
    known = select(User.id).where(User.id == user_id, User.active, User.deleted_at.is_(None))
    if user_id is not None and session.scalar(known) is None:
        raise Invalid("Owner: there is no such person.", field="owner_id")


def region_of(lead: Lead, home: Callable[[], str | None]) -> str | None:
    """The country in which the lead's phone numbers are dialled."""
    return (country_code(lead.country) if lead.country else None) or home()
