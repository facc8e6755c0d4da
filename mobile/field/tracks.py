"""The rep's own way: recorded where the company says so, in working hours, and not while the rep has paused it.

The server says with each hello when this rep works; this phone records at no other time and knows no other rule. What
is recorded waits beside the outbox for some minutes and leaves as an op like any other work.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from mobile.field.capture import op_of
from mobile.field.checkin import Fix, distance_m
from mobile.field.locking import barred
from mobile.field.ports import Position
from mobile.field.store import Store, clock, moments
from mobile.field.store.canonical import Json
from mobile.field.store.ids import uuid7
from mobile.field.store.outbox import Outbox

EVERY_S, EVERY_M = 30, 50
"""A fix follows the one before after so many seconds and metres at the earliest: a rep who stands still leaves none."""
COARSE_M = 100.0
"""A reading that is less sure says too little of the way."""
FIXES, PIECE = 120, timedelta(minutes=15)
"""A piece of the way is sent with so many fixes, or so long after its first."""
JOINED = timedelta(minutes=10)
"""Pieces further apart are lines of their own."""
LOOK_S = 15.0
SAID, PAUSED_UNTIL, READ = "tracks", "tracks_paused_until", "tracks_read"


@dataclass(frozen=True)
class Shift:
    """The rep works from one moment to another."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, moment: datetime) -> bool:
        return self.starts_at <= moment <= self.ends_at


@dataclass(frozen=True)
class Rules:
    """What the company said last."""

    keep_days: int
    shifts: tuple[Shift, ...]
    zone: tzinfo | None
    """Of the rep's days; None: that of this phone, where the server does not say."""

    def shift_of(self, day: date) -> Shift | None:
        """The shift of a day of the rep."""
        return next((one for one in self.shifts if one.starts_at.astimezone(self.zone).date() == day), None)


def heard(outbox: Outbox, said: Json | None) -> None:
    """What the company says of ways; None: it records none, and nothing is kept of what was not sent."""
    if said is None:
        if outbox.meta.get(SAID) is not None:
            outbox.fixes.let_go()
        for key in (SAID, READ):  # a pause holds until midnight, whatever the company says meanwhile
            outbox.meta.set(key, None)
    else:
        outbox.meta.set(SAID, json.dumps(said))


def rules(outbox: Outbox) -> Rules | None:
    """What the company said last; None when it records no ways."""
    return outbox.meta.read(SAID, lambda said: _rules(json.loads(said), zone_of(outbox)))


def _rules(known: Json, zone: tzinfo | None) -> Rules:
    shifts = (
        (datetime.fromisoformat(one["starts_at"]), datetime.fromisoformat(one["ends_at"])) for one in known["shifts"]
    )
    return Rules(known["keep_days"], tuple(Shift(*one) for one in shifts), zone)


def zone_of(outbox: Outbox) -> tzinfo | None:
    """The time zone of the rep's days as the company has it; None where it was not said: that of this phone."""
    named = outbox.meta.read(SAID, lambda said: json.loads(said).get("zone"))
    return clock.zone(named) if named else None


def shift_now(outbox: Outbox, now: datetime) -> Shift | None:
    """The shift in which this phone records at a moment; None when it does not, as when the office has barred it."""
    known = rules(outbox)
    if known is None or is_paused(outbox, now) or barred(outbox) is not None:
        return None
    return next((one for one in known.shifts if one.holds(now)), None)


def is_news(outbox: Outbox) -> bool:
    """Whether the rep has not seen yet that the way is recorded."""
    return outbox.meta.get(SAID) is not None and outbox.meta.get(READ) is None


def read(outbox: Outbox) -> None:
    """The rep has seen what is recorded."""
    if is_news(outbox):
        outbox.meta.set(READ, "yes")


# -- the pause


def is_paused(outbox: Outbox, now: datetime) -> bool:
    """Whether the rep wants nothing recorded at a moment."""
    until = outbox.meta.read(PAUSED_UNTIL, datetime.fromisoformat)
    return until is not None and now < until


def pause(store: Store) -> None:
    """Record nothing for the rest of the day. What was recorded before is sent, then that there is a pause: no more."""
    zone = zone_of(store.outbox)
    tomorrow = moments.now(store.outbox).astimezone(zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, datetime.min.time(), zone).astimezone(UTC)
    store.outbox.meta.set(PAUSED_UNTIL, midnight.isoformat())
    close_piece(store)
    _mark(store, "pause")


def resume(store: Store) -> None:
    """Record again."""
    store.outbox.meta.set(PAUSED_UNTIL, None)
    _mark(store, "resume")


def _mark(store: Store, kind: str) -> None:
    at = _spelled(moments.now(store.outbox))
    store.save(op_of("create", "track", uuid7(), d={"kind": kind, "at": at, "fixes": []}))


def _spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


# -- recording


def close_piece(store: Store) -> bool:
    """Make an op of the fixes that wait; says whether there were any."""
    waiting = store.outbox.fixes.all()[:FIXES]
    if not waiting:
        return False
    fixes = [one.body for one in waiting]
    d = {"kind": "way", "at": fixes[0]["at"], "fixes": fixes}
    store.save(op_of("create", "track", uuid7(), d=d), fixes_upto=waiting[-1].n)
    return True


class Trail:
    """Looks where the rep is, again and again, and keeps what tells the way, in the files that are open then."""

    def __init__(self, files: Callable[[], Store], position: Position) -> None:
        self._files, self._position = files, position
        self._last: Fix | None = None
        self._listens = False

    def look(self, now: datetime) -> bool:
        """Keep where the rep is if that may and need be kept; says whether a piece of the way is ready to be sent."""
        store = self._files()
        shift = shift_now(store.outbox, now)
        if shift is not None:
            self._listens = True
            fix = self._position.fix()
            if fix is not None and shift.holds(fix.taken_at) and self._tells(fix):
                store.outbox.fixes.add(_body(fix))
                self._last = fix
        elif self._listens:
            self._listens = False
            self._position.rest()
        return _is_due(store, now, over=shift is None) and close_piece(store)

    def _tells(self, fix: Fix) -> bool:
        """Whether a reading is sure, real, and away from the one before."""
        if fix.mock or fix.accuracy_m > COARSE_M:
            return False
        last = self._last
        if last is None:
            return True
        later = fix.taken_at - last.taken_at >= timedelta(seconds=EVERY_S)
        return later and distance_m(last.lon, last.lat, fix.lon, fix.lat) >= max(EVERY_M, fix.accuracy_m)


def _is_due(store: Store, now: datetime, *, over: bool) -> bool:
    waiting = store.outbox.fixes.all()
    if not waiting:
        return False
    return over or len(waiting) >= FIXES or now - datetime.fromisoformat(waiting[0].body["at"]) >= PIECE


def _body(fix: Fix) -> Json:
    """A reading as it travels."""
    return {
        "at": _spelled(fix.taken_at),
        "lon": round(fix.lon, 6),
        "lat": round(fix.lat, 6),
        "accuracy_m": round(fix.accuracy_m, 1),
    }


# -- what the rep sees


def fixes_of(store: Store, day: date) -> list[list[Json]]:
    """The pieces of the rep's own way on a day, by time: sent or not, and from other phones too."""
    rows = store.cache.db.execute("select opened(doc) as doc from row where e='track'").fetchall()
    docs = (json.loads(row["doc"]) for row in rows)
    pieces = [doc["fixes"] for doc in docs if doc.get("kind") == "way" and doc.get("fixes")]
    waiting = [one.body for one in store.outbox.fixes.all()]
    pieces += [waiting] if waiting else []
    zone = zone_of(store.outbox)
    mine = [piece for piece in pieces if _moment(piece[0]).astimezone(zone).date() == day]
    return sorted(mine, key=lambda piece: _moment(piece[0]))


def lines(store: Store, day: date) -> list[list[tuple[float, float]]]:
    """The same as lines of longitude and latitude; pieces that follow each other are one."""
    found: list[list[tuple[float, float]]] = []
    end: datetime | None = None
    for piece in fixes_of(store, day):
        points = [(one["lon"], one["lat"]) for one in piece]
        if end is not None and _moment(piece[0]) - end <= JOINED:
            found[-1] += points
        else:
            found.append(points)
        end = _moment(piece[-1])
    return found


def _moment(fix: Json) -> datetime:
    return datetime.fromisoformat(fix["at"])
