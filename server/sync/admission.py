"""Who is let in when everybody comes at once: what phones send goes before what they want to read.

Reads take turns on half of the process's database connections, so that a push always finds one. Others wait, without a
thread or a connection; where too many wait, and where phones without any data want more than their share, they are
sent away for some seconds with `503` and `Retry-After`. Pushes are never sent away.
"""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

import anyio
from fastapi import Depends

from server.kit.settings import settings
from server.sync import wire
from server.sync.problems import Busy

MOST_WAITING = 200
"""Reads that wait in one process; those after them come again."""
COLD = 2
"""First syncs of which one process answers a page at a time."""
SOON_S = (2, 10)
"""When those that are sent away come again; not all at once."""


class Turns:
    """Reads of one process, so many at a time."""

    def __init__(self, places: int) -> None:
        self.limit = anyio.CapacityLimiter(places)
        self.cold = BoundedSemaphore(min(COLD, places))

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the request is answered."""
        if self.limit.statistics().tasks_waiting >= MOST_WAITING:
            raise sent_away("Very many phones are reading at this moment.")
        async with self.limit:
            yield


@lru_cache(maxsize=1)
def turns() -> Turns:
    """The turns of this process."""
    return Turns(max(1, settings().database_pool // 2))


async def turn() -> AsyncIterator[None]:
    """A place among those that read."""
    async with turns().taken():
        yield


def in_turn() -> Any:
    """Declare that a route reads in turn: `dependencies=[in_turn()]`."""
    return Depends(turn, scope="function")


@contextmanager
def first_sync(request: wire.PullRequest) -> Iterator[None]:
    """A page for a phone that holds nothing yet is dear: only some at a time. Refuses more than that for now."""
    if any(group.cursor is not None for group in request.groups):
        yield
        return
    places = turns().cold
    if not places.acquire(blocking=False):
        raise sent_away("Several phones are being filled at this moment.")
    try:
        yield
    finally:
        places.release()


def sent_away(why: str) -> Busy:
    """Come again in some seconds."""
    return Busy(why, help="The phone comes again by itself.", retry=True, after_s=random.randint(*SOON_S))
