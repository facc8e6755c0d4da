"""From people, shifts and candidates to a planning problem, and from times of the day back to moments."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from geoalchemy2.shape import to_shape
from shapely.geometry import Point

from geo.types import LonLat
from routing.pace import Pace
from routing.roads.types import Matrix
from routing.types import Break, Meeting, Night, Problem, RepDay, Spacing, Visit, Window
from server.accounts.models import DayPart
from server.accounts.opening_hours import HoursNotUnderstood, holiday_hours, parse_hours
from server.auth.models import RepProfile, User
from server.closures.queries import DaysOff
from server.kit.errors import Invalid
from server.plans.candidates import OTHER_REP_S, Candidate, Candidates

WHOLE_DAY = (Window(0, 86_400),)
NOTHING_OFF = DaysOff()
NOON_S = 43_200
PARTS = {
    DayPart.MORNING: Window(0, 41_400),
    DayPart.MIDDAY: Window(39_600, 50_400),
    DayPart.AFTERNOON: Window(46_800, 63_000),
    DayPart.EVENING: Window(59_400, 86_400),
}
"""Until 11:30, 11:00 to 14:00, 13:00 to 17:30, from 16:30 on."""
LATE_SHARE = 20
"""A day of lateness costs this fraction of the prize."""


@dataclass(frozen=True)
class Shift:
    """One rep's working day on the calendar."""

    rep_id: UUID
    name: str
    zone: str
    day: date
    home_name: str
    home: LonLat
    """Where it begins."""
    end_name: str
    end: LonLat
    """Where it ends; mostly the same."""
    open_s: int
    close_s: int
    rest: Break | None
    max_drive_s: int | None
    max_visits: int | None
    overtime_s: int = 0
    overtime_cost: int = 1
    pace: Pace | None = None
    """The traffic of the day, once the roads are known."""

    @property
    def key(self) -> str:
        """Unique in a plan."""
        return f"{self.rep_id}/{self.day}"

    def moment(self, seconds: int) -> datetime:
        """A time of this day's clock as a moment."""
        return moment(self.day, self.zone, seconds)


@dataclass(frozen=True)
class Lodging:
    """A hotel between two days of one rep."""

    key: str
    """Unique in a plan."""
    evening: str
    """Key of the shift that would end there."""
    morning: str
    """Key of the shift that would begin there."""
    name: str
    point: LonLat
    cost_s: int
    """In seconds of driving."""


@dataclass(frozen=True)
class Blueprint:
    """A problem but for the roads."""

    first_day: date
    shifts: tuple[Shift, ...]
    candidates: Candidates
    points: tuple[LonLat, ...]
    """Every place once; the matrix has one row for each."""
    zone: str
    """Of the company, for reps who do not work on these days."""
    off: DaysOff = NOTHING_OFF
    """What is not as on an ordinary day."""
    stretch: float = 1.0
    """By which all call intervals were lengthened."""
    lodgings: tuple[Lodging, ...] = ()
    """Hotels in which nights may be spent."""

    @property
    def hours(self) -> list[tuple[int, int]]:
        """Weekday and hour of every hour in which somebody works: the traffic that the drives meet."""
        return hours_of(self.shifts)

    def in_traffic(self, pace_of: Callable[[int], Pace | None]) -> "Blueprint":
        """The same with the traffic of every day, by its weekday (0 is Monday)."""
        return replace(self, shifts=tuple(replace(s, pace=pace_of(s.day.weekday())) for s in self.shifts))

    def booked(self, nights: Sequence[str]) -> "Blueprint":
        """The same with these hotel nights taken: their evenings end there, their mornings begin there."""
        taken = [one for one in self.lodgings if one.key in nights]
        evening, morning = {one.evening: one for one in taken}, {one.morning: one for one in taken}

        def slept(shift: Shift) -> Shift:
            if (hotel := morning.get(shift.key)) is not None:
                shift = replace(shift, home_name=hotel.name, home=hotel.point)
            if (hotel := evening.get(shift.key)) is not None:
                shift = replace(shift, end_name=hotel.name, end=hotel.point)
            return shift

        return replace(self, shifts=tuple(map(slept, self.shifts)), lodgings=())

    def problem(self, matrix: Matrix) -> Problem:
        """The problem on these roads (rows in the order of `points`)."""
        place = {point: k for k, point in enumerate(self.points)}
        days = sorted({(shift.day - self.first_day).days for shift in self.shifts})
        return Problem(
            rep_days=tuple(self._rep_day(shift, place) for shift in self.shifts),
            visits=tuple(self._visit(c, place[c.point], days) for c in self.candidates.placeable),
            seconds=matrix.seconds.astype(int),
            metres=matrix.metres.astype(int),
            spacings=tuple(Spacing(keys, gap) for keys, gap in self.candidates.spacings),
            meetings=tuple(Meeting(keys) for keys in meetings(self.candidates.placeable)),
            nights=tuple(
                Night(one.key, one.evening, one.morning, place[one.point], one.cost_s) for one in self.lodgings
            ),
        )

    def _rep_day(self, shift: Shift, place: Mapping[LonLat, int]) -> RepDay:
        return RepDay(
            id=shift.key,
            rep=str(shift.rep_id),
            day=(shift.day - self.first_day).days,
            start=place[shift.home],
            end=place[shift.end],
            open_s=shift.open_s,
            close_s=shift.close_s,
            rest=shift.rest,
            max_drive_s=shift.max_drive_s,
            max_visits=shift.max_visits,
            overtime_s=shift.overtime_s,
            overtime_cost=shift.overtime_cost,
            pace=shift.pace,
            name=f"{shift.name}, {shift.day:%a %d %b}",
        )

    def _visit(self, c: Candidate, place: int, days: Sequence[int]) -> Visit:
        first = (c.first_day - self.first_day).days
        last = days[-1] if c.last_day is None or not days else (c.last_day - self.first_day).days
        open_on = {d: self._windows(c, self.first_day + timedelta(days=d)) for d in days}
        allowed = [d for d in days if first <= d <= last]
        welcome = [d for d in allowed if (self.first_day + timedelta(days=d)).weekday() in c.likes_weekdays]
        usual = next(iter(open_on.values()), ())
        return Visit(
            id=c.key,
            place=place,
            service_s=c.service_s,
            windows=usual,
            prize=c.prize_s,
            mandatory=c.mandatory,
            days=frozenset(welcome if any(open_on[d] for d in welcome) else allowed),
            reps=frozenset(str(rep) for rep in c.rep_ids),
            windows_by_day={d: windows for d, windows in open_on.items() if windows != usual},
            due_day=None if c.due_on is None else max(0, (c.due_on - self.first_day).days),
            late_cost=0 if c.due_on is None else c.prize_s // LATE_SHARE,
            overdue_days=max(0, c.overdue_days),
            appointment=c.appointment is not None,
            usual_rep=None if c.usual_rep_id is None else str(c.usual_rep_id),
            other_rep_cost=0 if c.usual_rep_id is None else OTHER_REP_S,
            preferred=c.is_preferred,
            name=c.name,
            origin=c.sentence,
        )

    def _windows(self, c: Candidate, day: date) -> tuple[Window, ...]:
        if c.starts_at is not None:
            zone = next((shift.zone for shift in self.shifts if shift.rep_id in c.rep_ids), self.zone)
            start = seconds_of(c.starts_at, day, zone)
            return (Window(start, start + c.service_s),) if 0 <= start < 86_400 else ()
        if self.off.of_site(c.site_id, day) is not None:
            return ()
        is_holiday = self.off.holiday_at(c.country, day) is not None
        zone = next((shift.zone for shift in self.shifts), self.zone)
        opened = open_windows(c.opening_hours, day, is_holiday=is_holiday)
        return on_days_clock(liked(opened, c.likes_part, c.service_s), day, zone)

    def closed_days(self, c: Candidate) -> dict[date, str]:
        """The days of the plan on which a site is closed by way of exception, and why."""
        days = sorted({shift.day for shift in self.shifts if shift.rep_id in c.rep_ids})
        found = {day: self.off.of_site(c.site_id, day) or self.off.holiday_at(c.country, day) for day in days}
        return {day: why for day, why in found.items() if why and not self._windows(c, day)}


def hours_of(shifts: Iterable[Shift]) -> list[tuple[int, int]]:
    """Weekday and hour of every hour of some shifts."""
    return [
        (shift.day.weekday(), hour)
        for shift in shifts
        for hour in range(shift.open_s // 3600, min(24, -(-shift.close_s // 3600)))
    ]


def meetings(placeable: Iterable[Candidate]) -> list[tuple[str, ...]]:
    """The visits that begin at one moment because several reps come together."""
    together: dict[UUID, list[str]] = {}
    for c in placeable:
        if c.meeting_id is not None:
            together.setdefault(c.meeting_id, []).append(c.key)
    return [tuple(keys) for keys in together.values() if len(keys) > 1]


def blueprint(
    reps: Iterable[User], first_day: date, days: int, candidates: Candidates, zone: str, off: DaysOff = NOTHING_OFF
) -> Blueprint:
    """Everything of a problem that is known without the roads. Refuses a rep without a place to start from."""
    dates = [first_day + timedelta(days=k) for k in range(days)]
    shifts = tuple(shift for rep in reps for shift in shifts_of(rep, dates, zone, off))
    anchors = [point for shift in shifts for point in (shift.home, shift.end)]
    points = dict.fromkeys([*anchors, *(c.point for c in candidates.placeable)])
    return Blueprint(first_day, shifts, candidates, tuple(points), zone, off)


def shifts_of(rep: User, dates: Sequence[date], zone: str, off: DaysOff = NOTHING_OFF) -> list[Shift]:
    """The shifts that somebody works on some days; not on holidays and while absent."""
    profile = rep.rep_profile
    home = None if profile is None or profile.home is None else to_shape(profile.home)
    if profile is None or not isinstance(home, Point):
        raise Invalid(
            f"{rep.name} has no place to start from.",
            help="Set the rep's home and working hours under Users.",
            field="rep_ids",
        )
    open_s, close_s = _seconds(profile.shift_start), _seconds(profile.shift_end)
    if close_s <= open_s:
        raise Invalid(
            f"The shift of {rep.name} ends at {profile.shift_end:%H:%M}, not after {profile.shift_start:%H:%M}.",
            help="Correct the working hours under Users.",
            field="rep_ids",
        )
    start = LonLat(home.x, home.y)
    away = None if profile.end_point is None else to_shape(profile.end_point)
    end = LonLat(away.x, away.y) if isinstance(away, Point) else start
    rest = _rest(profile, open_s, close_s)
    here = rep.zone or zone
    return [
        Shift(
            rep_id=rep.id,
            name=rep.name,
            zone=here,
            day=day,
            home_name=profile.home_name,
            home=start,
            end_name=profile.home_name if end == start else profile.end_name or "End",
            end=end,
            open_s=(opens := evenly(open_s, day, here)),
            close_s=max(opens + 1, evenly(close_s, day, here, until=True)),
            rest=rest and _rest_on(rest, day, here),
            max_drive_s=profile.max_drive_s,
            max_visits=profile.max_visits,
            overtime_s=profile.overtime_s,
            overtime_cost=profile.overtime_cost,
        )
        for day in dates
        if day.weekday() in profile.weekdays and off.of_rep(rep.id, day) is None
    ]


def _rest(profile: RepProfile, open_s: int, close_s: int) -> Break | None:
    if not profile.break_s or profile.break_earliest is None or profile.break_latest is None:
        return None
    earliest = max(open_s, _seconds(profile.break_earliest))
    latest = min(_seconds(profile.break_latest), close_s - profile.break_s)
    # else the shift is over before the break, or begins after it
    return Break(profile.break_s, earliest, latest) if earliest <= latest else None


def open_windows(hours: str | None, day: date, *, is_holiday: bool = False) -> tuple[Window, ...]:
    """When a site can be visited on a day; without hours, or with hours that nobody understands, any time.

    On a public holiday it is closed, unless its hours say when it is open then.
    """
    if not hours or not hours.strip():
        return () if is_holiday else WHOLE_DAY
    try:
        spans = (holiday_hours(hours) or ()) if is_holiday else parse_hours(hours)[day.weekday()]
    except HoursNotUnderstood:
        return () if is_holiday else WHOLE_DAY
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return tuple(Window(start * 60, end * 60) for start, end in merged)


def liked(windows: tuple[Window, ...], part: DayPart | None, service_s: int) -> tuple[Window, ...]:
    """The opening hours within the part of the day that the customer likes; all of them when none is long enough."""
    if part is None:
        return windows
    cut = ((max(w.open_s, PARTS[part].open_s), min(w.close_s, PARTS[part].close_s)) for w in windows)
    return tuple(Window(a, b) for a, b in cut if b - a >= service_s) or windows


def seconds_of(at: datetime, day: date, zone: str) -> int:
    """A moment on the clock of a day (see `moment`)."""
    return NOON_S + int((at - _noon(day, zone)).total_seconds())


def moment(day: date, zone: str, seconds: int) -> datetime:
    """The moment of a second of the day's clock, which runs evenly and shows 12:00 at noon.

    From the hour in which the clocks may change on, it shows what they show. Before it, on the two days of a year
    that have 23 or 25 hours, it is an hour off instead of jumping: a drive of two hours takes two hours of it.
    """
    return (_noon(day, zone) + timedelta(seconds=seconds - NOON_S)).astimezone(ZoneInfo(zone))


def on_days_clock(windows: Sequence[Window], day: date, zone: str) -> tuple[Window, ...]:
    """Spans that the clocks on the wall show, on the clock of the day; what lies in a skipped hour falls away."""
    spans = [(evenly(w.open_s, day, zone), evenly(w.close_s, day, zone, until=True)) for w in windows]
    return tuple(Window(a, b) for a, b in spans if a < b)


def evenly(wall_s: int, day: date, zone: str, *, until: bool = False) -> int:
    """What the clocks on the wall show, on the clock of the day; an hour that comes twice is counted in full.

    An end (`until`) is the second after the last one, so that two o'clock still is one where the clocks skip it.
    """
    shown = datetime.combine(day, time(), ZoneInfo(zone)) + timedelta(seconds=wall_s - until)
    return max(0, seconds_of(shown.replace(fold=int(until)), day, zone) + until)


def _rest_on(rest: Break, day: date, zone: str) -> Break:
    earliest = evenly(rest.earliest_s, day, zone)
    return Break(rest.duration_s, earliest, max(earliest, evenly(rest.latest_s, day, zone)))


def _noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(zone)).astimezone(UTC)


def _seconds(value: time) -> int:
    return value.hour * 3600 + value.minute * 60 + value.second
