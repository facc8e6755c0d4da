"""Better pins: proposed in the field, accepted or refused by those who may place pins."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.distance import haversine_m
from geo.middle import Middle
from geo.types import Fix, Grade, LonLat
from server.accounts import places, queries
from server.accounts.models import Site
from server.accounts.pins import (
    BY_PEOPLE,
    HAND_UNCERTAINTY_M,
    align_accounts,
    misplaced,
    pin_of,
    set_by_proposal,
    standing,
    withdraw_proposals,
    wkt,
)
from server.accounts.place_models import Origin, PinProposal, ProposalState
from server.accounts.values import plain
from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound
from server.kit.ids import uuid7
from server.territories import queries as territories

GOOD_FIX_M = 50.0
"""A fix worse than this confirms no pin."""
BESIDE_M = 25.0
"""Who proposes a pin this near to where they stand, stands at it."""
FAR_M = 1000.0
"""No machine moves a pin farther on its own."""
NOTE_LENGTH, ANSWER_LENGTH = 2000, 500


class AlreadyDecided(Conflict):
    """Somebody has accepted or refused this proposal, or a newer one took its place."""

    code = "already_decided"


@dataclass(frozen=True)
class NewPin:
    """A better place for a site, as somebody in the field sees it."""

    point: LonLat
    note: str | None = None
    fix: Fix | None = None
    """Where the phone was when the pin was moved."""
    at: datetime | None = None
    """When it was proposed; None: now."""


def propose(
    session: Session, scope: Scope, site_id: UUID, new: NewPin, *, proposal_id: UUID | None = None
) -> PinProposal:
    """Propose a better pin for a site that somebody may write. Who may place pins there has placed it with this.

    A newer proposal of the same person takes the place of an open one; the same id twice is the same proposal.
    """
    site = places.find_site(session, scope, site_id)
    return take(session, scope, site, new, proposal_id=proposal_id)


def take(session: Session, scope: Scope, site: Site, new: NewPin, *, proposal_id: UUID | None = None) -> PinProposal:
    """Take a proposal down for a locked site, wherever it lies: what somebody saw on the spot is worth knowing.

    Refuses an id that another person or site has used.
    """
    known = session.get(PinProposal, proposal_id) if proposal_id else None
    if known is not None:
        if (known.site_id, known.proposed_by) != (site.id, scope.user_id):
            raise Conflict("Another proposal has this id.", help="Make a new id.", field="id")
        return known
    withdraw_proposals(session, site.id, origin=Origin.REP, proposed_by=scope.user_id)
    proposal = PinProposal(
        id=proposal_id or uuid7(), origin=Origin.REP, proposed_by=scope.user_id, proposed_at=new.at or clock.now(),
        note=checked("note", new.note, NOTE_LENGTH), **measured(site, new),
    )  # fmt: skip
    session.add(proposal)
    session.flush()
    if places.may_place(session, scope, site):
        settle(session, scope, site, proposal)
    session.refresh(proposal)
    return proposal


def measured(site: Site, new: NewPin) -> dict[str, object]:
    """What a proposal says of the place: how far it moves the pin, and how much its fix is worth.

    The pin counts as confirmed by GPS when whoever proposes it stands at it with a good fix; a fix that the phone calls
    made up confirms nothing.
    """
    before, fix = pin_of(site), new.fix
    stood = haversine_m(fix.point, new.point) if fix else None
    at_the_door = (
        fix is not None
        and stood is not None
        and not fix.mock
        and fix.accuracy_m <= GOOD_FIX_M
        and stood <= max(BESIDE_M, fix.accuracy_m)
    )
    return {
        "site_id": site.id,
        "account_id": site.account_id,
        "pin": wkt(standing(new.point)),
        "moved_m": haversine_m(before, new.point) if before else None,
        "grade": Grade.GPS_CONFIRMED if at_the_door else Grade.MANUAL,
        "uncertainty_m": max(HAND_UNCERTAINTY_M, fix.accuracy_m) if fix and at_the_door else HAND_UNCERTAINTY_M,
        "accuracy_m": fix.accuracy_m if fix else None,
        "stood_m": stood,
        "mock": fix.mock if fix else False,
    }


def heal(session: Session, site_id: UUID, middle: Middle) -> PinProposal | None:
    """Propose the place that check-ins agree on, when it is better than the pin and nobody has refused it before.

    A pin that a machine has set, or that came with the data, follows at once; one set by a person, and one that would
    go far or into another territory, waits for a manager.
    """
    site = session.get(Site, site_id, with_for_update=True, populate_existing=True)
    if site is None or site.deleted_at is not None or misplaced(middle.point):
        return None
    if not is_better(site, middle) or was_refused(session, site, middle):
        return None
    before = pin_of(site)
    withdraw_proposals(session, site.id, origin=Origin.CHECKINS)
    proposal = PinProposal(
        site_id=site.id,
        account_id=site.account_id,
        pin=wkt(middle.point),
        moved_m=haversine_m(before, middle.point) if before else None,
        grade=Grade.GPS_CONFIRMED,
        uncertainty_m=middle.uncertainty_m,
        origin=Origin.CHECKINS,
        proposed_at=clock.now(),
        accuracy_m=middle.uncertainty_m,
        fixes=middle.agreeing,
        spread_m=middle.spread_m,
    )
    session.add(proposal)
    session.flush()
    if site.grade not in BY_PEOPLE and (proposal.moved_m or 0) <= FAR_M and stays_in_territory(session, site, middle):
        settle(session, None, site, proposal)
    session.refresh(proposal)
    return proposal


def is_better(site: Site, middle: Middle) -> bool:
    """Whether the check-ins know more than the pin: it is off by more than both may be wrong, or was only a guess."""
    before, sure = pin_of(site), max(BESIDE_M, middle.uncertainty_m)
    if before is None:
        return True
    away = haversine_m(before, middle.point)
    if site.grade in BY_PEOPLE:
        return away > sure + (site.uncertainty_m or 0.0)
    return away > sure or (site.uncertainty_m is not None and site.uncertainty_m > 2 * sure)


def was_refused(session: Session, site: Site, middle: Middle) -> bool:
    """Whether a manager has refused this place before."""
    near = func.ST_DistanceSphere(PinProposal.pin, wkt(middle.point)) <= max(2 * BESIDE_M, middle.uncertainty_m)
    refused = select(PinProposal.id).where(
        PinProposal.site_id == site.id, PinProposal.state == ProposalState.REFUSED, near
    )
    return session.scalar(refused.limit(1)) is not None


def stays_in_territory(session: Session, site: Site, middle: Middle) -> bool:
    """Whether the account keeps its rep; a pin that a machine moves takes no customer away from anybody."""
    return site.territory_id is None or site.territory_id == territories.covering(session, middle.point)


def accept(session: Session, scope: Scope, proposal_id: UUID) -> PinProposal:
    """Put the pin where it was proposed; nothing but a person moves it afterwards. Refuses what is decided already."""
    proposal, site = found(session, scope, proposal_id)
    settle(session, scope, site, proposal)
    if not queries.seen_of(session, scope, [site.account_id]):
        raise Forbidden("The account would leave your area with its pin.", help="Ask an admin to move it.")
    session.refresh(proposal)
    return proposal


def settle(session: Session, scope: Scope | None, site: Site, proposal: PinProposal) -> None:
    """Move the pin of a site to a proposal; without a person it was the check-ins alone."""
    set_by_proposal(site, proposal)
    decide(proposal, ProposalState.ACCEPTED, scope)
    session.flush()
    withdraw_proposals(session, site.id, origin=Origin.CHECKINS)
    align_accounts(session, [site.account_id])


def refuse(session: Session, scope: Scope, proposal_id: UUID, answer: str) -> PinProposal:
    """Leave the pin where it is and tell the one who proposed why. Refuses to do so without a word."""
    proposal, _ = found(session, scope, proposal_id)
    said = checked("answer", answer, ANSWER_LENGTH)
    if said is None:
        raise Invalid("Say why the pin stays.", help="The rep reads it on the phone.", field="answer")
    proposal.answer = said
    decide(proposal, ProposalState.REFUSED, scope)
    session.flush()
    session.refresh(proposal)
    return proposal


def decide(proposal: PinProposal, state: ProposalState, scope: Scope | None) -> None:
    """Write down what was decided, by whom and when."""
    proposal.state, proposal.decided_at = state, clock.now()
    proposal.decided_by = scope.user_id if scope else None


def found(session: Session, scope: Scope, proposal_id: UUID) -> tuple[PinProposal, Site]:
    """An open proposal and its site, both locked, when somebody may place that pin."""
    proposal = session.get(PinProposal, proposal_id)
    if proposal is None or proposal.deleted_at is not None:
        raise NotFound("There is no such proposal.", id=str(proposal_id))
    site = places.find_site(session, scope, proposal.site_id, "pins:place")
    session.refresh(proposal, with_for_update=True)
    if proposal.state != ProposalState.OPEN:
        raise AlreadyDecided(f"This proposal is {proposal.state} already.", help="Look at the account again.")
    return proposal, site


def checked(field: str, written: str | None, limit: int) -> str | None:
    """Text that people read; refuses what is too long."""
    try:
        return plain(written, limit, lines=True)
    except Invalid as error:
        raise Invalid(f"{field.capitalize()}: {error.message}.", help=error.help, field=field) from error
