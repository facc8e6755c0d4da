"""People: who may sign in, their working day, their teams, their phones."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.activities.handovers import leaving
from server.auth import rights, service
from server.auth.access import Scope, requires
from server.auth.models import AccessRole, Device, DeviceState, Role, Team, TeamMember, User
from server.auth.queries import Person, named, replaced, visible_users
from server.auth.routes import seen_user
from server.auth.schemas import WorkingDay
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound, WaymarkError
from server.phones.rules import MANY_ROWS, rules
from server.sync.leaving import quarantine, refused
from server.sync.pulling import buckets
from server.web.forms import Sent, given, needed, number
from server.web.own_fields import Told
from server.web.pages import attempt, go, language_of, render
from server.web.phones import HELD_AS

router = APIRouter(prefix="/users", include_in_schema=False)

ReadUsers = Annotated[Scope, requires("users:read")]
WriteUsers = Annotated[Scope, requires("users:write")]
ManageDevices = Annotated[Scope, requires("devices:manage")]

DECIDED_SHOWN = 20
PERSON = ("name", "role", "email", "phone", "language", "zone")


def teams_by_user(session: Session) -> dict[UUID, list[str]]:
    """The names of everybody's teams."""
    found: dict[UUID, list[str]] = {}
    rows = select(TeamMember.user_id, Team.name).join(Team).where(Team.deleted_at.is_(None)).order_by(Team.name)
    for user_id, name in session.execute(rows):
        found.setdefault(user_id, []).append(name)
    return found


@router.get("")
def show_users(request: Request, scope: ReadUsers, session: Db) -> Response:
    """Everybody you may see, and the teams."""
    people = session.scalars(visible_users(scope.user_id, scope.team_ids, scope.level("users:read"))).all()
    members: dict[UUID, list[UUID]] = {}
    for team_id, user_id in session.execute(select(TeamMember.team_id, TeamMember.user_id)):
        members.setdefault(team_id, []).append(user_id)
    phones: dict[UUID, Device] = {}
    if scope.may("devices:read"):
        for device in session.scalars(select(Device).order_by(Device.last_seen_at.nulls_first())):
            phones[device.user_id] = device
    teams = session.scalars(select(Team).where(Team.deleted_at.is_(None)).order_by(Team.name)).all()
    return render(
        request,
        "users/list.html",
        scope,
        people=people,
        teams=teams,
        members=members,
        team_names=teams_by_user(session),
        phones=phones,
        varieties={role.id: role.name for role in rights.roles(session) if not role.is_ours},
    )


@router.get("/new")
def show_new_user(request: Request, scope: WriteUsers, session: Db) -> Response:
    """The form for a new person."""
    return render(request, "users/new.html", scope, values={}, error=None, roles=role_choices(session))


@router.post("/new")
def create_user(request: Request, scope: WriteUsers, session: Db, sent: Sent) -> Response:
    """Let somebody in."""
    values: dict[str, Any] = given(sent, ("login", "password", *PERSON))
    values |= {name: values.get(name) or "" for name in ("login", "name", "role")}
    try:
        with attempt(session):
            role = chosen_role(session, values.pop("role"))
            user = service.create_user(session, role=Role(role.base), **values)
            if not role.is_ours:
                service.change_user(session, user.id, {"access_role_id": role.id}, scope.user_id)
    except WaymarkError as error:
        return render(
            request,
            "users/new.html",
            scope,
            status=int(error.status),
            values=values,
            error=error,
            roles=role_choices(session),
        )
    return go(f"/users/{user.id}")


def chosen_role(session: Session, key: object) -> AccessRole:
    """A role as a form names it."""
    try:
        return rights.role_of(session, str(key))
    except NotFound as error:
        raise Invalid("There is no such role.", field="role") from error


def role_choices(session: Session) -> list[tuple[str, str]]:
    """The roles that a person can have, as a form offers them."""
    return [(role.base if role.is_ours else str(role.id), role.name) for role in rights.roles(session)]


@router.post("/teams")
def set_team(
    scope: WriteUsers, session: Db, name: Annotated[str, Form()], members: Annotated[list[UUID] | None, Form()] = None
) -> Response:
    """Create a team or set its members."""
    service.set_team(session, name, members or [])
    return go("/users#teams")


@router.get("/{user_id}")
def show_user(request: Request, user_id: UUID, scope: ReadUsers, session: Db) -> Response:
    """One person."""
    return person_page(request, scope, session, user_id)


def person_page(
    request: Request,
    scope: Scope,
    session: Session,
    user_id: UUID,
    *,
    error: WaymarkError | None = None,
    values: Mapping[str, Any] | None = None,
) -> Response:
    """One person, with what was refused."""
    user = seen_user(session, scope, user_id, "users:read")
    session.refresh(user)
    manages = scope.may("devices:manage")
    held = quarantine.held(session, scope) if manages else []
    devices: list[Device] = []
    if scope.may("devices:read"):
        devices = list(session.scalars(select(Device).where(Device.user_id == user_id).order_by(Device.registered_at)))
    found = refusals(request, session, scope, [one.id for one in devices]) if manages else {}
    waits = {one.device_id for one in held} | {key for key, one in found.items() if one["count"]}
    gone = replaced(session, [one.id for one in devices])
    devices = [one for one in devices if one.id not in gone or one.id in waits]
    return render(
        request,
        "users/detail.html",
        scope,
        status=int(error.status) if error else 200,
        user=user,
        values={name: getattr(user, name) for name in PERSON}
        | ({"role": str(user.access_role_id)} if user.access_role_id else {})
        | dict(values or {}),
        day=WorkingDay.of(user.rep_profile) if user.rep_profile else None,
        devices=devices,
        left_out=buckets.named(session, [key for one in devices if one.holding for key in one.holding["left_out"]]),
        many_rows=MANY_ROWS,
        rules=rules(session),
        held=held,
        told=Told(session, language_of(request, scope), ("account", "site", "contact")) if manages else None,
        HELD_AS=HELD_AS,
        refusals=found,
        replaced=gone,
        left=None if user.active or not scope.may("accounts:assign") else leaving.left_open(session, user_id),
        teams=teams_by_user(session).get(user_id, []),
        roles=role_choices(session),
        error=error,
    )


@router.post("/{user_id}")
def change_user(request: Request, user_id: UUID, scope: WriteUsers, session: Db, sent: Sent) -> Response:
    """Change a person."""
    values = given(sent, PERSON)
    try:
        with attempt(session):
            role = chosen_role(session, needed(sent, "role", str))
            changes: dict[str, Any] = {
                **values,
                "role": role.base,
                "access_role_id": role.id if not role.is_ours else None,
            }
            if not changes.get("name"):
                raise Invalid("The name is empty.", field="name")
            if sent.get("password"):
                changes["password"] = str(sent["password"])
            service.change_user(session, user_id, changes, scope.user_id)
    except WaymarkError as error:
        return person_page(request, scope, session, user_id, error=error, values=values)
    return go(f"/users/{user_id}?saved=1")


@router.post("/{user_id}/active")
def switch(
    request: Request, user_id: UUID, scope: WriteUsers, session: Db, active: Annotated[bool, Form()]
) -> Response:
    """Switch somebody on or off; off ends every session and phone at once."""
    try:
        with attempt(session):
            service.change_user(session, user_id, {"active": active}, scope.user_id)
            leaving.tell(session)
    except WaymarkError as error:
        return person_page(request, scope, session, user_id, error=error)
    return go(f"/users/{user_id}?saved=1{'' if active else '#left'}")


def working_day(sent: FormData) -> dict[str, Any]:
    """The working day as the form says it; names the field that cannot be read."""

    def at(name: str) -> time | None:
        text = str(sent.get(name) or "")
        try:
            return time.fromisoformat(text) if text else None
        except ValueError as error:
            raise Invalid(f"“{text}” is not a time.", help="Write it like 08:30.", field=name) from error

    start, end = at("shift_start"), at("shift_end")
    if start is None or end is None:
        raise Invalid("The shift needs its start and its end.", field="shift_start")
    lon, lat = number(sent, "lon"), number(sent, "lat")
    values: dict[str, Any] = {
        "home_name": str(sent.get("home_name") or "Home")[:200],
        "shift_start": start,
        "shift_end": end,
        "break_earliest": at("break_earliest"),
        "break_latest": at("break_latest"),
        "break_s": round((number(sent, "break_min") or 0) * 60),
        "max_visits": round(visits) if (visits := number(sent, "max_visits")) else None,
        "max_drive_s": round(hours * 3600) if (hours := number(sent, "max_drive_h")) else None,
        "overtime_s": bounded(sent, "overtime_min", 0, 240) * 60,
        "overtime_cost": bounded(sent, "overtime_cost", 0, 100),
        "nights_a_week": bounded(sent, "nights_a_week", 0, 6),
        "end_name": str(sent.get("end_name") or "")[:200] or None,
        "weekdays": sorted({int(str(day)) for day in sent.getlist("weekdays") if str(day) in "0123456"}),
    }
    values["end_point"] = None
    if "ends_elsewhere" in sent:
        end_lon, end_lat = number(sent, "end_lon"), number(sent, "end_lat")
        if end_lon is None or end_lat is None:
            raise Invalid("The day ends elsewhere, but nobody knows where.", help="Click on the map.", field="end_name")
        values["end_point"] = inside(end_lon, end_lat, "The end of the day")
    if lon is not None and lat is not None:
        values["home"] = inside(lon, lat, "The start of the day")
    return values


def inside(lon: float, lat: float, what: str) -> tuple[float, float]:
    """A point; refuses one outside the world."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid(f"{what} lies outside the world.", field="lon")
    return lon, lat


def bounded(sent: FormData, name: str, least: int, most: int) -> int:
    """A whole number within bounds; empty is the least."""
    value = round(number(sent, name) or 0)
    if not least <= value <= most:
        raise Invalid(f"{value} is not possible.", help=f"Give {least} to {most}.", field=name)
    return value


@router.post("/{user_id}/working-day")
def set_working_day(request: Request, user_id: UUID, scope: WriteUsers, session: Db, sent: Sent) -> Response:
    """Set a rep's working day."""
    seen_user(session, scope, user_id, "users:write")
    try:
        with attempt(session):
            service.set_working_day(session, user_id, working_day(sent))
    except WaymarkError as error:
        return person_page(request, scope, session, user_id, error=error)
    return go(f"/users/{user_id}?saved=1")


@router.post("/devices/{device_id}")
def change_device(
    request: Request, device_id: UUID, scope: ManageDevices, session: Db, state: Annotated[DeviceState, Form()]
) -> Response:
    """Lock, retire or free a phone."""
    device = session.get(Device, device_id)
    if device is None or state is DeviceState.WIPED:
        raise NotFound("There is no such phone.")
    seen_user(session, scope, device.user_id, "devices:manage")
    try:
        with attempt(session):
            service.set_device_state(session, device, state, scope.user_id)
    except WaymarkError as error:
        return person_page(request, scope, session, device.user_id, error=error)
    return go(f"/users/{device.user_id}#phones")


@router.post("/devices/{device_id}/quarantine")
def decide_held(
    device_id: UUID,
    scope: ManageDevices,
    session: Db,
    take: Annotated[bool, Form()],
    op: Annotated[list[UUID] | None, Form()] = None,
) -> Response:
    """Take what a retired phone held in, or throw it away."""
    quarantine.decide(session, scope, device_id, take=take, only=op)
    return go(f"/users/{session.get_one(Device, device_id).user_id}#phones")


def refusals(request: Request, session: Session, scope: Scope, device_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """By phone: what was refused of it, a page of it, and what was decided of that lately."""
    waiting = refused.counts(session, device_ids)
    asked, older = request.query_params.get("phone"), request.query_params.get("older")
    found = {}
    for device_id in device_ids:
        cursor = older if str(device_id) == asked else None
        page = refused.listed(session, scope, device_id, cursor=cursor)
        decided = refused.listed(session, scope, device_id, decided=True, limit=DECIDED_SHOWN)
        if page.items or decided.items:
            found[device_id] = {
                "page": page,
                "count": waiting.get(device_id, 0),
                "decided": decided.items,
            }
    return found


@router.post("/devices/{device_id}/refused/{n}")
def decide_refused(
    device_id: UUID,
    n: int,
    scope: ManageDevices,
    session: Db,
    take: Annotated[bool, Form()],
    rev: Annotated[int | None, Form()] = None,
) -> Response:
    """Take an entry again that was refused, or put it aside."""
    said = refused.decide(session, scope, device_id, n, take=take, rev=rev)
    still = "" if said.decided_at else "?still=1"
    return go(f"/users/{session.get_one(Device, device_id).user_id}{still}#refused-{device_id}")


def login_of(session: Session, scope: Scope) -> str:
    """The login of whoever reads, for filters that say mine."""
    return session.scalar(select(User.login).where(User.id == scope.user_id)) or ""


def people_of(session: Session, scope: Scope, *roles: Role) -> list[Person]:
    """The active people that somebody may see, of some roles; for choices in forms."""
    found = visible_users(scope.user_id, scope.team_ids, scope.level("users:read")).where(User.active)
    asked = found.where(User.role.in_(roles)) if roles else found
    return named(session, asked)
