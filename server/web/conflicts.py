"""Fields that two people changed differently: both values, one decision."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from server.accounts.values import ACCOUNT, SITE
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.sync import conflicts
from server.sync.schemas import Decision
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/conflicts", include_in_schema=False)

LABELS = {name: rule.label for name, rule in {**SITE, **ACCOUNT}.items()}


@router.get("")
def show_conflicts(
    request: Request, scope: Annotated[Scope, requires("conflicts:read")], session: Db, error: str | None = None
) -> Response:
    """The conflicts that wait for somebody."""
    found = conflicts.listed(session, scope, state="open", limit=100)
    return render(request, "accounts/conflicts.html", scope, conflicts=found, labels=LABELS, error=None)


@router.post("/{conflict_id}")
def decide(
    request: Request,
    conflict_id: UUID,
    scope: Annotated[Scope, requires("conflicts:decide")],
    session: Db,
    decision: Annotated[Literal["keep_server", "take_mine"], Form()],
) -> Response:
    """Take one of the two values."""
    try:
        with attempt(session):
            conflicts.decide(session, scope, conflict_id, Decision(decision=decision))
    except WaymarkError as error:
        found = conflicts.listed(session, scope, state="open", limit=100)
        return render(
            request,
            "accounts/conflicts.html",
            scope,
            status=int(error.status),
            conflicts=found,
            labels=LABELS,
            error=error,
        )
    return go("/conflicts")
