"""What time it is for the rep: by the server's clock where it told it, else by this phone's.

A phone whose clock is wrong shows the right day and records in the right hours all the same. What is sent carries the
phone's own clocks: the server knows how wrong they were.
"""

import json
from datetime import datetime, timedelta

from mobile.field.store import clock
from mobile.field.store.outbox import Outbox

TOLD = "server_clock"


def heard(outbox: Outbox, server_time: str) -> None:
    """What the server's clock said, and what those of this phone say at the same moment."""
    now = clock.now()
    ahead_ms = (datetime.fromisoformat(server_time) - now) // timedelta(milliseconds=1)
    told = {"ahead_ms": ahead_ms, "at": now.isoformat(), "mono_ms": clock.mono_ms(), "boot": clock.boot_id()}
    outbox.meta.set(TOLD, json.dumps(told))


def ahead(outbox: Outbox) -> timedelta:
    """How far the server's clock is ahead of this phone's now; nothing where it was never told.

    A clock that was set back since then is seen by the one that never runs backwards. One that was set forward looks as
    if the phone had slept, until the server is heard again.
    """
    return outbox.meta.read(TOLD, lambda told: _ahead(**json.loads(told))) or timedelta()


def _ahead(ahead_ms: int, at: str, mono_ms: int, boot: str) -> timedelta:
    found = timedelta(milliseconds=ahead_ms)
    if boot == clock.boot_id():
        passed = timedelta(milliseconds=clock.mono_ms() - mono_ms)
        found += max(timedelta(), passed - (clock.now() - datetime.fromisoformat(at)))
    return found


def now(outbox: Outbox) -> datetime:
    """The present instant in UTC."""
    return clock.now() + ahead(outbox)
