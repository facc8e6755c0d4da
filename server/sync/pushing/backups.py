"""What a verified backup holds: phones may forget it."""

from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Invalid
from server.sync.models import SyncMeta

MARGIN = timedelta(seconds=30)
"""What was written within the last moments before a backup may have been committed after it."""


def covered(session: Session) -> datetime | None:
    """Whatever was written down until this moment is in a verified backup; None while nobody told us of one."""
    began: datetime | None = session.scalar(select(SyncMeta.durable_at))
    return None if began is None else began - MARGIN


def tell(session: Session, began: datetime) -> None:
    """There is a verified backup whose copying began at a moment. An earlier one changes nothing. Refuses a moment that
    is still to come: what is sent until then would be in no backup."""
    if began > clock.now():
        raise Invalid(f"{began.isoformat()} is still to come.", help="Say when the copying began.", field="began")
    session.execute(text("update sync_meta set durable_at = greatest(durable_at, :at)"), {"at": began})


def take_back(session: Session, began: datetime | None) -> None:
    """The last backups do not hold what was said: phones keep everything from now on, or what is later than the copying
    of one that does. What they have forgotten already they cannot send again."""
    known = session.scalar(select(SyncMeta.durable_at))
    stands = None if began is None or known is None else min(began, known)
    session.execute(update(SyncMeta).values(durable_at=stands))
