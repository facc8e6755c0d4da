"""The only place on the phone that asks what time it is, and which start of the machine this is."""

import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_PROCESS_BOOT = str(uuid.uuid4())


def now() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


def wall() -> str:
    """The wall time of this phone with its offset, as it is sent along with every op."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def mono_ms() -> int:
    """Milliseconds that never run backwards during one start of the machine."""
    return time.monotonic_ns() // 1_000_000


def up_ms() -> int:
    """Milliseconds since the present start of the machine; where the system tells it, those that it slept count too."""
    counter = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(counter) // 1_000_000


def boot_id() -> str:
    """Names the present start of the machine, so that monotonic times can be compared."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _PROCESS_BOOT


def zone(name: str | None) -> ZoneInfo:
    """The IANA zone of that name; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_zone_name() -> str:
    """The IANA name of the phone's zone where the system tells it, else UTC."""
    try:
        target = str(Path("/etc/localtime").resolve())
    except OSError:
        return "UTC"
    return target.partition("zoneinfo/")[2] or "UTC"
