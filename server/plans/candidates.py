"""What wants a visit: promised visits, accounts whose call interval runs out, and open visit demand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, DayPart, Site, Weekday
from server.activities.models import Appointment, Visit, VisitState
from server.activities.queries import appointments
from server.kit import clock
from server.kit.settings import settings
from server.plans.due import Worked, sites_with_pins, worth_s
from server.plans.models import Route, Stop

OTHER_REP_S = 900
"""What it costs, in seconds of driving, that somebody comes whom the customer does not know."""
PROMISE_PRIZE_S = 86_400
"""What keeping a promise is worth: more than any drive."""


@dataclass(frozen=True)
class Candidate:
    """One visit that the planner may or must place."""

    key: str
    """Unique among the candidates of a plan."""
    account_id: UUID
    name: str
    """Of the account."""
    site_id: UUID
    point: LonLat
    service_s: int
    rep_ids: frozenset[UUID]
    """Who may go."""
    prize_s: int
    overdue_days: int
    """On the first day of the plan; negative while there is time."""
    first_day: date
    """Not before."""
    due_on: date | None = None
    """Late after this day."""
    last_day: date | None = None
    """Not after."""
    opening_hours: str | None = None
    country: str | None = None
    """In which the site lies, for its holidays."""
    grade: str | None = None
    """Of the pin."""
    uncertainty_m: float | None = None
    """How far off the pin may be."""
    visit_id: UUID | None = None
    """Of a visit that is in the calendar already."""
    appointment: Appointment | None = None
    starts_at: datetime | None = None
    """Of a fixed appointment."""
    meeting_id: UUID | None = None
    """Shared with the visit of a rep who comes along."""
    demand_ids: tuple[UUID, ...] = ()
    """Visit demands that it serves."""
    sentence: str = ""
    """Why these want it."""
    must: bool = False
    """Whether one of these must be served."""
    likes_weekdays: frozenset[int] = frozenset()
    """0 is Monday: taken where one of them is open; empty: any."""
    likes_part: DayPart | None = None
    """Part of the day: taken where the opening hours leave it."""
    usual_rep_id: UUID | None = None
    """Whom the customer knows: comes unless somebody else saves more than `OTHER_REP_S` of driving."""
    is_preferred: bool = False
    """Whether the customer asked for that rep."""

    @property
    def mandatory(self) -> bool:
        """Whether it was promised, or must be."""
        return self.must or self.appointment is not None


class Lack(StrEnum):
    """What keeps a wanted visit from going to the planner."""

    NO_PIN = "no_pin"
    BY_APPOINTMENT = "by_appointment"
    """The customer is visited at agreed times only, and none is agreed."""


@dataclass(frozen=True)
class Unplaceable:
    """A visit that is wanted but cannot go to the planner."""

    account_id: UUID
    site_id: UUID | None
    rep_ids: frozenset[UUID]
    prize_s: int
    overdue_days: int
    visit_id: UUID | None = None
    mandatory: bool = False
    lacks: Lack = Lack.NO_PIN


@dataclass(frozen=True)
class Candidates:
    """Everything that wants a visit within the days of a plan."""

    placeable: tuple[Candidate, ...]
    unplaceable: tuple[Unplaceable, ...] = ()
    spacings: tuple[tuple[tuple[str, ...], int], ...] = ()
    """Keys of the visits to one account, in order, and the least days between two."""


def promised(
    session: Session, rep_ids: Sequence[UUID], first_day: date, last_day: date
) -> tuple[list[Candidate], list[Unplaceable]]:
    """The visits of these reps that were promised for some days; those without a pin apart."""
    promises = list(_promises(session, appointments(session, rep_ids, first_day, last_day)))
    return (
        [one for one in promises if isinstance(one, Candidate)],
        [one for one in promises if isinstance(one, Unplaceable)],
    )


def due(work: Iterable[Worked], first_day: date, last_day: date, stretch: float) -> Candidates:
    """The accounts whose interval, lengthened by the stretch, runs out by the last day."""
    placeable: list[Candidate] = []
    unplaceable, spacings = [], []
    for one in work:
        if one.interval is None or one.due_on(stretch) - timedelta(days=one.early_days(stretch)) > last_day:
            continue
        overdue = (first_day - one.due_on(stretch)).days
        if one.point is None or one.site is None or one.account.by_appointment:
            site_id = one.site.id if one.site else None
            prize = worth_s(one.account, overdue, one.wait_days(stretch))
            unplaceable.append(
                Unplaceable(one.account.id, site_id, one.reps, prize, overdue, lacks=lacking(one.account))
            )
            continue
        visits = list(_visits(one, one.site, one.point, first_day, last_day, stretch))
        placeable += visits
        if len(visits) > 1:
            spacings.append((tuple(v.key for v in visits), one.gap_days(stretch)))
    return Candidates(tuple(placeable), tuple(unplaceable), tuple(spacings))


def lacking(account: Account) -> Lack:
    """Why an account's visit cannot go to the planner: without an agreed time a pin would not help."""
    return Lack.BY_APPOINTMENT if account.by_appointment else Lack.NO_PIN


def _visits(
    one: Worked, site: Site, point: LonLat, first_day: date, last_day: date, stretch: float
) -> Iterable[Candidate]:
    """The visits that an account wants within the days: usually one, more when its interval is shorter."""
    wait, early = one.wait_days(stretch), timedelta(days=one.early_days(stretch))
    overdue = (first_day - one.due_on(stretch)).days
    number, due_on = 0, max(one.due_on(stretch), first_day)
    while due_on <= last_day or number == 0:
        yield Candidate(
            key=f"{one.account.id}/{number}",
            account_id=one.account.id,
            name=one.account.name,
            site_id=site.id,
            point=point,
            service_s=site.service_s,
            rep_ids=one.reps,
            prize_s=worth_s(one.account, overdue if number == 0 else 0, wait),
            overdue_days=overdue if number == 0 else (first_day - due_on).days,
            first_day=max(first_day, due_on - early),
            due_on=due_on,
            opening_hours=site.opening_hours,
            country=site.country,
            grade=site.grade,
            uncertainty_m=site.uncertainty_m,
            usual_rep_id=one.usual,
            is_preferred=one.is_preferred,
            **_likes(one.account, pressing=number == 0 and overdue > one.early_days(stretch)),
        )
        number += 1
        due_on += timedelta(days=wait)


class Likes(TypedDict, total=False):
    """What a customer likes, as a candidate carries it."""

    likes_weekdays: frozenset[int]
    likes_part: DayPart | None


def _likes(account: Account, *, pressing: bool) -> Likes:
    """The days and the time at which visits are welcome; one that is late past its tolerance comes at any."""
    if pressing:
        return {}
    days = list(Weekday)
    return {
        "likes_weekdays": frozenset(days.index(Weekday(day)) for day in account.preferred_days),
        "likes_part": DayPart(account.preferred_time) if account.preferred_time else None,
    }


def _promises(session: Session, promised: Sequence[Visit]) -> Iterable[Candidate | Unplaceable]:
    chosen = (
        select(Visit.id, Account.id, Account.name, func.site_standing(Visit.site_id))
        .join(Account, Account.id == func.account_surviving(Visit.account_id))
        .where(Visit.id.in_([visit.id for visit in promised]))
    )
    standing = {
        visit_id: (account_id, name, site_id) for visit_id, account_id, name, site_id in session.execute(chosen)
    }
    sites = sites_with_pins(session, [site_id for _, _, site_id in standing.values() if site_id])
    for visit in promised:
        account_id, name, site_id = standing[visit.id]
        site, point = sites.get(site_id, (None, None)) if site_id else (None, None)
        if site is None or point is None:
            reps = frozenset({visit.rep_id})
            yield Unplaceable(account_id, site_id, reps, PROMISE_PRIZE_S, 0, visit.id, mandatory=True)
        else:
            yield _promise(visit, account_id, name, site, point)


def _promise(visit: Visit, account_id: UUID, name: str, site: Site, point: LonLat) -> Candidate:
    appointment = Appointment(visit.appointment or Appointment.FLEXIBLE_WEEK)
    fixed = appointment is Appointment.FIXED
    service_s = site.service_s
    if fixed and visit.planned_start_at and visit.planned_end_at:
        service_s = int((visit.planned_end_at - visit.planned_start_at).total_seconds())
    monday = visit.day - timedelta(days=visit.day.weekday())
    in_week = appointment is Appointment.FLEXIBLE_WEEK
    return Candidate(
        key=f"visit/{visit.id}",
        account_id=account_id,
        name=name,
        site_id=site.id,
        point=point,
        service_s=service_s,
        rep_ids=frozenset({visit.rep_id}),
        prize_s=PROMISE_PRIZE_S,
        overdue_days=0,
        first_day=monday if in_week else visit.day,
        last_day=monday + timedelta(days=6) if in_week else visit.day,
        opening_hours=site.opening_hours,
        country=site.country,
        grade=site.grade,
        uncertainty_m=site.uncertainty_m,
        visit_id=visit.id,
        appointment=appointment,
        starts_at=visit.planned_start_at if fixed else None,
        meeting_id=visit.meeting_id,
    )


def planned_elsewhere(session: Session, rep_ids: Sequence[UUID], first_day: date, last_day: date) -> set[UUID]:
    """Accounts that are going to be visited anyway: by others, on other days, or by a visit put in by hand."""
    replaceable = (
        select(Stop.visit_id)
        .join(Route, Route.id == Stop.route_id)
        .where(Route.published_at.is_not(None), Route.deleted_at.is_(None), Stop.visit_id.is_not(None))
    )
    statement = select(func.account_surviving(Visit.account_id)).where(
        Visit.state == VisitState.PLANNED,
        Visit.deleted_at.is_(None),
        Visit.day.between(clock.today(settings().zone), last_day + timedelta(days=7)),
        ~(Visit.rep_id.in_(list(rep_ids)) & Visit.day.between(first_day, last_day) & Visit.id.in_(replaceable)),
    )
    return set(session.scalars(statement))
