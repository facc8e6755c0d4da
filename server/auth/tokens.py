"""Tokens of programs and phones: opaque, stored hashed, revocable at once."""

import base64
import binascii
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, lazyload

from server.auth.models import ApiToken, AuthEvent, Device, DeviceState, DeviceToken, User
from server.auth.sessions import digest
from server.kit import clock
from server.kit.errors import Forbidden, Invalid, NotSignedIn, TooManyRequests

API_PREFIX = "wmk_"
ACCESS_PREFIX = "wma_"
REFRESH_PREFIX = "wmr_"
ACCESS_LIFE = timedelta(minutes=15)
REFRESH_IDLE = timedelta(days=30)
REFRESH_ABSOLUTE = timedelta(days=90)
GRACE = timedelta(days=7)
"""How long a refresh token whose answer was lost may be used again, as long as its successor was not."""


class TokenExpired(NotSignedIn):
    """The access token is too old: refresh it."""

    code = "token_expired"


class DeviceLocked(Forbidden):
    """The device may not talk to us at present."""

    code = "device_locked"


class DeviceRetired(Forbidden):
    """The device's owner has left; unsent work goes into quarantine."""

    code = "retired"


class DeviceWipe(Forbidden):
    """The device is to delete everything."""

    code = "wipe"


def create_api_token(
    session: Session,
    user_id: UUID,
    name: str,
    permissions: list[str] | None,
    days: int | None,
    per_minute: int | None = None,
) -> tuple[ApiToken, str]:
    """Give a program a key; the secret is shown this once."""
    secret = API_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user_id,
        name=name,
        token_hash=digest(secret),
        permissions=permissions,
        expires_at=clock.now() + timedelta(days=days) if days else None,
        per_minute=per_minute,
    )
    session.add(token)
    session.flush()
    return token, secret


def owner(session: Session, token: str) -> tuple[User, UUID | None, frozenset[str] | None]:
    """Who holds a bearer token: user, device (for phones), permissions it is limited to (for API tokens)."""
    if token.startswith(ACCESS_PREFIX):
        device, user = device_of(session, token)
        return user, device.id, None
    found = session.execute(OF_PROGRAM, {"hash": digest(token)}).one_or_none()
    now = clock.now()
    if found is None or found[0].revoked_at is not None or (found[0].expires_at or now) < now:
        raise NotSignedIn("The token is not valid.", help="Create a new API token under Users.")
    row, user = found[0], standing(found[1])
    if row.last_used_on != now.date():
        row.last_used_on = now.date()
    if row.per_minute is not None:
        count(session, row, now)
    return user, None, frozenset(row.permissions) if row.permissions is not None else None


OF_PROGRAM = (
    select(ApiToken, User)
    .join(User, User.id == ApiToken.user_id)
    .where(ApiToken.token_hash == bindparam("hash"))
    .options(lazyload(User.rep_profile))
)


def count(session: Session, token: ApiToken, now: datetime) -> None:
    """Count a request of a token. Refuses what goes past its limit within a minute."""
    session.refresh(token, with_for_update=True)
    minute = now.replace(second=0, microsecond=0)
    if token.minute_at != minute:
        token.minute_at, token.minute_count = minute, 0
    token.minute_count += 1
    if token.minute_count > (token.per_minute or 0):
        left = 60 - now.second
        raise TooManyRequests(
            f"The key “{token.name}” may ask {token.per_minute} times a minute.",
            help=f"Wait {left} seconds.",
            after_s=left,
        )


def active_user(session: Session, user_id: UUID) -> User:
    """The user, if they may sign in."""
    return standing(session.get(User, user_id))


def standing(user: User | None) -> User:
    """The user; refuses one that was switched off."""
    if user is None or not user.active or user.deleted_at is not None:
        raise switched_off()
    return user


def switched_off() -> NotSignedIn:
    """Somebody who may not sign in any more."""
    return NotSignedIn("This account has been switched off.", help="Ask an admin.")


def device_of(session: Session, access: str) -> tuple[Device, User]:
    """The device behind an access token; its first use ends the token before it."""
    found = session.execute(
        select(DeviceToken, Device, User)
        .join(Device, Device.id == DeviceToken.device_id)
        .join(User, User.id == Device.user_id)
        .where(DeviceToken.access_hash == digest(access))
        .options(lazyload(User.rep_profile))
    ).one_or_none()
    if found is None:
        raise not_valid()
    row, device, user = found
    check_state(device.state)
    check_token(row.revoked_at, row.access_expires_at)
    first_use(session, row)
    return device, standing(user)


def not_valid() -> NotSignedIn:
    """A token that is none, or none any more."""
    return NotSignedIn("The phone's token is not valid.", help="Sign in on the phone again.")


def check_token(revoked_at: datetime | None, access_expires_at: datetime | None) -> None:
    """Refuse an access token that is gone, was revoked, or is too old."""
    if access_expires_at is None or revoked_at is not None:
        raise not_valid()
    if access_expires_at < clock.now():
        raise TokenExpired("The phone's token has expired.", help="Refresh it.")


def check_state(state: str) -> None:
    """Refuse a device that is locked, retired or to be wiped."""
    match state:
        case DeviceState.LOCKED:
            raise DeviceLocked("This phone is locked.", help="Ask your manager.")
        case DeviceState.RETIRED:
            raise DeviceRetired("This phone has been retired.", help="Ask your manager.")
        case DeviceState.WIPE_PENDING | DeviceState.WIPED:
            raise DeviceWipe("This phone is to be wiped.")


def first_use(session: Session, token: DeviceToken) -> None:
    """Note that a token pair has arrived at the phone: its predecessor is over."""
    if token.used_at is None:
        token.used_at = clock.now()
        if token.predecessor_id is not None:
            revoke = update(DeviceToken).where(
                DeviceToken.device_id == token.device_id,
                DeviceToken.id != token.id,
                DeviceToken.revoked_at.is_(None),
            )
            session.execute(revoke.values(revoked_at=clock.now()).execution_options(synchronize_session=False))


def public_key(text: str) -> bytes:
    """A device's public key as it is stored; refuses anything but P-256."""
    try:
        der = base64.b64decode(text, validate=True)
        key = load_der_public_key(der)
    except (binascii.Error, ValueError) as error:
        raise Invalid("public_key is not a base64 DER SubjectPublicKeyInfo.", field="public_key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Invalid("public_key is not a P-256 key.", field="public_key")
    return der


def refuse_barred(session: Session, user: User, former: Collection[UUID]) -> None:
    """Refuse a phone that was a locked device of this person, or one that is to be wiped: no password changes that."""
    barred = DeviceState.LOCKED.value, DeviceState.WIPE_PENDING.value
    theirs = select(Device.state).where(Device.id.in_(former), Device.user_id == user.id, Device.state.in_(barred))
    for state in session.scalars(theirs.order_by(Device.state.desc()).limit(1)):  # a wipe comes before a lock
        check_state(state)


def register_device(session: Session, user: User, *, name: str, platform: str, key: str) -> Device:
    """Make a phone known to us."""
    device = Device(user_id=user.id, name=name[:100], platform=platform[:50], public_key=public_key(key))
    session.add(device)
    session.flush()
    return device


def replace(session: Session, device: Device, former: Collection[UUID]) -> None:
    """Note what a phone was to us before its person signed in on it anew, and what it had become then of which it never
    heard; `queries.replaced` says when that counts. What is locked, retired or to be wiped stays as it is."""
    theirs = Device.user_id == device.user_id, Device.state == DeviceState.ACTIVE.value, Device.id != device.id
    was_lost = Device.id.in_(select(Device.replaced_by).where(Device.id.in_(former))) & Device.last_seen_at.is_(None)
    statement = update(Device).where(*theirs, Device.id.in_(former) | was_lost).values(replaced_by=device.id)
    session.execute(statement.execution_options(synchronize_session=False))


def issue(session: Session, device: Device, predecessor: DeviceToken | None = None) -> tuple[str, str]:
    """A new pair of access and refresh token."""
    now = clock.now()
    access, refresh = ACCESS_PREFIX + secrets.token_urlsafe(32), REFRESH_PREFIX + secrets.token_urlsafe(32)
    absolute = predecessor.family_expires_at if predecessor else now + REFRESH_ABSOLUTE
    session.add(
        DeviceToken(
            device_id=device.id,
            predecessor_id=predecessor.id if predecessor else None,
            access_hash=digest(access),
            refresh_hash=digest(refresh),
            access_expires_at=now + ACCESS_LIFE,
            refresh_expires_at=min(now + REFRESH_IDLE, absolute),
            family_expires_at=absolute,
        )
    )
    session.flush()
    return access, refresh


def refresh_message(device_id: UUID, refresh: str, nonce: str) -> bytes:
    """What a phone signs to prove that the refresh token is used by the device it was given to."""
    return f"waymark-refresh-1\n{device_id}\n{refresh}\n{nonce}".encode()


def verify_signature(device: Device, message: bytes, signature: str) -> None:
    """Refuse what the device's own key did not sign."""
    key = load_der_public_key(device.public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise NotSignedIn("The device's key is unusable.", help="Register the phone again.")
    try:
        key.verify(base64.b64decode(signature, validate=True), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise NotSignedIn("The signature does not fit the device.", help="Sign in on the phone again.") from error


def rotate(session: Session, device_id: UUID, refresh: str, nonce: str, signature: str) -> tuple[Device, str, str]:
    """Exchange a refresh token for a new pair.

    A token whose answer was lost on the way may be used again until its successor has been used; after that,
    using it again means that somebody copied it: the whole family is revoked.
    """
    device = session.get(Device, device_id, with_for_update=True)
    row = session.scalar(select(DeviceToken).where(DeviceToken.refresh_hash == digest(refresh)))
    if device is None or row is None or row.device_id != device.id:
        raise NotSignedIn("The refresh token is not known.", help="Sign in on the phone again.")
    check_state(device.state)
    active_user(session, device.user_id)
    verify_signature(device, refresh_message(device.id, refresh, nonce), signature)
    now = clock.now()
    if row.refresh_expires_at < now:
        raise NotSignedIn("The refresh token has expired.", help="Sign in on the phone again.")
    if row.revoked_at is not None:
        raise ReusedToken("The refresh token was used before.", help="Sign in on the phone again.")
    successor = session.scalar(
        select(DeviceToken).where(DeviceToken.predecessor_id == row.id, DeviceToken.revoked_at.is_(None)).limit(1)
    )
    if successor is not None:
        if now - row.access_expires_at > GRACE:
            raise NotSignedIn("The refresh token has expired.", help="Sign in on the phone again.")
        successor.revoked_at = now
    first_use(session, row)
    return device, *issue(session, device, row)


class ReusedToken(NotSignedIn):
    """A refresh token that was superseded is used again: somebody may have copied it."""

    code = "token_reused"


def revoke_family(session: Session, device_id: UUID, address: str | None) -> None:
    """End all tokens of a device and write it down."""
    statement = update(DeviceToken).where(DeviceToken.device_id == device_id, DeviceToken.revoked_at.is_(None))
    session.execute(statement.values(revoked_at=clock.now()).execution_options(synchronize_session=False))
    session.add(AuthEvent(kind="token_reused", address=address, details={"device": str(device_id)}))
    session.flush()
