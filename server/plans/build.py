"""From people, shifts and candidates to a planning problem, and from times of the day back to moments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from geoalchemy2.shape import to_shape
from shapely.geometry import Point

from geo.types import LonLat
from routing.roads.types import Matrix
from routing.types import Break, Problem, RepDay, Spacing, Visit, Window
from server.accounts.opening_hours import HoursNotUnderstood, parse_hours
from server.auth.models import User
from server.kit.errors import Invalid
from server.plans.candidates import Candidate, Candidates

WHOLE_DAY = (Window(0, 86_400),)
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
    open_s: int
    close_s: int
    rest: Break | None
    max_drive_s: int | None
    max_visits: int | None

    @property
    def key(self) -> str:
        """Unique in a plan."""
        return f"{self.rep_id}/{self.day}"

    def moment(self, seconds: int) -> datetime:
        """A time of this day's clock as a moment."""
        return moment(self.day, self.zone, seconds)


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

    @property
    def hours(self) -> list[tuple[int, int]]:
        """Weekday and hour of every hour in which somebody works: the traffic that the drives meet."""
        return [
            (shift.day.weekday(), hour)
            for shift in self.shifts
            for hour in range(shift.open_s // 3600, min(24, -(-shift.close_s // 3600)))
        ]

    def problem(self, matrix: Matrix) -> Problem:
        """The problem on these roads (rows in the order of `points`)."""
        place = {point: k for k, point in enumerate(self.points)}
        days = sorted({(shift.day - self.first_day).days for shift in self.shifts})
        return Problem(
            rep_days=tuple(self._rep_day(shift, place[shift.home]) for shift in self.shifts),
            visits=tuple(self._visit(c, place[c.point], days) for c in self.candidates.placeable),
            seconds=matrix.seconds.astype(int),
            metres=matrix.metres.astype(int),
            spacings=tuple(Spacing(keys, gap) for keys, gap in self.candidates.spacings),
        )

    def _rep_day(self, shift: Shift, home: int) -> RepDay:
        return RepDay(
            id=shift.key,
            rep=str(shift.rep_id),
            day=(shift.day - self.first_day).days,
            start=home,
            end=home,
            open_s=shift.open_s,
            close_s=shift.close_s,
            rest=shift.rest,
            max_drive_s=shift.max_drive_s,
            max_visits=shift.max_visits,
            name=f"{shift.name}, {shift.day:%a %d %b}",
        )

    def _visit(self, c: Candidate, place: int, days: Sequence[int]) -> Visit:
        first = (c.first_day - self.first_day).days
        last = days[-1] if c.last_day is None or not days else (c.last_day - self.first_day).days
        open_on = {d: self._windows(c, self.first_day + timedelta(days=d)) for d in days}
        usual = next(iter(open_on.values()), ())
        return Visit(
            id=c.key,
            place=place,
            service_s=c.service_s,
            windows=usual,
            prize=c.prize_s,
            mandatory=c.mandatory,
            days=frozenset(d for d in days if first <= d <= last),
            reps=frozenset(str(rep) for rep in c.rep_ids),
            windows_by_day={d: windows for d, windows in open_on.items() if windows != usual},
            due_day=None if c.due_on is None else max(0, (c.due_on - self.first_day).days),
            late_cost=0 if c.due_on is None else c.prize_s // LATE_SHARE,
            overdue_days=max(0, c.overdue_days),
            appointment=c.appointment is not None,
            name=c.name,
        )

    def _windows(self, c: Candidate, day: date) -> tuple[Window, ...]:
        if c.starts_at is not None:
            zone = next((shift.zone for shift in self.shifts if shift.rep_id in c.rep_ids), self.zone)
            start = seconds_of(c.starts_at, day, zone)
            return (Window(start, start + c.service_s),) if 0 <= start < 86_400 else ()
        return open_windows(c.opening_hours, day)


def blueprint(reps: Iterable[User], first_day: date, days: int, candidates: Candidates, zone: str) -> Blueprint:
    """Everything of a problem that is known without the roads. Refuses a rep without a place to start from."""
    dates = [first_day + timedelta(days=k) for k in range(days)]
    shifts = tuple(shift for rep in reps for shift in shifts_of(rep, dates, zone))
    points = dict.fromkeys([*(shift.home for shift in shifts), *(c.point for c in candidates.placeable)])
    return Blueprint(first_day, shifts, candidates, tuple(points), zone)


def shifts_of(rep: User, dates: Sequence[date], zone: str) -> list[Shift]:
    """The shifts that somebody works on some days."""
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
    rest = None
    if profile.break_s and profile.break_earliest is not None and profile.break_latest is not None:
        earliest = max(open_s, _seconds(profile.break_earliest))
        latest = min(_seconds(profile.break_latest), close_s - profile.break_s)
        if earliest <= latest:  # else the shift is over before the break, or begins after it
            rest = Break(profile.break_s, earliest, latest)
    return [
        Shift(
            rep_id=rep.id,
            name=rep.name,
            zone=rep.zone or zone,
            day=day,
            home_name=profile.home_name,
            home=LonLat(home.x, home.y),
            open_s=open_s,
            close_s=close_s,
            rest=rest,
            max_drive_s=profile.max_drive_s,
            max_visits=profile.max_visits,
        )
        for day in dates
        if day.weekday() in profile.weekdays
    ]


def open_windows(hours: str | None, day: date) -> tuple[Window, ...]:
    """When a site can be visited on a day; without hours, or with hours that nobody understands, any time."""
    if not hours or not hours.strip():
        return WHOLE_DAY
    try:
        spans = parse_hours(hours)[day.weekday()]
    except HoursNotUnderstood:
        return WHOLE_DAY
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return tuple(Window(start * 60, end * 60) for start, end in merged)


def seconds_of(at: datetime, day: date, zone: str) -> int:
    """A moment on the clock of a day: seconds after its midnight as the clocks there show it."""
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return int((local - datetime.combine(day, time())).total_seconds())


def moment(day: date, zone: str, seconds: int) -> datetime:
    """The moment at which the clocks of a zone show so many seconds after a day's midnight."""
    return (datetime.combine(day, time()) + timedelta(seconds=seconds)).replace(tzinfo=ZoneInfo(zone))


def _seconds(value: time) -> int:
    return value.hour * 3600 + value.minute * 60 + value.second
