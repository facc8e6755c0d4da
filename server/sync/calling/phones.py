"""Who calls and what they send: the phone behind a request, and its message, unpacked within limits."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer
from pydantic import ValidationError
from sqlalchemy import LargeBinary, and_, bindparam, select
from sqlalchemy.orm import Session
from starlette.requests import ClientDisconnect

from server.auth.access import Requires, Scope, signed_in
from server.auth.models import Device, DeviceToken, Role, User
from server.auth.rights import ROLES, TEAMS, rights_told
from server.auth.sessions import digest
from server.auth.tokens import ACCESS_PREFIX, check_state, check_token, device_of, not_valid, switched_off
from server.kit.database import transaction
from server.kit.errors import Forbidden
from server.sync.protocol.problems import BadMessage, MessageTooLarge
from server.sync.protocol.wire import MAX_PUSH_BYTES, Message, canonical, emit

MAX_UNPACKED = 16 * 1024 * 1024
MAX_RATIO = 20
HARMLESS = 64 * 1024
"""Up to here a message may be as compressible as it likes."""
GZIP = 16 + zlib.MAX_WBITS
"""The format of `gzip`, for zlib."""


DEVICE = HTTPBearer(
    scheme_name="device",
    description="The access token of a registered phone, sent as `Authorization: Bearer …`; see `/api/v1/devices`.",
    auto_error=False,
)
"""Said in the API's description; who calls is found by `PhoneRequires`."""


class NotAPhone(Forbidden):
    """Sync is for registered devices."""

    code = "not_a_device"


@dataclass(frozen=True)
class Caller(Scope):
    """A phone that calls, without any right yet: those are read where the work is done, and its token is looked at
    once more there."""

    access_hash: bytes = b""


class PhoneRequires(Requires):
    """The access requirement of a sync route. Signs in within a short transaction of its own, so that a request never
    holds two connections.

    Where the route reads the rights anyway, in the transaction that does its work (`present`), only the token is looked
    at here; one that this process has seen before is looked at there alone.
    """

    def __init__(self, permission: str, *, only_token: bool = False) -> None:
        super().__init__(permission)
        self.only_token = only_token

    async def __call__(self, request: Request, _: object = Depends(DEVICE)) -> Scope:  # type: ignore[override]
        """The scope of the phone's user; refuses everything that is not a registered phone."""
        known = self.known(request)
        return known if known is not None else await run_in_threadpool(self.sign_in, request)

    def known(self, request: Request) -> Scope | None:
        """Who calls, when that is looked at later and no question now."""
        token = bearer(request) if self.only_token else None
        return SEEN.get(digest(token)) if token else None

    def sign_in(self, request: Request) -> Scope:
        """Ask the database who calls."""
        token = bearer(request) if self.only_token else None
        with transaction() as session:
            scope = caller_of(session, token) if token else signed_in(request, session)
        if isinstance(scope, Caller):
            keep(scope)
            return scope
        if scope.device_id is None:
            raise NotAPhone("Only registered phones sync.", help="Register the phone under /api/v1/devices.")
        scope.need(self.permission)
        return scope


def phone(permission: str, *, only_token: bool = False) -> Any:
    """Declare that a route is for phones: `scope: Annotated[Scope, phone("sync:read")]`."""
    return Depends(PhoneRequires(permission, only_token=only_token))


def bearer(request: Request) -> str | None:
    """The access token of a phone that a request carries."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.startswith(ACCESS_PREFIX) else None


def caller_of(session: Session, token: str) -> Caller:
    """Who calls, by a token."""
    device, user = device_of(session, token)
    return Caller(
        user_id=user.id, name=user.name, role=Role(user.role), team_ids=frozenset(), levels={}, source="sync",
        device_id=device.id, access_hash=digest(token),
    )  # fmt: skip


SEEN: dict[bytes, Caller] = {}
"""Who called with which token. It decides nothing: `present` asks whether the token still holds."""
MOST_SEEN = 20_000


def keep(caller: Caller) -> None:
    """Know a token again whose first use is written down."""
    if len(SEEN) >= MOST_SEEN:
        SEEN.clear()
    SEEN[caller.access_hash] = caller


class Last(NamedTuple):
    """What a phone's last pull found."""

    scope: Scope
    secret: bytes


LAST: dict[bytes, Last] = {}
"""By token. It decides nothing: what is asked on the strength of it is compared with the answer."""


def note(caller: Scope, scope: Scope, secret: bytes) -> None:
    """Keep what a pull found."""
    if isinstance(caller, Caller):
        if len(LAST) >= MOST_SEEN:
            LAST.clear()
        LAST[caller.access_hash] = Last(scope, secret)


HELD = and_(DeviceToken.device_id == Device.id, DeviceToken.access_hash == bindparam("hash", type_=LargeBinary))
PERSON = (
    User.id,
    User.name,
    User.role,
    User.zone,
    User.language,
    and_(User.active, User.deleted_at.is_(None)),
    ROLES,
    TEAMS,
    DeviceToken.revoked_at,
    DeviceToken.access_expires_at,
)
"""What decides who calls and what they may."""
PRESENT = (
    select(Device, *PERSON)
    .join(User, User.id == Device.user_id)
    .outerjoin(DeviceToken, HELD)
    .where(Device.id == bindparam("device"))
    .execution_options(populate_existing=True)
)
LOCKED = PRESENT.with_for_update(of=Device)


def present(session: Session, scope: Scope, *, lock: bool = False) -> tuple[Device, Scope]:
    """The device and its user's rights as they are inside this very transaction."""
    access = scope.access_hash if isinstance(scope, Caller) else None
    asked = {"device": scope.device_id, "hash": access}
    found = session.execute(LOCKED if lock else PRESENT, asked).one_or_none()
    if found is None:
        raise unknown(access)
    device, *person = found
    return device, judged(device.id, device.state, access, person)


def unknown(access: bytes | None) -> Exception:
    """What a phone hears that is not there."""
    return not_valid() if access else NotAPhone("This phone is not known any more.", help="Register it again.")


def judged(device_id: UUID | None, state: str, access: bytes | None, person: Sequence[Any]) -> Scope:
    """The rights that `PERSON` tells of; refuses a phone, a token or somebody that may not call any more."""
    user_id, name, role, zone, language, stands, roles, teams, revoked_at, expires_at = person
    check_state(state)
    if access is not None:
        check_token(revoked_at, expires_at)
    if not stands:
        raise switched_off()
    rights = rights_told(Role(role), roles)
    now = Scope(
        user_id=user_id, name=name, role=Role(role), role_name=rights.name, fields=rights.fields,
        team_ids=frozenset(teams or ()), levels=rights.levels, source="sync", zone=zone, language=language,
        device_id=device_id,
    )  # fmt: skip
    now.need("sync:read")
    return now


async def received(request: Request, most: int) -> bytes:
    """The body of a request as it came; refuses what is too large. A phone that went away is nothing to log."""
    packed = bytearray()
    try:
        async for chunk in request.stream():
            packed += chunk
            if len(packed) > most:
                raise MessageTooLarge(f"The message is larger than {most} bytes.", help="Send less at once.")
    except ClientDisconnect as error:
        raise BadMessage("The message broke off.", help="Send it again.") from error
    return bytes(packed)


async def body_of(request: Request) -> bytes:
    """The body of a request, unpacked; refuses what is too large or unpacks to much more than it is."""
    packed = await received(request, MAX_PUSH_BYTES)
    match request.headers.get("content-encoding", "identity").lower():
        case "gzip":
            return unpack(packed)
        case "identity" | "":
            return packed
        case other:
            raise BadMessage(f"The encoding “{other}” is not known here.", help="Send gzip or nothing.")


def unpack(packed: bytes) -> bytes:
    """Unpack gzip within limits."""
    limit = min(MAX_UNPACKED, max(HARMLESS, MAX_RATIO * len(packed)))
    unpacking = zlib.decompressobj(GZIP)
    try:
        plain = unpacking.decompress(packed, limit + 1)
    except zlib.error as error:
        raise BadMessage("The body is not gzip.", help="Send it again.") from error
    if len(plain) > limit:
        raise MessageTooLarge("The message unpacks to more than we accept.", help="Send less at once.")
    if not unpacking.eof or unpacking.unused_data:
        raise BadMessage("The body is not one whole gzip.", help="Send it again.")
    return plain


Body = Annotated[bytes, Depends(body_of)]


def parse[M: Message](kind: type[M], body: bytes, caller: Scope | None = None) -> M:
    """Read a message; names the key that is wrong. A phone that may not call any more is told that first."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        if caller is not None:
            with transaction() as session:
                present(session, caller)
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadMessage(f"{where or 'The message'}: {first['msg']}", field=where) from error


def answer(message: Message) -> Response:
    """A message as a response."""
    return Response(canonical(emit(message)), media_type="application/json")
