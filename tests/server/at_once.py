"""Two transactions that overlap, one step after the other: the second begins before the first one is stored."""

from collections.abc import Callable
from threading import Thread
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.kit.database import transaction

WAITING = text("""
    select count(*) from pg_locks join pg_stat_activity using (pid)
    where not granted and datname = current_database()
""")


def overlapping(first: Callable[[Session], Any], second: Callable[[Session], Any]) -> Any:
    """Run `first`; before it is stored begin `second`, and store when that one waits or is done.

    Returns what came of the second: its result, or the error that refused it.
    """
    came: list[Any] = []

    def other() -> None:
        try:
            with transaction() as session:
                came.append(second(session))
        except Exception as error:  # noqa: BLE001 (the test looks at what came)
            came.append(error)

    thread = Thread(target=other)
    with transaction() as session:
        first(session)
        session.flush()
        thread.start()
        while thread.is_alive() and not session.scalar(WAITING):
            thread.join(0.02)
    thread.join()
    return came[0]
