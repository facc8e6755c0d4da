"""Suggested classes: a list to approve or refuse in bulk, and the rule behind it."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from server.accounts.classes import queries, service
from server.accounts.classes.models import Basis, ClassState
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.web.forms import Sent, number, several, text
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/classes", include_in_schema=False)

AssignAccounts = Annotated[Scope, requires("accounts:assign")]


@router.get("")
def show_changes(
    request: Request,
    scope: AssignAccounts,
    session: Db,
    state: ClassState = ClassState.OPEN,
    decided: int | None = None,
) -> Response:
    """What is suggested, or was decided."""
    return changes_page(request, scope, session, state, decided=decided)


def changes_page(
    request: Request,
    scope: Scope,
    session: Session,
    state: ClassState = ClassState.OPEN,
    *,
    decided: int | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    return render(
        request,
        "accounts/classes.html",
        scope,
        status=int(error.status) if error else 200,
        rows=queries.page(session, scope, state=state),
        state=state,
        rule=service.rule(session),
        currency=settings().currency,
        decided=decided,
        error=error,
    )


@router.post("")
def decide(request: Request, scope: AssignAccounts, session: Db, sent: Sent) -> Response:
    """Approve or refuse what is ticked."""
    try:
        with attempt(session):
            ids = several(sent, "ids", UUID)
            if not ids:
                raise Invalid("Nothing is ticked.", help="Tick the accounts first.")
            if "refuse" in sent:
                count = service.refuse(session, scope, ids, text(sent, "answer"))
            else:
                count = service.approve(session, scope, ids)
    except WaymarkError as error:
        session.expire_all()
        return changes_page(request, scope, session, error=error)
    back = text(sent, "back")
    return go(back if back and back.startswith("/accounts/") else f"/classes?decided={count}")


@router.post("/rule")
def set_rule(request: Request, scope: AssignAccounts, session: Db, sent: Sent) -> Response:
    """Set the rule."""
    try:
        with attempt(session):
            values: dict[str, Any] = {"is_on": "is_on" in sent, "basis": Basis(text(sent, "basis") or "percentiles")}
            for name in ("potential_share", "a_share", "b_share"):
                if (share := number(sent, name)) is not None:
                    values[name] = share / 100
            for name in ("a_from", "b_from"):
                if (amount := number(sent, name)) is not None:
                    values[name] = Decimal(str(amount))
            service.set_rule(session, scope, values)
    except WaymarkError as error:
        session.expire_all()
        return changes_page(request, scope, session, error=error)
    return go("/classes?saved=1")
