"""The running day as the tables know it: what is planned, what is over, where each rep is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.replanning import Planned, Underway
from routing.types import Problem
from server.accounts.models import Account, Site
from server.activities.models import Appointment, Visit, VisitEvent, VisitState
from server.auth.models import User
from server.closures.queries import DaysOff, days_off
from server.kit.settings import settings
from server.plans.build import Blueprint, Shift, seconds_of, shifts_of
from server.plans.candidates import Candidate, Candidates
from server.plans.computing import Journey, travel
from server.plans.models import Route, Stop

OVER = (VisitState.DONE, VisitState.MISSED, VisitState.CANCELLED)
NOW = (VisitState.EN_ROUTE, VisitState.CHECKED_IN)
MOST_PRIZE_S = 86_400


@dataclass(frozen=True)
class Standing:
    """A stop of the published day, and what has become of it."""

    stop: Stop
    route: Route
    account: Account
    site: Site
    visit: Visit | None
    point: LonLat

    @property
    def key(self) -> str:
        """Among the visits of the day."""
        return str(self.stop.id)

    @property
    def is_over(self) -> bool:
        """Whether nobody has to go there any more."""
        return self.visit is not None and (self.visit.state in OVER or self.visit.deleted_at is not None)

    @property
    def is_current(self) -> bool:
        """Whether the rep is there or on the way."""
        return self.visit is not None and self.visit.state in NOW

    @property
    def is_promised(self) -> bool:
        """Whether the customer expects it."""
        return self.visit is not None and self.visit.appointment is not None

    @property
    def must_be(self) -> bool:
        """Whether it is worth asking a neighbour: a promise, or an A customer who is overdue."""
        return self.is_promised or (self.account.account_class == "A" and self.stop.overdue_days > 0)


@dataclass(frozen=True)
class RunningDay:
    """Some reps' published routes of a day, and everything needed to plan the rest of it."""

    day: date
    reps: tuple[User, ...]
    shifts: Mapping[UUID, Shift]
    """By rep; those who work."""
    stops: tuple[Standing, ...]
    """In order, rep by rep."""
    positions: Mapping[UUID, LonLat]
    """Last known place of those who have moved."""
    now: datetime
    off: DaysOff
    """Holidays, closed sites and absent reps."""

    def is_away(self, rep_id: UUID) -> bool:
        """Whether somebody is not there on the day, although a route may say so."""
        return self.off.of_rep(rep_id, self.day) is not None

    def still_works(self, rep_id: UUID) -> bool:
        """Whether somebody is there on the day, and the day is not over for them by the clock."""
        shift = self.shifts.get(rep_id)
        return shift is not None and not self.is_away(rep_id) and self.seconds(rep_id, self.now) < shift.close_s

    def of(self, rep_id: UUID) -> list[Standing]:
        """One rep's stops in order."""
        return [one for one in self.stops if one.route.rep_id == rep_id]

    def planned(self) -> Planned:
        """What people know, in the planner's words."""
        return {
            one.key: (self.shifts[one.route.rep_id].key, self.seconds(one.route.rep_id, one.stop.starts_at))
            for one in self.stops
            if one.route.rep_id in self.shifts
        }

    def seconds(self, rep_id: UUID, at: datetime) -> int:
        """A moment on the rep's clock."""
        return seconds_of(at, self.day, self.shifts[rep_id].zone)

    def has_begun(self, rep_id: UUID) -> bool:
        """Whether the shift has begun, by the clock or by a report."""
        shift = self.shifts[rep_id]
        stops = self.of(rep_id)
        return self.seconds(rep_id, self.now) > shift.open_s or any(s.is_over or s.is_current for s in stops)


def load(session: Session, reps: Sequence[User], day: date, now: datetime) -> RunningDay:
    """The published day of some reps. Who has no place to start from is refused by `shifts_of`."""
    shifts = {s.rep_id: s for rep in reps for s in shifts_of(rep, [day], settings().zone)}
    ids = [rep.id for rep in reps]
    rows = session.execute(
        select(Stop, Route, Account, Site, Visit, ST_X(Site.pin), ST_Y(Site.pin))
        .join(Route, Route.id == Stop.route_id)
        .join(Account, Account.id == func.account_surviving(Stop.account_id))
        .join(Site, Site.id == Stop.site_id)
        .outerjoin(Visit, Visit.id == Stop.visit_id)
        .where(
            Route.rep_id.in_(ids), Route.day == day, Route.published_at.is_not(None),
            Route.deleted_at.is_(None), Stop.deleted_at.is_(None), Site.pin.is_not(None),
        )
        .order_by(Route.rep_id, Stop.position)
    )  # fmt: skip
    stops = tuple(Standing(s, r, a, site, v, LonLat(lon, lat)) for s, r, a, site, v, lon, lat in rows)
    off = days_off(session, ids, day, day)
    return RunningDay(day, tuple(reps), shifts, stops, _positions(session, stops), now, off)


def _positions(session: Session, stops: Sequence[Standing]) -> dict[UUID, LonLat]:
    """Where each rep was last seen: the latest check-in, else the site of the last visit that took place."""
    by_visit = {one.visit.id: one for one in stops if one.visit is not None}
    rows = session.execute(
        select(VisitEvent.visit_id, ST_X(VisitEvent.checkin), ST_Y(VisitEvent.checkin))
        .where(VisitEvent.visit_id.in_(by_visit), VisitEvent.state.in_([VisitState.CHECKED_IN, VisitState.DONE]))
        .order_by(VisitEvent.occurred_at)
    )
    found = {}
    for visit_id, lon, lat in rows:
        one = by_visit[visit_id]
        found[one.route.rep_id] = one.point if lon is None else LonLat(lon, lat)
    return found


@dataclass(frozen=True)
class Drawn:
    """The whole day as a problem on its roads; `routing.replanning.remaining` makes the rest of it."""

    blueprint: Blueprint
    problem: Problem
    journey: Journey
    underway: tuple[Underway, ...]

    def place(self, point: LonLat) -> int:
        """Row of a point in the matrix."""
        return self.blueprint.points.index(point)


def draw(
    session: Session, day: RunningDay, *, positions: Mapping[UUID, LonLat] | None = None, more: Sequence[Candidate] = ()
) -> Drawn:
    """The day with its roads; `positions` are better known places, `more` are visits that nobody has planned yet."""
    where = {**day.positions, **(positions or {})}
    found = (*(_candidate(one) for one in day.stops if one.route.rep_id in day.shifts), *more)
    points = dict.fromkeys(
        [
            *(point for s in day.shifts.values() for point in (s.home, s.end)),
            *(c.point for c in found),
            *(where[r] for r in where),
        ]
    )
    shifts = tuple(day.shifts[rep.id] for rep in day.reps if rep.id in day.shifts)
    blueprint = Blueprint(day.day, shifts, Candidates(found, ()), tuple(points), settings().zone, day.off)
    journey = travel(session, blueprint.points, blueprint.hours)
    blueprint = blueprint.in_traffic(journey.pace)
    problem = blueprint.problem(journey.matrix)
    current = {one.key for one in day.stops if one.is_promised}
    visits = tuple(replace(v, appointment=v.id in current) for v in problem.visits)
    drawn = Drawn(blueprint, replace(problem, visits=visits), journey, ())
    underway = tuple(_underway(day, drawn, rep, where) for rep in day.shifts if day.has_begun(rep))
    return replace(drawn, underway=underway)


def _candidate(one: Standing) -> Candidate:
    """A stop as something to plan: today, by its rep, with the customer's hours and promise."""
    visit, site = one.visit, one.site
    fixed = visit is not None and visit.appointment == Appointment.FIXED
    return Candidate(
        key=one.key,
        account_id=one.account.id,
        name=one.account.name,
        site_id=site.id,
        point=one.point,
        service_s=int((one.stop.ends_at - one.stop.starts_at).total_seconds()),
        rep_ids=frozenset({one.route.rep_id}),
        prize_s=MOST_PRIZE_S if one.is_promised else one.stop.prize_s,
        overdue_days=one.stop.overdue_days,
        first_day=one.route.day,
        last_day=one.route.day,
        opening_hours=site.opening_hours,
        country=site.country,
        grade=site.grade,
        uncertainty_m=site.uncertainty_m,
        visit_id=one.stop.visit_id,
        appointment=Appointment(visit.appointment) if visit is not None and visit.appointment else None,
        starts_at=visit.planned_start_at if visit is not None and fixed else None,
    )


def _underway(day: RunningDay, drawn: Drawn, rep_id: UUID, where: Mapping[UUID, LonLat]) -> Underway:
    shift, stops = day.shifts[rep_id], day.of(rep_id)
    current = next((one for one in stops if one.is_current), None)
    arrived = current.visit.checked_in_at if current is not None and current.visit is not None else None
    now_s = max(day.seconds(rep_id, day.now), shift.open_s)  # a visit may be reported before the working day begins
    route = stops[0].route if stops else None
    rested = False
    if route is not None and route.break_starts_at is not None:
        rested = day.now >= route.break_starts_at + timedelta(seconds=route.break_s or 0)
    return Underway(
        rep_day=shift.key,
        now_s=now_s,
        place=drawn.place(where.get(rep_id, shift.home)),
        done=frozenset(one.key for one in stops if one.is_over),
        current=current.key if current else None,
        arrived_s=None if arrived is None else day.seconds(rep_id, arrived),
        rested=rested,
    )
