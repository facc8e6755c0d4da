"""What the screens show, as frozen values: today, one account, the sync state."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mobile.field import conflicts, zones
from mobile.field.finding import Cadences, is_new
from mobile.field.rows import docs
from mobile.field.store import Store
from mobile.field.store.cache import DELETED
from mobile.field.store.canonical import Json
from mobile.field.store.outbox import ATTENTION, Op
from mobile.field.store.overlay import references
from mobile.field.timeline import MOST, TimelineEntry, timeline

FINISHED = ("done", "missed", "cancelled")
PASSED = ("missed", "cancelled")
KEPT_DAYS = 395
"""So far back phones are sent what happened: thirteen months."""


@dataclass(frozen=True)
class Stop:
    """One visit of a day, with its place and its times."""

    visit_id: str
    """Empty while the route is not published and no visit stands for the stop."""
    account_id: str
    site_id: str | None
    position: int
    name: str
    account_class: str | None
    street: str
    city: str
    lon: float | None
    lat: float | None
    uncertainty_m: float | None
    phone: str | None
    state: str
    appointment: str | None
    objective: str | None
    day: str
    zone: str
    arrives_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    drive_s: int | None
    distance_m: int | None
    estimated: bool
    why: str | None
    entry: tuple[float, float] | None
    """Where the car stops: lon, lat."""
    cautions: tuple[str, ...]
    """Why the place may not be found at once."""
    mark: str
    """"phone" (saved here), "server" (answered), "attention", or "" when there is nothing of mine."""
    place: int = 0
    """Its place in an order that was taken on this phone; 0 in the office's."""
    gone: str = ""
    """"deleted" where the office deleted its account, "left" where that is not on this phone for another reason."""
    is_out: bool = False
    """Whether it no longer fits into that order: not today any more."""
    done_at: datetime | None = None
    """When it was done; None of one that was not."""
    came_at: datetime | None = None
    """When the rep checked in at one that is done; None where nobody did."""

    @property
    def begins_at(self) -> datetime | None:
        """When it begins, as the diff of a new order, the week and the office tell it; of one that is over when it was
        done."""
        return self.done_at or self.starts_at or self.arrives_at

    @property
    def number(self) -> int:
        """What the day's line and the map call it."""
        return self.place or self.position

    @property
    def is_passed(self) -> bool:
        """Whether an order that was taken on this phone goes without it."""
        return bool(self.place) and (self.is_out or self.state in PASSED)

    @property
    def open(self) -> bool:
        """Whether the visit still lies before the rep."""
        return self.state not in FINISHED


@dataclass(frozen=True)
class Day:
    """A rep's day: the route and its stops, then visits without a stop."""

    day: str
    zone: str
    stops: tuple[Stop, ...]
    start: Json | None
    end: Json | None
    leaves_at: datetime | None
    returns_at: datetime | None
    drive_s: int
    distance_m: int
    estimated: bool
    polylines: tuple[str, ...]
    rest: tuple[datetime, ...]
    """When the break begins and ends; empty where there is none."""

    @property
    def route(self) -> tuple[Stop, ...]:
        """The stops that one drives to, in order."""
        return tuple(stop for stop in self.stops if stop.arrives_at and stop.lat is not None and not stop.is_passed)

    @property
    def way_home(self) -> tuple[int, int]:
        """Seconds and metres from the last stop to where the day ends: what of the driving leads to no stop; 0 where
        nobody can say."""
        known = [stop.distance_m for stop in self.stops if stop.drive_s]
        metres = self.distance_m - sum(one or 0 for one in known) if None not in known else 0
        return max(0, self.drive_s - sum(stop.drive_s or 0 for stop in self.stops)), max(0, metres)

    @property
    def next_stop(self) -> Stop | None:
        return next((s for s in self.stops if s.open and not s.is_out), None)


@dataclass(frozen=True)
class AccountCard:
    """Everything the phone knows about one account."""

    account: Json
    sites: tuple[Json, ...]
    timeline: tuple[TimelineEntry, ...]
    owner: str | None
    leaving: bool
    mark: str
    interval_days: int | None
    """How often it is visited."""
    overdue_days: int | None
    """As in the list of accounts."""
    has_older: bool
    """Whether more may have happened there than this phone holds."""


@dataclass(frozen=True)
class SyncState:
    """What is on the phone, what is on the server, what needs the rep."""

    unsent: int
    oldest_unsent: str | None
    attention: tuple[Op, ...]
    """Entries of which something needs the rep."""
    needing: int
    """How many things that is: each question of a conflict by itself, and each refused entry."""
    waiting: tuple[Op, ...]
    accounts: int
    verifying: bool
    synced_at: str | None
    photos: int = 0
    """Photos whose content alone is not on the server yet."""
    unreadable: int = 0
    """Entries of the rep that this phone cannot read any more; their bytes are kept."""


def instant(text: str | None) -> datetime | None:
    """A wire time as an instant."""
    return datetime.fromisoformat(text) if text else None


def marks(store: Store) -> dict[tuple[str, str], str]:
    """For each row that an op of mine refers to: attention before phone before server."""
    rank = {"server": 0, "phone": 1, "attention": 2}
    found: dict[tuple[str, str], str] = {}
    ops = store.outbox.ops()
    seen = conflicts.settled(store.outbox, ops)
    for op in ops:
        mark = "phone" if op.state in ("queued", "sent", "deferred") else "server"
        if op.state in ATTENTION and op.op_id not in seen:
            mark = "attention"
        for ref in references(op.body):
            if rank[mark] >= rank.get(found.get(ref, "server"), 0):
                found[ref] = mark
    return found


def _docs(store: Store, sql: str, *args: object) -> list[Json]:
    return [json.loads(row[0]) for row in store.cache.db.execute(sql, args)]


def planned_days(store: Store, rep_id: str, since: date) -> list[str]:
    """Days from then on on which the rep has visits before them, in order."""
    visits = _docs(store, "select opened(doc) from row where e='visit' and sort>=?", since.isoformat())
    return sorted({v["day"] for v in visits if v.get("rep_id") in (rep_id, None) and v["state"] == "planned"})


def day(store: Store, rep_id: str, on: date) -> Day:
    """The rep's day: stops in route order, then visits that no route holds, in order of their time."""
    key = on.isoformat()
    routes = _docs(store, "select opened(doc) from row where e='route' and sort=? order by id desc", key)
    route: Json = next((r for r in routes if r.get("rep_id") == rep_id), {})
    visits = {v["id"]: v for v in _docs(store, "select opened(doc) from row where e='visit' and sort=?", key)}
    stops = _docs(
        store,
        "select opened(doc) from row where e='stop' and sort between ? and ?",
        f"{route.get('id')}:",
        f"{route.get('id')}:~",
    )
    rests_at = instant(route.get("break_starts_at"))
    mine = {i: v for i, v in visits.items() if v.get("rep_id") in (rep_id, None)}
    found = marks(store)
    cards = [_stop(store, stop, _visit_of(store, stop), found) for stop in stops]
    on_route = {stop["visit_id"] for stop in stops}
    loose = sorted(
        (v for i, v in mine.items() if i not in on_route),
        key=lambda v: (str(v.get("planned_start_at") or "~"), v["id"]),
    )
    cards += [_stop(store, {}, visit, found, position=len(cards) + i) for i, visit in enumerate(loose, start=1)]
    return Day(
        day=key,
        zone=str(
            route.get("zone") or next((v["zone"] for v in mine.values() if v.get("zone")), zones.name_of(store.outbox))
        ),
        stops=tuple(cards),
        start=route.get("start"),
        end=route.get("end"),
        leaves_at=instant(route.get("leaves_at")),
        returns_at=instant(route.get("returns_at")),
        drive_s=int(route.get("drive_s") or 0),
        distance_m=int(route.get("distance_m") or 0),
        estimated=bool(route.get("estimated")),
        polylines=tuple(route.get("polylines") or ()),
        rest=(rests_at, rests_at + timedelta(seconds=route["break_s"])) if rests_at and route.get("break_s") else (),
    )


def visit_today(store: Store, rep_id: str, account_id: str) -> Json | None:
    """The rep's visit of today at an account that can be gone on with: one that has begun, else one that is planned,
    else one that was marked missed. None where there is none."""
    mine = [one for one in docs(store, "visit", account_id) if one.get("rep_id") in (rep_id, None)]
    here = [one for one in mine if one["day"] == zones.today(store.outbox, one.get("zone")).isoformat()]
    ranks = ("checked_in", "en_route", "planned", "missed")
    left = [one for one in here if one["state"] in ranks]
    return min(left, default=None, key=lambda one: (
        ranks.index(one["state"]), str(one.get("planned_start_at") or "~"), one["id"]
    ))  # fmt: skip


def _visit_of(store: Store, stop: Json) -> Json | None:
    """The visit of a stop, also when it was moved to another day since."""
    return store.cache.doc("visit", stop["visit_id"]) if stop.get("visit_id") else None


def _stop(store: Store, stop: Json, visit: Json | None, found: dict[tuple[str, str], str], position: int = 0) -> Stop:
    visit = visit or {}
    account_id = str(stop.get("account_id") or visit.get("account_id"))
    site_id = stop.get("site_id") or visit.get("site_id")
    visit_id = str(stop.get("visit_id") or visit.get("id") or "")
    held = store.cache.doc("account", account_id)
    account = held or store.cache.doc(DELETED, account_id) or {}
    site = (store.cache.doc("site", site_id) if site_id else None) or main_site(store, account_id) or {}
    return Stop(
        visit_id=visit_id,
        account_id=account_id,
        site_id=site_id or site.get("id"),
        position=int(stop.get("position") or position),
        name=str(account.get("name") or site.get("name") or ""),
        account_class=account.get("account_class"),
        street=str(site.get("street") or ""),
        city=" ".join(str(site[k]) for k in ("postcode", "city") if site.get(k)),
        lon=site.get("lon"),
        lat=site.get("lat"),
        uncertainty_m=site.get("uncertainty_m"),
        phone=account.get("phone"),
        state=str(visit.get("state") or "planned"),
        appointment=visit.get("appointment"),
        objective=visit.get("objective"),
        day=str(visit.get("day") or ""),
        zone=str(visit.get("zone") or zones.name_of(store.outbox)),
        arrives_at=instant(stop.get("arrives_at")),
        starts_at=instant(stop.get("starts_at") or visit.get("planned_start_at")),
        ends_at=instant(stop.get("ends_at") or visit.get("planned_end_at")),
        drive_s=stop.get("drive_s"),
        distance_m=stop.get("distance_m"),
        estimated=bool(stop.get("estimated")),
        why=stop.get("why"),
        entry=(stop["entry_lon"], stop["entry_lat"]) if stop.get("entry_lat") is not None else None,
        cautions=tuple(stop.get("cautions") or ()),
        mark=found.get(("visit", visit_id), ""),
        gone="" if held is not None else "deleted" if account else "left",
        done_at=instant(visit.get("done_at")) if visit.get("state") == "done" else None,
        came_at=instant(visit.get("checked_in_at")) if visit.get("state") == "done" else None,
    )


def sites_of(store: Store, account_id: str) -> list[Json]:
    """The account's sites, the main one first."""
    sites = _docs(
        store, "select opened(doc) from row indexed by row_account where e='site' and account_id=?", account_id
    )
    return sorted(sites, key=lambda s: (not s.get("is_main"), str(s.get("name") or ""), s["id"]))


def main_site(store: Store, account_id: str) -> Json | None:
    return next(iter(sites_of(store, account_id)), None)


def place_of(store: Store, account_id: str, site_id: str | None) -> Json:
    """Where an account is visited: at the site named, else at its main one; empty where this phone knows neither."""
    named = store.cache.doc("site", site_id) if site_id else None
    return named or main_site(store, account_id) or new_place(store, account_id)


def new_place(store: Store, account_id: str) -> Json:
    """Where an account is that was founded on this phone: a site without an id, until it comes back with one."""
    account = store.cache.doc("account", account_id) or {}
    return {key: account[key] for key in ("lon", "lat", "street", "city")} if is_new(account) else {}


def account_card(store: Store, account_id: str) -> AccountCard | None:
    """One account with its sites and what happened there; None when this phone does not hold it."""
    account = store.cache.doc("account", account_id)
    if account is None:
        return None
    found = marks(store)
    names = {u["id"]: u["name"] for u in _docs(store, "select opened(doc) from row where e='user_public'")}
    held = store.cache.db.execute("select 1 from membership where e='account' and id=?", (account_id,)).fetchone()
    cadences, visits = Cadences(store), docs(store, "visit", account_id)
    last = max((v["day"] for v in visits if v["state"] == "done"), default=None)
    entries, today = tuple(timeline(store, account_id, names, found)), zones.today(store.outbox)
    return AccountCard(
        account=account,
        sites=tuple(sites_of(store, account_id)),
        timeline=entries,
        owner=names.get(account.get("owner_id")),
        leaving=held is None and not is_new(account),
        mark=found.get(("account", account_id), ""),
        interval_days=cadences.interval_days(account),
        overdue_days=cadences.overdue_days(account, last, today),
        has_older=not is_new(account) and _has_older(account, entries, today),
    )


def _has_older(account: Json, entries: Sequence[TimelineEntry], today: date) -> bool:
    """Whether an account may have a past that this phone does not hold: it is older than what phones are sent, or
    something is known from before it was entered."""
    since, known = str(account.get("created_on") or ""), [entry.day for entry in entries if entry.day]
    if len(entries) == MOST or since < (today - timedelta(days=KEPT_DAYS)).isoformat():
        return True
    return min([*known, account.get("last_visit_on") or since]) < since


def sync_state(store: Store) -> SyncState:
    """The counts behind the three marks."""
    ops = store.outbox.ops()
    seen = conflicts.settled(store.outbox, ops)
    waiting = tuple(op for op in ops if op.state in ("queued", "sent", "deferred"))
    db, alone = store.cache.db, lone_photos(store, waiting)
    attention = tuple(op for op in ops if op.state in ATTENTION and op.op_id not in seen)
    asked = [one.op.op_id for one in conflicts.questions(store) if not one.decided]
    return SyncState(
        unsent=len(waiting) + sum(op.state == "stuck" for op in ops) + alone,
        oldest_unsent=store.outbox.oldest_unsent(),
        attention=attention,
        needing=len(asked) + sum(op.op_id not in asked for op in attention),
        waiting=waiting,
        accounts=int(db.execute("select count(*) from row where e='account'").fetchone()[0]),
        verifying=db.execute("select 1 from suspect limit 1").fetchone() is not None,
        synced_at=store.cache.meta.get("synced_at"),
        photos=alone,
        unreadable=len(store.outbox.aside),
    )


def lone_photos(store: Store, waiting: Iterable[Op]) -> int:
    """Photos whose op is on the server already and whose content is not."""
    return len({blob.for_op for blob in store.outbox.blobs.all("waiting")} - {op.op_id for op in waiting})
