"""Fields that two people changed differently: the values, one decision, and the way back from it."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from server.accounts.values import ACCOUNT, SITE
from server.auth.access import Scope, requires
from server.fields import queries as own
from server.fields.models import FieldKind
from server.fields.values import Shape, in_words, shape_of
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.records.editing import CUSTOM
from server.records.merging import Json
from server.records.models import ConflictState
from server.sync import conflicts
from server.sync.schemas import ConflictRead, Decision
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/conflicts", include_in_schema=False)

LABELS = {name: rule.label for name, rule in {**SITE, **ACCOUNT}.items()}
WORDS = ("status", "preferred_time")
"""Fields of which each value is a word of ours."""


class Told:
    """Fields and their values as people call them, the company's own ones by their definitions."""

    def __init__(self, language: Language, shapes: Mapping[tuple[str, str], Shape]) -> None:
        self.language, self.shapes = language, shapes

    def label(self, one: ConflictRead) -> str:
        """What the field of a conflict is called."""
        shape = self.shapes.get((one.entity, one.field))
        return self.language.t(shape.label if shape else LABELS.get(one.field, one.field))

    def value(self, one: ConflictRead, value: Json) -> str:
        """A value of that field."""
        t, shape = self.language.t, self.shapes.get((one.entity, one.field))
        if value in (None, []):
            return t("empty")
        if shape is not None:
            words = in_words(shape, value) or ""
            return t(words) if shape.kind in (FieldKind.FLAG, FieldKind.CHOICE) else words
        return (
            ", ".join(map(str, value))
            if isinstance(value, list)
            else t(str(value))
            if one.field in WORDS
            else str(value)
        )


@router.get("")
def show_conflicts(
    request: Request, scope: Annotated[Scope, requires("conflicts:read")], session: Db, done: UUID | None = None
) -> Response:
    """The conflicts that wait for somebody, and what was decided last."""
    return shown(request, scope, session, done=done)


def shown(
    request: Request, scope: Scope, session: Db, *, error: WaymarkError | None = None, done: UUID | None = None
) -> Response:
    """The page."""
    fields = own.fields_of_several(session, ("account", "site"), archived=True)
    shapes = {(kind, CUSTOM + one.key): shape_of(one) for kind, several in fields.items() for one in several}
    return render(
        request,
        "accounts/conflicts.html",
        scope,
        status=200 if error is None else int(error.status),
        conflicts=conflicts.listed(session, scope, state=ConflictState.OPEN, limit=100),
        told=Told(language_of(request, scope), shapes),
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
