"""Days relative to today, counted by the calendar."""

import calendar
from datetime import date, timedelta

from server.kit.filtering.nodes import FilterError, Moment, Period, Span, Unit

MONTHS: dict[Unit, int] = {"months": 1, "quarters": 3, "years": 12}


def shifted(day: date, amount: int, unit: Unit, position: int = 0) -> date:
    """A day moved by some units (the 31st becomes the month's last day)."""
    try:
        if unit not in MONTHS:
            return day + timedelta(days=amount * (7 if unit == "weeks" else 1))
        months = day.year * 12 + day.month - 1 + amount * MONTHS[unit]
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError) as error:
        raise FilterError("that date is out of range", position) from error


def start_of(day: date, unit: Unit) -> date:
    """The first day of the unit that a day lies in; weeks begin on Monday."""
    match unit:
        case "weeks":
            return day - timedelta(days=day.weekday())
        case "months":
            return day.replace(day=1)
        case "quarters":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "years":
            return day.replace(month=1, day=1)
    return day


def day_of(moment: Moment, today: date, position: int = 0) -> date:
    """The day that a moment means."""
    day = today
    if moment.anchor != "today":
        day = start_of(today, moment.of)
    if moment.anchor == "end of":
        day = shifted(shifted(day, 1, moment.of, position), -1, "days", position)
    return shifted(day, moment.amount, moment.unit, position)


def days_of(period: Period, today: date, position: int = 0) -> tuple[date, date]:
    """The first and the last day of a period.

    `last 7 days` are the seven days before today, `next 7 days` the seven after it; `last 2 months` are the two
    calendar months before this one.
    """
    here = start_of(today, period.unit)
    if period.which == "this":
        return here, shifted(shifted(here, 1, period.unit, position), -1, "days", position)
    if period.which == "last":
        return shifted(here, -period.amount, period.unit, position), shifted(here, -1, "days", position)
    first = shifted(here, 1, period.unit, position)
    return first, shifted(shifted(first, period.amount, period.unit, position), -1, "days", position)


def days_over(over: Span | Period, today: date, position: int = 0) -> tuple[date, date]:
    """The first and last day that an aggregate counts: a span ends today."""
    if isinstance(over, Period):
        return days_of(over, today, position)
    return shifted(today, -over.amount, over.unit, position), today
