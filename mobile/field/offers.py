"""Find a time for one more visit: every gap of the days that are planned on this phone, with what it costs in driving.

Nothing else changes its place. A day whose plan is not on this phone is not offered: its hours are the office's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from mobile.field import agenda, reads, replan, restday, zones
from mobile.field.checkin import Fix
from mobile.field.store import Store, clock
from mobile.field.store.canonical import Json

DAYS = 14
GUEST = "the new visit"
SHORT_S, FAIR_S = 600, 1_500
"""Up to so much driving an offer is good, or fair; the pages colour theirs alike."""
STEP_S = 300


@dataclass(frozen=True)
class Offer:
    """A time that fits."""

    starts_at: datetime
    ends_at: datetime
    detour_s: int
    after: str
    """After whom it lies; empty at the beginning of the day."""

    @property
    def shade(self) -> str:
        """good, warn or bad, by its detour in whole minutes, as they are told."""
        told_s = round(self.detour_s / 60) * 60
        return "good" if told_s <= SHORT_S else "warn" if told_s <= FAIR_S else "bad"


@dataclass(frozen=True)
class Slot:
    """A time to offer: after whom it lies, when it begins, and the minutes of driving it costs."""

    after: str | None
    starts_s: int
    detour_s: int


@dataclass(frozen=True)
class DayOffers:
    """The times of one day, the least detour first; none when nothing fits."""

    day: date
    zone: str
    offers: tuple[Offer, ...]
    is_closed: bool = False
    """Whether its own hours are why there are none."""


class NoPlace(ValueError):
    """The account has no site with a point: nobody can say how far it is."""


def service_s(site: Json) -> int:
    """How long a visit there takes unless somebody says otherwise."""
    return int(site.get("service_s") or restday.SERVICE_S)


def offers(
    store: Store, user_id: str, account_id: str, since: date, *, lasts_s: int | None = None, fix: Fix | None = None
) -> list[DayOffers]:
    """Times for a visit at an account, on each day from `since` on that has a plan on this phone."""
    site = reads.main_site(store, account_id)
    if site is None or site.get("lat") is None:
        raise NoPlace
    planned = [date.fromisoformat(day) for day in reads.planned_days(store, user_id, since)]
    return [
        found
        for day in planned
        if day < since + timedelta(days=DAYS)
        and (found := _on(store, user_id, site, day, lasts_s or service_s(site), fix)) is not None
    ]


def _on(store: Store, user_id: str, site: Json, day: date, lasts_s: int, fix: Fix | None) -> DayOffers | None:
    """The times of one day; None when it has no plan here."""
    rest = restday.ahead_of(store, user_id, day, fix if day == zones.today(store.outbox) else None)
    if rest is None:
        return None
    ahead, call = rest.with_call(site, GUEST, lasts_s)
    names = {restday.key_of(s): s.name for s in rest.day.stops}
    busy = list(_busy(store, user_id, day, rest))
    shown = [key for key in rest.known if not rest.shown[key].is_out]
    order = [ahead.calls[i].id for i in replan.search(ahead, shown, steps=0)]
    found: dict[datetime, Offer] = {}  # of two ways to one begin the shorter, which comes first
    for slot in slots(ahead, order, call):
        starts = rest.midnight + timedelta(seconds=_even(ahead, order, call, slot))
        ends = starts + timedelta(seconds=lasts_s)
        if not any(starts < until and ends > begins for begins, until in busy):
            found.setdefault(starts, Offer(starts, ends, max(0, slot.detour_s), names.get(slot.after or "", "")))
    return DayOffers(day, rest.day.zone, tuple(found.values()), is_closed=not call.windows)


def _even(ahead: replan.Ahead, order: list[str], call: replan.Call, slot: Slot) -> int:
    """The next full five minutes, where that fits as well; the exact second otherwise."""
    even = -(-slot.starts_s // STEP_S) * STEP_S
    if not any(opens <= even and even + call.service_s <= closes for opens, closes in call.windows):
        return slot.starts_s
    fixed = replace(call, windows=((even, even + call.service_s),))
    return even if fits(ahead, order, fixed, slot.after) else slot.starts_s


def _busy(store: Store, user_id: str, day: date, rest: restday.RestOfDay) -> Iterator[tuple[datetime, datetime]]:
    """Meetings and calls of that day: nothing is offered across them."""
    monday = agenda.monday_of(day)
    for entry in agenda.week(store, user_id, monday, clock.zone(rest.day.zone))[(day - monday).days].entries:
        if entry.kind != "visit" and entry.starts_at and entry.ends_at and entry.open and not entry.all_day:
            yield entry.starts_at, entry.ends_at


def slots(day: replan.Ahead, order: Sequence[str], call: replan.Call) -> list[Slot]:
    """Every place in an order where a new call fits, the smallest detour first; nothing else changes its place."""
    wider = replace(day, calls=(*day.calls, call))
    number = {c.id: i for i, c in enumerate(wider.calls)}
    known = tuple(number[k] for k in order)
    route, found = replan.Route(wider, known), []
    for at in range(len(known) + 1):
        extra = route.added(number[call.id], at)
        if extra is not None:
            times = replan.timed(wider, (*known[:at], number[call.id], *known[at:]))
            found.append(Slot(order[at - 1] if at else None, times.stops[at].starts_s, extra))
    return sorted(found, key=lambda s: (s.detour_s, s.starts_s))


def fits(day: replan.Ahead, order: Sequence[str], call: replan.Call, after: str | None) -> bool:
    """Whether a new call fits right after a stop of an order, or at its beginning."""
    wider = replace(day, calls=(*day.calls, call))
    number = {c.id: i for i, c in enumerate(wider.calls)}
    at = 0 if after is None else list(order).index(after) + 1
    return replan.Route(wider, tuple(number[k] for k in order)).added(number[call.id], at) is not None
