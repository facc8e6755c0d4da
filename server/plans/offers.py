"""Times to offer a customer, from the published days and the promises of some reps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing import reordering
from routing.offers import Day, Offer, Slot, offers, with_moves
from routing.roads.combined import Scaled
from routing.roads.straight import StraightLine
from routing.roads.types import RoadEngine, RoadsUnavailable
from routing.timeline import NEVER, Timeline
from routing.types import RepDay, Visit, Window
from server.accounts import queries as accounts
from server.accounts.models import Account, PinState, Site
from server.activities import service as activities
from server.activities.models import Appointment
from server.activities.models import Visit as Activity
from server.activities.queries import appointments
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import hold
from server.closures.queries import DaysOff, days_off
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.settings import settings
from server.plans.build import Shift, hours_of, on_days_clock, open_windows, seconds_of, shifts_of
from server.plans.models import Route, Stop
from server.plans.replanning import neighbours
from server.plans.service import FARTHEST_DAYS, need_reps
from server.roads import service as roads
from server.roads.traffic import Hours

MOST_DAYS = 60
REORDERED_DAYS = 8
"""So many days, those of the least detours, are looked at once more with their stops free to change places."""
NOT_WORKING = "not_working"
"""Reason of a day that is no working day of the rep; the others are `routing.offers.Shut`."""


class SlotTaken(Conflict):
    """The time is no longer free."""

    code: ClassVar[str] = "slot_taken"


@dataclass(frozen=True)
class Asked:
    """Who is to be visited, where and for how long."""

    account: Account
    site: Site
    point: LonLat
    service_s: int


@dataclass(frozen=True)
class RepTimes:
    """What one rep could offer on one day."""

    rep: User
    day: date
    zone: str
    slots: tuple[Slot, ...]
    shut: str | None
    is_planned: bool
    """Whether the day has a published route; else only promises are known of it."""
    shift: Shift | None
    why: str = ""
    """What is special about the day: a holiday, an absence, a closed site; in words."""

    def moment(self, seconds: int) -> datetime:
        """A time of the day."""
        assert self.shift is not None
        return self.shift.moment(seconds)


@dataclass(frozen=True)
class _Known:
    """Something that stands on a rep's day."""

    point: LonLat
    visit: Visit
    starts_s: int


def asked_for(session: Session, scope: Scope, account_id: UUID, service_s: int | None = None) -> Asked:
    """The place and length of the visit. Refuses an account that one may not see, or that nobody can drive to."""
    account = session.scalars(accounts.visible_to(scope).where(Account.id == account_id)).one_or_none()
    if account is None:
        raise NotFound("There is no such account.")
    site = activities.main_site(session, account.id)
    at = select(ST_X(Site.pin), ST_Y(Site.pin))
    spot = None if site is None else session.execute(at.where(Site.id == site.id)).one()
    if site is None or spot is None or spot[0] is None or site.pin_state == PinState.FAILED:
        raise Invalid(f"“{account.name}” has no pin on the map yet.", help="Place the pin first.", field="account_id")
    return Asked(account, site, LonLat(spot[0], spot[1]), service_s or site.service_s)


def reps_for(
    session: Session, scope: Scope, account: Account, *, team: bool, rep_ids: Sequence[UUID] = ()
) -> list[User]:
    """Whose days are looked at: those named, the account's rep, or with `team` everybody whose days one may plan."""
    if rep_ids:
        return need_reps(session, scope, rep_ids)
    everybody = neighbours(session, scope, UUID(int=0))
    own = [rep for rep in everybody if rep.id == account.owner_id]
    return everybody if team or not own else own


def times(session: Session, asked: Asked, reps: Sequence[User], first_day: date, days: int) -> list[RepTimes]:
    """Every rep's days from the first on, at most a year ahead; days that are over, and today, are left out."""
    tomorrow = clock.today(settings().zone) + timedelta(days=1)
    first = max(first_day, tomorrow)
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"{days} days are too many or none.", help=f"Ask for 1 to {MOST_DAYS}.", field="days")
    if first > tomorrow + timedelta(days=FARTHEST_DAYS):
        raise Invalid(f"{first} is too far away.", help="Look within a year from today.", field="first_day")
    dates = [first + timedelta(days=k) for k in range(days)]
    off = days_off(session, [rep.id for rep in reps], first, dates[-1])
    shifts = {(s.rep_id, s.day): s for rep in reps for s in shifts_of(rep, dates, settings().zone, off)}
    planned, standing = _standing(session, shifts, dates)
    stops = (known.point for day in standing.values() for known in day)
    points = list(dict.fromkeys([*(p for s in shifts.values() for p in (s.home, s.end)), *stops]))
    engine, there, onward = _drives(session, asked.point, points, hours_of(shifts.values()))
    if isinstance(engine, Scaled):
        shifts = {key: replace(shift, pace=engine.pace(shift.day.weekday())) for key, shift in shifts.items()}
    for key in standing.keys() - planned.keys():
        standing[key] = _in_order(engine, shifts[key], standing[key])
    wanted = {
        key: _day(engine, shift, planned.get(key), standing.get(key, []), there, onward, first)
        for key, shift in shifts.items()
    }
    visit = Visit(
        id=str(asked.site.id),
        place=0,
        service_s=asked.service_s,
        windows=(),
        windows_by_day={(d - first).days: _open(asked.site, d, off) for d in dates},
    )
    found = dict(zip(wanted, offers(wanted.values(), visit), strict=True))
    for key in _promising(found):
        nodes = [shifts[key].home, *(known.point for known in standing.get(key, [])), asked.point, shifts[key].end]
        found[key] = with_moves(wanted[key], _table(engine, nodes), visit, found[key])
    return [
        RepTimes(rep, d, rep.zone or settings().zone, (), NOT_WORKING, False, None, off.of_rep(rep.id, d) or "")
        if (rep.id, d) not in shifts
        else RepTimes(
            rep,
            d,
            shifts[rep.id, d].zone,
            found[rep.id, d].slots,
            found[rep.id, d].shut,
            (rep.id, d) in planned,
            shifts[rep.id, d],
            off.of_site(asked.site.id, d) or off.holiday_at(asked.site.country, d) or "",
        )
        for d in dates
        for rep in reps
    ]


type _Key = tuple[UUID, date]


def _promising(found: Mapping[_Key, Offer]) -> list[_Key]:
    """The days of the least detours; those without a gap come last."""
    rank = {key: offer.best.detour_s if offer.best else NEVER for key, offer in found.items()}
    return sorted(found, key=lambda key: (rank[key], key[1], key[0]))[:REORDERED_DAYS]


def _open(site: Site, day: date, off: DaysOff) -> tuple[Window, ...]:
    """When the site can be visited."""
    if off.of_site(site.id, day) is not None:
        return ()
    is_holiday = off.holiday_at(site.country, day) is not None
    return on_days_clock(open_windows(site.opening_hours, day, is_holiday=is_holiday), day, settings().zone)


def _standing(
    session: Session, shifts: Mapping[_Key, Shift], dates: Sequence[date]
) -> tuple[dict[_Key, Route], dict[_Key, list[_Known]]]:
    """The published routes, and everything that stands on each day: stops, and promises that no route knows yet."""
    rep_ids = list({rep_id for rep_id, _ in shifts})
    rows = session.execute(
        select(Route, Stop, Site.opening_hours, Activity, ST_X(Site.pin), ST_Y(Site.pin))
        .join(Stop, Stop.route_id == Route.id)
        .join(Site, Site.id == Stop.site_id)
        .outerjoin(Activity, Activity.id == Stop.visit_id)
        .where(
            Route.rep_id.in_(rep_ids), Route.day.between(dates[0], dates[-1]), Route.published_at.is_not(None),
            Route.deleted_at.is_(None), Stop.deleted_at.is_(None), Site.pin.is_not(None),
        )
        .order_by(Route.rep_id, Route.day, Stop.position)
    )  # fmt: skip
    planned: dict[_Key, Route] = {}
    standing: dict[_Key, list[_Known]] = {}
    known = set()
    for route, stop, hours, activity, lon, lat in rows:
        key = (route.rep_id, route.day)
        if key in shifts:
            planned[key] = route
            known.add(stop.visit_id)
            one = _known(shifts[key], LonLat(lon, lat), stop.id, stop.starts_at, stop.ends_at, hours, activity)
            standing.setdefault(key, []).append(one)
    promised = [v for v in appointments(session, rep_ids, dates[0], dates[-1]) if v.id not in known]
    for key, one in _promises(session, shifts, promised):
        planned.pop(key, None)  # its legs no longer hold
        standing.setdefault(key, []).append(one)
        standing[key].sort(key=lambda k: k.starts_s)
    return planned, standing


def _promises(
    session: Session, shifts: Mapping[_Key, Shift], promised: Sequence[Activity]
) -> Iterable[tuple[_Key, _Known]]:
    sites = {
        row[0]: row
        for row in session.execute(
            select(Site.id, ST_X(Site.pin), ST_Y(Site.pin), Site.service_s, Site.opening_hours).where(
                Site.id.in_([v.site_id for v in promised]), Site.pin.is_not(None)
            )
        )
    }
    for visit in promised:
        key, row = (visit.rep_id, visit.day), sites.get(visit.site_id)
        if key in shifts and row is not None and visit.planned_start_at is not None:
            _, lon, lat, service_s, hours = row
            ends = visit.planned_end_at or visit.planned_start_at + timedelta(seconds=service_s)
            yield key, _known(shifts[key], LonLat(lon, lat), visit.id, visit.planned_start_at, ends, hours, visit)


def _known(
    shift: Shift,
    point: LonLat,
    key: UUID,
    starts_at: datetime,
    ends_at: datetime,
    hours: str | None,
    activity: Activity | None,
) -> _Known:
    """A stop with the span in which it may stand: a fixed promise where it is, else the opening hours."""
    start, end = (seconds_of(moment, shift.day, shift.zone) for moment in (starts_at, ends_at))
    now = Window(start, end)
    windows = on_days_clock(open_windows(hours, shift.day), shift.day, shift.zone)
    is_fixed = activity is not None and activity.appointment == Appointment.FIXED
    if is_fixed or not any(w.open_s <= start and end <= w.close_s for w in windows):
        windows = (now,)
    return _Known(point, Visit(id=str(key), place=0, service_s=end - start, windows=windows), start)


def _drives(
    session: Session, place: LonLat, points: Sequence[LonLat], hours: Hours
) -> tuple[RoadEngine, dict[LonLat, int], dict[LonLat, int]]:
    """Driving seconds to and from the customer for every point."""
    engine: RoadEngine = roads.engine(session, [place, *points], hours)
    try:
        to, back = engine.matrix(points, [place]), engine.matrix([place], points)
    except RoadsUnavailable:
        engine = StraightLine()
        to, back = engine.matrix(points, [place]), engine.matrix([place], points)
    there = {point: int(to.seconds[k, 0]) for k, point in enumerate(points)}
    return engine, there, {point: int(back.seconds[0, k]) for k, point in enumerate(points)}


def _rep_day(shift: Shift, day: int) -> RepDay:
    return RepDay(
        id=shift.key, rep=str(shift.rep_id), day=day, start=0, end=0, open_s=shift.open_s, close_s=shift.close_s,
        rest=shift.rest, max_drive_s=shift.max_drive_s, max_visits=shift.max_visits, pace=shift.pace,
    )  # fmt: skip


def _in_order(engine: RoadEngine, shift: Shift, standing: list[_Known]) -> list[_Known]:
    """Stops and promises that came on top of them in an order that can be kept, when that of their starts cannot."""
    nodes = [shift.home, *(known.point for known in standing), shift.end]
    day = reordering.Day(_rep_day(shift, 0), [known.visit for known in standing], _table(engine, nodes))
    natural = tuple(range(1, len(standing) + 1))
    order = natural if day.late_s(natural) == 0 else day.best([natural]) or natural
    return [standing[k - 1] for k in order]


def _day(
    engine: RoadEngine,
    shift: Shift,
    route: Route | None,
    standing: Sequence[_Known],
    there: Mapping[LonLat, int],
    onward: Mapping[LonLat, int],
    first: date,
) -> Day:
    """A rep's day with its drives: those of the route, or measured anew in changing traffic or with promises on top."""
    nodes = [shift.home, *(k.point for k in standing), shift.end]
    if route is not None and len(route.legs) == len(nodes) - 1 and shift.pace is None:
        drives = [int(leg["seconds"]) for leg in route.legs]
    else:
        table = _table(engine, nodes)
        drives = [table[k][k + 1] for k in range(len(nodes) - 1)] if standing else [0]
    timeline = Timeline(_rep_day(shift, (shift.day - first).days), [k.visit for k in standing], drives)
    return Day(timeline, [there[n] for n in nodes[:-1]], [onward[n] for n in nodes[1:]])


def _table(engine: RoadEngine, nodes: Sequence[LonLat]) -> list[list[int]]:
    """Driving seconds from each to each."""
    try:
        seconds = engine.matrix(nodes).seconds
    except RoadsUnavailable:
        seconds = StraightLine().matrix(nodes).seconds
    found: list[list[int]] = seconds.tolist()
    return found


def _day_to_offer(starts_at: datetime, zone: str) -> date:
    """The day of a moment on the rep's clock; refuses moments that are over or out of reach."""
    if starts_at.tzinfo is None:
        raise Invalid("The time does not say its time zone.", help="Choose one of the list.", field="starts_at")
    if starts_at > clock.now() + timedelta(days=FARTHEST_DAYS + MOST_DAYS):
        raise Invalid("This time is too far away.", help="Look within a year from today.", field="starts_at")
    if starts_at < clock.now() or (day := starts_at.astimezone(ZoneInfo(zone)).date()) <= clock.today(zone):
        raise Invalid("This time cannot be offered any more.", help="Choose one from tomorrow on.", field="starts_at")
    return day


def promise(
    session: Session, scope: Scope, asked: Asked, rep_id: UUID, starts_at: datetime, objective: str | None = None
) -> Activity:
    """Promise a chosen time of a rep whose days the person may plan; see `promised`."""
    [rep] = need_reps(session, scope, [rep_id])
    return promised(session, rep, asked, starts_at, objective)


def promised(session: Session, rep: User, asked: Asked, starts_at: datetime, objective: str | None = None) -> Activity:
    """Put a chosen time into the rep's calendar as a fixed appointment. Refuses a time that is no longer free."""
    zone = rep.zone or settings().zone
    day = _day_to_offer(starts_at, zone)
    start = seconds_of(starts_at, day, zone)
    hold(session, [rep.id])
    [found] = times(session, asked, [rep], day, 1)
    gaps = [slot for slot in found.slots if slot.starts_s <= start <= slot.latest_s]
    if not gaps:
        raise SlotTaken("This time is no longer free.", help="Look at the times again and choose another one.")
    return activities.plan_visit(
        session,
        activities.PlannedVisit(
            account_id=asked.account.id,
            site_id=asked.site.id,
            rep_id=rep.id,
            day=day,
            zone=zone,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(seconds=asked.service_s),
            appointment=Appointment.FIXED,
            objective=objective,
        ),
    )
