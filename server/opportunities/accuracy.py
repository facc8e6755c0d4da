"""How good the forecast was: what was said some weeks before a period's end, against what was sold in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Date, case, cast, func, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.auth.access import Scope
from server.kit.settings import settings
from server.opportunities import queries, snapshots
from server.opportunities.fields import in_base
from server.opportunities.forecast_models import ForecastNight, ForecastSnapshot, Span
from server.opportunities.models import Category, Opportunity, State
from server.opportunities.periods import Period, around
from server.opportunities.rates import rate_of

NEAREST_DAYS = 6
"""A snapshot this much older than the day that is asked for still speaks for it."""


@dataclass(frozen=True)
class Said:
    """What a forecast said of a period: what was sold by then, and what was still expected."""

    day: date
    weighted: Decimal
    commit: Decimal
    best_case: Decimal


@dataclass(frozen=True)
class Hit:
    """A period with what was said of it and what came."""

    period: Period
    sold: Decimal
    said: Said | None
    """None: there is no snapshot of that time."""

    def error(self, name: str) -> Decimal | None:
        """By how many percent a forecast was too high (or, negative, too low)."""
        if self.said is None or not self.sold:
            return None
        said: Decimal = getattr(self.said, name)
        return (said - self.sold) / self.sold * 100


def accuracy(
    session: Session, scope: Scope, span: Span, weeks: int, *, filter: str | None = None, count: int = 8
) -> list[Hit]:
    """The last finished periods, the oldest first, each with what was said some weeks before its end."""
    queries.need_worth(scope)
    today = accounts.today_of(scope)
    now = around(today, span)
    periods = [now.shifted(-step) for step in range(count, 0, -1)]
    sold = sales(session, scope, filter)
    return [
        Hit(period, between(sold, period.first, period.end), said_of(session, scope, period, weeks, sold, filter))
        for period in periods
    ]


type Sales = Sequence[tuple[date, Decimal]]


def sales(session: Session, scope: Scope, filter: str | None) -> Sales:
    """What was sold on each day, in the company's currency at the rate of that day."""
    today = accounts.today_of(scope)
    day = cast(func.timezone(settings().zone, Opportunity.closed_at), Date)
    statement = queries.chosen(session, scope, filter=filter).where(Opportunity.state == State.WON)
    worth = statement.with_only_columns(day.label("day"), in_base(today).label("worth")).subquery("sold")
    return [
        (row[0], row[1] or Decimal(0))
        for row in session.execute(
            select(worth.c.day, func.sum(func.round(worth.c.worth, 2))).group_by(worth.c.day).order_by(worth.c.day)
        )
    ]


def between(sold: Sales, first: date, end: date) -> Decimal:
    """What was sold from a day on, before another."""
    return sum((amount for day, amount in sold if first <= day < end), Decimal(0))


def said_of(session: Session, scope: Scope, period: Period, weeks: int, sold: Sales, filter: str | None) -> Said | None:
    """What the forecast said some weeks before a period's end."""
    asked = period.end - timedelta(weeks=weeks)
    day = snapshots.night_before(session, asked)
    if day is None or day < asked - timedelta(days=NEAREST_DAYS):
        return None
    seen = queries.chosen(session, scope, filter=filter).with_only_columns(Opportunity.id)
    shot = ForecastSnapshot.__table__.c
    value = func.coalesce(shot.amount, 0) * rate_of(shot.currency, cast(day, Date))
    sums = select(
        func.coalesce(func.sum(case((shot.category != Category.OMITTED, value * shot.probability), else_=0)), 0),
        func.coalesce(func.sum(case((shot.category == Category.COMMIT, value), else_=0)), 0),
        func.coalesce(func.sum(case((shot.category == Category.BEST_CASE, value), else_=0)), 0),
    ).where(shot.day == day, shot.close_on < period.end, shot.opportunity_id.in_(seen))
    weighted, commit, best = session.execute(sums).one()
    by_then = between(sold, period.first, day)
    return Said(day, by_then + weighted, by_then + commit, by_then + commit + best)


def has_nights(session: Session) -> bool:
    """Whether there is any snapshot yet."""
    return session.scalar(select(ForecastNight.day).limit(1)) is not None
