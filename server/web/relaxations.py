"""Bending a rule for a visit that a plan left out."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.plans import again
from server.web.pages import attempt, go
from server.web.plans import plan_page

router = APIRouter(prefix="/plans", include_in_schema=False)

WritePlans = Annotated[Scope, requires("plans:write")]


@router.post("/{plan_id}/relax")
def relax(
    request: Request,
    plan_id: UUID,
    scope: WritePlans,
    session: Db,
    unplanned_id: Annotated[UUID, Form()],
    choice: Annotated[int, Form()] = 0,
) -> Response:
    """Apply what was offered and plan the days again; the new plan's page shows how far it is."""
    try:
        with attempt(session):
            plan = again.plan_again(session, scope, plan_id, unplanned_id, choice)
    except WaymarkError as error:
        return plan_page(request, scope, session, plan_id, error)
    return go(f"/plans/{plan.id}")
