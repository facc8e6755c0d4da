"""Who has which site of the desk before them: said to others, so that nobody decides twice; it hinders nobody."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.accounts import places
from server.accounts.place_models import ReviewClaim
from server.accounts.reviewing.queue import PERMISSION
from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock

LOOKING = timedelta(minutes=2)
"""So long somebody counts as looking after the page last said so; it says so every minute."""


def claim(session: Session, scope: Scope, site_id: UUID) -> str | None:
    """Say that somebody looks at a site; answers who else is looking at it already. Refuses a site out of reach."""
    places.find_site(session, scope, site_id, PERMISSION)
    now = clock.now()
    mine = insert(ReviewClaim).values(site_id=site_id, user_id=scope.user_id, seen_at=now)
    is_free = or_(ReviewClaim.user_id == scope.user_id, ReviewClaim.seen_at < now - LOOKING)
    values = {"user_id": scope.user_id, "seen_at": now}
    session.execute(mine.on_conflict_do_update(index_elements=["site_id"], set_=values, where=is_free))
    other = select(User.name).join(ReviewClaim, ReviewClaim.user_id == User.id)
    return session.scalar(other.where(ReviewClaim.site_id == site_id, User.id != scope.user_id))


def release(session: Session, scope: Scope, site_id: UUID | None = None) -> None:
    """Somebody looks at this site no more, or at none; what was left lying for long is forgotten with it."""
    mine = ReviewClaim.user_id == scope.user_id
    own = mine if site_id is None else mine & (ReviewClaim.site_id == site_id)
    session.execute(delete(ReviewClaim).where(or_(own, ReviewClaim.seen_at < func.now() - timedelta(days=1))))
