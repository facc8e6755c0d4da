"""Phones: which there are, codes that let a new one in, and files of what one could not send."""

from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import segno
from fastapi import APIRouter, Form, Request, Response, UploadFile
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.auth import codes
from server.auth.access import Scope, requires
from server.auth.models import Device, DeviceState, User
from server.auth.queries import replaced, visible_users
from server.auth.roles import Level
from server.auth.routes import server_address
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.phones import rules
from server.records.values import whole
from server.sync.leaving import exports, quarantine, refused
from server.sync.pulling import buckets
from server.sync.schemas import ExportRead
from server.web.forms import Sent, text
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/users/phones", include_in_schema=False)

ReadDevices = Annotated[Scope, requires("devices:read")]
ManageDevices = Annotated[Scope, requires("devices:manage")]

HELD_AS = {
    "visit_event": "Visit", "account": "Account", "site": "Site", "contact": "Contact", "order": "Order",
    "activity": "Task", "lead": "Lead", "attachment": "Photo", "pin_proposal": "Moved pin",
}  # fmt: skip
"""What an entry of a phone is called."""
AT_HOME = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (looked for, not listened on)
"""Hosts that mean another machine on every machine."""


@router.get("")
def show_phones(request: Request, scope: ReadDevices, session: Db) -> Response:
    """Every phone of the people you may see, the ones that need somebody first."""
    return phones_page(request, scope, session)


@router.post("/codes")
def make_code(request: Request, scope: ReadDevices, session: Db, user_id: Annotated[UUID, Form()]) -> Response:
    """Make a code and show it, this once."""
    try:
        with attempt(session):
            row, code = codes.make(session, scope, user_id)
    except WaymarkError as error:
        return phones_page(request, scope, session, error=error)
    address = server_address(request)
    drawn = segno.make(codes.link(address, code), error="m").svg_inline(scale=5, border=4, light="#fff", dark="#000")
    made = {
        "row": row, "code": code, "address": address, "picture": Markup(drawn),  # noqa: S704 (drawn here)
        "is_reachable": urlsplit(address).hostname not in AT_HOME,
    }  # fmt: skip
    return phones_page(request, scope, session, made=made)


@router.post("/codes/{code_id}/revoke")
def revoke_code(request: Request, code_id: UUID, scope: ReadDevices, session: Db) -> Response:
    """Take a code back."""
    try:
        with attempt(session):
            codes.revoke(session, scope, code_id)
    except WaymarkError as error:
        return phones_page(request, scope, session, error=error)
    return go("/users/phones")


@router.post("/exports")
def take_export(request: Request, scope: ManageDevices, session: Db, file: UploadFile) -> Response:
    """Take in the file to which a phone wrote what it could not send, and say what became of it."""
    try:
        with attempt(session):
            told = exports.take_in(session, scope, file.file)
    except WaymarkError as error:
        return phones_page(request, scope, session, error=error)
    return phones_page(request, scope, session, told=told)


@router.post("/rules")
def set_rules(request: Request, scope: ManageDevices, session: Db, sent: Sent) -> Response:
    """Say what holds for every phone."""
    try:
        with attempt(session):
            rules.set_rules(
                session,
                scope,
                days_in(sent, "lock_days", rules.MOST_DAYS, "Close the data after"),
                records_tracks="records_tracks" in sent,
                tracks_days=days_in(sent, "tracks_days", rules.MOST_TRACKS_DAYS, "Delete the way after")
                if "tracks_days" in sent
                else None,
                max_rows=rows_in(sent) if "max_rows" in sent else None,
            )
    except WaymarkError as error:
        return phones_page(request, scope, session, error=error)
    return go("/users/phones?saved=1#rules")


def days_in(sent: FormData, field: str, most: int, named: str) -> int:
    """A number of days; refuses an empty field and parts of a day."""
    return whole_in(sent, field, rules.LEAST_DAYS, most, named, f"Give {rules.LEAST_DAYS} to {most} days.")


def rows_in(sent: FormData) -> int:
    """How many rows a phone is given; refuses an empty field and parts of a row."""
    least, most = rules.LEAST_ROWS, rules.MOST_ROWS
    return whole_in(sent, "max_rows", least, most, "Give a phone at most", f"Give {least:,} to {most:,} rows.")


def whole_in(sent: FormData, field: str, least: int, most: int, named: str, told: str) -> int:
    """A whole number that must be there."""
    try:
        number = whole(least, most)(text(sent, field))
    except Invalid as error:
        raise Invalid(f"{named}: {error.message}.", help=told, field=field) from error
    if number is None:
        raise Invalid(f"{named}: is missing.", help=told, field=field)
    return number


def phones_page(
    request: Request,
    scope: Scope,
    session: Session,
    *,
    made: dict[str, Any] | None = None,
    told: ExportRead | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The phones and the codes that wait for one, with what has just been made or refused."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("devices:read"))
    names = {user.id: user.name for user in session.scalars(people)}
    rows = session.scalars(select(Device).where(Device.user_id.in_(names)).order_by(Device.last_seen_at.desc())).all()
    held: Counter[UUID] = Counter()
    if scope.may("devices:manage"):
        held.update(one.device_id for one in quarantine.held(session, scope))
        held.update(refused.counts(session, [one.id for one in rows]))
    order, gone = list(DeviceState), replaced(session, [one.id for one in rows])
    listed = (one for one in rows if one.id not in gone or held.get(one.id))
    devices = sorted(
        listed, key=lambda one: (not held.get(one.id), order.index(DeviceState(one.state)), names[one.user_id])
    )
    without = [id_ for device in devices if device.holding for id_ in device.holding["left_out"]]
    return render(
        request,
        "users/phones.html",
        scope,
        status=int(error.status) if error else 200,
        devices=devices,
        replaced=gone,
        names=names,
        held=held,
        left_out=buckets.named(session, without),
        many_rows=rules.MANY_ROWS,
        owners=owners(session, scope),
        rules=rules.rules(session),
        may_set=rules.may_set(scope),
        waiting=codes.waiting(session, scope),
        made=made,
        told=told,
        HELD_AS=HELD_AS,
        error=error,
    )


def owners(session: Session, scope: Scope) -> list[tuple[UUID, str]]:
    """Whose phone somebody may add: their own first, then those of the people whose phones they manage."""
    reach = max(scope.level("devices:manage"), Level.OWN)
    people = visible_users(scope.user_id, scope.team_ids, reach).where(User.active)
    known = [(user.id, user.name) for user in session.scalars(people)]
    return sorted(known, key=lambda one: one[0] != scope.user_id)
