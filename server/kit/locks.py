"""One at a time: whoever asks for a name that another transaction has asked for waits until that one has ended."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_KEYS = "select hashtextextended(name, 0) as key from unnest(cast(:names as text[])) name order by name"
_WAIT = text(f"select pg_advisory_xact_lock(key) from ({_KEYS}) named")  # noqa: S608
_TRY = text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


def one_at_a_time(session: Session, *names: str) -> None:
    """Wait until nobody else works on these; all ask for several in one order, so that no two wait for each other."""
    session.execute(_WAIT, {"names": list(names)})


def is_first(session: Session, name: str) -> bool:
    """Whether nobody else works on this; nobody else begins until the transaction ends."""
    return bool(session.execute(_TRY, {"name": name}).scalar_one())
