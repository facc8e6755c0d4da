"""The only place that asks what time it is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present moment, timezone-aware in UTC."""
    return datetime.now(UTC)


def today(zone: str) -> date:
    """The date of the present moment in an IANA time zone."""
    return day_of(now(), zone)


def day_of(moment: datetime, zone: str) -> date:
    """The date of an aware moment in an IANA time zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def spelled(moment: datetime) -> str:
    """An instant as messages to phones have it: UTC with milliseconds, `2026-03-31T07:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
