"""The forecast: what will be sold, by whom, where and when; each number is a filter that opens its deals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, case, cast, func, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Text, Uuid

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import Team, TeamMember, User
from server.kit.settings import settings
from server.opportunities import queries
from server.opportunities.fields import CATEGORY, PROBABILITY, rate
from server.opportunities.forecast_models import Span
from server.opportunities.models import Category, Opportunity, State
from server.opportunities.periods import Period, around
from server.opportunities.rates import Total, apart_of
from server.territories.models import Territory


class By(StrEnum):
    """Along what the forecast is told apart."""

    OWNER = "owner"
    TEAM = "team"
    TERRITORY = "territory"
    REGION = "sales_region"


AHEAD = 3
"""Periods that are shown: the running one and those after it."""
OVERDUE, LATER = "overdue", "later"
"""Open deals whose close day lies before the running period, or after all that are shown."""


@dataclass
class Figures:
    """What one group sells in one period."""

    closed: Total = field(default_factory=Total)
    commit: Total = field(default_factory=Total)
    best_case: Total = field(default_factory=Total)
    pipeline: Total = field(default_factory=Total)
    omitted: Total = field(default_factory=Total)

    @property
    def open(self) -> list[Total]:
        """The open deals that count."""
        return [self.commit, self.best_case, self.pipeline]

    @property
    def weighted(self) -> Decimal:
        """Open deals by their probability."""
        return sum((one.weighted for one in self.open), Decimal(0))

    @property
    def commit_forecast(self) -> Decimal:
        """What is sold, and what will come."""
        return self.closed.amount + self.commit.amount

    @property
    def best_forecast(self) -> Decimal:
        """The same when all goes well."""
        return self.commit_forecast + self.best_case.amount

    @property
    def weighted_forecast(self) -> Decimal:
        """What is sold, and what is likely."""
        return self.closed.amount + self.weighted

    def take(self, other: "Figures") -> None:
        """Add another group's."""
        for name in ("closed", "commit", "best_case", "pipeline", "omitted"):
            mine, its = getattr(self, name), getattr(other, name)
            mine.count += its.count
            mine.amount += its.amount
            mine.weighted += its.weighted
            for code, amount in its.apart.items():
                mine.apart[code] = mine.apart.get(code, Decimal(0)) + amount


@dataclass
class Group:
    """A person, team, territory or sales region with its figures by period."""

    id: UUID | None
    """None: deals that belong to none."""
    name: str | None
    term: str
    """The filter that leaves its deals."""
    by_period: dict[str, Figures] = field(default_factory=dict)

    def at(self, key: str) -> Figures:
        """The figures of a period; empty where there is nothing."""
        return self.by_period.get(key, Figures())


@dataclass
class Forecast:
    """Groups and periods with their figures, and everything together."""

    by: By
    periods: list[Period]
    groups: list[Group]
    total: Group

    @property
    def keys(self) -> list[str]:
        """The columns: overdue, the periods, later."""
        return [OVERDUE, *(one.first.isoformat() for one in self.periods), LATER]


SalesRegion = aliased(Territory, name="region_of_forecast")


def forecast(
    session: Session, scope: Scope, by: By, span: Span, *, filter: str | None = None, ahead: int = AHEAD
) -> Forecast:
    """The forecast of what somebody may see, in one statement per dimension; nothing without the right to amounts."""
    queries.need_worth(scope)
    today = accounts.today_of(scope)
    now = around(today, span)
    periods = [now.shifted(step) for step in range(ahead)]
    statement = queries.chosen(session, scope, filter=filter)
    groups = grouped(session, statement, by, periods, today)
    total = Group(None, None, "")
    if by is By.TEAM:  # somebody in two teams counts in both, but once in the whole
        for one in grouped(session, statement, By.OWNER, periods, today):
            take(total, one)
    else:
        for one in groups:
            take(total, one)
    return Forecast(by, periods, groups, total)


def take(total: Group, group: Group) -> None:
    """Add a group to the whole."""
    for key, figures in group.by_period.items():
        total.by_period.setdefault(key, Figures()).take(figures)


def grouped(
    session: Session, statement: Select[Opportunity], by: By, periods: Sequence[Period], today: date
) -> list[Group]:
    """The figures of each group by period."""
    statement, key, name = told_apart(statement, by)
    closed_on = cast(func.timezone(settings().zone, Opportunity.closed_at), Date)
    day: Any = case((Opportunity.state == State.OPEN, Opportunity.close_on), else_=closed_on)
    column = case(
        (day < periods[0].first, OVERDUE),
        *((day < one.end, one.first.isoformat()) for one in periods),
        else_=LATER,
    )
    kind = case((Opportunity.state == State.WON, "closed"), else_=CATEGORY)
    # What was closed before the running period is history, and what was lost is no forecast.
    counts = (Opportunity.state == State.OPEN) | ((Opportunity.state == State.WON) & (closed_on >= periods[0].first))
    rows = (
        statement.where(counts)
        .with_only_columns(
            key.label("key"),
            name.label("name"),
            column.label("period"),
            kind.label("kind"),
            apart_of(Opportunity.currency, rate(today)).label("apart"),
            (func.coalesce(Opportunity.amount, 0) * func.coalesce(rate(today), 1)).label("value"),
            PROBABILITY.label("probability"),
        )
        .subquery("rows")
    )
    # Each deal is rounded to cents before it is added up, so that sums agree whatever they are told apart by.
    value = func.round(rows.c.value, 2)
    sums = select(
        rows.c.key, rows.c.name, rows.c.period, rows.c.kind, rows.c.apart, func.count(), func.sum(value),
        func.sum(func.round(value * rows.c.probability, 2)),
    ).group_by(rows.c.key, rows.c.name, rows.c.period, rows.c.kind, rows.c.apart)  # fmt: skip
    found: dict[UUID | None, Group] = {}
    for group_id, title, period, word, apart, count, amount, weighted in session.execute(sums):
        group = found.setdefault(group_id, Group(group_id, title, term_of(by, title)))
        total: Total = getattr(group.by_period.setdefault(period, Figures()), word)
        total.add(apart, count, amount, weighted)
    return sorted(found.values(), key=lambda one: (one.name is None, (one.name or "").casefold()))


def told_apart(statement: Select[Opportunity], by: By) -> tuple[Select[Opportunity], Any, Any]:
    """The selection with the columns of a dimension: its id and its name in a filter."""
    if by is By.OWNER:
        return statement.outerjoin(User, User.id == Opportunity.owner_id), cast(Opportunity.owner_id, Uuid), User.login
    if by is By.TEAM:
        joined = statement.outerjoin(TeamMember, TeamMember.user_id == Opportunity.owner_id).outerjoin(
            Team, (Team.id == TeamMember.team_id) & Team.deleted_at.is_(None)
        )
        return joined, cast(Team.id, Uuid), Team.name
    joined = statement.outerjoin(Territory, Territory.id == Account.territory_id)
    if by is By.TERRITORY:
        return joined, cast(Territory.id, Uuid), Territory.name
    return (
        joined.outerjoin(SalesRegion, SalesRegion.id == Territory.parent_id),
        cast(SalesRegion.id, Uuid),
        cast(SalesRegion.name, Text),
    )


def term_of(by: By, name: str | None) -> str:
    """The filter's term that leaves a group's deals."""
    if name is None:
        return f"{by} is empty"
    quote = "'" if '"' in name else '"'
    return f"{by} = {quote}{name}{quote}"


SUMS = {"with_commit": ("commit",), "with_best_case": ("commit", "best_case"), "with_weighted": ("weighted",)}
"""Figures that add what is still open to what is closed."""


def term_of_period(forecast: Forecast, key: str, kind: str) -> str:
    """The filter that leaves a period's deals of a kind."""
    if kind in SUMS:
        parts = [term_of_period(forecast, key, one) for one in ("closed", *SUMS[kind])]
        return "(" + " or ".join(f"({part})" for part in parts) + ")"
    field_name = "closed" if kind == "closed" else "close"
    if key == OVERDUE:
        span = f"{field_name} < {forecast.periods[0].first}"
    elif key == LATER:
        span = f"{field_name} >= {forecast.periods[-1].end}"
    else:
        period = next(one for one in forecast.periods if one.first.isoformat() == key)
        span = f"{field_name} >= {period.first} and {field_name} < {period.end}"
    return f"{term_of_kind(kind)} and {span}"


def term_of_kind(kind: str) -> str:
    """The filter's term for a kind of figure."""
    if kind == "closed":
        return "state = won"
    if kind in ("weighted", "open"):
        return "state = open and category != omitted"
    return f"state = open and category = {Category(kind)}"


def names_of(session: Session, forecast: Forecast) -> dict[UUID | None, str]:
    """How the groups are called on the page: people by their names, not by their logins."""
    if forecast.by is not By.OWNER:
        return {one.id: one.name or "" for one in forecast.groups}
    ids = [one.id for one in forecast.groups if one.id]
    rows = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {row[0]: row[1] for row in rows}
