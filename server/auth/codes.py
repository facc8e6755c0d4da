"""Codes with which a phone signs in once: typed, or read from a picture on the screen. No password changes hands."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from server.auth.access import Scope, scope_of
from server.auth.models import AuthEvent, DeviceCode, User
from server.auth.queries import visible_users
from server.auth.rights import Rights, rights_of
from server.auth.roles import FieldRight, Level
from server.auth.sessions import digest, end_codes
from server.auth.tokens import standing
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Forbidden, NotFound, NotSignedIn, TooManyRequests

LIFE = timedelta(minutes=10)
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Nothing that is taken for something else when it is read aloud or typed."""
LENGTH = 10
MAX_WRONG = 10
KEPT = timedelta(days=1)


class CodeUnknown(NotSignedIn):
    """No code of this server."""

    code = "code_unknown"


class CodeUsed(NotSignedIn):
    """The code has let a phone in already."""

    code = "code_used"


class CodeExpired(NotSignedIn):
    """The code is too old, or somebody took it back."""

    code = "code_expired"


def make(session: Session, scope: Scope, user_id: UUID) -> tuple[DeviceCode, str]:
    """Make a code for somebody's phone; it is told this once, and ends the one before it.

    Refuses people out of reach, people who may do more than whoever asks, and phones that ask for a further phone.
    """
    if scope.device_id is not None:
        raise Forbidden("A phone does not let another phone in.", help="Make the code in a browser.")
    reach = scope.level("devices:manage") if user_id != scope.user_id else Level.OWN
    people = visible_users(scope.user_id, scope.team_ids, reach).where(User.id == user_id)
    user = session.scalars(people.with_for_update(key_share=True)).one_or_none() if reach > Level.NONE else None
    if user is None:
        raise NotFound("There is no such user.")
    standing(user)
    if exceeds(rights_of(session, user), scope):
        raise Forbidden(
            f"{user.name} may do more than you, so the code would lend you rights.",
            help="They make it themselves, or an admin does.",
        )
    end_codes(session, DeviceCode.user_id == user.id)
    plain = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    row = DeviceCode(
        user_id=user.id, made_by=scope.user_id, code_hash=digest(plain), expires_at=clock.now() + LIFE
    )  # fmt: skip
    session.add(row)
    session.add(AuthEvent(kind="code_made", login=user.login, user_id=user.id, actor=scope.user_id))
    session.flush()
    return row, f"{plain[:5]}-{plain[5:]}"


def exceeds(rights: Rights, scope: Scope) -> bool:
    """Whether somebody may do anything that whoever asks may not, sees fields hidden from them, or reaches a whole
    region or company where they do not. A team and its members' territories are nothing that one keeps from the other.
    """
    wide = {name: level for name, level in rights.levels.items() if level >= Level.REGION}
    return (
        any(level > Level.NONE and not scope.may(name) for name, level in rights.levels.items())
        or any(level > scope.level(name) for name, level in wide.items())
        or any(rights.fields.get(place) not in (right, FieldRight.HIDDEN) for place, right in scope.fields.items())
    )


def link(server: str, code: str) -> str:
    """What the picture on the screen says: the server's address and the code, for the app alone."""
    return f"waymark://sign-in?{urlencode({'server': server.rstrip('/'), 'code': code})}"


def waiting(session: Session, scope: Scope) -> Sequence[DeviceCode]:
    """The codes that would still let a phone in, of oneself and of the people whose phones one manages."""
    reach = max(scope.level("devices:manage"), Level.OWN)
    people = visible_users(scope.user_id, scope.team_ids, reach).with_only_columns(User.id).order_by(None)
    statement = select(DeviceCode).where(DeviceCode.user_id.in_(people), *still_good())
    return session.scalars(statement.order_by(DeviceCode.created_at.desc(), DeviceCode.id)).all()


def revoke(session: Session, scope: Scope, code_id: UUID) -> None:
    """Take a code back. Refuses one that is out of reach, or that lets nobody in any more."""
    if code_id not in {one.id for one in waiting(session, scope)}:
        raise NotFound("There is no such code any more.", help="A phone it let in is in the list of phones.")
    end_codes(session, DeviceCode.id == code_id)


def still_good() -> tuple[ColumnElement[bool], ...]:
    """What holds of a code that would let a phone in."""
    return DeviceCode.used_at.is_(None), DeviceCode.revoked_at.is_(None), DeviceCode.expires_at > clock.now()


def redeem(session: Session, code: str, *, address: str | None) -> User:
    """Whose phone a code lets in; it does so once. Refuses for a while after ten wrong ones from an address.

    A failure is written down in a transaction of its own, so that the refusal does not roll it back.
    """
    if wrong_lately(session, address) >= MAX_WRONG:
        raise TooManyRequests("Too many wrong codes.", help="Wait fifteen minutes and try again.", after_s=900)
    plain = "".join(letter for letter in code.upper() if letter not in " -")
    row = session.scalar(select(DeviceCode).where(DeviceCode.code_hash == digest(plain)).with_for_update())
    if row is None:
        with transaction() as separate:
            separate.add(AuthEvent(kind="code_failed", address=address))
        raise CodeUnknown(
            "This server does not know the code.", help="Check its letters and the server's address, or make a new one."
        )
    refuse_over(row)
    user = standing(session.get(User, row.user_id))
    if not is_still_lent(session, row, user):
        raise expired()
    row.used_at = clock.now()
    session.add(AuthEvent(kind="signed_in_by_code", login=user.login, user_id=user.id, address=address))
    session.flush()
    return user


def is_still_lent(session: Session, row: DeviceCode, user: User) -> bool:
    """Whether whoever made a code may still make it."""
    if row.made_by == row.user_id:
        return True
    maker = session.get(User, row.made_by) if row.made_by else None
    if maker is None or not maker.active or maker.deleted_at is not None:
        return False
    scope = scope_of(session, maker, source="web")
    people = visible_users(maker.id, scope.team_ids, scope.level("devices:manage")).where(User.id == user.id)
    return session.scalar(people) is not None and not exceeds(rights_of(session, user), scope)


def refuse_over(row: DeviceCode) -> None:
    """Refuse a code that lets nobody in any more."""
    if row.used_at is not None:
        raise CodeUsed("This code has let a phone in already.", help="Make a new one; each works once.")
    if row.revoked_at is not None or row.expires_at <= clock.now():
        raise expired()


def expired() -> CodeExpired:
    """What a code hears that was good once."""
    return CodeExpired("This code is not valid any more.", help="Make a new one; each works for ten minutes.")


def wrong_lately(session: Session, address: str | None) -> int:
    """How many wrong codes came from an address in the last fifteen minutes."""
    statement = select(func.count()).where(
        AuthEvent.kind == "code_failed",
        AuthEvent.address == address,
        AuthEvent.at > clock.now() - timedelta(minutes=15),
    )
    return session.scalar(statement) or 0


def forget(session: Session) -> None:
    """Remove codes that nobody asks about any more."""
    session.execute(delete(DeviceCode).where(DeviceCode.expires_at < clock.now() - KEPT))
