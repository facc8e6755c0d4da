"""One's own settings: language, time zone, password, keys for programs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth import service, sessions, tokens
from server.auth.access import Scope, need_all_rights, requires
from server.auth.models import ApiToken, User
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound, WaymarkError
from server.kit.settings import settings
from server.web.forms import Sent, given
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/me", include_in_schema=False)

Mine = Annotated[Scope, requires("users:read")]


@router.get("")
def show_me(request: Request, scope: Mine, session: Db) -> Response:
    """My settings."""
    return my_page(request, scope, session)


def my_page(
    request: Request, scope: Scope, session: Session, *, error: WaymarkError | None = None, secret: str | None = None
) -> Response:
    """My settings, with what was refused or has just been made."""
    keys = session.scalars(
        select(ApiToken)
        .where(ApiToken.user_id == scope.user_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.created_at)
    ).all()
    user = session.get_one(User, scope.user_id)
    status = int(error.status) if error else 200
    return render(
        request,
        "users/me.html",
        scope,
        status=status,
        user=user,
        keys=keys,
        error=error,
        secret=secret,
        objects=rights_of(scope, language_of(request, scope)),
    )


def rights_of(scope: Scope, language: Language) -> list[tuple[str, str, list[str]]]:
    """The actions that somebody may do, by object in the order of the reader's words: word, object, actions."""
    found: dict[str, list[str]] = {}
    for permission in sorted(scope.levels):
        name, _, action = permission.partition(":")
        found.setdefault(name, []).append(action)
    return sorted((language.t(f"object {name}"), name, actions) for name, actions in found.items())


@router.post("")
def change_me(request: Request, scope: Mine, session: Db, sent: Sent) -> Response:
    """Change my language, time zone and contact data."""
    try:
        with attempt(session):
            need_all_rights(session, scope)
            changes: dict[str, Any] = given(sent, ("email", "phone", "language", "zone"))
            service.change_user(session, scope.user_id, changes, scope.user_id)
    except WaymarkError as error:
        return my_page(request, scope, session, error=error)
    return go("/me?saved=1")


@router.post("/password")
def change_password(
    request: Request, scope: Mine, session: Db, old: Annotated[str, Form()], new: Annotated[str, Form()]
) -> Response:
    """Set a new password; every other browser is signed out."""
    user = session.get_one(User, scope.user_id)
    try:
        with attempt(session):
            need_all_rights(session, scope)
            if not service.fits(user, old):
                raise Invalid("The present password is wrong.", field="old")
            service.change_user(session, user.id, {"password": new}, user.id)
    except WaymarkError as error:
        return my_page(request, scope, session, error=error)
    response = go("/me?saved=1")
    response.set_cookie(
        sessions.COOKIE,
        sessions.open_session(session, user, request.headers.get("user-agent")),
        max_age=settings().session_days * 86400,
        httponly=True,
        samesite="lax",
        secure=settings().cookies_are_secure,
    )
    return response


@router.post("/keys")
def create_key(
    request: Request,
    scope: Mine,
    session: Db,
    name: Annotated[str, Form(max_length=100)],
    days: Annotated[int, Form()],
    permissions: Annotated[list[str] | None, Form()] = None,
    per_minute: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Make a key for a program, with all of my rights or some of them; its secret is shown this once."""
    try:
        with attempt(session):
            need_all_rights(session, scope)
            if not name.strip():
                raise Invalid("The key needs a name.", field="name")
            if set(permissions or ()) - set(scope.levels):
                raise Invalid("You do not hold all of these rights yourself.", field="permissions")
            if per_minute and not (per_minute.isdigit() and 1 <= int(per_minute) <= 100_000):
                raise Invalid(f"“{per_minute}” is no number of requests.", help="1 to 100,000.", field="per_minute")
            _, secret = tokens.create_api_token(
                session, scope.user_id, name.strip(), permissions, max(1, min(days, 3650)) if days else None,
                int(per_minute) if per_minute else None,
            )  # fmt: skip
    except WaymarkError as error:
        return my_page(request, scope, session, error=error)
    return my_page(request, scope, session, secret=secret)


@router.post("/keys/{key_id}/revoke")
def revoke_key(key_id: UUID, scope: Mine, session: Db) -> Response:
    """End a key."""
    key = session.get(ApiToken, key_id)
    if key is None or key.user_id != scope.user_id:
        raise NotFound("There is no such key.")
    key.revoked_at = clock.now()
    return go("/me")
