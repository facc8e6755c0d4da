"""What each role may do, and looking at Waymark through somebody's eyes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.auth import rights, sessions
from server.auth.access import Scope, requires
from server.auth.models import AccessRole, Role, User, WebSession
from server.auth.roles import FIELDS, OBJECTS, FieldRight, Level, levels_of
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.web.forms import Sent
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/users", include_in_schema=False)

ReadUsers = Annotated[Scope, requires("users:read")]
WriteUsers = Annotated[Scope, requires("users:write")]
Viewing = Annotated[Scope, requires("users:read", also_viewing=True)]


@router.get("/roles")
def show_roles(request: Request, scope: WriteUsers, session: Db) -> Response:
    """Every role, and how many people have it."""
    return roles_page(request, scope, session)


def roles_page(request: Request, scope: Scope, session: Session, *, error: WaymarkError | None = None) -> Response:
    """The roles, with what was refused."""
    people = select(User.role, User.access_role_id, func.count()).where(User.active, User.deleted_at.is_(None))
    counts = {
        str(variety or role): count
        for role, variety, count in session.execute(people.group_by(User.role, User.access_role_id))
    }
    return render(
        request,
        "users/roles.html",
        scope,
        status=int(error.status) if error else 200,
        roles=[(key_of(role), role) for role in rights.roles(session)],
        counts=counts,
        error=error,
    )


def key_of(role: AccessRole) -> str:
    """How a role is named in an address."""
    return role.base if role.is_ours else str(role.id)


@router.post("/roles")
def add_role(
    request: Request, scope: WriteUsers, session: Db, name: Annotated[str, Form()], base: Annotated[Role, Form()]
) -> Response:
    """Make a variety of a role."""
    try:
        with attempt(session):
            role = rights.add_role(session, name, base, scope.user_id)
    except WaymarkError as error:
        return roles_page(request, scope, session, error=error)
    return go(f"/users/roles/{role.id}")


@router.get("/roles/{key}")
def show_role(request: Request, key: str, scope: WriteUsers, session: Db) -> Response:
    """What one role may do."""
    return role_page(request, scope, session, rights.role_of(session, key))


def role_page(
    request: Request, scope: Scope, session: Session, role: AccessRole, *, error: WaymarkError | None = None
) -> Response:
    """One role, with what was refused."""
    return render(
        request,
        "users/role.html",
        scope,
        status=int(error.status) if error else 200,
        key=key_of(role),
        role=role,
        fixed=role.is_ours and role.base == Role.ADMIN,
        objects=OBJECTS,
        kinds=FIELDS,
        levels=[level.name.lower() for level in Level],
        rights=[right.value for right in FieldRight],
        granted={name: level.name.lower() for name, level in levels_of(Role(role.base), role.grants).items()},
        usual={name: level.name.lower() for name, level in levels_of(Role(role.base)).items()},
        error=error,
    )


@router.post("/roles/{key}")
def change_role(request: Request, key: str, scope: WriteUsers, session: Db, sent: Sent) -> Response:
    """Set the rights of a role."""
    levels = {name: str(value) for name, value in sent.items() if ":" in name}
    fields = {name: str(value) for name, value in sent.items() if "." in name and value}
    try:
        with attempt(session):
            name = str(sent.get("name", ""))
            rights.change_role(session, key, levels=levels, fields=fields, actor=scope.user_id, name=name)
    except WaymarkError as error:
        return role_page(request, scope, session, rights.role_of(session, key), error=error)
    return go(f"/users/roles/{key}?saved=1")


@router.post("/roles/{key}/remove")
def remove_role(request: Request, key: str, scope: WriteUsers, session: Db) -> Response:
    """Take a variety away, or what was changed of a role of ours."""
    try:
        with attempt(session):
            rights.remove_role(session, key, scope.user_id)
    except WaymarkError as error:
        return role_page(request, scope, session, rights.role_of(session, key), error=error)
    return go("/users/roles")


@router.post("/{user_id}/view-as")
def view_as(
    request: Request, user_id: UUID, scope: Annotated[Scope, requires("users:view_as")], session: Db
) -> Response:
    """See what somebody else sees."""
    viewer = session.get_one(User, scope.user_id)
    mine, teams = rights.rights_and_teams(session, viewer)
    rights.look_through(session, browser(request, session), viewer, mine, user_id, teams)
    return go("/")


@router.post("/view-as/stop")
def stop_viewing(request: Request, scope: Viewing, session: Db) -> Response:
    """See with one's own eyes again."""
    rights.look_through_own(session, browser(request, session))
    return go(f"/users/{scope.user_id}")


def browser(request: Request, session: Session) -> WebSession:
    """The session of the browser that asks; a program has none."""
    found = session.get(WebSession, sessions.digest(request.cookies.get(sessions.COOKIE, "")))
    if found is None:
        raise NotFound("Only a browser can look through somebody's eyes.")
    return found
