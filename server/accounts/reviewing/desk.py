"""The review desk: what is known of one site, and the decision that a person makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Select, cast, select, update
from sqlalchemy.orm import Session, aliased

from geo.distance import haversine_m
from geo.geocode.explaining import Explanation, explain
from geo.geocode.types import AddressQuery
from geo.types import Grade, LonLat
from server.accounts import places, proposed_pins, queries, site_changes
from server.accounts.locating import Waiting, query_of
from server.accounts.models import Account, Site
from server.accounts.pins import HAND_UNCERTAINTY_M, pin_of
from server.accounts.place_models import ChangeState, PinProposal, ProposalState, SiteChange
from server.accounts.proposed_pins import ProposedPin
from server.accounts.reviewing import proposals
from server.accounts.reviewing.queue import ASIDE, PERMISSION, VALUE, reason, unsure
from server.accounts.site_changes import PLACE, keep, snapshot
from server.accounts.values import ADDRESS, SITE, cleaned
from server.auth.access import Scope
from server.auth.models import User
from server.geocoding import service as geocoding
from server.geocoding.errors import NoAddresses
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.records.models import FieldHistory
from server.records.service import Actor, acting

SAME_SPOT_M = 5.0
UNMOVED_M = 0.5
"""A pin on the screen goes back to where it was to so much."""


class DecidedAlready(Conflict):
    """Two people at the desk had the same site before them."""

    code = "decided_already"


class ChangedSince(Conflict):
    """The place was changed after it was shown."""

    code = "changed_since"


@dataclass(frozen=True)
class Card:
    """One site of the desk with everything that helps to decide."""

    site: Site
    account: Account
    explanation: Explanation | None
    """None while there is no address index."""
    asked: AddressQuery
    proposals: list[ProposedPin]
    """Those that wait, the latest first."""
    value: float | None
    """What the account is worth a year, if the reader may know."""
    unsure: float
    """How unsure the pin is, 0 to 1."""
    reason: str
    """Why it is in the queue; of a site that is not, why the pin is where it is."""


def card(session: Session, scope: Scope, site_id: UUID, changes: Mapping[str, Any] | None = None) -> Card:
    """A site with what was understood of its address; `changes` try another address and store nothing."""
    account = queries.visible_to(scope, PERMISSION).join(Site, Site.account_id == Account.id)
    columns = (Site, Account, cast(VALUE, Float), unsure(), reason())
    statement = account.with_only_columns(*columns).where(Site.id == site_id, Site.deleted_at.is_(None))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("There is no such site.", id=str(site_id))
    site, owner, value, *doubt = row
    if not (scope.sees("account", "yearly_value") and scope.sees("account", "yearly_potential")):
        value = None
    asked = asked_of(site, owner.name, changes or {})
    waiting = [one for one in proposed_pins.proposals_of(session, scope, [site_id]) if one.proposal.state == "open"]
    try:
        explanation = explain(geocoding.geocoder(session), asked)
    except NoAddresses:
        explanation = None
    return Card(site, owner, explanation, asked, waiting, value, *doubt)


def asked_of(site: Site, name: str, changes: Mapping[str, Any]) -> AddressQuery:
    """The question to the geocoder that a site is, with some of its address changed."""
    values = {field: getattr(site, field) for field in ADDRESS} | checked_address(changes)
    return query_of(Waiting.of(Site(**values), name))


def checked_address(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Checked fields of an address; refuses others."""
    if strange := sorted(set(changes) - set(ADDRESS)):
        raise Invalid(f"“{strange[0]}” is no part of an address.", help="Known: " + ", ".join(ADDRESS) + ".")
    return {name: cleaned(SITE, name, value) for name, value in changes.items()}


@dataclass(frozen=True)
class Decision:
    """What a person decides of a site: a candidate, a point, another address, or several of these."""

    base_rev: int
    """The revision that the person saw."""
    candidate: int | None = None
    """1 to 3, of the address as it is after `address`."""
    point: LonLat | None = None
    address: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the address that change."""
    takes_address: bool = False
    """Whether the candidate's address is written too."""
    accept: UUID | None = None
    """A proposal to accept."""
    refuse: UUID | None = None
    """A proposal to refuse."""
    answer: str = ""
    """Why it is refused; the rep reads it."""
    aside: bool = False
    """The address cannot be placed; the site comes back when it changes."""


def decide(session: Session, scope: Scope, site_id: UUID, decision: Decision) -> SiteChange:
    """Write a decision, by the ordinary ways; it can be undone.

    Refuses what somebody else has decided or changed after it was shown, and a candidate that is not there any more.
    """
    site = places.find_site(session, scope, site_id, PERMISSION)
    refuse_stale(session, site, decision.base_rev)
    before, base_rev = snapshot(session, site_id), site.rev
    change_id = uuid7()
    acting(session, Actor(user_id=scope.user_id, source=scope.source, op_id=change_id))
    waiting = set(session.scalars(open_proposals(site_id)))
    verb = settled(session, scope, site_id, decision) or written(session, scope, site, decision)
    session.refresh(site)
    before |= {"proposals": sorted(str(one) for one in waiting.difference(session.scalars(open_proposals(site_id))))}
    return keep(session, change_id, site, before, verb, base_rev, scope.user_id)


def open_proposals(site_id: UUID) -> Select[UUID]:
    """The proposals for a site that wait."""
    return select(PinProposal.id).where(PinProposal.site_id == site_id, PinProposal.state == ProposalState.OPEN)


def settled(session: Session, scope: Scope, site_id: UUID, decision: Decision) -> str | None:
    """Accept or refuse a proposal, or set the site aside; None when a place is to be written.

    Refuses a proposal for another site.
    """
    chosen = decision.accept or decision.refuse
    if chosen is not None:
        proposal = session.get(PinProposal, chosen)
        if proposal is None or proposal.site_id != site_id:
            raise NotFound("There is no such proposal for this site.", id=str(chosen))
    if decision.accept is not None:
        proposals.accept(session, scope, decision.accept)
        return "accept"
    if decision.refuse is not None:
        proposals.refuse(session, scope, decision.refuse, decision.answer)
        return "refuse"
    return ASIDE if decision.aside else None


def written(session: Session, scope: Scope, site: Site, decision: Decision) -> str:
    """Write another address, and the pin where a person says; answers what that is called."""
    address = checked_address(decision.address)
    point, uncertainty_m, verb = decision.point, HAND_UNCERTAINTY_M, "place"
    if decision.candidate is not None:
        option = option_of(session, scope, site.id, decision)
        point, verb = option.point, "take"
        uncertainty_m = max(uncertainty_m, option.uncertainty_m)
        if decision.takes_address:
            address |= {
                "street": f"{option.street} {option.number}".strip() or None,
                "postcode": option.postcode or address.get("postcode", site.postcode),
                "city": option.city or address.get("city", site.city),
            }
    elif point is not None:
        uncertainty_m = no_finer(site, point, decision)
    if point is None and not address:
        raise Invalid("Nothing is decided.", help="Take a candidate, place the pin, or change the address.")
    changed = {name: value for name, value in address.items() if getattr(site, name) != value}
    places.write_site(session, site, changed)
    if point is not None:
        places.place_by_hand(session, scope, site.id, point)
        site.uncertainty_m = uncertainty_m
        session.flush()
    return verb if point is not None else "address"


def no_finer(site: Site, point: LonLat, decision: Decision) -> float:
    """The metres of a pin that somebody places; of one that was not moved no fewer than it had.

    Refuses to confirm the middle of a street or a town: it says of no house where that is.
    """
    before = pin_of(site)
    if before is None or decision.address or haversine_m(point, before) > UNMOVED_M:
        return HAND_UNCERTAINTY_M
    if site.grade in (Grade.STREET, Grade.LOCALITY):
        raise Invalid(
            "This pin is only the middle of a street or a place; nobody knows yet where the customer is.",
            help="Drag it to where they are, take a candidate, or set the account aside.",
            field="lon",
        )
    return max(HAND_UNCERTAINTY_M, site.uncertainty_m or 0.0)


def option_of(session: Session, scope: Scope, site_id: UUID, decision: Decision) -> Any:
    """The candidate that was chosen; refuses one that has moved since it was shown."""
    found = card(session, scope, site_id, decision.address).explanation
    options = found.options if found else ()
    number = decision.candidate or 0
    if not 1 <= number <= len(options):
        raise ChangedSince(f"There is no candidate {number} any more.", help="Look at the site again.")
    candidate = options[number - 1].candidate
    if decision.point is not None and haversine_m(decision.point, candidate.point) > SAME_SPOT_M:
        raise ChangedSince(f"Candidate {number} is somewhere else by now.", help="Look at the site again.")
    return candidate


def refuse_stale(session: Session, site: Site, base_rev: int) -> None:
    """Refuse a decision of a place that was decided or changed after it was shown; says by whom."""
    if base_rev >= site.rev:
        return
    name = session.scalar(select(Account.name).where(Account.id == site.account_id))
    newer = SiteChange.done_rev > base_rev
    decided = select(SiteChange, User.name).outerjoin(User, User.id == SiteChange.actor)
    decided = decided.where(SiteChange.site_id == site.id, SiteChange.state == ChangeState.DONE, newer)
    row = session.execute(decided.order_by(SiteChange.done_at.desc()).limit(1)).one_or_none()
    if row is not None:
        raise DecidedAlready(
            f"{row[1] or 'Somebody'} has decided “{name}” already.",
            help="That decision stands. Undo it first if it is wrong.",
            by=row[1],
            rev=site.rev,
        )
    changed = select(User.name).select_from(FieldHistory).outerjoin(User, User.id == FieldHistory.actor)
    changed = changed.where(
        FieldHistory.entity == "site",
        FieldHistory.row_id == site.id,
        FieldHistory.rev > base_rev,
        FieldHistory.field.in_(PLACE),
    )
    names = session.execute(changed.order_by(FieldHistory.id.desc()).limit(1)).one_or_none()
    if names is not None:
        raise ChangedSince(
            f"{names[0] or 'The geocoder'} has changed the place of “{name}” in between.",
            help="Look at it again, then decide.",
            by=names[0],
            rev=site.rev,
        )


def undo(session: Session, scope: Scope, change_id: UUID) -> SiteChange:
    """Take a decision back; everything is as it was. Refuses when somebody has changed the place since."""
    change = session.get(SiteChange, change_id, with_for_update=True)
    if change is None or change.run_id is not None:
        raise NotFound("There is no such decision.", id=str(change_id))
    places.find_site(session, scope, change.site_id, PERMISSION)
    if change.state != ChangeState.DONE:
        raise Conflict("This decision is undone already.", help="Go on with the next one.")
    which, values = "c.id = :change", {"change": change_id}
    later = site_changes.changed_later(session, which, values)
    if later and later[0].by is None and later[0].by_checkins:
        raise ChangedSince(
            f"Check-ins have confirmed the place of “{later[0].account}” since.",
            help="That pin stays. Open the account to see its history.",
        )
    if later:
        raise ChangedSince(
            f"{later[0].by or 'Somebody'} has changed the place of “{later[0].account}” since.",
            help="That change stays. Open the account to see its history.",
        )
    acting(session, Actor(user_id=scope.user_id, source="undo", op_id=change_id))
    site_changes.undo(session, which, values)
    wait_again(session, [UUID(one) for one in change.before.get("proposals", ())])
    session.refresh(change)
    return change


def wait_again(session: Session, ids: Sequence[UUID]) -> None:
    """Proposals that a decision had decided wait again, but those of which a newer one has taken the place since."""
    newer = aliased(PinProposal)
    replaced = (
        select(newer.id)
        .where(
            newer.site_id == PinProposal.site_id,
            newer.origin == PinProposal.origin,
            newer.proposed_by.is_not_distinct_from(PinProposal.proposed_by),
            newer.id.not_in(ids),
            newer.proposed_at > PinProposal.proposed_at,
        )
        .exists()
    )
    decided = update(PinProposal).where(PinProposal.id.in_(ids)).execution_options(synchronize_session=False)
    undecided: dict[str, Any] = {"decided_by": None, "answer": None}
    session.execute(decided.where(replaced).values(state=ProposalState.WITHDRAWN, **undecided))
    waiting = decided.where(~replaced).values(state=ProposalState.OPEN, decided_at=None, **undecided)
    session.execute(waiting)
    session.expire_all()
