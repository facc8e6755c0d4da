"""What the pipeline looked like on a day: taken once a day, never made up; and what has changed since then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, insert, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.settings import settings
from server.opportunities import queries, rates
from server.opportunities.changes import Bridge, Standing, bridge
from server.opportunities.fields import CATEGORY, PROBABILITY
from server.opportunities.forecast_models import ForecastNight, ForecastSnapshot
from server.opportunities.models import Opportunity, Stage, StageChange, State
from server.opportunities.periods import Period


def take(session: Session) -> int | None:
    """Write down how each open deal stands today; None when that was done already.

    A day on which nothing ran stays empty: what a pipeline looked like is not known afterwards.
    """
    now, day = clock.now(), clock.today(settings().zone)
    night = postgresql.insert(ForecastNight).values(day=day, taken_at=now, deals=0).on_conflict_do_nothing()
    if session.scalar(night.returning(ForecastNight.day)) is None:
        return None
    columns = (
        "day opportunity_id pipeline_id stage_id owner_id territory_id amount currency probability category close_on"
    ).split()
    deals = queries.joined().where(Opportunity.state == State.OPEN)
    rows = deals.with_only_columns(
        literal(day),
        Opportunity.id,
        Opportunity.pipeline_id,
        Opportunity.stage_id,
        Opportunity.owner_id,
        Account.territory_id,
        Opportunity.amount,
        Opportunity.currency,
        PROBABILITY,
        CATEGORY,
        Opportunity.close_on,
    )
    session.execute(insert(ForecastSnapshot).from_select(columns, rows))
    count = session.scalar(select(func.count()).where(ForecastSnapshot.day == day)) or 0
    session.get_one(ForecastNight, day, populate_existing=True).deals = count
    session.flush()
    return count


def nights(session: Session, limit: int = 400) -> list[ForecastNight]:
    """The days of which there is a snapshot, the latest first."""
    return list(session.scalars(select(ForecastNight).order_by(ForecastNight.day.desc()).limit(limit)))


def night_before(session: Session, day: date) -> date | None:
    """The latest day with a snapshot on or before a day."""
    return session.scalar(select(func.max(ForecastNight.day)).where(ForecastNight.day <= day))


@dataclass(frozen=True)
class Named:
    """How a deal is called on the page of changes."""

    name: str
    account_name: str
    owner_name: str | None


@dataclass(frozen=True)
class Changes:
    """What changed between a day and now."""

    day: date
    bridge: Bridge
    names: Mapping[UUID, Named]
    stage_names: Mapping[UUID, str]
    apart: int
    """Deals in currencies without a rate, which are left out on both days."""


def changes_since(
    session: Session,
    scope: Scope,
    day: date,
    *,
    period: Period | None = None,
    is_weighted: bool = False,
    filter: str | None = None,
) -> Changes:
    """What changed since a day's snapshot in the deals that somebody may see and a filter leaves now, at today's rates.

    What a filter would have left then is not known: a deal that it leaves now is compared with itself as it was.
    """
    queries.need_worth(scope)
    today = accounts.today_of(scope)
    matters = (Opportunity.state == State.OPEN) | Opportunity.id.in_(
        select(ForecastSnapshot.opportunity_id).where(ForecastSnapshot.day == day)
    )
    chosen = queries.chosen(session, scope, filter=filter).where(matters)
    seen: dict[UUID, Any] = {row[0]: row for row in session.execute(_present(chosen))}
    # Whether a filter would leave a deal that is deleted is not known.
    deleted = set() if filter and filter.strip() else _deleted(session, scope, day)
    past = session.execute(
        select(
            ForecastSnapshot.opportunity_id, ForecastSnapshot.amount, ForecastSnapshot.currency,
            ForecastSnapshot.probability, ForecastSnapshot.stage_id, ForecastSnapshot.close_on,
        ).where(ForecastSnapshot.day == day)
    ).all()  # fmt: skip
    then: dict[UUID, Any] = {row[0]: row for row in past if row[0] in seen or row[0] in deleted}
    existed = _existing(session, day)
    worth = rates.latest(session, today, {row[2] for row in [*seen.values(), *then.values()]})
    lost: set[UUID] = {key for rows in (seen, then) for key, row in rows.items() if row[2] not in worth}
    old: dict[UUID, Standing] = {
        key: Standing(True, row[5], (row[1] or Decimal(0)) * worth[row[2]], row[3], row[4])
        for key, row in then.items()
        if key not in lost
    }
    new: dict[UUID, Standing] = {}
    for key, row in seen.items():
        if key not in lost:
            amount = (row[1] or Decimal(0)) * worth[row[2]]
            new[key] = Standing(row[6] == State.OPEN, row[5], amount, row[3], row[4], state=row[6])
            if key not in old and key in existed:
                old[key] = Standing(False, row[5], amount, row[3], row[4], state="closed")
    found = bridge(
        old, new, first=period.first if period else None, end=period.end if period else None, is_weighted=is_weighted
    )
    return Changes(day, found, _names(session, old.keys() | new.keys()), _stage_names(session), len(lost))


def _present(statement: Select[Opportunity]) -> Select[Any]:
    columns: list[Any] = [
        Opportunity.id,
        Opportunity.amount,
        Opportunity.currency,
        func.coalesce(Opportunity.probability, Stage.probability),
        Opportunity.stage_id,
        Opportunity.close_on,
        Opportunity.state,
    ]
    return statement.with_only_columns(*columns)


def _deleted(session: Session, scope: Scope, day: date) -> set[UUID]:
    """Deals that were deleted since, at accounts that somebody sees."""
    seen = accounts.reached_through(Opportunity.account_id, scope, "opportunities:read")
    reach = seen | (Opportunity.owner_id == scope.user_id)
    gone = select(Opportunity.id).join(ForecastSnapshot, ForecastSnapshot.opportunity_id == Opportunity.id)
    return set(session.scalars(gone.where(ForecastSnapshot.day == day, Opportunity.deleted_at.is_not(None), reach)))


def _existing(session: Session, day: date) -> set[UUID]:
    """Deals that existed when a day's snapshot was taken."""
    taken = select(ForecastNight.taken_at).where(ForecastNight.day == day).scalar_subquery()
    return set(session.scalars(select(Opportunity.id).where(Opportunity.created_at <= taken)))


def _names(session: Session, deal_ids: set[UUID]) -> dict[UUID, Named]:
    statement = (
        select(Opportunity.id, Opportunity.name, Account.name, User.name)
        .join(Account, Account.id == func.account_surviving(Opportunity.account_id))
        .outerjoin(User, User.id == Opportunity.owner_id)
        .where(Opportunity.id.in_(deal_ids))
    )
    return {row[0]: Named(*row[1:]) for row in session.execute(statement)}


def _stage_names(session: Session) -> dict[UUID, str]:
    return {row[0]: row[1] for row in session.execute(select(Stage.id, Stage.name))}


@dataclass(frozen=True)
class Learned:
    """How often deals that came to a stage were won, beside what the stage says."""

    stage: Stage
    closed: int
    """Deals that came to the stage and are closed by now."""
    won: int

    @property
    def share(self) -> Decimal | None:
        """The share that was won; None while none is closed."""
        return Decimal(self.won) / self.closed if self.closed else None


def learned(session: Session, pipeline_id: UUID | None = None) -> list[Learned]:
    """What history says of each open stage."""
    came = (
        select(StageChange.to_stage_id, StageChange.opportunity_id)
        .distinct()
        .join(Opportunity, Opportunity.id == StageChange.opportunity_id)
        .where(Opportunity.deleted_at.is_(None), Opportunity.state != State.OPEN)
        .add_columns(Opportunity.state)
        .subquery("came")
    )
    won = func.sum(case((came.c.state == State.WON, 1), else_=0))
    counts = {
        row[0]: (row[1], row[2])
        for row in session.execute(select(came.c.to_stage_id, func.count(), won).group_by(came.c.to_stage_id))
    }
    return [
        Learned(stage, *counts.get(stage.id, (0, 0)))
        for stage in queries.stages(session, pipeline_id)
        if not (stage.is_won or stage.is_lost)
    ]
