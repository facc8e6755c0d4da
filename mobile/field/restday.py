"""The rest of a rep's day on this phone: what lies ahead, a proposal with its differences, the order that was taken.

The server has no place for a day that a rep has re-ordered: the order is kept here, beside the cache, and holds until
the office publishes the day anew. Drives that the plan knows are the road's; others are straight lines, made longer as
the day's own legs say.
"""

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from mobile.field import hours, leftout, reads, replan
from mobile.field.checkin import Fix
from mobile.field.store import Store, clock, moments
from mobile.field.store.canonical import Json

SERVICE_S = 1_800
WORTH_S = {"A": 4 * 3600, "B": 3 * 3600, "C": 2 * 3600}
LATER_S = 1_800
"""How long after the planned return one may be back where the server does not tell the end of the shift."""
BREAK_MOVES_S = 3_600
NOTICED_S = 300
"""A change of time that a customer would notice."""
ROAD_PER_STRAIGHT = 1.35
EARTH_M = 6_371_000
KEY = "rest_of_day"

type Point = tuple[float, float]


@dataclass(frozen=True)
class RestOfDay:
    """What lies ahead: the problem, the present order, and the times that people know."""

    day: reads.Day
    route_id: str
    midnight: datetime
    ahead: replan.Ahead
    known: tuple[str, ...]
    unplaced: tuple[str, ...]
    """Stops without a place on the map; they stay as they are."""
    shown: dict[str, reads.Stop]
    """The stops as this phone shows them now: in the office's order, or in one that was taken before."""
    points: tuple[Point, ...]
    """Where one stands, where the day ends, and the doors, as the drive times count them."""
    closes_at: datetime
    """When one has to be back, also where that is past."""
    is_over: bool
    """Whether that is past: nobody can be visited any more."""

    @property
    def home_s(self) -> int:
        """Seconds of driving from where one stands to where the day ends."""
        return replan.driven(self.ahead, ())

    def with_call(self, site: Json, key: str, service_s: int) -> tuple[replan.Ahead, replan.Call]:
        """The same rest with the drives to one more place, and the call there; nothing is placed yet."""
        points = [*self.points, _at(site)]
        windows = hours.open_spans(site.get("opening_hours"), self.midnight.weekday())
        call = replan.Call(key, len(points) - 1, service_s, windows, WORTH_S["A"])
        return replace(self.ahead, seconds=drives(points, _factor(self.day))), call


@dataclass(frozen=True)
class Change:
    """One stop before and after."""

    stop: reads.Stop
    before: datetime | None
    after: datetime | None
    """None: it no longer fits into the day."""
    drive_s: int = 0
    why: str = ""
    """Why it does not fit, as `leftout.why` says it."""
    kept: reads.Stop | None = None
    """Whose appointment keeps it out."""
    windows: replan.Windows = ()
    """When one can be there that day, in seconds of the day."""

    @property
    def kind(self) -> str:
        if self.after is None:
            return "out"
        if self.stop.is_out:
            return "back"
        moved = (self.after - self.before).total_seconds() if self.before else NOTICED_S
        return "same" if abs(moved) < NOTICED_S else "later" if moved > 0 else "earlier"


@dataclass(frozen=True)
class Proposal:
    """A new rest of the day, to be looked at before it is taken."""

    rest: RestOfDay
    answer: replan.Answer
    changes: tuple[Change, ...]
    returns_at: datetime
    drive_before_s: int
    """Driving in the present order from here, by the same estimates."""

    @property
    def rest_at(self) -> tuple[datetime, ...]:
        """When the break begins and ends; empty where none is owed."""
        return tuple(self.rest.midnight + timedelta(seconds=s) for s in self.answer.rests_s)

    @property
    def missed(self) -> tuple[str, ...]:
        """Whom the rep has not met today."""
        return tuple(s.name for s in self.rest.day.stops if s.state in reads.PASSED)

    @property
    def behind_s(self) -> int:
        """How long after its planned begin the next visit can begin at the soonest; 0 while the day is in time."""
        coming = next((s for s in map(self.rest.shown.get, self.rest.known) if s is not None and s.starts_at), None)
        if coming is None or coming.starts_at is None:
            return 0
        return max(0, self.rest.ahead.open_s - _seconds(coming.starts_at, self.rest.midnight))


def ahead_of(store: Store, user_id: str, day: date, fix: Fix | None = None) -> RestOfDay | None:
    """What is left of a day; None when nothing is."""
    seen = reads.day(store, user_id, day)
    stops = [s for s in seen.stops if s.open and s.state == "planned"]
    placed = [s for s in stops if s.lon is not None and s.lat is not None]
    route = _route(store, user_id, day)
    if not placed or not route or not seen.start:
        return None
    midnight = datetime.combine(day, datetime.min.time(), clock.zone(seen.zone))
    place, free_s = _standing(store, seen, midnight, fix)
    closes_at = _closes(route, seen, midnight)
    now = day_as_taken(store, user_id, day)
    order = {key_of(s): n for n, s in enumerate(now.stops)}
    points = [place, _at(seen.end or seen.start), *(_door(s) for s in placed)]
    return RestOfDay(
        day=seen,
        route_id=route["id"],
        midnight=midnight,
        ahead=replan.Ahead(
            start=0,
            end=1,
            open_s=free_s,
            close_s=max(_seconds(closes_at, midnight), free_s),
            calls=tuple(_call(store, s, n + 2, midnight) for n, s in enumerate(placed)),
            seconds=drives(points, _factor(seen)),
            rest=_rest(route, midnight, free_s),
        ),
        known=tuple(sorted(map(key_of, placed), key=order.__getitem__)),
        shown={key_of(s): s for s in now.stops},
        unplaced=tuple(s.name for s in stops if s.lon is None or s.lat is None),
        points=tuple(points),
        closes_at=closes_at,
        is_over=closes_at <= moments.now(store.outbox),
    )


def key_of(stop: reads.Stop) -> str:
    """What names a stop in an order."""
    return stop.visit_id or f"{stop.account_id}/{stop.position}"


def propose(rest: RestOfDay, *, spent: Callable[[], float] | None = None) -> Proposal:
    """The rest of the day anew, in a few seconds at most, with what changes for whom."""
    began = clock.mono_ms()
    answer = replan.replan(rest.ahead, rest.known, spent=spent or (lambda: (clock.mono_ms() - began) / replan.LIMIT_MS))
    after = {one.id: one for one in answer.stops}
    number = {call.id: n for n, call in enumerate(rest.ahead.calls)}
    present = tuple(number[key] for key in rest.known if not rest.shown[key].is_out)
    driven = tuple(number[one.id] for one in answer.stops)
    changes = [_change(rest.shown[one.id], after[one.id], rest.midnight) for one in answer.stops]
    for key in answer.left_out:
        why, other = leftout.why(rest.ahead, driven, number[key])
        kept = None if other is None else rest.shown[rest.ahead.calls[other].id]
        windows = rest.ahead.calls[number[key]].windows
        changes.append(Change(rest.shown[key], rest.shown[key].starts_at, None, why=why, windows=windows, kept=kept))
    returns_at = rest.midnight + timedelta(seconds=answer.returns_s)
    return Proposal(rest, answer, tuple(changes), returns_at, replan.driven(rest.ahead, present))


def _change(stop: reads.Stop, timed: replan.Timed, midnight: datetime) -> Change:
    return Change(stop, stop.starts_at, midnight + timedelta(seconds=timed.starts_s), timed.drive_s)


def take(store: Store, proposal: Proposal) -> None:
    """Keep the new order on this phone; it holds until the office publishes the day anew."""
    rest, midnight = proposal.rest, proposal.rest.midnight
    told = [
        {
            "key": one.id,
            "drive_s": one.drive_s,
            **{name: (midnight + timedelta(seconds=s)).isoformat()
               for name, s in (("arrives", one.arrives_s), ("starts", one.starts_s), ("ends", one.ends_s))},
        }
        for one in proposal.answer.stops
    ]  # fmt: skip
    kept: Json = {"route": rest.route_id, "day": rest.day.day, "stops": told, "out": list(proposal.answer.left_out)}
    kept["rev"] = store.cache.shown("route", rest.route_id)[0]
    kept["returns"] = proposal.returns_at.isoformat()
    kept["home"] = proposal.answer.drive_s - sum(one.drive_s for one in proposal.answer.stops)
    kept["rest"] = [one.isoformat() for one in proposal.rest_at]
    store.outbox.meta.set(KEY, json.dumps(kept))


def give_back(store: Store) -> None:
    """Back to the order of the office."""
    store.outbox.meta.set(KEY, None)


def taken_on(store: Store) -> date | None:
    """The day of which an order was taken on this phone, whether or not it still holds."""
    return store.outbox.meta.read(KEY, lambda text: date.fromisoformat(json.loads(text)["day"]))


def is_taken(day: reads.Day) -> bool:
    """Whether the day is shown in an order that was taken on this phone."""
    return any(stop.place for stop in day.stops)


def _kept(text: str) -> Json:
    """An order as it was taken; raises KeyError or ValueError where it is not whole."""
    kept: Json = json.loads(text)
    for moment in (kept["returns"], *(one[name] for one in kept["stops"] for name in ("arrives", "starts", "ends"))):
        reads.instant(moment)
    rest = tuple(map(datetime.fromisoformat, kept.get("rest", ())))
    known = {name: kept[name] for name in ("route", "rev", "day", "stops", "out", "returns")}
    return known | {"rest": rest, "home": kept.get("home", 0)}


def day_as_taken(store: Store, user_id: str, day: date) -> reads.Day:
    """The day with the order that was taken on this phone: its own numbers, times and line, in every place of the app.
    Legs that are as they were keep their roads.

    What no longer fits into it comes last, without times and drives.
    """
    seen = reads.day(store, user_id, day)
    kept = store.outbox.meta.read(KEY, _kept)
    if kept is None or kept["day"] != seen.day:
        return seen
    rev, _ = store.cache.shown("route", kept["route"])
    if rev != kept["rev"] or _route(store, user_id, day).get("id") != kept["route"]:
        return seen  # the office has published another day
    told = {one["key"]: (place, one) for place, one in enumerate(kept["stops"])}
    out = frozenset(kept["out"])
    stops = [_as_taken(s, told.get(key_of(s), (0, None))[1], is_out=key_of(s) in out) for s in seen.stops]
    stops.sort(key=lambda s: (s.is_out, s.open, told.get(key_of(s), (-1, None))[0], s.position))
    met = sorted(stops, key=lambda s: s.is_out or s.state in reads.PASSED)  # whom one does not meet is counted last
    numbered = tuple(replace(stop, place=met.index(stop) + 1) for stop in stops)
    legs, roads = _legs(seen), seen.polylines
    known = dict(zip(legs, zip(roads, _guesses(seen), strict=True), strict=True)) if len(roads) == len(legs) else {}
    # how long the roads of another order are is not known here
    returns_at, driven_s = reads.instant(kept["returns"]), kept["home"] + sum(s.drive_s or 0 for s in numbered)
    shown = replace(seen, stops=numbered, returns_at=returns_at, drive_s=driven_s, distance_m=0, rest=kept["rest"])
    as_planned = (known.get(leg, ("", True)) for leg in _legs(shown))
    return replace(shown, polylines=tuple("" if is_guess else road for road, is_guess in as_planned))


def _legs(day: reads.Day) -> list[tuple[str, str]]:
    """From where to where one drives, in order: the day's start, stops by their keys, and its end."""
    there = [key_of(stop) for stop in day.route]
    return list(itertools.pairwise([*(["start"] if day.start else []), *there, *(["end"] if day.end else [])]))


def _guesses(day: reads.Day) -> list[bool]:
    """Which of the drives are estimated."""
    there = [stop.estimated for stop in day.route]
    return there[0 if day.start else 1 :] + ([day.estimated] if day.end else [])


def _as_taken(stop: reads.Stop, told: Json | None, *, is_out: bool) -> reads.Stop:
    """What is over, and what the order does not know, stays as it was."""
    if stop.open and is_out:
        without: Json = dict.fromkeys(("arrives_at", "starts_at", "ends_at", "drive_s", "distance_m"))
        return replace(stop, **without, is_out=True)
    if not stop.open or told is None:
        return stop
    return replace(
        stop,
        arrives_at=reads.instant(told["arrives"]),
        starts_at=reads.instant(told["starts"]),
        ends_at=reads.instant(told["ends"]),
        drive_s=told["drive_s"],
        distance_m=None,
        estimated=True,
    )


def _route(store: Store, user_id: str, day: date) -> Json:
    found = store.cache.db.execute(
        "select opened(doc) from row where e='route' and sort=? order by id desc", (day.isoformat(),)
    ).fetchall()
    routes: list[Json] = [json.loads(one[0]) for one in found]
    return next((one for one in routes if one.get("rep_id") == user_id), {})


def _at(place: Json) -> Point:
    return float(place["lon"]), float(place["lat"])


def _door(stop: reads.Stop) -> Point:
    return stop.entry or (float(stop.lon or 0), float(stop.lat or 0))


def _standing(store: Store, day: reads.Day, midnight: datetime, fix: Fix | None) -> tuple[Point, int]:
    """Where the rep is free for the next stop, and when; a visit that has begun is finished first."""
    now_s = _seconds(moments.now(store.outbox), midnight)
    begun = next((s for s in day.stops if s.state in ("checked_in", "en_route") and s.lon is not None), None)
    if begun is not None:
        since = reads.instant((store.cache.doc("visit", begun.visit_id) or {}).get("checked_in_at"))
        from_s = now_s if since is None else _seconds(since, midnight)
        return _door(begun), max(now_s, from_s + _service(store, begun))
    leaves_s = _seconds(day.leaves_at, midnight) if day.leaves_at else 0
    if now_s <= leaves_s and all(s.open for s in day.stops):
        return _at(day.start or {}), leaves_s
    over = [s for s in day.stops if not s.open and s.lon is not None]
    if fix is not None:
        return (fix.lon, fix.lat), max(0, now_s)
    return (_door(over[-1]) if over else _at(day.start or {})), max(0, now_s)


def _seconds(moment: datetime, midnight: datetime) -> int:
    return round((moment - midnight).total_seconds())


def _service(store: Store, stop: reads.Stop) -> int:
    site = store.cache.doc("site", stop.site_id or "") or {}
    if stop.starts_at and stop.ends_at:
        return _seconds(stop.ends_at, stop.starts_at)
    return int(site.get("service_s") or SERVICE_S)


def _call(store: Store, stop: reads.Stop, place: int, midnight: datetime) -> replan.Call:
    service = _service(store, stop)
    windows = hours.open_spans((store.cache.doc("site", stop.site_id or "") or {}).get("opening_hours"),
                               midnight.weekday())  # fmt: skip
    fixed = stop.appointment == "fixed" and stop.starts_at is not None
    if fixed and stop.starts_at is not None:
        starts_s = _seconds(stop.starts_at, midnight)
        windows = ((starts_s, starts_s + service),)
    worth = WORTH_S.get(stop.account_class or "", WORTH_S["C"])
    return replan.Call(key_of(stop), place, service, windows, worth, promised=fixed)


def _closes(route: Json, day: reads.Day, midnight: datetime) -> datetime:
    if (closes := reads.instant(route.get("closes_at"))) is not None:
        return closes
    return day.returns_at + timedelta(seconds=LATER_S) if day.returns_at else midnight + timedelta(hours=18)


def _rest(route: Json, midnight: datetime, free_s: int) -> replan.Rest | None:
    """The planned break: never before the office's, which is as early as may be, up to an hour later; or over."""
    begins = reads.instant(route.get("break_starts_at"))
    if begins is None or not route.get("break_s"):
        return None
    at, lasts = _seconds(begins, midnight), int(route["break_s"])
    if free_s > at + BREAK_MOVES_S:
        return None
    return replan.Rest(lasts, max(at, free_s), at + BREAK_MOVES_S)


def estimate_s(a: Point, b: Point) -> float:
    """Driving seconds by the straight line: 45 s to get away, then 30 km/h in town growing to 95 km/h."""
    lat = math.radians((a[1] + b[1]) / 2)
    metres = math.hypot(math.radians(b[0] - a[0]) * math.cos(lat), math.radians(b[1] - a[1])) * EARTH_M
    metres *= ROAD_PER_STRAIGHT
    return 0.0 if metres < 1 else 45 + metres * 3.6 / (30 + 65 * metres / (metres + 25_000))


def drives(points: list[Point], factor: float) -> list[list[int]]:
    """Seconds between all points."""
    return [[round(estimate_s(a, b) * factor) for b in points] for a in points]


def _factor(day: reads.Day) -> float:
    """How much longer the day's own roads are than straight lines say."""
    known, guessed = 0.0, 0.0
    place = _at(day.start or {})
    for stop in day.stops:
        if stop.lon is None:
            continue
        if stop.drive_s and not stop.estimated:
            known, guessed = known + stop.drive_s, guessed + estimate_s(place, _door(stop))
        place = _door(stop)
    return min(3.0, max(0.6, known / guessed)) if guessed > 60 else 1.0
