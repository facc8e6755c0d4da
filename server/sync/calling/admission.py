"""Who is let in when everybody comes at once: what phones send goes before what they want to read.

Reads take turns on half of the process's database connections, so that a push always finds one. Others wait, without a
thread or a connection; where too many wait, and where phones without any data want more than their share, they are
sent away for some seconds with `503` and `Retry-After`. A single phone that reads without end is slowed down with
`429`. Pushes are never sent away.
"""

import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from math import ceil
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

import anyio
from fastapi import Depends, Request

from server.kit.errors import TooManyRequests
from server.kit.settings import settings
from server.sync.protocol import wire
from server.sync.protocol.problems import Busy

MOST_WAITING = 200
"""Reads that wait in one process; those after them come again."""
COLD = 2
"""First syncs of which one process answers a page at a time."""
BURST_MIN = 2
"""Reads of so many minutes may come at once: a phone is filled by some dozens of pages."""
MOST_PHONES = 10_000
"""Phones whose reads one process counts; those that were quiet longest are forgotten first."""
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


class Pace:
    """Reads of each phone in one process: some at once, then so many a minute (a token bucket)."""

    def __init__(self, per_minute: float) -> None:
        self.per_s, self.most = per_minute / 60, per_minute * BURST_MIN
        self.left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, phone: str, now: float) -> None:
        """Count a read at a moment, in seconds. Refuses one that comes too soon, and says when the next is due."""
        left, since = self.left.pop(phone, (self.most, now))
        left = min(self.most, left + (now - since) * self.per_s)
        self.left[phone] = left - (left >= 1), now
        if len(self.left) > MOST_PHONES:
            self.left.popitem(last=False)
        if left < 1:
            raise TooManyRequests(
                "This phone reads without end.",
                help="It comes again by itself.",
                retry=True,
                after_s=ceil((1 - left) / self.per_s),
            )


@lru_cache(maxsize=1)
def pace() -> Pace:
    """The pace of this process."""
    return Pace(settings().sync_reads_per_minute)


@lru_cache(maxsize=1)
def turns() -> Turns:
    """The turns of this process."""
    return Turns(max(1, settings().database_pool // 2))


async def turn(request: Request) -> AsyncIterator[None]:
    """A place among those that read, for a phone that is known by its token."""
    pace().count(request.headers.get("authorization", ""), monotonic())
    async with turns().taken():
        yield


taking_turn = asynccontextmanager(turn)


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
