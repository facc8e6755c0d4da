"""Challenges of territories: the field contests, a manager decides, small ones decide themselves."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts import service as account_service
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.balance import challenges
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.territories.models import Territory
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
    contested = session.scalars(mine).one_or_none() if account_id else None
    leaves = challenges.candidates(session, contested) if contested else []
    return render(
        request,
        "territories/challenges.html",
        scope,
        status=int(error.status) if error else 200,
        lines=challenges.seen_by(session, scope),
        contested=contested,
        leaves=leaves,
        told=told(session, contested, leaves[0]) if contested and leaves else None,
        rule=challenges.rule(session),
        error=error,
    )


def told(session: Session, account: Account, to: Territory) -> dict[str, Any]:
    """What a challenge would do to the hours, with the names of both territories."""
    here = session.get(Territory, account.territory_id) if account.territory_id else None
    return {
        "effect": challenges.effect(session, account, to.id),
        "from_name": here.name if here else None,
        "to": to.name,
    }


@router.get("/effect")
def show_effect(request: Request, scope: WriteAccounts, session: Db, account_id: UUID, to_id: UUID) -> Response:
    """A fragment: what a challenge would do to the hours of both territories."""
    account = account_service.find(session, scope, account_id, "accounts:write")
    to = session.get(Territory, to_id)
    if to is None or to.deleted_at is not None:
        raise NotFound("There is no such territory.", field="to_id")
    return render(request, "territories/effect.html", scope, told=told(session, account, to))


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
