"""Reads of plans: what a page, an export or a phone shows of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import Select, Uuid, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.activities.models import Visit
from server.auth import veil
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.kit.errors import NotFound
from server.plans.entry import in_words
from server.plans.models import Plan, PlanState, Route, Stop, Unplanned


def visible_to(scope: Scope, permission: str = "plans:read") -> Select[Plan]:
    """The plans that somebody may see: those whose reps are all theirs to see, and those they asked for.

    For reading also published ones with some of their reps; `plan_view` leaves the other reps out.
    """
    people = visible_users(scope.user_id, scope.team_ids, scope.level(permission)).with_only_columns(User.id)
    reach = func.array(people.order_by(None).scalar_subquery(), type_=ARRAY(Uuid))
    theirs = Plan.rep_ids.contained_by(reach) | (Plan.requested_by == scope.user_id)
    if permission == "plans:read":
        theirs |= Plan.published_at.is_not(None) & Plan.rep_ids.overlap(reach)
    return select(Plan).where(Plan.deleted_at.is_(None), theirs)


class Leg(NamedTuple):
    """A drive of a route."""

    seconds: int
    metres: int
    estimated: bool
    polyline6: str


@dataclass(frozen=True)
class StopView:
    """A stop with what people want to know of the customer."""

    id: UUID
    visit_id: UUID | None
    account_id: UUID
    site_id: UUID
    position: int
    account_name: str
    account_number: str | None
    account_class: str | None
    phone: str | None
    site_name: str | None
    street: str | None
    postcode: str | None
    city: str | None
    point: LonLat | None
    arrives_at: datetime
    starts_at: datetime
    ends_at: datetime
    leg: Leg
    """The drive that leads here."""
    why: str
    because: dict[str, Any] | None
    """`why` as data; see `routing.explain.Why`."""
    entry: LonLat | None
    """Where the car stops; None when the drive is estimated."""
    walk_m: float | None
    cautions: list[str]
    """Codes of `server.plans.entry`."""
    overdue_days: int
    visit_state: str | None
    appointment: str | None
    objective: str | None
    outcome: str | None = None
    """Of a visit that is done."""

    def __post_init__(self) -> None:
        """What the reader may not know is not there."""
        veil.without("account", self)

    @property
    def caution(self) -> str:
        """What to know of the place, in words."""
        return in_words(self.cautions)

    @property
    def address(self) -> str:
        """Street and town on one line."""
        town = " ".join(part for part in (self.postcode, self.city) if part)
        return ", ".join(part for part in (self.street, town) if part)


class Anchor(NamedTuple):
    """Where a day starts or ends."""

    name: str
    lon: float
    lat: float


@dataclass(frozen=True)
class RouteView:
    """One rep's planned day."""

    id: UUID
    plan_id: UUID
    rep_id: UUID
    rep_name: str
    rep_login: str
    day: date
    zone: str
    start: Anchor
    end: Anchor
    leaves_at: datetime
    returns_at: datetime
    break_starts_at: datetime | None
    break_s: int | None
    drive_s: int
    distance_m: int
    estimated: bool
    stops: tuple[StopView, ...]
    last_leg: Leg
    """The drive back."""
    published_at: datetime | None
    planned_at: datetime
    """When the plan was computed."""

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All drives, one more than stops."""
        return (*(stop.leg for stop in self.stops), self.last_leg)


@dataclass(frozen=True)
class UnplannedView:
    """A visit that was wanted and is not in the plan."""

    id: UUID
    account_id: UUID
    site_id: UUID | None
    visit_id: UUID | None
    account_name: str
    street: str | None
    city: str | None
    point: LonLat | None
    rep_ids: tuple[UUID, ...]
    mandatory: bool
    prize_s: int
    overdue_days: int
    reasons: tuple[dict[str, str], ...]
    """Each with `code` and `text`."""
    relaxations: tuple[dict[str, Any], ...] = ()
    """What would let it in, the smallest first; see `server.plans.relaxing`."""
    key: str | None = None
    """Of the wish in the plan's basis."""


@dataclass(frozen=True)
class PlanView:
    """A plan with everything in it."""

    plan: Plan
    routes: tuple[RouteView, ...]
    unplanned: tuple[UnplannedView, ...]


def find(session: Session, scope: Scope, plan_id: UUID, permission: str = "plans:read") -> Plan:
    """The plan of that id; for a stranger's there is none."""
    plan = session.scalars(visible_to(scope, permission).where(Plan.id == plan_id)).one_or_none()
    if plan is None:
        raise NotFound("There is no such plan.")
    return plan


def lock(session: Session, plan: Plan) -> Plan:
    """Let nobody else change a plan that was found; there is none when it was deleted in between."""
    session.refresh(plan, with_for_update=True)
    if plan.deleted_at is not None:
        raise NotFound("There is no such plan.")
    return plan


def is_theirs(session: Session, scope: Scope, plan_id: UUID, permission: str) -> bool:
    """Whether a permission of somebody reaches the whole plan."""
    statement = visible_to(scope, permission).where(Plan.id == plan_id).with_only_columns(Plan.id)
    return session.execute(statement).first() is not None


def plan_view(session: Session, scope: Scope, plan_id: UUID) -> PlanView:
    """A plan with its routes, stops and what was left out, as far as somebody may see its reps."""
    plan = find(session, scope, plan_id)
    routes = _routes(session, select(Route).where(Route.plan_id == plan.id))
    left_out = unplanned_of(session, plan.id)
    seen = seen_reps(session, scope, plan)
    if not seen.issuperset(plan.rep_ids):
        routes = tuple(route for route in routes if route.rep_id in seen)
        known = accounts.seen_of(session, scope, [one.account_id for one in left_out])
        left_out = tuple(one for one in left_out if one.account_id in known)
    return PlanView(plan, routes, left_out)


def replaced(session: Session, plan_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these published plans have no route in the calendar any more: later plans took their place."""
    taken = func.bool_and(Route.deleted_at.is_not(None))
    of_plan = select(Route.plan_id).where(Route.plan_id.in_(list(plan_ids)), Route.published_at.is_not(None))
    return set(session.scalars(of_plan.group_by(Route.plan_id).having(taken)))


def seen_reps(session: Session, scope: Scope, plan: Plan) -> set[UUID]:
    """The reps of a plan whose days somebody may see."""
    if plan.requested_by == scope.user_id:
        return set(plan.rep_ids)
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:read")).with_only_columns(User.id)
    return set(session.scalars(people.order_by(None))) & set(plan.rep_ids)


def names_of(session: Session, rep_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of some reps."""
    return {user.id: user.name for user in session.scalars(select(User).where(User.id.in_(set(rep_ids))))}


def same_days(session: Session, scope: Scope, plan: Plan, *, limit: int = 8) -> list[Plan]:
    """Other plans of some of the same reps that begin on the same day, the latest first."""
    statement = visible_to(scope).where(
        Plan.id != plan.id,
        Plan.first_day == plan.first_day,
        Plan.rep_ids.overlap(plan.rep_ids),
        Plan.state.in_([PlanState.READY, PlanState.PUBLISHED]),
    )
    return list(session.scalars(statement.order_by(Plan.created_at.desc(), Plan.id.desc()).limit(limit)))


def routes_of(session: Session, plan_id: UUID, day: date) -> tuple[RouteView, ...]:
    """The routes of a plan on one day."""
    return _routes(session, select(Route).where(Route.plan_id == plan_id, Route.day == day))


def route_of(session: Session, scope: Scope, plan_id: UUID, rep_id: UUID, day: date) -> RouteView:
    """One rep's day of a plan; there is none of strangers."""
    plan = find(session, scope, plan_id)
    chosen = select(Route).where(Route.plan_id == plan.id, Route.rep_id == rep_id, Route.day == day)
    found = _routes(session, chosen) if rep_id in seen_reps(session, scope, plan) else ()
    if not found:
        raise NotFound("There is no such route in this plan.")
    return found[0]


def day_routes(session: Session, day: date, rep_ids: Iterable[UUID] | None = None) -> tuple[RouteView, ...]:
    """The published routes of a day, of all reps or of some."""
    statement = select(Route).where(Route.day == day, Route.published_at.is_not(None), Route.deleted_at.is_(None))
    if rep_ids is not None:
        statement = statement.where(Route.rep_id.in_(list(rep_ids)))
    return _routes(session, statement)


def routes_between(session: Session, scope: Scope, first: date, last: date) -> tuple[RouteView, ...]:
    """The published routes of some days that somebody may see."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:read")).with_only_columns(User.id)
    statement = select(Route).where(
        Route.day.between(first, last),
        Route.published_at.is_not(None),
        Route.deleted_at.is_(None),
        Route.rep_id.in_(people.order_by(None)),
    )
    return _routes(session, statement)


def unplanned_of(session: Session, plan_id: UUID) -> tuple[UnplannedView, ...]:
    """What a plan left out: promises first, then by value."""
    rows = session.execute(
        select(Unplanned, Account.id, Account.name, Site.street, Site.city, ST_X(Site.pin), ST_Y(Site.pin))
        .join(Account, Account.id == func.account_surviving(Unplanned.account_id))
        .outerjoin(Site, Site.id == Unplanned.site_id)
        .where(Unplanned.plan_id == plan_id)
        .order_by(Unplanned.mandatory.desc(), Unplanned.prize_s.desc(), Account.name, Unplanned.id)
    )
    return tuple(
        UnplannedView(
            id=row.id,
            account_id=account_id,
            site_id=row.site_id,
            visit_id=row.visit_id,
            account_name=name,
            street=street,
            city=city,
            point=None if lon is None else LonLat(lon, lat),
            rep_ids=tuple(row.rep_ids),
            mandatory=row.mandatory,
            prize_s=row.prize_s,
            overdue_days=row.overdue_days,
            reasons=tuple(row.reasons),
            relaxations=tuple(row.relaxations),
            key=row.key,
        )
        for row, account_id, name, street, city, lon, lat in rows
    )


def _routes(session: Session, chosen: Select[Route]) -> tuple[RouteView, ...]:
    rows = session.execute(
        chosen.join(User, User.id == Route.rep_id)
        .join(Plan, Plan.id == Route.plan_id)
        .with_only_columns(Route, User.name, User.login, Plan.ready_at)
        .order_by(Route.day, User.name, User.id)
    ).all()
    stops = _stops(session, [row[0] for row in rows])
    return tuple(
        RouteView(
            id=route.id,
            plan_id=route.plan_id,
            rep_id=route.rep_id,
            rep_name=name,
            rep_login=login,
            day=route.day,
            zone=route.zone,
            start=Anchor(**route.start_anchor),
            end=Anchor(**route.end_anchor),
            leaves_at=route.leaves_at,
            returns_at=route.returns_at,
            break_starts_at=route.break_starts_at,
            break_s=route.break_s,
            drive_s=route.drive_s,
            distance_m=route.distance_m,
            estimated=route.estimated,
            stops=stops.get(route.id, ()),
            last_leg=_leg(route, len(route.legs) - 1),
            published_at=route.published_at,
            planned_at=ready_at or route.created_at,
        )
        for route, name, login, ready_at in rows
    )


def _leg(route: Route, index: int) -> Leg:
    return Leg(**route.legs[index], polyline6=route.polylines[index])


def _stops(session: Session, routes: Sequence[Route]) -> dict[UUID, tuple[StopView, ...]]:
    by_id = {route.id: route for route in routes}
    rows = session.execute(
        select(Stop, Account, Site, Visit.state, Visit.appointment, Visit.objective)
        .add_columns(Visit.outcome, ST_X(Site.pin), ST_Y(Site.pin), ST_X(Stop.entry), ST_Y(Stop.entry))
        .join(Account, Account.id == func.account_surviving(Stop.account_id))
        .join(Site, Site.id == Stop.site_id)
        .outerjoin(Visit, Visit.id == Stop.visit_id)
        .join(Route, Route.id == Stop.route_id)
        .where(
            Stop.route_id.in_(list(by_id)),
            Stop.deleted_at.is_(None) | (Stop.deleted_at == Route.deleted_at),  # went with a route that was replaced
        )
        .order_by(Stop.route_id, Stop.position)
    )
    found: dict[UUID, list[StopView]] = {}
    for stop, account, site, state, appointment, objective, outcome, lon, lat, entry_lon, entry_lat in rows:
        view = StopView(
            id=stop.id,
            visit_id=stop.visit_id,
            account_id=account.id,
            site_id=site.id,
            position=stop.position,
            account_name=account.name,
            account_number=account.number,
            account_class=account.account_class,
            phone=account.phone,
            site_name=site.name,
            street=site.street,
            postcode=site.postcode,
            city=site.city,
            point=None if lon is None else LonLat(lon, lat),
            arrives_at=stop.arrives_at,
            starts_at=stop.starts_at,
            ends_at=stop.ends_at,
            leg=_leg(by_id[stop.route_id], stop.position - 1),
            why=stop.why,
            because=stop.because,
            entry=None if entry_lon is None else LonLat(entry_lon, entry_lat),
            walk_m=stop.walk_m,
            cautions=list(stop.cautions),
            overdue_days=stop.overdue_days,
            visit_state=state,
            appointment=appointment,
            objective=objective,
            outcome=outcome,
        )
        found.setdefault(stop.route_id, []).append(view)
    return {route_id: tuple(views) for route_id, views in found.items()}
