"""Challenges of territories: the field contests, a manager decides, small ones decide themselves."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.balance import challenges
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.territories import queries
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/territories/challenges", include_in_schema=False)

ReadTerritories = Annotated[Scope, requires("territories:read")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]
AssignAccounts = Annotated[Scope, requires("accounts:assign")]
WriteTerritories = Annotated[Scope, requires("territories:write")]


@router.get("")
def show_challenges(request: Request, scope: ReadTerritories, session: Db, account: UUID | None = None) -> Response:
    """All challenges that somebody sees; with an account the form to contest its territory."""
    return challenges_page(request, scope, session, account)


def challenges_page(
    request: Request,
    scope: Scope,
    session: Session,
    account_id: UUID | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    mine = accounts.visible_to(scope).where(Account.id == account_id)
    return render(
        request,
        "territories/challenges.html",
        scope,
        status=int(error.status) if error else 200,
        lines=challenges.seen_by(session, scope),
        contested=session.scalars(mine).one_or_none() if account_id else None,
        leaves=queries.leaves(session),
        rule=challenges.rule(session),
        error=error,
    )


@router.post("")
def contest(
    request: Request,
    scope: WriteAccounts,
    session: Db,
    account_id: Annotated[UUID, Form()],
    to_id: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Contest an account's territory."""
    try:
        with attempt(session):
            challenges.contest(session, scope, account_id, to_id, reason)
    except WaymarkError as error:
        return challenges_page(request, scope, session, account_id, error)
    return go("/territories/challenges")


@router.post("/rule")
def set_rule(
    scope: WriteTerritories,
    session: Db,
    accept_h: Annotated[float, Form(ge=0, le=1000)],
    refuse_h: Annotated[float, Form(ge=0, le=1000)],
) -> Response:
    """Change the rule for small challenges."""
    challenges.set_rule(session, accept_h=accept_h, refuse_h=refuse_h)
    return go("/territories/challenges")


@router.post("/{challenge_id}")
def decide(
    request: Request,
    challenge_id: UUID,
    scope: AssignAccounts,
    session: Db,
    accepts: Annotated[bool, Form()],
    answer: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Accept or refuse."""
    try:
        with attempt(session):
            challenges.decide(session, scope, challenge_id, accepts=accepts, answer=answer)
    except WaymarkError as error:
        return challenges_page(request, scope, session, None, error)
    return go("/territories/challenges")
