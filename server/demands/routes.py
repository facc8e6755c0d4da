"""JSON API of visit demand."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.demands import queries, service
from server.demands.models import DemandOrigin, DemandState, VisitDemand
from server.demands.schemas import DemandRead, DemandWrite
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Cursor, Limit, Page

router = APIRouter(prefix="/api/v1/demands", tags=["demands"])

ReadDemands = Annotated[Scope, requires("demands:read")]
WriteDemands = Annotated[Scope, requires("demands:write")]


@router.get("")
def list_demands(
    scope: ReadDemands,
    session: Db,
    state: DemandState | None = None,
    origin: DemandOrigin | None = None,
    account_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DemandRead]:
    """What wants a visit, the nearest deadline first; without a state what is still wanted."""
    found = queries.page(session, scope, state=state, origin=origin, account_id=account_id, cursor=cursor, limit=limit)
    return Page(items=[DemandRead.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.put("")
def ask(body: DemandWrite, scope: WriteDemands, session: Db) -> DemandRead:
    """Ask for a visit; the same origin again changes nothing, or what has changed."""
    need_account(session, scope, body.account_id)
    demand = service.ask(session, body.wanted(), asked_by=scope.user_id)
    return read(session, demand)


@router.delete("/{demand_id}", status_code=204)
def take_back(demand_id: UUID, scope: WriteDemands, session: Db) -> Response:
    """Want the visit no more."""
    service.take_back(session, scope, demand_id)
    return Response(status_code=204)


def need_account(session: Session, scope: Scope, account_id: UUID) -> None:
    """Refuse an account at which the person may not ask for visits."""
    if not queries.may_ask(session, scope, account_id):
        raise NotFound("There is no such account.", field="account_id")


def read(session: Session, demand: VisitDemand) -> DemandRead:
    """A demand with its account's name."""
    account = session.get_one(Account, accounts.surviving(session, demand.account_id))
    return DemandRead.of(queries.DemandRow(demand, account.id, account.name, None, None))
