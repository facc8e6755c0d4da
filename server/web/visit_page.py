"""The page of one visit: what was planned, and what the phone or the office recorded of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from server.accounts import queries as accounts
from server.activities import answering, queries
from server.activities.models import Visit
from server.auth.access import Scope, requires
from server.fields.models import VisitType
from server.kit.database import Db
from server.kit.errors import NotFound
from server.orders import queries as orders
from server.web.pages import render

router = APIRouter(prefix="/visits", include_in_schema=False)


@router.get("/{visit_id}")
def show_visit(
    request: Request, visit_id: UUID, scope: Annotated[Scope, requires("activities:read")], session: Db
) -> Response:
    """One visit in full."""
    found = queries.rows(session, queries.visible_to(scope).where(Visit.id == visit_id), limit=1)
    if not found:
        raise NotFound("There is no such visit.", id=str(visit_id))
    [row] = found
    visit = row.visit
    account_id = accounts.surviving(session, visit.account_id)
    sold = []
    if scope.may("orders:read"):
        day = f"day = {visit.day.isoformat()}"
        sold = orders.page(session, scope, filter=day, account_id=account_id, limit=20).rows
    stayed = visit.done_at - visit.checked_in_at if visit.done_at and visit.checked_in_at else None
    kind = session.get(VisitType, visit.visit_type_id) if visit.visit_type_id else None
    return render(
        request,
        "calendar/visit.html",
        scope,
        row=row,
        visit=visit,
        account_id=account_id,
        sees_account=bool(accounts.seen_of(session, scope, [account_id])),
        stayed_s=int(stayed.total_seconds()) if stayed else None,
        kind=kind,
        answered=answering.answered(session, visit),
        own_outcomes=answering.own_outcomes(session),
        signature=queries.signature_of(session, visit.id),
        events=queries.events_of(session, [visit.id]),
        sold=sold,
    )
