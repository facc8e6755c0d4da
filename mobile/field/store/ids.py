"""Identifiers: UUIDv7 of our own, because Python before 3.14 has none."""

import secrets
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def uuid7(now_ms: int | None = None) -> str:
    """A time-ordered identifier; later calls in this process sort after earlier ones.

    60 bits of time and counter (48 of milliseconds, 12 of a counter), 62 bits of chance.
    """
    global _last
    ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    with _lock:
        _last = max(_last + 1, ms << 12)
        stamp = _last
    high = (stamp >> 12) << 16 | 0x7000 | (stamp & 0xFFF)
    low = 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=high << 64 | low))
