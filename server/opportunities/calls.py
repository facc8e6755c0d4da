"""Quotas, and what people say they will sell, kept beside what is computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.values import money, plain
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.queries import visible_users
from server.kit.errors import Forbidden, Invalid, NotFound
from server.kit.settings import settings
from server.opportunities.forecast_models import ForecastCall, Quota, Span
from server.opportunities.periods import Period, around
from server.records.currencies import rounded


def amount_of(value: object) -> Decimal:
    """An amount that is given; refuses what is none, or negative."""
    try:
        found = money(value)
    except Invalid as error:
        raise Invalid(f"Amount: {error.message}.", help=error.help, field="amount") from error
    if found is None:
        raise Invalid("Amount: is missing.", field="amount")
    return rounded(found, settings().currency)


def person(session: Session, scope: Scope, user_id: UUID) -> User:
    """Somebody whose sales the person sees: themselves, their team, or everybody."""
    seen = visible_users(scope.user_id, scope.team_ids, scope.level("users:read"))
    found = session.scalars(seen.where(User.id == user_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such person.", field="user_id")
    return found


def call(
    session: Session, scope: Scope, user_id: UUID, span: Span, first: date, amount: object, note: object = None
) -> ForecastCall:
    """Say what somebody will sell in a period: oneself, or a manager for their people; earlier calls are kept."""
    if user_id != scope.user_id and scope.role not in (Role.MANAGER, Role.ADMIN):
        raise Forbidden("You say what you sell yourself.", help="Your manager says it for others.")
    person(session, scope, user_id)
    if around(first, span).first != first:
        raise Invalid(f"{first} is not the first day of a {span}.", field="period")
    made = ForecastCall(
        user_id=user_id,
        caller_id=scope.user_id,
        span=span.value,
        period=first,
        amount=amount_of(amount),
        note=plain(note, 500),
    )
    session.add(made)
    session.flush()
    return made


def set_quota(session: Session, scope: Scope, user_id: UUID, quarter: date, amount: object) -> Quota:
    """Say what somebody should sell in a quarter; managers and admins do."""
    if scope.role not in (Role.MANAGER, Role.ADMIN):
        raise Forbidden("Managers set quotas.", help="Ask your manager.")
    person(session, scope, user_id)
    if around(quarter, Span.QUARTER).first != quarter:
        raise Invalid(f"{quarter} is not the first day of a quarter.", field="quarter")
    found = session.scalars(select(Quota).where(Quota.user_id == user_id, Quota.quarter == quarter)).one_or_none()
    quota = found or Quota(user_id=user_id, quarter=quarter, amount=Decimal(0))
    quota.amount, quota.deleted_at = amount_of(amount), None
    session.add(quota)
    session.flush()
    return quota


def quotas(session: Session, user_ids: Iterable[UUID], period: Period) -> dict[UUID, Decimal]:
    """The quota of some people for a period; a month has a third of its quarter's."""
    quarter = around(period.first, Span.QUARTER).first
    share = 1 if period.span is Span.QUARTER else 3
    statement = select(Quota).where(
        Quota.user_id.in_(list(user_ids)), Quota.quarter == quarter, Quota.deleted_at.is_(None)
    )
    return {one.user_id: one.amount / share for one in session.scalars(statement)}


@dataclass(frozen=True)
class Said:
    """What one person says another (or they themselves) will sell."""

    amount: Decimal
    caller: str
    note: str | None
    at: datetime


def calls(session: Session, user_ids: Iterable[UUID], period: Period) -> dict[UUID, dict[str, Said]]:
    """The latest calls for some people and a period: `own`, and the last `manager`'s."""
    statement: Any = (
        select(ForecastCall, User.name)
        .join(User, User.id == ForecastCall.caller_id)
        .where(
            ForecastCall.user_id.in_(list(user_ids)),
            ForecastCall.span == period.span.value,
            ForecastCall.period == period.first,
        )
        .order_by(ForecastCall.at, ForecastCall.id)
    )
    found: dict[UUID, dict[str, Said]] = {}
    for one, name in session.execute(statement):
        whose = "own" if one.caller_id == one.user_id else "manager"
        found.setdefault(one.user_id, {})[whose] = Said(one.amount, name, one.note, one.at)
    return found
