"""How times, durations, distances and places are written, in all files alike."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from routing.export.tour import Tour
from routing.export.types import DaySheet, DayStop
from routing.roads.types import Leg

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = "January February March April May June July August September October November December".split()
APPOINTMENTS: Mapping[str, str] = {
    "fixed": "fixed appointment",
    "flexible_day": "appointment, flexible in the day",
    "flexible_week": "appointment, flexible in the week",
}


def day(value: date) -> str:
    """`Tuesday 24 November 2026`, independent of the machine's locale."""
    return f"{_WEEKDAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]} {value.year}"


def local(zone: str, moment: datetime) -> datetime:
    """A moment on the clocks of a time zone."""
    return moment.astimezone(ZoneInfo(zone))


def clock(sheet: DaySheet, time: datetime) -> str:
    """`10:40` on the rep's clock; `+1` marks the next day."""
    local = sheet.local(time)
    later = (local.date() - sheet.day).days
    return f"{local:%H:%M}" + (f" {later:+d}" if later else "")


def duration(seconds: float) -> str:
    """`2 h 15 min`, `40 min`."""
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def distance(metres: float) -> str:
    """`850 m`, `1.4 km`, `138 km`."""
    if metres < 950:
        return f"{round(metres / 10) * 10} m"
    return f"{metres / 1000:.1f} km" if metres < 99_950 else f"{metres / 1000:.0f} km"


def drive(leg: Leg) -> str:
    """`12 min, 8.4 km`, with a word when it is a guess."""
    return f"{duration(leg.seconds)}, {distance(leg.metres)}" + (" (estimated)" if leg.estimated else "")


def rest(sheet: DaySheet) -> tuple[str, str]:
    """When the break starts, and how long it is; empty texts without one."""
    if sheet.rest is None:
        return "", ""
    return clock(sheet, sheet.rest.starts_at), f"Break {duration(sheet.rest.seconds)}"


def stop_name(stop: DayStop) -> str:
    """The account with its site, where the site has a name of its own."""
    return f"{stop.account} – {stop.site}" if stop.site and stop.site != stop.account else stop.account


def period(tour: Tour) -> str:
    """The days in words: `Tuesday 24 November 2026`, `Monday 23 – Friday 27 November 2026`."""
    first, last = tour.span.first, tour.span.last
    if first == last:
        return day(first)
    named = f"{_WEEKDAYS[first.weekday()]} {first.day}"
    if (first.year, first.month) != (last.year, last.month):
        named += f" {_MONTHS[first.month - 1]}" + (f" {first.year}" if first.year != last.year else "")
    return f"{named} – {day(last)}"


def summary(*sheets: DaySheet) -> str:
    """The day, or some days, in one line."""
    count = sum(len(sheet.stops) for sheet in sheets)
    stops = f"{count} stop" + ("" if count == 1 else "s")
    days = f" on {len(sheets)} days" if len(sheets) > 1 else ""
    total = duration(sum((sheet.returns_at - sheet.leaves_at).total_seconds() for sheet in sheets))
    metres = sum(sheet.metres for sheet in sheets)
    partly = ", partly estimated" if any(sheet.estimated for sheet in sheets) else ""
    return f"{stops}{days}, {total}, {distance(metres)}{partly}"


def printable(text: str) -> str:
    """The text without control characters, which neither XML nor a printed page knows."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)
