"""The rep's own week: visits, meetings, calls and tasks by day, in the order of their time."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mobile.field import records, restday
from mobile.field.reads import FINISHED, Stop, instant
from mobile.field.rows import docs
from mobile.field.store import Store, clock
from mobile.field.store.cache import DELETED
from mobile.field.store.canonical import Json

DAYS = 7


@dataclass(frozen=True)
class Entry:
    """One thing in the calendar."""

    kind: str
    """visit, meeting, call or task."""
    id: str
    account_id: str | None
    title: str
    """What it is about; empty when only somebody's time is known."""
    account: str
    starts_at: datetime | None
    """None: some time of that day."""
    ends_at: datetime | None
    all_day: bool
    state: str
    waits: bool
    """Saved on this phone and not on the server yet."""
    is_out: bool = False
    """A visit that has no place any more in the order that was taken on this phone."""
    repeats: bool = False

    @property
    def open(self) -> bool:
        """Whether it still lies before the rep."""
        return self.state not in FINISHED

    def is_late(self, day: date, today: date, now: datetime) -> bool:
        """Whether its time is over, and it still is to be done; a meeting that is over and what repeats is not."""
        if not self.open or not self.title or self.repeats or self.kind == "meeting":
            return False
        ends = self.ends_at or self.starts_at
        return day < today or (ends is not None and not self.all_day and ends < now)


@dataclass(frozen=True)
class Weekday:
    """A day and what is in it."""

    day: date
    entries: tuple[Entry, ...]


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week(store: Store, user_id: str, monday: date, zone: ZoneInfo) -> list[Weekday]:
    """Seven days from a Monday on, empty ones too; in a zone, the rep's."""
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    found: dict[date, list[Entry]] = {day: [] for day in days}
    taken = restday.taken_on(store)
    stops = restday.day_as_taken(store, user_id, taken).stops if taken is not None and taken in found else ()
    seen = {stop.visit_id: stop for stop in stops}
    for doc in docs(store, "visit"):
        day = date.fromisoformat(doc["day"]) if doc.get("day") else None
        if day in found and doc.get("rep_id") in (user_id, None):
            found[day].append(_visit(store, doc, seen.get(doc["id"])))
    for doc in docs(store, "activity"):
        if user_id != doc.get("owner_id", user_id) and user_id not in (doc.get("participant_ids") or ()):
            continue
        entry = _activity(store, doc)
        for day in _days_of(doc, entry, zone):
            if day in found:
                found[day].append(entry)
    return [Weekday(day, tuple(sorted(entries, key=_place))) for day, entries in found.items()]


def entry_of(store: Store, activity_id: str) -> Entry | None:
    """One activity; None when this phone does not hold it."""
    doc = store.cache.doc("activity", activity_id)
    return None if doc is None else _activity(store, doc)


def _place(entry: Entry) -> tuple[bool, float, str]:
    """What has no time of its own comes first."""
    begins = entry.starts_at.timestamp() if entry.starts_at else 0.0
    return entry.starts_at is not None and not entry.all_day, begins, entry.title


def _days_of(doc: Json, entry: Entry, zone: ZoneInfo) -> list[date]:
    """The days on which it stands in the calendar: from its begin to its end, or the day it is due."""
    if entry.starts_at is None:
        return [date.fromisoformat(doc["due_on"])] if doc.get("due_on") else []
    where = clock.zone(doc["zone"]) if entry.all_day and doc.get("zone") else zone
    first = entry.starts_at.astimezone(where).date()
    ends = entry.ends_at or entry.starts_at
    last = (ends - timedelta(microseconds=1 if ends > entry.starts_at else 0)).astimezone(where).date()
    return [first + timedelta(days=n) for n in range(min((last - first).days, 31) + 1)]


def _visit(store: Store, doc: Json, stop: Stop | None = None) -> Entry:
    """A visit of the calendar; with its time in the order that was taken on this phone, where it has a place in one."""
    account = store.cache.doc("account", doc["account_id"]) or store.cache.doc(DELETED, doc["account_id"]) or {}
    entry = Entry(
        kind="visit",
        id=doc["id"],
        account_id=doc["account_id"],
        title=str(account.get("name") or ""),
        account="",
        starts_at=instant(doc.get("done_at") or doc.get("planned_start_at") or doc.get("checked_in_at")),
        ends_at=instant(doc.get("planned_end_at")),
        all_day=False,
        state=str(doc.get("state") or "planned"),
        waits=False,
    )
    if stop is None or not stop.open or not stop.place:
        return entry
    return replace(entry, starts_at=stop.starts_at, ends_at=stop.ends_at, is_out=stop.is_out)


def _activity(store: Store, doc: Json) -> Entry:
    task = records.task_of(store, doc)
    return Entry(
        kind=task.kind,
        id=task.id,
        account_id=task.account_id,
        title=task.subject or "",
        account=task.account,
        starts_at=instant(task.starts_at),
        ends_at=instant(task.ends_at),
        all_day=bool(doc.get("is_all_day")),
        state=task.state,
        waits=task.waits,
        repeats=task.repeats,
    )
