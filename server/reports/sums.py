"""The sums behind every measure, for each person, territory and class: one statement per source."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Numeric, Select, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.fields import INTERVAL_DAYS, in_cycle
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.accounts.relations import with_survivors
from server.activities import queries as activities
from server.activities.models import Outcome, Visit, VisitState
from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.closures.queries import days_off
from server.kit import clock
from server.opportunities.rates import apart_of, rate_of
from server.orders import queries as orders
from server.orders.models import COUNTS, Kind, Order
from server.plans.capacity import hours_of
from server.plans.models import Route, Stop
from server.reports.measures import Source, Sums
from server.reports.periods import Period


class Grain(NamedTuple):
    """What rows are added up by; every way of telling them apart is made of these."""

    person_id: UUID | None
    territory_id: UUID | None
    account_class: str | None


type Rows = dict[Grain, Sums]


@dataclass(frozen=True)
class Asked:
    """What is added up: whose rows, of which accounts, of which days."""

    session: Session
    scope: Scope
    period: Period
    filter: str | None = None
    days: int | None = None
    """Only so many days of the period count; None: all that are not ahead."""

    @property
    def today(self) -> date:
        """The day it is where the reader works."""
        return accounts.today_of(self.scope)

    @property
    def upto(self) -> date:
        """The last day that counts: nothing is said of days to come."""
        last = min(self.period.last, self.today)
        return last if self.days is None else min(last, self.period.first + timedelta(days=self.days - 1))

    def chosen(self) -> Select[Account]:
        """The accounts that the filter leaves."""
        return accounts.chosen(Reaching(self.session), self.scope, filter=self.filter).order_by(None)

    def among(self, column: Any) -> tuple[ColumnElement[bool], ...]:
        """The condition that rows are those of chosen accounts; none without a filter."""
        if not (self.filter and self.filter.strip()):
            return ()
        return (accounts.standing_for(column, self.chosen().with_only_columns(Account.id)),)


def sums(asked: Asked, sources: frozenset[Source]) -> Rows:
    """The sums of some sources."""
    rows: Rows = defaultdict(Sums)
    makers = {
        Source.ACCOUNTS: of_accounts,
        Source.VISITS: of_visits,
        Source.ROUTES: of_routes,
        Source.ORDERS: of_orders,
        Source.HOURS: of_hours,
    }
    for source in sorted(sources):
        makers[source](asked, rows)
    return dict(rows)


GRAIN = (Account.territory_id, Account.account_class)


@dataclass(frozen=True)
class Cycle:
    """Accounts with a call interval, and how each of them stood on the last day."""

    statement: Select[Any]
    last_visit: ColumnElement[date | None]
    is_visited: ColumnElement[bool]
    is_in_cycle: ColumnElement[bool]
    is_overdue: ColumnElement[bool]


def cycle(asked: Asked) -> Cycle:
    """The accounts with a call interval as they stood on the last day; those that came later do not count yet."""
    upto: Any = cast(literal(asked.upto), Date)
    happened = select(Visit).where(Visit.deleted_at.is_(None), Visit.state == VisitState.DONE, Visit.day <= asked.upto)
    each = with_survivors(happened, Visit.__table__.c.account_id, (Visit.__table__.c.day.label("day"),)).subquery()
    last = (
        select(
            each.c.parent,
            func.max(each.c.day).label("day"),
            func.bool_or(each.c.day >= asked.period.first).label("visited"),
        )
        .group_by(each.c.parent)
        .subquery()
    )
    known = cast(Account.created_at, Date)
    since = upto - last.c.day
    found = asked.chosen().outerjoin(last, last.c.parent == Account.id)
    return Cycle(
        statement=found.where(INTERVAL_DAYS.is_not(None), known <= upto),
        last_visit=last.c.day,
        is_visited=func.coalesce(last.c.visited, False),
        is_in_cycle=in_cycle(upto, last.c.day),
        is_overdue=case((last.c.day.is_(None), known < upto), else_=since > INTERVAL_DAYS),
    )


def of_accounts(asked: Asked, rows: Rows) -> None:
    """Accounts with a call interval."""
    stand = cycle(asked)
    each_account = stand.statement.with_only_columns(
        Account.owner_id.label("person_id"), *GRAIN, stand.is_visited.label("visited"),
        stand.is_in_cycle.label("in_cycle"), stand.is_overdue.label("late"),
    ).subquery()  # fmt: skip
    c = each_account.c
    statement = select(
        c.person_id, c.territory_id, c.account_class,
        func.count(), func.count().filter(c.visited), func.count().filter(c.in_cycle), func.count().filter(c.late),
    ).group_by(c.person_id, c.territory_id, c.account_class)  # fmt: skip
    for *grain, total, visited, kept, overdue in asked.session.execute(statement):
        rows[Grain(*grain)].add(Sums(accounts=total, visited=visited, in_cycle=kept, overdue=overdue))


WITH_ORDER = Visit.outcome == Outcome.ORDER


def visits(asked: Asked) -> Select[Any]:
    """The visits that were done, with their accounts."""
    return (
        activities.visible_to(asked.scope)
        .join(Account, Account.id == Visit.account_id)
        .where(
            Visit.state == VisitState.DONE,
            Visit.day.between(asked.period.first, asked.upto),
            *asked.among(Visit.account_id),
        )
    )


def of_visits(asked: Asked, rows: Rows) -> None:
    """Visits that were done."""
    statement = (
        visits(asked)
        .with_only_columns(Visit.rep_id, *GRAIN, func.count(), func.count().filter(WITH_ORDER))
        .group_by(Visit.rep_id, *GRAIN)
    )
    for rep_id, territory_id, account_class, done, ordered in asked.session.execute(statement):
        rows[Grain(rep_id, territory_id, account_class)].add(Sums(done=done, ordered=ordered))


def routes(asked: Asked, last: date) -> Select[Any]:
    """The published routes that somebody may see, with their stops and the stops' accounts."""
    scope = asked.scope
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:read")).with_only_columns(User.id)
    return (
        select(Route)
        .join(Stop, Stop.route_id == Route.id)
        .join(Account, Account.id == Stop.account_id)
        .where(
            Route.day.between(asked.period.first, last),
            Route.published_at.is_not(None),
            Route.deleted_at.is_(None),
            Stop.deleted_at.is_(None),
            Route.rep_id.in_(people.order_by(None)),
            *asked.among(Stop.account_id),
        )
    )


ON_THE_ROAD = func.extract("epoch", Route.returns_at - Route.leaves_at) - case(
    (Route.break_starts_at.is_not(None), func.coalesce(Route.break_s, 0)), else_=0
)
"""Seconds from leaving to coming back, the break left out."""
EACH = (
    select(Stop.route_id, func.count().label("stops"))
    .where(Stop.deleted_at.is_(None))
    .group_by(Stop.route_id)
    .subquery("each")
)
IS_DRIVEN = Route.rep_id.not_in(select(User.id).where(User.left_on < Route.day).correlate(Route))
"""Not of a day after the rep left."""
SHARE = literal(1.0) / EACH.c.stops
"""What a stop carries of its route's driving and time."""
IS_KEPT = func.coalesce(and_(Visit.state == VisitState.DONE, Visit.day == Route.day), False)


def stops(asked: Asked, last: date) -> Select[Any]:
    """The same routes and stops with what became of each stop."""
    return (
        routes(asked, last)
        .join(EACH, EACH.c.route_id == Route.id)
        .outerjoin(Visit, and_(Visit.id == Stop.visit_id, Visit.deleted_at.is_(None)))
    )


def is_due(asked: Asked) -> ColumnElement[bool]:
    """Whether a stop counts: done, of a day that is over, or with its planned end behind it."""
    return IS_KEPT | (Route.day < asked.today) | (Stop.ends_at < clock.now())


def of_routes(asked: Asked, rows: Rows) -> None:
    """Routes of days gone by and of today. Each stop carries an equal share of its route's driving and time."""
    statement = (
        stops(asked, asked.upto)
        .with_only_columns(
            Route.rep_id,
            *GRAIN,
            func.count().filter(is_due(asked)),
            func.count().filter(IS_KEPT),
            func.sum(Route.drive_s * SHARE),
            func.sum(ON_THE_ROAD * SHARE),
            func.sum(Route.distance_m * SHARE) / 1000,
        )
        .group_by(Route.rep_id, *GRAIN)
    )
    for *grain, stops_, kept, drive_s, work_s, distance_km in asked.session.execute(statement):
        rows[Grain(*grain)].add(
            Sums(
                stops=stops_,
                kept=kept,
                stops_done=kept,
                drive_s=float(drive_s),
                work_s=float(work_s),
                distance_km=float(distance_km),
            )
        )


def of_orders(asked: Asked, rows: Rows) -> None:
    """Business done, by the rate of the document's day; what has no rate stands apart."""
    column = Order.__table__.c
    rate = rate_of(column.currency, column.day)
    apart = apart_of(column.currency, rate)
    each = (
        orders.visible_to(asked.scope)
        .join(Account, Account.id == Order.account_id)
        .where(
            Order.kind.in_((Kind.ORDER, Kind.CREDIT)),
            Order.state.in_(COUNTS),
            Order.day.between(asked.period.first, asked.upto),
            *asked.among(Order.account_id),
        )
        .with_only_columns(
            Order.owner_id.label("person_id"),
            *GRAIN,
            apart.label("apart"),
            func.round(cast(column.net * func.coalesce(rate, 1), Numeric), 2).label("amount"),
        )
        .subquery()
        .c
    )
    statement = select(
        each.person_id, each.territory_id, each.account_class, each.apart, func.sum(each.amount)
    ).group_by(each.person_id, each.territory_id, each.account_class, each.apart)
    for *grain, code, amount in asked.session.execute(statement):
        found = Sums(revenue=amount) if code is None else Sums(apart={code: Decimal(amount)})
        rows[Grain(*grain)].add(found)


def of_hours(asked: Asked, rows: Rows) -> None:
    """Working hours of the people in the whole period, up to the day somebody left, and those that routes fill."""
    session, scope, period = asked.session, asked.scope, asked.period
    people = visible_users(scope.user_id, scope.team_ids, scope.level("plans:read"))
    here = User.active | (User.left_on >= period.first)
    reps = list(session.scalars(people.where(User.rep_profile.has(), here)))
    off = days_off(session, [rep.id for rep in reps], period.first, period.last)
    for rep in reps:
        last = min(period.last, rep.left_on or period.last)
        seconds = hours_of([rep], period.first, (last - period.first).days + 1, off)[rep.id]
        rows[Grain(rep.id, None, None)].add(Sums(available_h=seconds / 3600))
    planned = routes(asked, period.last).where(IS_DRIVEN)
    each = planned.with_only_columns(Route.id, Route.rep_id, ON_THE_ROAD.label("s")).distinct()
    found = each.subquery().c
    for rep_id, seconds in session.execute(select(found.rep_id, func.sum(found.s)).group_by(found.rep_id)):
        rows[Grain(rep_id, None, None)].add(Sums(planned_h=float(seconds) / 3600))
