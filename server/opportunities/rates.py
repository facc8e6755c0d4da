"""Amounts in the company's currency: by the rate of the day, or apart where there is none; never silently added up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Numeric, case, cast, func, literal, null, select, true
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts.values import currency as currency_rule
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.settings import settings
from server.opportunities.forecast_models import ExchangeRate
from server.records.currencies import rounded


@dataclass
class Total:
    """A sum of deals; what has no rate stands apart, by currency."""

    count: int = 0
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    apart: dict[str, Decimal] = field(default_factory=dict)
    rates: dict[str, Decimal] = field(default_factory=dict)
    """What one unit of the other currencies that are in the sum was taken for, where that was one rate."""
    several: set[str] = field(default_factory=set)
    """Other currencies that were taken by the rates of several days."""

    def add(
        self,
        apart: str | None,
        count: int,
        amount: Decimal | None,
        weighted: Decimal | None,
        taken: tuple[str, Decimal] | None = None,
    ) -> None:
        """Take one group of deals in; `taken`: of another currency, and by which rate."""
        self.count += count
        if taken is not None and amount and taken[0] not in self.several:
            currency, rate = taken
            if self.rates.setdefault(currency, rate) != rate:
                del self.rates[currency]
                self.several.add(currency)
        if apart is not None:
            self.apart[apart] = self.apart.get(apart, Decimal(0)) + (amount or Decimal(0))
            return
        self.amount += rounded(amount or Decimal(0), settings().currency)
        self.weighted += rounded(weighted or Decimal(0), settings().currency)


def rate_of(currency: ColumnElement[str], day: ColumnElement[date]) -> ColumnElement[Any]:
    """What one unit of a currency was worth in the company's on a day; null without a rate."""
    known = (
        select(ExchangeRate.rate)
        .where(ExchangeRate.currency == currency, ExchangeRate.day <= day, ExchangeRate.deleted_at.is_(None))
        .order_by(ExchangeRate.day.desc())
        .limit(1)
    )
    return case((currency == settings().currency, literal(Decimal(1), Numeric)), else_=known.scalar_subquery())


def day_of(moment: Any, otherwise: date) -> ColumnElement[date]:
    """The company's day of a moment; another day where there is none."""
    return func.coalesce(cast(func.timezone(settings().zone, moment), Date), literal(otherwise))


def apart_of(currency: Any, rate: ColumnElement[Any]) -> ColumnElement[Any]:
    """The currency where there is no rate for it, else null."""
    return case((rate.is_(None), currency), else_=cast(null(), Text))


def unrated(session: Session, code: Any, day: Any) -> str | None:
    """Why amounts cannot be added up: a currency that had no rate on the day of some row; None: they can.

    `code` and `day` are what rows are converted by. The currencies are hopped along their index, and only rows of
    foreign ones are looked at.
    """
    first = select(func.min(code).label("code")).cte("codes", recursive=True)
    following = select(func.min(code)).where(code > first.c.code).scalar_subquery()
    codes = first.union_all(select(following).where(first.c.code.is_not(None)))
    foreign = select(codes.c.code).where(codes.c.code.is_not(None), codes.c.code != settings().currency)
    for one in session.scalars(foreign).all():
        since = session.scalar(
            select(func.min(ExchangeRate.day)).where(ExchangeRate.currency == one, ExchangeRate.deleted_at.is_(None))
        )
        early = select(literal(1)).where(code == one, true() if since is None else day < since)
        if session.scalar(early.limit(1)) is not None:
            until = "" if since is None else f" before {since:%Y-%m-%d}"
            return f"there is no rate for {one}{until}, so amounts cannot be added up in {settings().currency}"
    return None


def rates(session: Session) -> list[ExchangeRate]:
    """All rates, by currency, the latest first."""
    statement = select(ExchangeRate).where(ExchangeRate.deleted_at.is_(None))
    return list(session.scalars(statement.order_by(ExchangeRate.currency, ExchangeRate.day.desc())))


def latest(session: Session, day: date, currencies: Iterable[str]) -> dict[str, Decimal]:
    """The rates of some currencies on a day; those without a rate are missing."""
    statement = (
        select(ExchangeRate.currency, ExchangeRate.rate)
        .distinct(ExchangeRate.currency)
        .where(ExchangeRate.day <= day, ExchangeRate.deleted_at.is_(None), ExchangeRate.currency.in_(list(currencies)))
        .order_by(ExchangeRate.currency, ExchangeRate.day.desc())
    )
    return {settings().currency: Decimal(1)} | {code: rate for code, rate in session.execute(statement)}


def set_rate(session: Session, code: object, day: date, rate: object) -> ExchangeRate:
    """Say what a currency is worth from a day on; the same day again changes it. Refuses the company's own."""
    try:
        written = currency_rule(code)
        worth = Decimal(str(rate)).quantize(Decimal("0.00000001"))
        fits = 0 < worth < Decimal("1e9")
    except (ArithmeticError, ValueError) as error:
        raise Invalid(f"Rate: “{rate}” is not a rate.", help="Write it like 1.0655.", field="rate") from error
    except Invalid as error:
        raise Invalid(f"Currency: {error.message}.", help=error.help, field="currency") from error
    if written == settings().currency:
        raise Invalid(f"Currency: {written} is the company's own; its rate is 1.", field="currency")
    if not fits:
        raise Invalid(f"Rate: {worth} cannot be.", help="A rate is greater than zero.", field="rate")
    found = session.scalars(select(ExchangeRate).where(ExchangeRate.currency == written, ExchangeRate.day == day))
    stored = found.one_or_none() or ExchangeRate(currency=written, day=day, rate=worth)
    stored.rate, stored.deleted_at = worth, None
    session.add(stored)
    session.flush()
    return stored


def remove_rate(session: Session, rate_id: UUID) -> None:
    """Take a rate away; amounts are then converted by the one before it, or stand apart."""
    stored = session.get(ExchangeRate, rate_id)
    if stored is None or stored.deleted_at is not None:
        raise NotFound("There is no such rate.")
    stored.deleted_at = clock.now()
    session.flush()
