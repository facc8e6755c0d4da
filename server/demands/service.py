"""The rules of visit demand: asking for a visit, taking it back, what becomes of it when plans and visits change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import Role, User
from server.demands import queries
from server.demands.models import DemandOrigin, DemandState, VisitDemand
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7

WANTING = (DemandState.OPEN, DemandState.PLANNED)
USUAL_PRIZE_S = 10_800
"""What a demand is worth when nobody says: as much as a visit to a class A account that is just due."""
MOST_PRIZE_S = 864_000
LONGEST_SENTENCE = 300


class AlreadyServed(Conflict):
    """The visit took place; the demand is over."""

    code: ClassVar[str] = "demand_is_over"


class AskedElsewhere(Conflict):
    """One origin wants one visit, at one account."""

    code: ClassVar[str] = "demand_elsewhere"


@dataclass(frozen=True)
class Wanted:
    """A visit that is asked for."""

    account_id: UUID
    origin: DemandOrigin
    origin_key: str
    """Which ticket, campaign step, ...; the same key again changes the demand instead of adding one."""
    sentence: str
    """Why: becomes the stop's reason."""
    site_id: UUID | None = None
    earliest: date | None = None
    deadline: date | None = None
    prize_s: int = USUAL_PRIZE_S
    service_s: int | None = None
    mandatory: bool = False
    rep_ids: tuple[UUID, ...] = ()


def ask(session: Session, wanted: Wanted, *, asked_by: UUID | None = None) -> VisitDemand:
    """Want a visit. The same origin again changes nothing, or what has changed; one that is done stays done.

    Refuses an account, site or rep that does not exist, and a deadline before the earliest day.
    """
    values = _checked(session, wanted)
    fresh = insert(VisitDemand).values(id=uuid7(), **values, asked_by=asked_by)
    session.execute(fresh.on_conflict_do_nothing(index_elements=["origin", "origin_key"]))
    demand = session.scalars(
        select(VisitDemand)
        .where(VisitDemand.origin == wanted.origin, VisitDemand.origin_key == wanted.origin_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if accounts.surviving(session, demand.account_id) != values["account_id"]:
        raise AskedElsewhere(
            f"{wanted.origin.capitalize()} {wanted.origin_key} asks for a visit to another account.",
            help="Take that demand back first, or use another key.",
        )
    if demand.state == DemandState.DONE:
        return demand
    if demand.state == DemandState.WITHDRAWN:
        demand.state, demand.closed_at = DemandState.OPEN, None
    for name, value in values.items():
        if getattr(demand, name) != value:
            setattr(demand, name, value)
    session.flush()
    return demand


def withdraw(session: Session, origin: DemandOrigin, origin_key: str) -> bool:
    """Want a visit no more, because its origin is settled; returns whether it was still wanted."""
    demand = session.scalars(
        select(VisitDemand)
        .where(VisitDemand.origin == origin, VisitDemand.origin_key == origin_key, VisitDemand.state.in_(WANTING))
        .with_for_update()
    ).one_or_none()
    if demand is not None:
        _close(demand, DemandState.WITHDRAWN)
        session.flush()
    return demand is not None


def take_back(session: Session, scope: Scope, demand_id: UUID) -> VisitDemand:
    """Take back a demand that somebody may change. Refuses one whose visit took place."""
    demand = queries.find(session, scope, demand_id, "demands:write")
    session.refresh(demand, with_for_update=True)
    if demand.state == DemandState.DONE:
        raise AlreadyServed("The visit took place; there is nothing to take back.")
    if demand.state != DemandState.WITHDRAWN:
        _close(demand, DemandState.WITHDRAWN)
        session.flush()
    return demand


def planned(session: Session, visits: Mapping[UUID, UUID]) -> None:
    """A published plan serves these demands: each with its visit."""
    for demand in _locked(session, VisitDemand.id.in_(list(visits)), VisitDemand.state.in_(WANTING)):
        demand.state, demand.visit_id = DemandState.PLANNED, visits[demand.id]
    session.flush()


def not_visited(session: Session, visit_ids: Iterable[UUID]) -> None:
    """These visits do not take place: what they would have served is open again."""
    for demand in _locked(session, VisitDemand.visit_id.in_(list(visit_ids)), VisitDemand.state == DemandState.PLANNED):
        demand.state, demand.visit_id = DemandState.OPEN, None
    session.flush()


@dataclass(frozen=True, slots=True)
class Served:
    """A visit that took place."""

    visit_id: UUID
    account_id: UUID
    """The account that stands for the visited one after all merges."""
    site_id: UUID | None
    rep_id: UUID
    day: date


def visited(session: Session, visits: Sequence[Served]) -> int:
    """Visits took place: each serves what was planned with it, and whatever else was open there; returns how many."""
    if not visits:
        return 0
    there = accounts.standing_for(VisitDemand.account_id, sorted({visit.account_id for visit in visits}))
    planned_with = VisitDemand.visit_id.in_([visit.visit_id for visit in visits])
    served = _locked(session, VisitDemand.state.in_(WANTING), or_(planned_with, there))
    if not served:
        return 0
    homes = accounts.survivors(session, {demand.account_id for demand in served})
    named = [*(visit.site_id for visit in visits), *(demand.site_id for demand in served)]
    sites = {site_id for site_id in named if site_id is not None}
    standing = accounts.standing_sites(session, sites)
    count = 0
    for visit in visits:
        for demand in served:
            if demand.state in WANTING and _serves(visit, demand, homes, standing):
                demand.visit_id = visit.visit_id
                _close(demand, DemandState.DONE)
                count += 1
    session.flush()
    return count


def _serves(visit: Served, demand: VisitDemand, homes: Mapping[UUID, UUID], standing: Mapping[UUID, UUID]) -> bool:
    """Whether a visit serves a demand: planned with it, or at the same place, by a rep who was wanted, in time."""
    if demand.visit_id == visit.visit_id:
        return True
    if homes[demand.account_id] != visit.account_id:
        return False
    if demand.site_id is not None and (visit.site_id is None or standing[demand.site_id] != standing[visit.site_id]):
        return False
    anybody = not demand.rep_ids or visit.rep_id in demand.rep_ids
    return anybody and (demand.earliest is None or demand.earliest <= visit.day)


def _locked(session: Session, *conditions: Any) -> list[VisitDemand]:
    statement = select(VisitDemand).where(VisitDemand.deleted_at.is_(None), *conditions).order_by(VisitDemand.id)
    return list(session.scalars(statement.with_for_update()))


def _close(demand: VisitDemand, state: DemandState) -> None:
    demand.state, demand.closed_at = state, clock.now()


def _checked(session: Session, wanted: Wanted) -> dict[str, Any]:
    account = session.get(Account, accounts.surviving(session, wanted.account_id))
    if account is None or account.deleted_at is not None:
        raise NotFound("There is no such account.", field="account_id")
    sentence = " ".join(wanted.sentence.split())
    if not sentence or len(sentence) > LONGEST_SENTENCE:
        raise Invalid(
            "The reason is empty." if not sentence else f"The reason is longer than {LONGEST_SENTENCE} characters.",
            help="Say in a sentence why a visit is wanted; the rep reads it.",
            field="sentence",
        )
    if not wanted.origin_key:
        raise Invalid("The origin has no key.", help="Name the ticket, campaign or other thing.", field="origin_key")
    if wanted.earliest and wanted.deadline and wanted.deadline < wanted.earliest:
        raise Invalid(
            f"The deadline {wanted.deadline} lies before the earliest day {wanted.earliest}.",
            help="Swap the two days.",
            field="deadline",
        )
    if not 0 <= wanted.prize_s <= MOST_PRIZE_S:
        raise Invalid(f"A visit is worth 0 to {MOST_PRIZE_S // 3600} hours of driving.", field="prize_s")
    if wanted.service_s is not None and not 60 <= wanted.service_s <= 86_400:
        raise Invalid("A visit takes between a minute and a day.", field="service_s")
    _check_references(session, account, wanted)
    return {
        "account_id": account.id,
        "site_id": wanted.site_id,
        "origin": wanted.origin.value,
        "origin_key": wanted.origin_key,
        "sentence": sentence if sentence.endswith((".", "!", "?")) else f"{sentence}.",
        "earliest": wanted.earliest,
        "deadline": wanted.deadline,
        "prize_s": wanted.prize_s,
        "service_s": wanted.service_s,
        "mandatory": wanted.mandatory,
        "rep_ids": sorted(set(wanted.rep_ids)),
    }


def _check_references(session: Session, account: Account, wanted: Wanted) -> None:
    if wanted.site_id is not None:
        site = session.get(Site, wanted.site_id)
        if site is None or site.deleted_at is not None or accounts.surviving(session, site.account_id) != account.id:
            raise Invalid("The site does not belong to the account.", field="site_id")
    if wanted.rep_ids:
        known = select(User.id).where(User.id.in_(wanted.rep_ids), User.role == Role.REP, User.active)
        if len(set(session.scalars(known))) != len(set(wanted.rep_ids)):
            raise Invalid("Some of these people are no reps.", help="Choose among the reps.", field="rep_ids")
