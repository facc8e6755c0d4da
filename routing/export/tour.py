"""What is exported together: the planned days of one rep, one or several, with what was taken out of the calendar."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from routing.export.types import DaySheet, MapFeature


@dataclass(frozen=True, order=True)
class Span:
    """Some days in a row; written `2026-11-24` or `2026-11-23--2026-11-27`, as in names of folders and addresses."""

    first: date
    """The first day."""
    last: date
    """The last day."""

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.last - self.first <= timedelta(days=31):
            raise ValueError(f"{self.first} to {self.last} is not a span of at most a month")

    @classmethod
    def of(cls, first: date, days: int = 1) -> "Span":
        """A span by its first day and its length."""
        return cls(first, first + timedelta(days=days - 1))

    @classmethod
    def parse(cls, text: str) -> "Span":
        """A span as `str` writes it.

        Raises
        ------
        ValueError
            When the text is none.
        """
        first, _, last = text.partition("--")
        span = cls(date.fromisoformat(first), date.fromisoformat(last or first))
        if str(span) != text:
            raise ValueError(f"{text} is not how a span is written")
        return span

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}--{self.last}"

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=offset) for offset in range(self.count))

    @property
    def count(self) -> int:
        """Days in it."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Withdrawn:
    """A visit that an earlier file brought into a calendar and that does not take place any more."""

    visit_id: str
    """The one under which the calendar knows it."""
    account: str
    """Name of the account."""
    zone: str
    """IANA zone of the rep's day."""
    starts_at: datetime
    """When it would have started, timezone-aware."""
    ends_at: datetime
    """When it would have ended."""
    sequence: int = 0
    """How often the visit was changed."""


@dataclass(frozen=True)
class Tour:
    """The planned days of one rep that one set of files covers."""

    span: Span
    """The days asked for; some may have no route."""
    days: tuple[DaySheet, ...]
    """Those with a route, in order."""
    withdrawn: tuple[Withdrawn, ...] = ()
    """What calendars should take out."""
    attribution: tuple[str, ...] = ()
    """One line per data source, printed on every file."""
    background: tuple[MapFeature, ...] = ()
    """The base map around all routes; may be empty."""

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError("a tour without a day")
        if len({day.login for day in self.days}) > 1:
            raise ValueError("a tour of several reps")
        if [day.day for day in self.days] != sorted({day.day for day in self.days} & set(self.span)):
            raise ValueError("the days of a tour are not in order, or not in its span")

    @property
    def company(self) -> str:
        """Name of the company."""
        return self.days[0].company

    @property
    def rep(self) -> str:
        """Name of the rep."""
        return self.days[0].rep

    @property
    def login(self) -> str:
        """The rep's sign-in name."""
        return self.days[0].login

    @property
    def is_day(self) -> bool:
        """Whether it was asked for one day only."""
        return self.span.count == 1

    @property
    def estimated(self) -> bool:
        """Whether any drive is a straight-line estimate."""
        return any(day.estimated for day in self.days)

    @property
    def file_stem(self) -> str:
        """Common beginning of the names of the files."""
        login = "".join(c if c.isalnum() and c.isascii() else "-" for c in self.login.lower()).strip("-")
        return f"{self.span}-{login or 'rep'}"

    @cached_property
    def mark(self) -> str:
        """Eight characters that change with anything the files say; tells two printouts apart without a clock."""
        return hashlib.sha256("\x1f".join(_plain(self)).encode()).hexdigest()[:8]


def _plain(value: object) -> Iterator[str]:
    """Everything that a tour says, but not the map under it nor its source, independent of how times are stored."""
    if is_dataclass(value):
        for field in fields(value):
            if field.name not in ("background", "source"):
                yield from _plain(getattr(value, field.name))
    elif isinstance(value, tuple):
        yield str(len(value))
        for part in value:
            yield from _plain(part)
    elif isinstance(value, datetime):
        yield value.astimezone(UTC).isoformat()
    else:
        yield str(value)
