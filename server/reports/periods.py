"""Weeks, months, quarters, years, and spans of somebody's choice. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from server.kit.errors import Invalid

FIRST_YEAR, LAST_YEAR = 1900, 2199
LONGEST_DAYS = 731


class Span(StrEnum):
    """The lengths of a period."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Against(StrEnum):
    """What a period is compared with."""

    BEFORE = "before"
    """The one just before it."""
    YEAR = "year"
    """The same one a year ago."""


_MONTHS = {Span.MONTH: 1, Span.QUARTER: 3, Span.YEAR: 12}


@dataclass(frozen=True, order=True)
class Period:
    """Some days, both ends included."""

    first: date
    last: date
    span: Span | None = None
    """None: days of somebody's choice."""

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def name(self) -> str:
        """`2026 W48`, `2026-11`, `2026 Q4`, `2026`, or both days: for files, in their order."""
        if self.span is Span.WEEK:
            year, week, _ = self.first.isocalendar()
            return f"{year} W{week:02}"
        if self.span is Span.MONTH:
            return f"{self.first:%Y-%m}"
        if self.span is Span.QUARTER:
            return f"{self.first.year} Q{(self.first.month + 2) // 3}"
        return f"{self.first.year}" if self.span is Span.YEAR else f"{self.first} – {self.last}"

    def shifted(self, by: int) -> "Period":
        """The period so many before or after this one."""
        if self.span in _MONTHS:
            return _around(_moved(self.first, by * _MONTHS[self.span]), self.span)
        days = timedelta(days=by * self.days)
        return Period(self.first + days, self.last + days, self.span)

    def up_to(self, last: date) -> "Period":
        """Its days up to one of them; the whole period when that is its last, or when none of it has passed."""
        return Period(self.first, last) if self.first <= last < self.last else self

    def compared(self, against: Against) -> "Period":
        """The period that this one is held against."""
        if against is Against.BEFORE:
            return self.shifted(-1)
        if self.span is Span.WEEK:
            return self.shifted(-52)
        if self.span is None:
            return Period(_moved(self.first, -12), _moved(self.last, -12))
        return _around(_moved(self.first, -12), self.span)


class Spanned(Protocol):
    """A period of a report or of a forecast."""

    @property
    def first(self) -> date:
        """Its first day."""

    @property
    def last(self) -> date:
        """Its last day."""

    @property
    def span(self) -> str | None:
        """`week`, `month`, `quarter`, `year`; None: days of somebody's choice."""


MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
}


def spelled(period: Spanned, language: str) -> str:
    """A period as people say: `November 2026`, `Week 48, 2026`, `Q4 2026`, `2026`, or both days: `1–29 October 2026`.

    `language` is a key of `MONTHS`.
    """
    first, months = period.first, MONTHS[language]
    match period.span:
        case Span.WEEK:
            year, week, _ = first.isocalendar()
            return f"KW {week}, {year}" if language == "de" else f"Week {week}, {year}"
        case Span.MONTH:
            return f"{months[first.month - 1]} {first.year}"
        case Span.QUARTER:
            return f"Q{(first.month + 2) // 3} {first.year}"
        case Span.YEAR:
            return f"{first.year}"
    if first < period.last and (first.year, first.month) == (period.last.year, period.last.month):
        return f"{first.day}{'.' if language == 'de' else ''}–{spelled_day(period.last, language)}"
    return f"{spelled_day(first, language)} – {spelled_day(period.last, language)}"


def spelled_day(day: date, language: str) -> str:
    """`26 November 2026`, `26. November 2026`."""
    return f"{day.day}{'.' if language == 'de' else ''} {MONTHS[language][day.month - 1]} {day.year}"


def around(day: date, span: Span) -> Period:
    """The period in which a day lies; weeks begin on Monday. Refuses days of which nobody has a report."""
    _need_known(day)
    return _around(day, span)


def _around(day: date, span: Span) -> Period:
    if span is Span.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6), span)
    months = _MONTHS[span]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(first, _moved(first, months) - timedelta(days=1), span)


def chosen(first: date, last: date) -> Period:
    """Days of somebody's choice. Refuses an end before the beginning, and more than two years."""
    if last < first:
        raise Invalid("The last day lies before the first.", help="Exchange them.", field="last")
    if (last - first).days >= LONGEST_DAYS:
        raise Invalid("A report spans two years at most.", help="Choose fewer days.", field="last")
    _need_known(first)
    _need_known(last)
    return Period(first, last)


def _need_known(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(
            f"There are no reports of {day.year}.", help=f"Choose a day from {FIRST_YEAR} to {LAST_YEAR}.", field="day"
        )


def _moved(day: date, months: int) -> date:
    """The same day of another month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))
