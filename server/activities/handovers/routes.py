"""JSON API of hand-overs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from server.activities.handovers import queries, service
from server.activities.handovers.checklist import checklist
from server.activities.handovers.models import Handover
from server.activities.handovers.schemas import HandoverRead, HandoverWrite, OpenRead, Undone
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.paging import Page
from server.kit.settings import settings

router = APIRouter(prefix="/api/v1/handovers", tags=["hand-overs"])

ReadAccounts = Annotated[Scope, requires("accounts:read")]
AssignAccounts = Annotated[Scope, requires("accounts:assign")]


@router.get("")
def list_handovers(scope: ReadAccounts, session: Db) -> Page[HandoverRead]:
    """The latest hand-overs that concern you or your people."""
    return Page(items=[HandoverRead.of(row) for row in queries.latest(session, scope)])


@router.post("", status_code=201)
def hand_over(body: HandoverWrite, scope: AssignAccounts, session: Db) -> HandoverRead:
    """Give accounts to another owner, today or on a day to come."""
    day = body.day or clock.today(settings().zone)
    wish = service.Wish(body.account_ids, body.to_id, day, body.note, body.takes_visits)
    return read(session, service.hand_over(session, scope, wish))


@router.get("/{handover_id}")
def get_handover(handover_id: UUID, scope: ReadAccounts, session: Db) -> HandoverRead:
    """One hand-over."""
    return read(session, queries.find(session, scope, handover_id))


@router.get("/{handover_id}/open")
def list_open(handover_id: UUID, scope: ReadAccounts, session: Db) -> Page[OpenRead]:
    """What is still open at its accounts."""
    made = queries.find(session, scope, handover_id)
    ids = [row.account_id for row in queries.accounts_of(session, made.id)]
    return Page(items=[OpenRead.model_validate(one) for one in checklist(session, ids)])


@router.post("/{handover_id}/undo")
def undo(handover_id: UUID, scope: AssignAccounts, session: Db) -> Undone:
    """Take a hand-over back; what somebody has given on since stays and is named."""
    kept = service.undo(session, scope, handover_id)
    return Undone(handover=read(session, queries.find(session, scope, handover_id)), kept=kept)


def read(session: Session, made: Handover) -> HandoverRead:
    """A hand-over with its names."""
    return HandoverRead.of(queries.named(session, [made])[0])
