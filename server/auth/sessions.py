"""Web sessions: a random cookie, stored hashed; forms carry the session's CSRF token."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request
from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session, lazyload

from server.auth.models import DeviceCode, User, WebSession
from server.kit import clock
from server.kit.errors import Forbidden, NotSignedIn
from server.kit.settings import settings

COOKIE = "waymark_session"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class ForgedRequest(Forbidden):
    """A form that did not come from our own pages."""

    code = "csrf"


class ExpiredForm(ForgedRequest):
    """A form that carries the token of another session than the browser's."""


def digest(token: str) -> bytes:
    """What is stored of a secret token."""
    return hashlib.sha256(token.encode()).digest()


def open_session(session: Session, user: User, user_agent: str | None) -> str:
    """Sign a browser in; returns the cookie's value."""
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            token_hash=digest(token),
            user_id=user.id,
            csrf=secrets.token_urlsafe(24),
            user_agent=(user_agent or "")[:300],
        )
    )
    session.flush()
    return token


def resume(session: Session, token: str) -> tuple[WebSession, User]:
    """The session and user behind a cookie; refuses ended sessions and people who may not sign in any more."""
    found = session.execute(OF_COOKIE, {"hash": digest(token)})
    row, user = found.one_or_none() or (None, None)
    limit = clock.now() - timedelta(days=settings().session_days)
    if row is None or row.seen_at < limit or user is None or not user.active or user.deleted_at is not None:
        raise NotSignedIn("Your session has ended.", help="Sign in again.")
    if row.seen_at < clock.now() - timedelta(minutes=5):
        row.seen_at = clock.now()
    return row, user


OF_COOKIE = (
    select(WebSession, User)
    .join(User, User.id == WebSession.user_id)
    .where(WebSession.token_hash == bindparam("hash"))
    .options(lazyload(User.rep_profile))
)


def viewed(session: Session, row: WebSession) -> User | None:
    """Through whose eyes the browser looks; nobody's when that person may not sign in any more."""
    seen = session.get(User, row.viewing_id) if row.viewing_id else None
    return seen if seen is not None and seen.active and seen.deleted_at is None else None


def close_session(session: Session, token: str) -> None:
    """Sign a browser out."""
    session.execute(delete(WebSession).where(WebSession.token_hash == digest(token)))


def close_all(session: Session, user_id: UUID) -> None:
    """Sign a person out everywhere; codes for their phones, and those that they made for others, end as well."""
    session.execute(delete(WebSession).where(WebSession.user_id == user_id))
    end_codes(session, codes_of(user_id))


def codes_of(user_id: UUID) -> ColumnElement[bool]:
    """The codes for somebody's phones, and those that they made."""
    return or_(DeviceCode.user_id == user_id, DeviceCode.made_by == user_id)


def end_codes(session: Session, which: ColumnElement[bool]) -> None:
    """End codes that would still let a phone in."""
    unused = (DeviceCode.used_at.is_(None), DeviceCode.revoked_at.is_(None))
    session.execute(
        update(DeviceCode)
        .where(which, *unused)
        .values(revoked_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def check_same_site(request: Request) -> None:
    """Refuse an unsafe request that another site sent (Fetch Metadata, Origin)."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in (None, "same-origin", "none")
    if origin not in (None, "null"):
        foreign = foreign or urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise ForgedRequest("This form was sent from another site.", help="Open the page here and try again.")


def check_origin(request: Request, *, expected: str, received: str) -> None:
    """Refuse an unsafe request of a browser that does not carry its session's CSRF token."""
    if request.method in SAFE_METHODS:
        return
    check_same_site(request)
    if not hmac.compare_digest(expected.encode(), received.encode()):
        raise ExpiredForm("The form has expired.", help="Reload the page and send it again.")
