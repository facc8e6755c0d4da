"""One at a time: two imports of the same rows would create them twice."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def one_at_a_time(session: Session, what: str) -> None:
    """Wait until nobody else works on this."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"imports:{what}"))))
