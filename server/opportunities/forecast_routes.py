"""JSON API of the forecast: figures, what changed, how good it was, calls and quotas."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Page
from server.opportunities import accuracy, calls, forecasting, snapshots
from server.opportunities.changes import Change
from server.opportunities.forecast_models import Span
from server.opportunities.forecasting import By, Figures
from server.opportunities.periods import around
from server.opportunities.routes import Filter
from server.opportunities.schemas import TotalRead, Write

router = APIRouter(prefix="/api/v1/forecast", tags=["forecast"])

ReadDeals = Annotated[Scope, requires("opportunities:read")]
WriteDeals = Annotated[Scope, requires("opportunities:write")]


class FiguresRead(BaseModel):
    """What a group sells in a period, in the company's currency."""

    period: str
    closed: TotalRead
    commit: TotalRead
    best_case: TotalRead
    pipeline: TotalRead
    omitted: TotalRead
    weighted: Decimal

    @classmethod
    def of(cls, period: str, figures: Figures) -> "FiguresRead":
        """The figures of a period."""
        names = ("closed", "commit", "best_case", "pipeline", "omitted")
        totals = {name: TotalRead.model_validate(getattr(figures, name)) for name in names}
        return cls(period=period, weighted=figures.weighted, **totals)


class GroupRead(BaseModel):
    """A person, team, territory or sales region; without an id: what belongs to none."""

    id: UUID | None
    name: str | None
    filter: str
    periods: list[FiguresRead]


class ForecastRead(BaseModel):
    """The forecast by groups, and everything together."""

    by: By
    periods: list[str]
    groups: list[GroupRead]
    total: list[FiguresRead]


@router.get("")
def show(
    scope: ReadDeals, session: Db, by: By = By.OWNER, span: Span = Span.QUARTER, filter: Filter = None
) -> ForecastRead:
    """What will be sold; `overdue` holds open deals whose close day has passed, `later` those after the periods."""
    found = forecasting.forecast(session, scope, by, span, filter=filter)
    return ForecastRead(
        by=by,
        periods=found.keys,
        groups=[
            GroupRead(
                id=one.id, name=one.name, filter=one.term, periods=[FiguresRead.of(k, one.at(k)) for k in found.keys]
            )
            for one in found.groups
        ],
        total=[FiguresRead.of(key, found.total.at(key)) for key in found.keys],
    )


class MoveRead(BaseModel):
    """One part of the way from the old sum to the new one."""

    deal_id: UUID
    name: str
    change: Change
    amount: Decimal


class ChangesRead(BaseModel):
    """What changed: `before` plus all moves is `after`, to the cent."""

    day: date
    before: Decimal
    after: Decimal
    moves: list[MoveRead]
    apart: int


@router.get("/changes")
def show_changes(
    scope: ReadDeals, session: Db, since: date | None = None, weighted: bool = False, filter: Filter = None
) -> ChangesRead:
    """What changed since a day (a week ago), deal by deal. 404 when there is no snapshot of that time."""
    day = snapshots.night_before(session, since or accounts.today_of(scope) - timedelta(days=7))
    if day is None:
        raise NotFound("There is no snapshot of that day or before it.", help="The first one is taken tonight.")
    found = snapshots.changes_since(session, scope, day, is_weighted=weighted, filter=filter)
    moves = [
        MoveRead(deal_id=one.deal_id, name=found.names[one.deal_id].name, change=one.change, amount=one.amount)
        for one in found.bridge.moves
        if one.change is not Change.SAME
    ]
    return ChangesRead(day=day, before=found.bridge.before, after=found.bridge.after, moves=moves, apart=found.apart)


class HitRead(BaseModel):
    """A finished period: what was sold, and what was said before."""

    period: str
    sold: Decimal
    said_on: date | None
    weighted: Decimal | None
    commit: Decimal | None
    best_case: Decimal | None


@router.get("/accuracy")
def show_accuracy(
    scope: ReadDeals,
    session: Db,
    span: Span = Span.QUARTER,
    weeks: Annotated[int, Query(ge=1, le=26)] = 6,
    filter: Filter = None,
) -> Page[HitRead]:
    """What was said some weeks before the end of each finished period, against what was sold in it."""
    hits = accuracy.accuracy(session, scope, span, weeks, filter=filter)
    names = ("weighted", "commit", "best_case")
    return Page(
        items=[
            HitRead(
                period=one.period.name,
                sold=one.sold,
                said_on=one.said.day if one.said else None,
                **{name: getattr(one.said, name) if one.said else None for name in names},
            )
            for one in hits
        ]
    )


class CallWrite(Write):
    """What somebody will sell in a period."""

    user_id: UUID
    span: Span = Span.QUARTER
    period: date
    amount: Decimal
    note: str | None = None


class QuotaWrite(Write):
    """What somebody should sell in a quarter."""

    user_id: UUID
    quarter: date
    amount: Decimal


class AmountRead(BaseModel):
    """An amount that is kept for somebody and a period."""

    user_id: UUID
    period: date
    amount: Decimal


@router.post("/calls", status_code=201)
def call(body: CallWrite, scope: WriteDeals, session: Db) -> AmountRead:
    """Say what you, or as their manager somebody else, will sell; earlier calls are kept."""
    made = calls.call(session, scope, body.user_id, body.span, body.period, body.amount, body.note)
    return AmountRead(user_id=made.user_id, period=made.period, amount=made.amount)


@router.put("/quotas")
def set_quota(body: QuotaWrite, scope: WriteDeals, session: Db) -> AmountRead:
    """Say what somebody should sell in a quarter."""
    made = calls.set_quota(session, scope, body.user_id, body.quarter, body.amount)
    return AmountRead(user_id=made.user_id, period=made.quarter, amount=made.amount)


@router.get("/periods")
def list_periods(scope: ReadDeals, span: Span = Span.QUARTER) -> Page[date]:
    """The first days of the running period and of those after it."""
    now = around(accounts.today_of(scope), span)
    return Page(items=[now.shifted(step).first for step in range(forecasting.AHEAD)])
