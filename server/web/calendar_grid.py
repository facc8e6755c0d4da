"""How a calendar is laid out: days of a view, and beside each other what happens at the same time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

type View = Literal["month", "week", "day"]
DAY_MIN = 1440
LEAST_MIN = 20
"""Shorter entries are drawn as high as this, so that their words can be read."""


@dataclass(frozen=True)
class Entry:
    """What a calendar shows: a visit, a call, a meeting, a task, or just a busy time."""

    id: UUID | None
    kind: str
    title: str
    starts_at: datetime | None
    """None: some time in the day."""
    ends_at: datetime | None
    day: date
    """The first day, for what has no time."""
    is_all_day: bool = False
    owner_id: UUID | None = None
    owner: str = ""
    state: str = "open"
    place: str = ""
    account: str = ""
    href: str = ""
    rev: int = 0
    may_move: bool = False
    repeat_at: datetime | None = None
    """Set for one repeat of a series."""
    colour: int = 1
    """1 to 8 of the categories."""


@dataclass(frozen=True)
class Block:
    """An entry's part on one day."""

    entry: Entry
    top_min: int
    length_min: int
    lane: int = 0
    lanes: int = 1


@dataclass
class Day:
    """One day of a view."""

    day: date
    is_inside: bool = True
    """In the month that is shown."""
    whole: list[Entry] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """Everything of the day: first what has no time."""
        return [*self.whole, *(block.entry for block in self.blocks)]


def span(view: View, day: date) -> tuple[date, date]:
    """The first and the last day that a view shows."""
    if view == "day":
        return day, day
    monday = day - timedelta(days=day.weekday())
    if view == "week":
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1)
    begin = first - timedelta(days=first.weekday())
    next_month = (first + timedelta(days=32)).replace(day=1)
    weeks = -(-(next_month - begin).days // 7)
    return begin, begin + timedelta(days=7 * weeks - 1)


def step(view: View, day: date, by: int) -> date:
    """The day that the view before or after this one is about."""
    if view == "day":
        return day + timedelta(days=by)
    if view == "week":
        return day + timedelta(days=7 * by)
    first = day.replace(day=1)
    return (first + timedelta(days=32)).replace(day=1) if by > 0 else (first - timedelta(days=1)).replace(day=1)


def window(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """The moments between which these days lie."""
    here = ZoneInfo(zone)
    return datetime.combine(first, time(), here), datetime.combine(last + timedelta(days=1), time(), here)


def laid_out(view: View, day: date, entries: Iterable[Entry], zone: str) -> list[Day]:
    """The days of a view with their entries; what lasts over midnight stands on each of its days."""
    first, last = span(view, day)
    days = [Day(first + timedelta(days=n), view != "month" or (first + timedelta(days=n)).month == day.month)
            for n in range((last - first).days + 1)]  # fmt: skip
    by_day = {one.day: one for one in days}
    here = ZoneInfo(zone)
    for entry in entries:
        for one, block in _parts(entry, here, first, last):
            if block is None:
                by_day[one].whole.append(entry)
            else:
                by_day[one].blocks.append(block)
    for shown in days:
        shown.blocks = in_lanes(shown.blocks)
    return days


def _parts(entry: Entry, zone: ZoneInfo, first: date, last: date) -> list[tuple[date, Block | None]]:
    if entry.starts_at is None:
        return [(entry.day, None)] if first <= entry.day <= last else []
    begin = entry.starts_at.astimezone(zone)
    end = max((entry.ends_at or entry.starts_at).astimezone(zone), begin)
    final = (end - timedelta(seconds=1)).date() if end > begin else end.date()
    parts: list[tuple[date, Block | None]] = []
    one = max(begin.date(), first)
    while one <= min(final, last):
        if entry.is_all_day or (end - begin) >= timedelta(days=1):
            parts.append((one, None))
        else:
            top = _minutes(begin) if one == begin.date() else 0
            bottom = _minutes(end) if one == end.date() else DAY_MIN
            parts.append((one, Block(entry, min(top, DAY_MIN - LEAST_MIN), max(bottom - top, LEAST_MIN))))
        one += timedelta(days=1)
    return parts


def _minutes(at: datetime) -> int:
    return at.hour * 60 + at.minute


def in_lanes(blocks: Sequence[Block]) -> list[Block]:
    """Blocks that overlap stand beside each other; each group shares the width evenly."""
    done: list[Block] = []
    group: list[tuple[Block, int]] = []
    ends: list[int] = []

    def close() -> None:
        done.extend(Block(one.entry, one.top_min, one.length_min, lane, len(ends)) for one, lane in group)

    for block in sorted(blocks, key=lambda one: (one.top_min, -one.length_min, str(one.entry.id))):
        if group and block.top_min >= max(ends):
            close()
            group, ends = [], []
        lane = next((n for n, end in enumerate(ends) if end <= block.top_min), len(ends))
        if lane == len(ends):
            ends.append(0)
        ends[lane] = block.top_min + block.length_min
        group.append((block, lane))
    close()
    return done
