"""Two kinds of transaction: a push, repeated when it gets in somebody's way, and a pull, which sees one moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from server.kit.database import engine, transaction
from server.sync.protocol.problems import Busy

ATTEMPTS = 4
LOCK_TIMEOUT = "2s"
IN_THE_WAY = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock not available."""


def writing[T](work: Callable[[Session], T]) -> T:
    """Do some work in a transaction and return its result once it is committed for good.

    Deadlocks and locks that are held too long are tried again; work must therefore be repeatable as a whole.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction() as session:
                session.execute(PROMISES, {"lock_timeout": LOCK_TIMEOUT})
                result = work(session)
        except OperationalError as error:
            cause = error.orig
            if not isinstance(cause, DatabaseError) or cause.sqlstate not in IN_THE_WAY:
                raise
        else:
            return result
    raise Busy("Others are changing the same records.", help="Send the same again in a moment.", retry=True, after_s=2)


PROMISES = text(
    """
    select set_config('lock_timeout', :lock_timeout, true), set_config('statement_timeout', '20s', true),
        case current_setting('synchronous_commit') when 'off' then set_config('synchronous_commit', 'on', true) end
    """
)
"""Nobody waits for long, and what is answered is on the disk."""


@contextmanager
def reading() -> Iterator[Session]:
    """One moment of the database, for a page: rows, membership and rights all belong to the same snapshot."""
    with engine().connect() as connection:
        moment = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with Session(moment, expire_on_commit=False) as session, session.begin():
            yield session
