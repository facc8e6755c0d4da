"""JSON API of people, teams, keys and phones."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth import codes, rights, service, sessions, tokens
from server.auth.access import Scope, need_all_rights, public, requires
from server.auth.models import AccessRole, ApiToken, Device, DeviceState, RepProfile, Role, Team, TeamMember, User
from server.auth.queries import visible_users
from server.auth.roles import levels_of
from server.auth.schemas import (
    ApiTokenCreate,
    ApiTokenCreated,
    ApiTokenRead,
    DeviceByCode,
    DeviceChange,
    DeviceCodeCreate,
    DeviceCodeCreated,
    DeviceCodeRead,
    DeviceRead,
    DeviceRegister,
    DeviceRegistered,
    DeviceUser,
    OwnChange,
    Refresh,
    RoleCreate,
    RoleRead,
    RoleWrite,
    TeamRead,
    TeamWrite,
    TokenPair,
    UserChange,
    UserCreate,
    UserRead,
    WorkingDay,
)
from server.kit import clock
from server.kit.database import Db, transaction
from server.kit.errors import Invalid, NotFound
from server.kit.paging import Page
from server.kit.settings import settings

router = APIRouter(prefix="/api/v1", tags=["people"])

ReadUsers = Annotated[Scope, requires("users:read")]
WriteUsers = Annotated[Scope, requires("users:write")]
ReadDevices = Annotated[Scope, requires("devices:read")]
ManageDevices = Annotated[Scope, requires("devices:manage")]


def client_address(request: Request) -> str | None:
    """The network address of the client."""
    return request.client.host if request.client else None


@router.post("/devices", status_code=201, dependencies=[public("a phone signs in with login and password")])
def register_device(body: DeviceRegister, request: Request, session: Db) -> DeviceRegistered:
    """Sign a phone in and remember its public key."""
    sessions.check_same_site(request)
    user = service.check_sign_in(session, body.login, body.password, address=client_address(request))
    return registered(session, user, body)


@router.post("/devices/by-code", status_code=201, dependencies=[public("a phone signs in with a code that works once")])
def register_by_code(body: DeviceByCode, request: Request, session: Db) -> DeviceRegistered:
    """Sign a phone in by a code and remember its public key."""
    sessions.check_same_site(request)
    user = codes.redeem(session, body.code, address=client_address(request))
    return registered(session, user, body)


def registered(session: Session, user: User, body: DeviceRegister | DeviceByCode) -> DeviceRegistered:
    """A phone of somebody who has proven who they are, with its first tokens. Refuses one that is locked or wiped."""
    tokens.refuse_barred(session, user, body.former)
    device = tokens.register_device(session, user, name=body.name, platform=body.platform, key=body.public_key)
    tokens.replace(session, device, body.former)
    access, refresh = tokens.issue(session, device)
    return DeviceRegistered(
        device_id=device.id,
        user=DeviceUser.model_validate(user),
        server_name=settings().company,
        access_token=access,
        refresh_token=refresh,
        expires_s=int(tokens.ACCESS_LIFE.total_seconds()),
    )


@router.post("/auth/refresh", dependencies=[public("the refresh token, signed by the device's key, is the proof")])
def refresh(body: Refresh, request: Request, session: Db) -> TokenPair:
    """Exchange a refresh token for a new pair."""
    try:
        _, access, new = tokens.rotate(session, body.device_id, body.refresh_token, body.nonce, body.signature)
    except tokens.ReusedToken:
        session.rollback()
        with transaction() as separate:
            tokens.revoke_family(separate, body.device_id, client_address(request))
        raise
    return TokenPair(access_token=access, refresh_token=new, expires_s=int(tokens.ACCESS_LIFE.total_seconds()))


@router.get("/me")
def me(scope: ReadUsers, session: Db) -> UserRead:
    """Who I am."""
    return UserRead.model_validate(session.get_one(User, scope.user_id))


@router.patch("/me")
def change_me(body: OwnChange, scope: ReadUsers, session: Db) -> UserRead:
    """Change your language, time zone and contact data; a key with some rights only may not."""
    need_all_rights(session, scope)
    changes = body.model_dump(exclude_unset=True)
    return UserRead.model_validate(service.change_user(session, scope.user_id, changes, scope.user_id))


@router.get("/users")
def list_users(scope: ReadUsers, session: Db) -> Page[UserRead]:
    """The people you may see."""
    rows = session.scalars(visible_users(scope.user_id, scope.team_ids, scope.level("users:read")))
    return Page(items=[UserRead.model_validate(row) for row in rows])


@router.post("/users", status_code=201)
def create_user(body: UserCreate, scope: WriteUsers, session: Db) -> UserRead:
    """Let somebody in."""
    return UserRead.model_validate(service.create_user(session, **body.model_dump()))


def seen_user(session: Db, scope: Scope, user_id: UUID, permission: str) -> User:
    """The user, if the scope reaches them."""
    statement = visible_users(scope.user_id, scope.team_ids, scope.level(permission)).where(User.id == user_id)
    user = session.scalars(statement).one_or_none()
    if user is None:
        raise NotFound("There is no such user.")
    return user


@router.get("/users/{user_id}")
def get_user(user_id: UUID, scope: ReadUsers, session: Db) -> UserRead:
    """One person."""
    return UserRead.model_validate(seen_user(session, scope, user_id, "users:read"))


@router.patch("/users/{user_id}")
def change_user(user_id: UUID, body: UserChange, scope: WriteUsers, session: Db) -> UserRead:
    """Change a person."""
    changes = body.model_dump(exclude_unset=True)
    for name in ("name", "role", "active"):
        if name in changes and changes[name] is None:
            raise Invalid(f"{name} cannot be empty.", field=name)
    return UserRead.model_validate(service.change_user(session, user_id, changes, scope.user_id))


@router.get("/users/{user_id}/working-day")
def get_working_day(user_id: UUID, scope: ReadUsers, session: Db) -> WorkingDay:
    """A rep's working day."""
    seen_user(session, scope, user_id, "users:read")
    profile = session.get(RepProfile, user_id)
    if profile is None:
        raise NotFound("This person is not a rep.")
    return WorkingDay.of(profile)


@router.put("/users/{user_id}/working-day")
def set_working_day(user_id: UUID, body: WorkingDay, scope: WriteUsers, session: Db) -> WorkingDay:
    """Set a rep's working day."""
    seen_user(session, scope, user_id, "users:write")
    return WorkingDay.of(service.set_working_day(session, user_id, body.model_dump()))


@router.get("/teams")
def list_teams(scope: ReadUsers, session: Db) -> Page[TeamRead]:
    """All teams with their members."""
    members: dict[UUID, list[UUID]] = {}
    for team_id, user_id in session.execute(select(TeamMember.team_id, TeamMember.user_id)):
        members.setdefault(team_id, []).append(user_id)
    teams = session.scalars(select(Team).where(Team.deleted_at.is_(None)).order_by(Team.name))
    return Page(items=[TeamRead(id=team.id, name=team.name, members=members.get(team.id, [])) for team in teams])


@router.put("/teams")
def set_team(body: TeamWrite, scope: WriteUsers, session: Db) -> TeamRead:
    """Create a team or set its members."""
    team = service.set_team(session, body.name, body.members)
    return TeamRead(id=team.id, name=team.name, members=body.members)


@router.get("/devices")
def list_devices(scope: ReadDevices, session: Db) -> Page[DeviceRead]:
    """The phones of the people you may see."""
    users = visible_users(scope.user_id, scope.team_ids, scope.level("devices:read")).with_only_columns(User.id)
    rows = session.scalars(
        select(Device).where(Device.user_id.in_(users.order_by(None))).order_by(Device.registered_at.desc(), Device.id)
    )
    return Page(items=[DeviceRead.model_validate(row) for row in rows])


@router.patch("/devices/{device_id}")
def change_device(device_id: UUID, body: DeviceChange, scope: ManageDevices, session: Db) -> DeviceRead:
    """Lock, retire, wipe or free a phone."""
    device = session.get(Device, device_id)
    if device is None:
        raise NotFound("There is no such phone.")
    seen_user(session, scope, device.user_id, "devices:manage")
    service.set_device_state(session, device, DeviceState(body.state), scope.user_id)
    return DeviceRead.model_validate(device)


@router.get("/device-codes")
def list_device_codes(scope: ReadDevices, session: Db) -> Page[DeviceCodeRead]:
    """The codes that wait for a phone: yours, and those of people whose phones you manage."""
    return Page(items=[DeviceCodeRead.model_validate(row) for row in codes.waiting(session, scope)])


@router.post("/device-codes", status_code=201)
def make_device_code(body: DeviceCodeCreate, request: Request, scope: ReadDevices, session: Db) -> DeviceCodeCreated:
    """Make a code that signs a phone in once, within ten minutes."""
    row, code = codes.make(session, scope, body.user_id or scope.user_id)
    told = codes.link(server_address(request), code)
    return DeviceCodeCreated(code=code, link=told, **DeviceCodeRead.model_validate(row).model_dump())


@router.delete("/device-codes/{code_id}", status_code=204)
def revoke_device_code(code_id: UUID, scope: ReadDevices, session: Db) -> None:
    """Take a code back that no phone has used."""
    codes.revoke(session, scope, code_id)


def server_address(request: Request) -> str:
    """The address under which phones reach this server."""
    return (settings().public_url or str(request.base_url)).rstrip("/")


@router.get("/roles")
def list_roles(scope: WriteUsers, session: Db) -> Page[RoleRead]:
    """Every role with its rights: ours, then the company's own."""
    del scope
    return Page(items=[role_read(role) for role in rights.roles(session)])


@router.post("/roles", status_code=201)
def add_role(body: RoleCreate, scope: WriteUsers, session: Db) -> RoleRead:
    """Make a variety of a role."""
    return role_read(rights.add_role(session, body.name, body.base, scope.user_id))


@router.put("/roles/{key}")
def change_role(key: str, body: RoleWrite, scope: WriteUsers, session: Db) -> RoleRead:
    """Set the rights of a role."""
    levels, fields = body.levels, body.fields
    return role_read(
        rights.change_role(session, key, levels=levels, fields=fields, actor=scope.user_id, name=body.name)
    )


@router.delete("/roles/{key}", status_code=204)
def remove_role(key: str, scope: WriteUsers, session: Db) -> None:
    """Take a variety away, or what was changed of a role of ours."""
    rights.remove_role(session, key, scope.user_id)


def role_read(role: AccessRole) -> RoleRead:
    """A role on the wire."""
    levels = {name: level.name.lower() for name, level in levels_of(Role(role.base), role.grants).items()}
    key = role.base if role.is_ours else str(role.id)
    return RoleRead(key=key, name=role.name, base=Role(role.base), levels=levels, fields=role.fields)


@router.get("/api-tokens")
def list_api_tokens(scope: ReadUsers, session: Db) -> Page[ApiTokenRead]:
    """Your own API tokens."""
    rows = session.scalars(select(ApiToken).where(ApiToken.user_id == scope.user_id).order_by(ApiToken.created_at))
    return Page(items=[ApiTokenRead.model_validate(row) for row in rows])


@router.post("/api-tokens", status_code=201)
def create_api_token(body: ApiTokenCreate, scope: ReadUsers, session: Db) -> ApiTokenCreated:
    """Create an API token; it can do what you may do, or less. A limited token makes tokens of its own limits."""
    unknown = set(body.permissions or ()) - set(scope.levels)
    if unknown:
        raise Invalid(f"You do not hold {', '.join(sorted(unknown))} yourself.", field="permissions")
    is_limited = len(scope.levels) < len(rights.rights_of(session, session.get_one(User, scope.user_id)).levels)
    permissions = sorted(scope.levels) if body.permissions is None and is_limited else body.permissions
    token, secret = tokens.create_api_token(session, scope.user_id, body.name, permissions, body.days, body.per_minute)
    return ApiTokenCreated(secret=secret, **ApiTokenRead.model_validate(token).model_dump())


@router.delete("/api-tokens/{token_id}", status_code=204)
def revoke_api_token(token_id: UUID, scope: ReadUsers, session: Db) -> None:
    """Revoke one of your API tokens."""
    token = session.get(ApiToken, token_id)
    if token is None or token.user_id != scope.user_id:
        raise NotFound("There is no such token.")
    token.revoked_at = token.revoked_at or clock.now()
