"""What deals can be filtered by, in every list, board, map, tile and export."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Numeric, Select, and_, case, cast, false, func, literal, select
from sqlalchemy.orm import aliased

from server.accounts.fields import of_sites
from server.accounts.models import Account, AccountClass, Site
from server.auth.models import Team, TeamMember, User
from server.kit.filtering import Field, Kind
from server.kit.settings import settings
from server.opportunities.models import Category, Opportunity, Pipeline, Stage, State
from server.opportunities.rates import day_of, rate_of
from server.territories.models import Territory


def probability_of(state: Any, own: Any) -> ColumnElement[Any]:
    """How likely a deal in a state is: its own share, else its stage's."""
    return case(
        (state == State.WON, literal(Decimal(1), Numeric)),
        (state == State.LOST, literal(Decimal(0), Numeric)),
        else_=func.coalesce(own, Stage.probability),
    )


PROBABILITY = probability_of(Opportunity.state, Opportunity.probability)

CATEGORY: ColumnElement[Any] = case(
    (Opportunity.state != State.OPEN, Category.OMITTED.value),
    else_=func.coalesce(Opportunity.category, Stage.category),
)
"""How the forecast counts an open deal: its own word, else its stage's."""


@lru_cache(maxsize=4)
def rate(today: date) -> ColumnElement[Any]:
    """The rate of a deal's currency: of the day on which it was closed, else of today."""
    return rate_of(Opportunity.__table__.c.currency, day_of(Opportunity.closed_at, today))


@lru_cache(maxsize=4)
def in_base(today: date) -> ColumnElement[Any]:
    """The amount in the company's currency; null without a rate."""
    return func.coalesce(Opportunity.amount, 0) * rate(today)


def days_in_stage(now: datetime) -> ColumnElement[Any]:
    """Whole days since a deal came to its stage."""
    seconds = func.extract("epoch", literal(now) - Opportunity.stage_since)
    return cast(func.floor(seconds / 86_400), Integer)


def is_rotten(now: datetime) -> ColumnElement[Any]:
    """Whether an open deal has stood in its stage for longer than the stage allows."""
    return func.coalesce(and_(Opportunity.state == State.OPEN, days_in_stage(now) > Stage.rotten_days), False)


def among(column: Any, rows: Select[Any]) -> ColumnElement[bool]:
    """Whether a column names one of these rows; one that names none does not."""
    return func.coalesce(column.in_(rows.correlate(None)), false())


def of_owner(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The owner fulfils it."""
    return among(Opportunity.owner_id, select(User.id).where(condition))


def of_team(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some team of the owner fulfils it."""
    members = select(TeamMember.user_id).join(Team, Team.id == TeamMember.team_id).where(condition)
    return among(Opportunity.owner_id, members)


def of_territory(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The account's territory fulfils it."""
    return among(Account.territory_id, select(Territory.id).where(condition))


SalesRegion = aliased(Territory, name="sales_region")


def of_sales_region(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The territory above the account's territory fulfils it."""
    below = select(Territory.id).join(SalesRegion, SalesRegion.id == Territory.parent_id).where(condition)
    return among(Account.territory_id, below)


def of_pipeline(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The pipeline fulfils it."""
    return Opportunity.pipeline_id.in_(select(Pipeline.id).where(condition).correlate(None))


COMPETITOR = func.unnest(Opportunity.competitors).table_valued("name").render_derived(name="competing")


def of_competitors(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some competitor fulfils it."""
    return select(literal(1)).select_from(COMPETITOR).where(condition).correlate(Opportunity).exists()


def fields(today: date, now: datetime) -> Mapping[str, Field]:
    """The fields by name; for `queries.visible_to`, which joins stage and account."""
    closed: Any = cast(func.timezone(settings().zone, Opportunity.closed_at), Date)
    created: Any = cast(func.timezone(settings().zone, Opportunity.created_at), Date)
    deal = Opportunity
    region_name: Any = SalesRegion.name
    declared = (
        Field("name", Kind.TEXT, deal.__table__.c.name, "Name"),
        Field("number", Kind.TEXT, deal.__table__.c.number, "Number"),
        Field("state", Kind.CHOICE, deal.__table__.c.state, "State", tuple(State)),
        Field("stage", Kind.TEXT, Stage.__table__.c.name, "Stage"),
        Field("pipeline", Kind.TEXT, Pipeline.__table__.c.name, "Pipeline", exists=of_pipeline),
        Field("category", Kind.CHOICE, CATEGORY, "Forecast category", tuple(Category)),
        Field("amount", Kind.NUMBER, in_base(today), f"Amount in {settings().currency}"),
        Field("currency", Kind.TEXT, deal.__table__.c.currency, "Currency"),
        Field("probability", Kind.NUMBER, PROBABILITY * 100, "Probability in %"),
        Field("close", Kind.DATE, deal.__table__.c.close_on, "Expected close"),
        Field("closed", Kind.DATE, closed, "Closed on"),
        Field("created", Kind.DATE, created, "Created"),
        Field("next_step", Kind.DATE, deal.__table__.c.next_step_on, "Next step on"),
        Field("days_in_stage", Kind.NUMBER, days_in_stage(now), "Days in the stage"),
        Field("rotten", Kind.FLAG, is_rotten(now), "Too long in its stage"),
        Field("owner", Kind.TEXT, User.__table__.c.login, "Owner's login", exists=of_owner),
        Field("team", Kind.TEXT, Team.__table__.c.name, "Owner's team", exists=of_team),
        Field("territory", Kind.TEXT, Territory.__table__.c.name, "Territory", exists=of_territory),
        Field("sales_region", Kind.TEXT, region_name, "Sales region", exists=of_sales_region),
        Field("account", Kind.TEXT, Account.__table__.c.name, "Account"),
        Field("class", Kind.CHOICE, Account.__table__.c.account_class, "Class", tuple(AccountClass)),
        Field("city", Kind.TEXT, Site.__table__.c.city, "City", exists=of_sites),
        Field("competitor", Kind.TEXT, COMPETITOR.c.name, "Competitor", exists=of_competitors),
        Field("source", Kind.TEXT, deal.__table__.c.source, "Source"),
        Field("reason", Kind.TEXT, deal.__table__.c.reason, "Reason"),
        Field("note", Kind.TEXT, deal.__table__.c.note, "Note"),
    )
    return {one.name: one for one in declared}
