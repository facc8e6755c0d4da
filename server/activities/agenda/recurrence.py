"""Repeats: RFC 5545 rules laid out in the clocks of the place where they were agreed. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from server.kit.errors import Invalid

MOST_IN_WINDOW = 1000
"""Repeats shown of one series in one view: a rule of every second does not stop the calendar."""
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = re.compile(r"[A-Z-]+=[A-Z0-9,:+-]+(;[A-Z-]+=[A-Z0-9,:+-]+)*")
COUNTED = re.compile("0*[1-9][0-9]{0,3}")
HELP = "For example: FREQ=WEEKLY;BYDAY=MO,TH or FREQ=MONTHLY;BYMONTHDAY=1;COUNT=12."


def checked_rule(text: str, *, field: str = "rrule") -> str:
    """A rule as it is stored. Refuses what RFC 5545 does not know and what repeats more often than daily."""
    found = text.strip().upper().removeprefix("RRULE:").strip(";")
    parts = dict(part.partition("=")[::2] for part in found.split(";"))
    counts = all(COUNTED.fullmatch(parts.get(name, "1")) for name in ("COUNT", "INTERVAL"))
    if not PARTS.fullmatch(found) or len(found) > 500 or not counts:
        raise Invalid(f"“{text[:80]}” is no rule of repeats.", help=HELP, field=field)
    if parts.get("FREQ") not in FREQUENCIES or {"BYHOUR", "BYMINUTE", "BYSECOND"} & parts.keys():
        raise Invalid("It repeats daily, weekly, monthly or yearly, not more often.", help=HELP, field=field)
    try:
        next(iter(rule_of(found, datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None), ZoneInfo("UTC"))), None)
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"“{text[:80]}” is no rule of repeats: {error}.", help=HELP, field=field) from error
    return found


def rule_of(text: str, starts: datetime, zone: ZoneInfo) -> rrule:
    """The rule in naive local time, so that ten o'clock stays ten o'clock when the clocks change."""
    parts = []
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name == "UNTIL":
            value = _local_until(value, zone)
        parts.append(f"{name}={value}")
    made = rrulestr(";".join(parts), dtstart=starts)
    assert isinstance(made, rrule)
    return made


def _local_until(value: str, zone: ZoneInfo) -> str:
    """The end of a rule in local time: a day counts whole, a moment in UTC is converted."""
    if "T" not in value:
        return f"{value}T235959"
    if value.endswith("Z"):
        at = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return at.astimezone(zone).strftime("%Y%m%dT%H%M%S")
    return value


def starts(text: str, first: datetime, zone: str) -> Iterator[datetime]:
    """Every start of a series, in UTC, the first one (which always takes place) included."""
    here = ZoneInfo(zone)
    begin = first.astimezone(here).replace(tzinfo=None)
    began = False
    for local in rule_of(text, begin, here):
        if not began and local != begin:
            yield first
        began = True
        yield _moment(local, here)
    if not began:
        yield first


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    """A wall clock's time as a moment; one that the clocks leap over comes as late as before the leap."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def midnight(at: datetime, zone: str) -> datetime:
    """The moment at which its day begins in a zone."""
    return _moment(_on_the_wall(at, zone).replace(hour=0, minute=0, second=0), ZoneInfo(zone))


def moved(at: datetime, was: tuple[datetime, str], now: tuple[datetime, str], rule: str | None = None) -> datetime:
    """A repeat's moment after its series got another start or zone: moved by as much on the wall's clock, so that ten
    o'clock stays ten o'clock when the clocks change in between. Where the rule itself names the days, these stay, and
    only the hour moves.
    """
    before, after = _on_the_wall(*was), _on_the_wall(*now)
    local = _on_the_wall(at, was[1])
    both = [_moment(one, ZoneInfo(now[1])) for one in (local + (after - before), datetime.combine(local, after.time()))]
    a_second = timedelta(seconds=1)
    takes_place = (one for one in both if rule and within(rule, *now, (one, one + a_second)))
    return next(takes_place, both[0])


def _on_the_wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def within(
    text: str,
    first: datetime,
    zone: str,
    window: tuple[datetime, datetime],
    *,
    lasts: timedelta = timedelta(),
    without: Iterable[datetime] = (),
) -> list[datetime]:
    """The starts of the repeats that touch a window."""
    here = ZoneInfo(zone)
    begin = first.astimezone(here).replace(tzinfo=None)
    made, left_out = rule_of(text, begin, here), set(without)
    since = (window[0] - lasts).astimezone(here).replace(tzinfo=None) - timedelta(hours=2)
    until = window[1].astimezone(here).replace(tzinfo=None) + timedelta(hours=2)
    found = []
    for local in islice(made.xafter(since, inc=True), MOST_IN_WINDOW):
        if local > until:
            break
        found.append(_moment(local, here))
    moments = sorted({first, *found})
    return [at for at in moments if at not in left_out and at < window[1] and at + lasts >= window[0]]


def last_end(text: str, first: datetime, zone: str, lasts: timedelta) -> datetime | None:
    """When the last repeat ends; None for a series without an end."""
    if "COUNT=" not in text and "UNTIL=" not in text:
        return None
    last = first
    for at in islice(starts(text, first, zone), 20_000):
        last = at
    return last + lasts
