"""JSON API of proposed pins: propose, list, accept, refuse."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from server.accounts import places, proposed_pins
from server.accounts.pins import point_of
from server.accounts.place_models import PinProposal
from server.accounts.reviewing import proposals
from server.accounts.reviewing.proposal_schemas import PinProposalRead, PinProposalWrite, RefusalWrite
from server.accounts.reviewing.proposals import NewPin
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Limit, Page

router = APIRouter(tags=["pins"])

ReadAccounts = Annotated[Scope, requires("accounts:read")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]
PlacePins = Annotated[Scope, requires("pins:place")]


def shown(session: Session, scope: Scope, proposal: PinProposal) -> PinProposalRead:
    """A proposal as it is read, when somebody may see it."""
    statement = proposed_pins.proposals_visible_to(scope).where(PinProposal.id == proposal.id)
    rows = proposed_pins.proposed(session, statement, limit=1)
    if not rows:
        raise NotFound("There is no such proposal.", id=str(proposal.id))
    return PinProposalRead.of(rows[0])


@router.post("/api/v1/sites/{site_id}/pin-proposals", status_code=201)
def propose(site_id: UUID, body: PinProposalWrite, scope: WriteAccounts, session: Db) -> PinProposalRead:
    """Propose a better pin. For those who may place pins it is accepted at once; others wait for a manager."""
    new = NewPin(point_of(body.lon, body.lat), body.note, body.fix.as_fix() if body.fix else None)
    return shown(session, scope, proposals.propose(session, scope, site_id, new, proposal_id=body.id))


@router.get("/api/v1/sites/{site_id}/pin-proposals")
def list_of_site(site_id: UUID, scope: ReadAccounts, session: Db, limit: Limit = 50) -> Page[PinProposalRead]:
    """All proposals for a site with what became of them, the latest first."""
    site = places.find_site(session, scope, site_id, "accounts:read")
    return Page(
        items=[PinProposalRead.of(row) for row in proposed_pins.proposals_of(session, scope, [site.id], limit=limit)]
    )


@router.get("/api/v1/pin-proposals")
def list_open(scope: ReadAccounts, session: Db, limit: Limit = 200) -> Page[PinProposalRead]:
    """The proposals that wait for a decision, those of the most valuable accounts first."""
    return Page(items=[PinProposalRead.of(row) for row in proposed_pins.open_proposals(session, scope, limit=limit)])


@router.post("/api/v1/pin-proposals/{proposal_id}/accept")
def accept(proposal_id: UUID, scope: PlacePins, session: Db) -> PinProposalRead:
    """Put the pin where it was proposed. 409 when it was decided before."""
    return shown(session, scope, proposals.accept(session, scope, proposal_id))


@router.post("/api/v1/pin-proposals/{proposal_id}/refuse")
def refuse(proposal_id: UUID, body: RefusalWrite, scope: PlacePins, session: Db) -> PinProposalRead:
    """Leave the pin where it is and tell the one who proposed why."""
    return shown(session, scope, proposals.refuse(session, scope, proposal_id, body.answer))
