"""Remembers what people open, for the empty search box."""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.search.models import Opened

KEPT = 30


def opened(session: Session, scope: Scope, kind: str, row_id: UUID) -> None:
    """Remember that somebody opened something; only the latest are kept."""
    remembered = insert(Opened).values(user_id=scope.user_id, kind=kind, row_id=row_id)
    again = {"at": func.clock_timestamp()}
    session.execute(remembered.on_conflict_do_update(index_elements=["user_id", "kind", "row_id"], set_=again))
    mine = select(Opened.at).where(Opened.user_id == scope.user_id).order_by(Opened.at.desc()).offset(KEPT).limit(1)
    session.execute(delete(Opened).where(Opened.user_id == scope.user_id, Opened.at <= mine.scalar_subquery()))
