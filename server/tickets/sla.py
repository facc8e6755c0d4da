"""The clock of a ticket: working time between two moments, and the moment at which some of it is used up. Pure.

A moment is working time when the wall clock of the queue's zone shows a time within the opening hours of that day.
Days off have hours of their own, none as a rule. On the days when the clocks change this means: an hour that the wall
clock skips is no working time, one that it shows twice counts twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

type Spans = tuple[tuple[int, int], ...]
"""Minutes after midnight, sorted; past midnight goes on to at most 48 * 60."""

DAY = timedelta(days=1)
LOOKS_AHEAD = timedelta(days=400)
"""What is not used up by then never will be."""


def _never(_day: date) -> bool:
    return False


@dataclass(frozen=True)
class Hours:
    """When somebody works on tickets."""

    week: tuple[Spans, ...]
    """Monday to Sunday."""
    zone: str
    """IANA time zone of these hours."""
    is_off: Callable[[date], bool] = _never
    """Whether a day is a holiday."""
    on_days_off: Spans = ()
    """The hours of a holiday."""

    def of(self, day: date) -> Spans:
        """The spans that begin on a day."""
        return self.on_days_off if self.is_off(day) else self.week[day.weekday()]


def worked(hours: Hours, start: datetime, end: datetime) -> timedelta:
    """The working time between two moments; nothing when the end does not lie after the start."""
    return sum((till - since for since, till in open_spans(hours, start, end)), timedelta())


def due(hours: Hours, start: datetime, work: timedelta) -> datetime | None:
    """The moment at which this much working time since the start is used up; None when there never is so much.

    With no work left it is the start itself.
    """
    if work <= timedelta():
        return start
    left, at = work, start
    while at < start + LOOKS_AHEAD:
        until = at + 7 * DAY
        for since, till in open_spans(hours, at, until):
            if till - since >= left:
                return since + left
            left -= till - since
        at = until
    return None


def open_spans(hours: Hours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of working time between two moments, in order, in UTC; none overlaps another."""
    for since, till, offset in steady(start, end, ZoneInfo(hours.zone)):
        first, last = (since + offset).replace(tzinfo=None), (till + offset).replace(tzinfo=None)
        reached = first
        for opens, closes in _local_spans(hours, first.date() - DAY, last.date()):
            opens, closes = max(opens, reached), min(closes, last)
            if opens < closes:
                yield opens.replace(tzinfo=UTC) - offset, closes.replace(tzinfo=UTC) - offset
                reached = closes


def _local_spans(hours: Hours, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    day, waiting = first, list[tuple[datetime, datetime]]()
    while day <= last:
        midnight = datetime.combine(day, time())
        waiting += [(midnight + timedelta(minutes=a), midnight + timedelta(minutes=b)) for a, b in hours.of(day)]
        waiting.sort()
        while waiting and waiting[0][0] < midnight + DAY:
            yield waiting.pop(0)
        day += DAY
    yield from waiting


def steady(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time between two moments in pieces in which the zone's clock runs evenly, each with its offset from UTC."""
    since = at = start.astimezone(UTC)
    end = end.astimezone(UTC)
    while at < end:
        until = min(at + DAY, end)
        if _offset(at, zone) == _offset(until, zone):
            at = until
            continue
        change = _change(at, until, zone)
        yield since, change, _offset(at, zone)
        since = at = change
    if since < end:
        yield since, end, _offset(since, zone)


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first moment of the new offset; clocks change on whole minutes."""
    before = _offset(low, zone)
    low, high = low.replace(second=0, microsecond=0), high.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while high - low > timedelta(minutes=1):
        middle = low + ((high - low) // 2 // timedelta(minutes=1)) * timedelta(minutes=1)
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
