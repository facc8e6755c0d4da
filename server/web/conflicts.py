"""Fields that two people changed differently: the values, one decision, and the way back from it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.records.models import ConflictState
from server.sync.leaving import refused
from server.sync.pushing import conflicts
from server.sync.schemas import Decision
from server.web.own_fields import Told
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/conflicts", include_in_schema=False)


@router.get("")
def show_conflicts(
    request: Request, scope: Annotated[Scope, requires("conflicts:read")], session: Db, done: UUID | None = None
) -> Response:
    """The conflicts that wait for somebody, what was decided last, and where refused entries of phones wait."""
    return shown(request, scope, session, done=done)


def shown(
    request: Request, scope: Scope, session: Db, *, error: WaymarkError | None = None, done: UUID | None = None
) -> Response:
    """The page."""
    return render(
        request,
        "accounts/conflicts.html",
        scope,
        status=200 if error is None else int(error.status),
        conflicts=conflicts.listed(session, scope, state=ConflictState.OPEN, limit=100),
        told=Told(session, language_of(request, scope)),
        refused=refused.waiting(session, scope),
        done=None if done is None else conflicts.decided_one(session, scope, done),
        error=error,
    )


@router.post("/{conflict_id}")
def decide(
    request: Request,
    conflict_id: UUID,
    scope: Annotated[Scope, requires("conflicts:decide")],
    session: Db,
    decision: Annotated[Literal["keep_server", "take_mine", "custom"], Form()],
    value: Annotated[str, Form(max_length=10_000)] = "",
    rev: Annotated[int | None, Form()] = None,
) -> Response:
    """Take one of the two values, or another one."""
    try:
        with attempt(session):
            conflicts.decide(session, scope, conflict_id, Decision(decision=decision, value=value or None, rev=rev))
    except WaymarkError as error:
        return shown(request, scope, session, error=error)
    return go(f"/conflicts?done={conflict_id}")


@router.post("/{conflict_id}/undo")
def undo(
    request: Request, conflict_id: UUID, scope: Annotated[Scope, requires("conflicts:decide")], session: Db
) -> Response:
    """Take a decision back."""
    try:
        with attempt(session):
            conflicts.undo(session, scope, conflict_id)
    except WaymarkError as error:
        return shown(request, scope, session, error=error)
    return go(f"/conflicts#{conflict_id}")
