"""What wants a visit: promised visits, and accounts whose call interval runs out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import queries as accounts
from server.accounts.models import INTERVALS, Account, AccountRep, PinState, Site
from server.activities.models import Appointment, Visit, VisitState
from server.activities.queries import appointments
from server.auth.access import Scope
from server.kit import clock
from server.plans.models import Route, Stop
from server.territories.queries import members_on

TOLERANCE = 0.2
"""Share of the call interval by which a visit may come early."""

BASE_PRIZE_S = {"A": 10_800, "B": 5_400, "C": 2_700, None: 1_800}
"""What a visit that is just due is worth, in seconds of driving, by class."""

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
    grade: str | None = None
    """Of the pin."""
    uncertainty_m: float | None = None
    """How far off the pin may be."""
    visit_id: UUID | None = None
    """Of a visit that is in the calendar already."""
    appointment: Appointment | None = None
    starts_at: datetime | None = None
    """Of a fixed appointment."""

    @property
    def mandatory(self) -> bool:
        """Whether it was promised."""
        return self.appointment is not None


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


@dataclass(frozen=True)
class Candidates:
    """Everything that wants a visit within the days of a plan."""

    placeable: tuple[Candidate, ...]
    without_pin: tuple[Unplaceable, ...]
    spacings: tuple[tuple[tuple[str, ...], int], ...] = ()
    """Keys of the visits to one account, in order, and the least days between two."""


@dataclass
class _Due:
    account: Account
    reps: frozenset[UUID]
    site: Site | None
    point: LonLat | None
    interval_days: int
    due_on: date
    keys: list[str] = field(default_factory=list)


def find(session: Session, scope: Scope, rep_ids: Sequence[UUID], first_day: date, last_day: date) -> Candidates:
    """The promised visits of these reps and the accounts of theirs that are due by the last day."""
    promised = appointments(session, rep_ids, first_day, last_day)
    promises = list(_promises(session, promised))
    placeable = [p for p in promises if isinstance(p, Candidate)]
    without_pin = [p for p in promises if isinstance(p, Unplaceable)]
    busy = {visit.account_id for visit in promised} | _planned_elsewhere(session, rep_ids, first_day, last_day)
    spacings = []
    for due in _due_accounts(session, scope, rep_ids, first_day, last_day, busy):
        overdue = (first_day - due.due_on).days
        prize = worth_s(due.account, overdue, due.interval_days)
        if due.point is None or due.site is None:
            site_id = due.site.id if due.site else None
            without_pin.append(Unplaceable(due.account.id, site_id, due.reps, prize, overdue))
            continue
        visits = list(_visits(due, prize, overdue, first_day, last_day))
        placeable += visits
        if len(visits) > 1:
            spacings.append((tuple(v.key for v in visits), _least_gap(due.interval_days)))
    return Candidates(tuple(placeable), tuple(without_pin), tuple(spacings))


def worth_s(account: Account, overdue_days: int, interval_days: int) -> int:
    """What a visit is worth in seconds of driving.

    The class sets the base; value and potential raise it by half for each power of ten above 1,000 a year, and
    lateness in proportion to the interval, at most threefold. Coming early is worth a little less.
    """
    base = BASE_PRIZE_S.get(account.account_class, BASE_PRIZE_S[None])
    yearly = max(account.yearly_value or Decimal(0), account.yearly_potential or Decimal(0))
    size = 1 + max(0.0, math.log10(max(float(yearly), 1.0)) - 3) / 2
    urgency = min(3.0, max(0.5, 1 + overdue_days / interval_days))
    return round(base * size * urgency)


def _least_gap(interval_days: int) -> int:
    return max(1, math.ceil(interval_days * (1 - TOLERANCE)))


def _visits(due: _Due, prize: int, overdue: int, first_day: date, last_day: date) -> Iterable[Candidate]:
    """The visits that an account wants within the days: usually one, more when its interval is shorter."""
    assert due.site is not None
    assert due.point is not None
    number, due_on = 0, max(due.due_on, first_day) if due.due_on < first_day else due.due_on
    while due_on <= last_day or number == 0:
        early = timedelta(days=math.floor(due.interval_days * TOLERANCE))
        yield Candidate(
            key=f"{due.account.id}/{number}",
            account_id=due.account.id,
            name=due.account.name,
            site_id=due.site.id,
            point=due.point,
            service_s=due.site.service_s,
            rep_ids=due.reps,
            prize_s=prize if number == 0 else worth_s(due.account, 0, due.interval_days),
            overdue_days=overdue if number == 0 else (first_day - due_on).days,
            first_day=max(first_day, due_on - early),
            due_on=due_on,
            opening_hours=due.site.opening_hours,
            grade=due.site.grade,
            uncertainty_m=due.site.uncertainty_m,
        )
        number += 1
        due_on += timedelta(days=due.interval_days)


def _promises(session: Session, promised: Sequence[Visit]) -> Iterable[Candidate | Unplaceable]:
    sites = _sites(session, [v.site_id for v in promised if v.site_id])
    chosen = select(Account.id, Account.name).where(Account.id.in_([v.account_id for v in promised]))
    names: dict[UUID, str] = dict(session.execute(chosen).tuples().all())
    for visit in promised:
        site, point = sites.get(visit.site_id, (None, None)) if visit.site_id else (None, None)
        if site is None or point is None:
            reps = frozenset({visit.rep_id})
            yield Unplaceable(visit.account_id, visit.site_id, reps, PROMISE_PRIZE_S, 0, visit.id, mandatory=True)
        else:
            yield _promise(visit, names[visit.account_id], site, point)


def _promise(visit: Visit, name: str, site: Site, point: LonLat) -> Candidate:
    appointment = Appointment(visit.appointment or Appointment.FLEXIBLE_WEEK)
    fixed = appointment is Appointment.FIXED
    service_s = site.service_s
    if fixed and visit.planned_start_at and visit.planned_end_at:
        service_s = int((visit.planned_end_at - visit.planned_start_at).total_seconds())
    monday = visit.day - timedelta(days=visit.day.weekday())
    in_week = appointment is Appointment.FLEXIBLE_WEEK
    return Candidate(
        key=f"visit/{visit.id}",
        account_id=visit.account_id,
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
        grade=site.grade,
        uncertainty_m=site.uncertainty_m,
        visit_id=visit.id,
        appointment=appointment,
        starts_at=visit.planned_start_at if fixed else None,
    )


def _planned_elsewhere(session: Session, rep_ids: Sequence[UUID], first_day: date, last_day: date) -> set[UUID]:
    """Accounts that are going to be visited anyway: by others, on other days, or by a visit put in by hand."""
    replaceable = (
        select(Stop.visit_id)
        .join(Route, Route.id == Stop.route_id)
        .where(Route.published_at.is_not(None), Route.deleted_at.is_(None), Stop.visit_id.is_not(None))
    )
    statement = select(Visit.account_id).where(
        Visit.state == VisitState.PLANNED,
        Visit.deleted_at.is_(None),
        Visit.day.between(clock.now().date(), last_day + timedelta(days=7)),
        ~(Visit.rep_id.in_(list(rep_ids)) & Visit.day.between(first_day, last_day) & Visit.id.in_(replaceable)),
    )
    return set(session.scalars(statement))


def _due_accounts(
    session: Session, scope: Scope, rep_ids: Sequence[UUID], first_day: date, last_day: date, busy: set[UUID]
) -> Iterable[_Due]:
    visible = accounts.visible_to(scope).order_by(None)
    chosen = list(session.scalars(visible.order_by(Account.id)))
    reps = _reps_of(session, [a for a in chosen if a.id not in busy], rep_ids, first_day)
    sites = _main_sites(session, reps)
    for account in chosen:
        interval = account.interval_days or INTERVALS.get(account.account_class or "")
        if account.id not in reps or interval is None:
            continue
        last = account.last_visit_on
        due_on = account.created_at.date() if last is None else last + timedelta(days=interval)
        if due_on - timedelta(days=math.floor(interval * TOLERANCE)) > last_day:
            continue
        site, point = sites.get(account.id, (None, None))
        yield _Due(account, reps[account.id], site, point, interval, due_on)


def _reps_of(
    session: Session, chosen: Sequence[Account], rep_ids: Sequence[UUID], day: date
) -> dict[UUID, frozenset[UUID]]:
    """Which of the reps may visit each account: its owner and those assigned; without an owner, its territory's."""
    wanted = set(rep_ids)
    assigned: dict[UUID, set[UUID]] = {}
    for account_id, user_id in session.execute(
        select(AccountRep.account_id, AccountRep.user_id).where(AccountRep.user_id.in_(wanted))
    ):
        assigned.setdefault(account_id, set()).add(user_id)
    members: dict[UUID, set[UUID]] = {}
    for member in members_on(session, day):
        members.setdefault(member.territory_id, set()).add(member.user_id)
    found = {}
    for account in chosen:
        owners = {account.owner_id} if account.owner_id else members.get(account.territory_id or UUID(int=0), set())
        reps = (owners | assigned.get(account.id, set())) & wanted
        if reps:
            found[account.id] = frozenset(r for r in reps if r is not None)
    return found


def _main_sites(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, tuple[Site, LonLat | None]]:
    """The site where each account is visited: the main one, else the first."""
    rows = session.execute(
        select(Site, ST_X(Site.pin), ST_Y(Site.pin))
        .where(Site.account_id.in_(list(account_ids)), Site.deleted_at.is_(None))
        .order_by(Site.account_id, Site.is_main, Site.id.desc())
    )
    return {site.account_id: (site, _pin(site, lon, lat)) for site, lon, lat in rows}  # the last one stays: the main


def _sites(session: Session, site_ids: Sequence[UUID]) -> dict[UUID, tuple[Site, LonLat | None]]:
    rows = session.execute(
        select(Site, ST_X(Site.pin), ST_Y(Site.pin)).where(Site.id.in_(site_ids), Site.deleted_at.is_(None))
    )
    return {site.id: (site, _pin(site, lon, lat)) for site, lon, lat in rows}


def _pin(site: Site, lon: float | None, lat: float | None) -> LonLat | None:
    if lon is None or lat is None or site.pin_state == PinState.FAILED:
        return None
    return LonLat(lon, lat)
