"""Work against time: the hours that call intervals ask for, the hours that reps have, and the factor between them.

Over a span of days, the call intervals want  sum(days / interval * (service + driving))  and the reps have
sum(shift - break)  on the days they work, less what demands and appointments take. When the first is more than the
second, every interval is lengthened by the same factor: their quotient. Then both sides are the same again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.activities.models import Visit, VisitState
from server.auth.models import User
from server.closures.queries import DaysOff, days_off
from server.demands import queries as demands
from server.kit.settings import settings
from server.plans.build import shifts_of
from server.plans.due import Worked
from server.plans.models import Route, Stop

SPAN_DAYS = 84
"""Twelve weeks: long enough for every usual interval, short enough for holidays and vacations to count."""
USUAL_DRIVE_S = 900
"""Driving for a visit when no published route says better."""
USUAL_SERVICE_S = 1_800
LEARNING_DAYS = 90
FEWEST_STOPS = 20
MOST_STRETCH = 10.0


@dataclass(frozen=True)
class Load:
    """Work against time over a span of days."""

    days: int
    drive_s: float
    """Driving that one visit costs."""
    is_learned: bool
    """From published routes, not assumed."""
    wanted_s: float
    """What the call intervals ask for."""
    fixed_s: float
    """What demands and appointments take, which no interval lengthens."""
    capacity_s: float
    """What the reps have."""

    @property
    def free_s(self) -> float:
        """What is left for the call intervals."""
        return max(0.0, self.capacity_s - self.fixed_s)

    @property
    def stretch(self) -> float:
        """The factor for all intervals; 1 when there is time enough."""
        if self.wanted_s <= self.free_s:
            return 1.0
        return MOST_STRETCH if self.wanted_s > MOST_STRETCH * self.free_s else self.wanted_s / self.free_s

    @property
    def share(self) -> float:
        """Work by time: above 1 is too much."""
        return (self.wanted_s + self.fixed_s) / self.capacity_s if self.capacity_s else float("inf")


def load(
    session: Session, reps: Sequence[User], work: Sequence[Worked], first_day: date, *, days: int = SPAN_DAYS
) -> Load:
    """The load of some reps with the accounts that they work."""
    rep_ids = [rep.id for rep in reps]
    last_day = first_day + timedelta(days=days - 1)
    off = days_off(session, rep_ids, first_day, last_day)
    learned = drive_for_a_visit(session, rep_ids, first_day)
    drive_s = USUAL_DRIVE_S if learned is None else learned
    regular = [one for one in work if one.interval is not None]
    return Load(
        days=days,
        drive_s=drive_s,
        is_learned=learned is not None,
        wanted_s=sum(wanted_s(one, days, drive_s) for one in regular),
        fixed_s=_fixed_s(session, rep_ids, work, first_day, last_day, drive_s),
        capacity_s=sum(hours_of(reps, first_day, days, off).values()),
    )


def wanted_s(one: Worked, days: int, drive_s: float) -> float:
    """What one account asks for over some days."""
    assert one.interval is not None
    return days / one.interval.days * (service_s(one) + drive_s)


def service_s(one: Worked) -> int:
    """How long a visit takes."""
    return one.site.service_s if one.site else USUAL_SERVICE_S


def hours_of(reps: Iterable[User], first_day: date, days: int, off: DaysOff) -> Mapping[UUID, float]:
    """Seconds that each rep works, without breaks; nothing for reps who cannot be planned."""
    dates = [first_day + timedelta(days=k) for k in range(days)]
    found = {}
    for rep in reps:
        able = rep.rep_profile is not None and rep.rep_profile.home is not None
        shifts = shifts_of(rep, dates, settings().zone, off) if able else []
        found[rep.id] = sum(
            float(shift.close_s - shift.open_s - (shift.rest.duration_s if shift.rest else 0)) for shift in shifts
        )
    return found


def drive_for_a_visit(session: Session, rep_ids: Sequence[UUID], day: date) -> float | None:
    """Driving by visit on the latest published routes of some reps; None when there are too few to say."""
    routes = select(Route.id, Route.drive_s, func.count(Stop.id).label("stops")).join(Stop, Stop.route_id == Route.id)
    routes = routes.where(
        Route.rep_id.in_(rep_ids),
        Route.published_at.is_not(None),
        Route.deleted_at.is_(None),
        Stop.deleted_at.is_(None),
        Route.day.between(day - timedelta(days=LEARNING_DAYS), day - timedelta(days=1)),
    ).group_by(Route.id)
    each = routes.subquery()
    drive, stops = session.execute(select(func.sum(each.c.drive_s), func.sum(each.c.stops))).one()
    return None if (stops or 0) < FEWEST_STOPS else float(drive) / float(stops)


def _fixed_s(
    session: Session, rep_ids: Sequence[UUID], work: Sequence[Worked], first: date, last: date, drive_s: float
) -> float:
    by_account = {one.account.id: one for one in work}
    asked = demands.wanting(session, by_account, last)
    seconds = sum((one.service_s or service_s(by_account[account_id])) + drive_s for one, account_id in asked)
    promised = session.scalar(
        select(func.count()).where(
            Visit.rep_id.in_(rep_ids),
            Visit.day.between(first, last),
            Visit.state == VisitState.PLANNED,
            Visit.appointment.is_not(None),
            Visit.deleted_at.is_(None),
        )
    )
    return seconds + (promised or 0) * (USUAL_SERVICE_S + drive_s)
