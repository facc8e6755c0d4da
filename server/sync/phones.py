"""Who calls and what they send: the phone behind a request, and its message, unpacked within limits."""

import gzip
import io
import zlib
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload
from starlette.requests import ClientDisconnect

from server.auth.access import Requires, Scope, scope_of, signed_in
from server.auth.models import Device, Role, User
from server.auth.tokens import ACCESS_PREFIX, check_state, device_of, standing
from server.kit.database import transaction
from server.kit.errors import Forbidden
from server.sync.problems import BadMessage, MessageTooLarge
from server.sync.wire import MAX_PUSH_BYTES, Message, canonical, emit

MAX_UNPACKED = 16 * 1024 * 1024
MAX_RATIO = 20
HARMLESS = 64 * 1024
"""Up to here a message may be as compressible as it likes."""


class NotAPhone(Forbidden):
    """Sync is for registered devices."""

    code = "not_a_device"


class PhoneRequires(Requires):
    """The access requirement of a sync route. Signs in within a short transaction of its own, so that a request never
    holds two connections.

    Where the route reads the rights anyway, in the transaction that does its work (`present`), only the token is looked
    at here.
    """

    def __init__(self, permission: str, *, only_token: bool = False) -> None:
        super().__init__(permission)
        self.only_token = only_token

    def __call__(self, request: Request) -> Scope:  # type: ignore[override]
        """The scope of the phone's user; refuses everything that is not a registered phone."""
        with transaction() as session:
            if self.only_token and (caller := bearer(request)):
                return caller_of(session, caller)
            scope = signed_in(request, session)
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
    return token.strip() if scheme.lower() == "bearer" and token.startswith(ACCESS_PREFIX) else None


def caller_of(session: Session, token: str) -> Scope:
    """Who calls, without any right: those are read where the work is done."""
    device, user = device_of(session, token)
    return Scope(
        user_id=user.id, name=user.name, role=Role(user.role), team_ids=frozenset(), levels={}, source="sync",
        device_id=device.id,
    )  # fmt: skip


def present(session: Session, scope: Scope, *, lock: bool = False) -> tuple[Device, Scope]:
    """The device and its user's rights as they are inside this very transaction."""
    asked = select(Device, User).join(User, User.id == Device.user_id).where(Device.id == scope.device_id)
    asked = asked.options(lazyload(User.rep_profile))
    if lock:
        asked = asked.with_for_update(of=Device)
    found = session.execute(asked.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotAPhone("This phone is not known any more.", help="Register it again.")
    device, user = found
    check_state(device)
    standing(user)
    now = scope_of(session, user, source="sync", device_id=device.id)
    now.need("sync:read")
    return device, now


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
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            plain = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadMessage("The body is not gzip.", help="Send it again.") from error
    if len(plain) > limit:
        raise MessageTooLarge("The message unpacks to more than we accept.", help="Send less at once.")
    return plain


Body = Annotated[bytes, Depends(body_of)]


def parse[M: Message](kind: type[M], body: bytes) -> M:
    """Read a message; names the key that is wrong."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadMessage(f"{where or 'The message'}: {first['msg']}", field=where) from error


def answer(message: Message) -> Response:
    """A message as a response."""
    return Response(canonical(emit(message)), media_type="application/json")
