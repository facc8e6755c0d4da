"""Fields that two people changed differently: the values, one decision, and the way back from it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from pydantic import JsonValue
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.auth.access import Scope, requires
from server.fields import queries as own
from server.fields.models import FieldKind
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.records.models import ConflictState, FieldConflict
from server.sync.leaving import refused
from server.sync.pushing import conflicts, push
from server.sync.schemas import ConflictRead, Decision
from server.web.forms import Sent, fitting, several, text
from server.web.own_fields import Told, sent_shaped
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
    found = conflicts.listed(session, scope, state=ConflictState.OPEN, limit=100)
    told = Told(session, language_of(request, scope))
    error = error and in_words(error, told)
    return render(
        request,
        "accounts/conflicts.html",
        scope,
        status=200 if error is None else int(error.status),
        conflicts=found,
        together=together(found, told),
        told=told,
        refused=refused.waiting(session, scope),
        done=None if done is None else conflicts.decided_one(session, scope, done),
        error=error,
    )


def in_words(error: WaymarkError, told: Told) -> WaymarkError:
    """A refusal that tells what a field holds, with field and value as the reader calls them."""
    if (stands := error.details.get("stands")) is None:
        return error
    return type(error)(told.why(stands["entity"], push.refusal(error).reasons or ()))


@router.post("/all")
def decide_all(
    request: Request,
    scope: Annotated[Scope, requires("conflicts:decide")],
    session: Db,
    decision: Annotated[Literal["keep_server", "take_mine"], Form()],
    sent: Sent,
) -> Response:
    """Decide several conflicts of one record alike, each at the revision that was seen; all of them or none."""
    seen = [one.partition(":") for one in several(sent, decision, str)]
    try:
        with attempt(session):
            for written, _, rev in seen:
                chosen = Decision(decision=decision, rev=fitting("rev", rev, int))
                conflicts.decide(session, scope, fitting(decision, written, UUID), chosen)
    except WaymarkError as error:
        return shown(request, scope, session, error=error)
    return go(f"/conflicts?all={len(seen)}")


@router.post("/{conflict_id}")
def decide(
    request: Request,
    conflict_id: UUID,
    scope: Annotated[Scope, requires("conflicts:decide")],
    session: Db,
    decision: Annotated[Literal["keep_server", "take_mine", "custom"], Form()],
    sent: Sent,
    rev: Annotated[int | None, Form()] = None,
) -> Response:
    """Take one of the two values, or another one."""
    value = other_value(session, conflict_id, sent) if decision == "custom" else None
    try:
        with attempt(session):
            conflicts.decide(session, scope, conflict_id, Decision(decision=decision, value=value, rev=rev))
    except WaymarkError as error:
        return shown(request, scope, session, error=error)
    return go(f"/conflicts?done={conflict_id}")


def other_value(session: Session, conflict_id: UUID, sent: FormData) -> JsonValue:
    """The value that somebody entered instead of both, as its field is entered everywhere."""
    conflict = session.get(FieldConflict, conflict_id)
    custom = conflict and own.ever(session, (conflict.entity,)).get((conflict.entity, conflict.field))
    if not custom:
        return text(sent, "value")
    found: JsonValue = sent_shaped(sent, {"value": FieldKind(custom.kind)}, prefix="").get("value")
    return found


def together(found: list[ConflictRead], told: Told) -> dict[UUID, dict[str, list[ConflictRead]]]:
    """By the first conflict of each account or person with several: which can be decided at once, and how."""
    by_page: dict[str, list[ConflictRead]] = {}
    for one in found:
        if one.kind == "concurrent" and not one.is_deleted and one.rev:
            by_page.setdefault(one.page, []).append(one)
    return {
        ones[0].id: {"keep_server": ones, "take_mine": [one for one in ones if not told.is_gone(one, one.mine)]}
        for ones in by_page.values()
        if len(ones) > 1
    }


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
    return go(f"/conflicts?undone=1#{conflict_id}")
