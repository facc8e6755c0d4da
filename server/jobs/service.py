"""Deferring jobs inside the caller's transaction, and the procrastinate app that the worker runs."""

import logging
from collections.abc import Callable
from typing import Any

from procrastinate import App, RetryStrategy, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.kit.database import raw_connection

log = logging.getLogger("waymark.jobs")

queue = App(connector=SyncPsycopgConnector())
"""Every room registers its tasks here; `server.worker` gives it an asynchronous connector and runs it."""

client = App(connector=SyncPsycopgConnector())
"""Defers by name on the caller's connection, in the worker as anywhere else: its connector is never replaced."""

SILENT_S = 30
"""A worker shows itself every five seconds; one that did not for so long is gone."""

RETRY = RetryStrategy(max_attempts=5, exponential_wait=3)
"""What a failing job gets when its room does not say otherwise."""


def is_anybody_working(session: Session) -> bool:
    """Whether some worker has shown itself lately."""
    alive = (
        "select exists (select from procrastinate_workers where last_heartbeat > now() - :patience * interval '1 s')"
    )
    return bool(session.scalar(text(alive), {"patience": SILENT_S}))


type Job = Task[Any, Any, Any]


def task[F: Callable[..., None]](name: str, *, retry: RetryStrategy | bool = RETRY) -> Callable[[F], Job]:
    """Register a function as a background task. A task may run twice: write it so that nothing happens twice."""

    def register(function: F) -> Job:
        registered: Job = queue.task(name=name, queue="default", retry=retry)(function)
        return registered

    return register


def defer(
    session: Session,
    job: Job,
    *,
    key: str | None = None,
    lock: str | None = None,
    priority: int = 0,
    **arguments: Any,
) -> bool:
    """Ask for a job in the session's transaction; a rollback takes the job back.

    Parameters
    ----------
    key
        When a job with this key is already waiting, nothing is added and False is returned.
    lock
        Jobs with the same lock run one after the other.
    """
    try:
        with session.begin_nested():  # the savepoint is set when the connection is asked for inside
            connection = raw_connection(session)
            client.configure_task(
                job.name,
                allow_unknown=True,
                connection=connection,
                queue="default",
                queueing_lock=key,
                lock=lock,
                priority=priority,
            ).defer(**arguments)
    except AlreadyEnqueued:
        return False
    return True
