"""Reads of deals. Every read starts at `visible_to(scope)`: it decides board, list, map, export and forecast alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import visitors
from sqlalchemy.types import Text

from server.accounts import queries as accounts
from server.accounts.around import Around
from server.accounts.models import Account, Folded, Site
from server.accounts.opening import Opened, opened
from server.accounts.reaching import Reaching
from server.auth import veil
from server.auth.access import Scope
from server.auth.models import User
from server.auth.roles import Level
from server.fields.queries import filtering
from server.kit import clock
from server.kit.database import Base
from server.kit.errors import NotFound
from server.kit.filtering import Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import Total as Many
from server.kit.filtering.guard import answers_in_time
from server.kit.filtering.listing import key_of, page_of
from server.opportunities.fields import PROBABILITY, days_in_stage, fields, in_base, is_rotten
from server.opportunities.models import Opportunity, OpportunityLine, Pipeline, Stage, StageChange
from server.opportunities.rates import Total
from server.opportunities.reaching import OF_ACCOUNTS, account_lives, reached
from server.opportunities.sums import totals
from server.records.binned import binned
from server.records.happenings import happening
from server.territories.models import Territory

LIVING = func.coalesce(Folded.survivor_id, Opportunity.account_id)
"""The account that stands for a deal's own after all merges."""


def joined() -> Select[Opportunity]:
    """Living deals with their stage and the account that stands for theirs."""
    return (
        select(Opportunity)
        .join(Stage, Stage.id == Opportunity.stage_id)
        .outerjoin(Folded, Folded.id == Opportunity.account_id)
        .join(Account, Account.id == LIVING)
        .where(Opportunity.deleted_at.is_(None), Account.deleted_at.is_(None))
    )


def visible_to(scope: Scope, permission: str = "opportunities:read", *, few: bool = False) -> Select[Opportunity]:
    """The deals at accounts that a permission of somebody reaches, and those they own; with stage and account."""
    return joined() if scope.level(permission) >= Level.ALL else joined().where(reached(scope, permission, few=few))


def chosen(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    permission: str = "opportunities:read",
    few: bool = False,
) -> Select[Opportunity]:
    """The deals that a filter and a search leave of what somebody may see: the same for board, list, map and export."""
    return visible_to(scope, permission, few=few).where(*conditions(session, scope, filter, search))


def chosen_for_sums(
    session: Session, scope: Scope, *, filter: str | None = None, search: str | None = None
) -> Select[Opportunity]:
    """The same deals for what asks nothing of their accounts and stages, such as sums: these are read only when the
    filter or the search asks for them.
    """
    wanted = conditions(session, scope, filter, search)
    if any(asks(part, Account) for part in wanted):
        return visible_to(scope).where(*wanted)
    statement = select(Opportunity).where(Opportunity.deleted_at.is_(None), account_lives(), *wanted)
    if any(asks(part, Stage) for part in wanted):
        statement = statement.join(Stage, Stage.id == Opportunity.stage_id)
    if scope.level("opportunities:read") >= Level.ALL:
        return statement
    return statement.where(reached(scope, "opportunities:read"))


def asks(part: ColumnElement[Any], *of: type[Base]) -> bool:
    """Whether a condition or a key reads a column of one of these."""
    tables = {one.__table__ for one in of}
    return any(getattr(one, "table", None) in tables for one in visitors.iterate(part))


def conditions(
    session: Session, scope: Scope, filter: str | None = None, search: str | None = None
) -> list[ColumnElement[bool]]:
    """What a filter and a search ask of deals."""
    wanted = []
    if filter and filter.strip():
        wanted.append(compile_filter(parse(filter), language(session, scope)))
    for word in (search or "").split()[:8]:
        like = func.concat("%", func.regexp_replace(func.search_text(word), r"([\\%_])", r"\\\1", "g"), "%")
        found = [func.search_text(column).like(like) for column in (Opportunity.name, Account.name)]
        wanted.append(or_(*found, Opportunity.number == word))
    return wanted


def language(session: Session, scope: Scope) -> Vocabulary:
    """What deals can be asked by somebody."""
    today = accounts.today_of(scope)
    around = Around(session, accounts.visible_to(scope), Reaching(session, OF_ACCOUNTS))
    known = {**fields(today, clock.now()), **filtering(session, "opportunity", Opportunity.custom)}
    return vocabulary(session, scope, "opportunity", known, today=today, places=around)


def find(session: Session, scope: Scope, deal_id: UUID, permission: str = "opportunities:read") -> Opportunity:
    """The deal of that id; for a stranger's there is none."""
    deal = session.scalars(visible_to(scope, permission).where(Opportunity.id == deal_id)).one_or_none()
    if deal is None:
        raise NotFound("There is no such deal.", id=str(deal_id))
    return deal


def in_bin(scope: Scope) -> Select[Any]:
    """Deleted deals that somebody may bring back, for the bin."""
    columns = binned(
        entity="opportunity",
        id=Opportunity.__table__.c.id,
        title=Opportunity.__table__.c.name,
        deleted_at=Opportunity.__table__.c.deleted_at,
        account_id=Opportunity.__table__.c.account_id,
    )
    reach = accounts.within_reach(scope, "opportunities:write") | (Opportunity.owner_id == scope.user_id)
    return (
        select(*columns)
        .select_from(Opportunity)
        .outerjoin(Folded, Folded.id == Opportunity.account_id)
        .join(Account, Account.id == LIVING)
        .where(Opportunity.deleted_at.is_not(None), Account.deleted_at.is_(None), reach)
    )


def need_worth(scope: Scope) -> None:
    """Refuse figures that are sums of amounts and probabilities to whoever may not see one of them."""
    for name in ("amount", "probability"):
        scope.need_sees("opportunity", name)


def may_sell_to(session: Session, scope: Scope, account_id: UUID) -> bool:
    """Whether somebody may open deals at an account."""
    reach = accounts.visible_to(scope, "opportunities:write").with_only_columns(Account.id)
    return session.scalar(reach.where(Account.id == accounts.surviving(session, account_id))) is not None


@dataclass(frozen=True)
class Row:
    """A deal as lists and boards show it."""

    deal: Opportunity
    stage: Stage
    account_id: UUID
    """The account that stands for it after all merges."""
    account_name: str
    account_class: str | None
    city: str | None
    owner_name: str | None
    territory_name: str | None
    in_base: Decimal | None
    """The amount in the company's currency; None without a rate."""
    probability: Decimal
    days_in_stage: int
    is_rotten: bool
    lon: float | None
    lat: float | None

    def __post_init__(self) -> None:
        """What the reader may not know is not there."""
        veil.without("opportunity", self)
        veil.without("account", self)


THERE = (
    select(Site.id)
    .where(
        Site.account_id == Account.id,
        Site.deleted_at.is_(None),
        or_(Site.is_main, Site.id == Opportunity.site_id),
    )
    .order_by((Site.id == Opportunity.site_id).desc().nulls_last())
    .limit(1)
    .correlate(Account, Opportunity)
)
"""The deal's own site; where it names none, or one that is gone, the main one."""


def with_details(statement: Select[Opportunity], today: date) -> Select[Any]:
    """A selection of deals with the columns of `Row`."""
    now = clock.now()
    columns: list[Any] = [
        Opportunity,
        Stage,
        Account.id,
        Account.name,
        Account.account_class,
        Site.city,
        User.name,
        Territory.name,
        in_base(today),
        PROBABILITY,
        days_in_stage(now),
        is_rotten(now),
        func.ST_X(Site.pin),
        func.ST_Y(Site.pin),
    ]
    return (
        statement.outerjoin(Site, Site.id == THERE.scalar_subquery())
        .outerjoin(User, User.id == Opportunity.owner_id)
        .outerjoin(Territory, Territory.id == Account.territory_id)
        .with_only_columns(*columns)
    )


EARLIEST = date(1, 1, 1)


def sort_keys(today: date) -> dict[str, ColumnElement[Any]]:
    """What a list can be sorted by; nulls come as the least value, so that a cursor can point between rows."""
    deal = Opportunity.__table__.c
    return {
        "close": deal.close_on,
        "name": func.search_text(Opportunity.name, type_=Text),
        "account": func.search_text(Account.name, type_=Text),
        "amount": func.coalesce(in_base(today), literal(Decimal(-1))),
        "stage": Stage.__table__.c.position,
        "next_step": func.coalesce(deal.next_step_on, EARLIEST),
        "since": deal.stage_since,
        "created": deal.created_at,
        "updated": deal.updated_at,
    }


@dataclass(frozen=True)
class Listing:
    """One page of a list."""

    rows: list[Row]
    next_cursor: str | None
    total: Total


@answers_in_time
def page(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    sort: str = "close",
    cursor: str | None = None,
    limit: int = 50,
) -> Listing:
    """One page of the deals that somebody may see. `sort` names a key, with `-` in front for the other way round."""
    today = accounts.today_of(scope)
    statement = chosen_for_sums(session, scope, filter=filter, search=search)
    keys = scope.askable("opportunity", sort_keys(today))
    key, total = key_of(keys, sort), totals(session, statement, today)
    if asks(key, Account, Stage):
        statement = chosen(session, scope, filter=filter, search=search)
    many = Many(total.count)
    found = page_of(session, statement, Opportunity.id, key, sort=sort, cursor=cursor, limit=limit, total=many)
    rows = session.execute(with_details(joined().where(found.among(Opportunity.id)), today))
    return Listing([Row(*row) for row in found.in_order(rows)], found.next_cursor, total)


def detail(session: Session, scope: Scope, deal_id: UUID, permission: str = "opportunities:read") -> Row:
    """One deal in full; for a stranger's there is none."""
    statement = visible_to(scope, permission).where(Opportunity.id == deal_id)
    found = session.execute(with_details(statement, accounts.today_of(scope))).one_or_none()
    if found is None:
        raise NotFound("There is no such deal.", id=str(deal_id))
    return Row(*found)


def of_account(session: Session, scope: Scope, account: UUID | Opened, *, limit: int = 100) -> list[Row]:
    """The deals of an account and of what was merged into it: open ones first, then the latest."""
    at = opened(session, scope, account, ("opportunities:read",))
    # Whoever sees the account sees its deals: what else they see need not be asked.
    seen = joined() if "opportunities:read" in at.granted else visible_to(scope, few=True)
    detailed = with_details(seen.where(Opportunity.account_id.in_(at.family)), accounts.today_of(scope))
    order = (Opportunity.closed_at.desc().nulls_first(), Opportunity.close_on, Opportunity.id)
    return [Row(*row) for row in session.execute(detailed.order_by(*order).limit(limit))]


def lines_of(session: Session, deal_ids: Iterable[UUID]) -> list[OpportunityLine]:
    """The lines of some deals in their order."""
    statement = select(OpportunityLine).where(
        OpportunityLine.opportunity_id.in_(list(deal_ids)), OpportunityLine.deleted_at.is_(None)
    )
    return list(session.scalars(statement.order_by(OpportunityLine.position, OpportunityLine.id)))


@dataclass(frozen=True)
class Step:
    """One step of a deal from stage to stage, with names."""

    change: StageChange
    from_name: str | None
    to_name: str
    who: str | None

    @property
    def at(self) -> datetime:
        """When it took it."""
        return self.change.at


def way_of(session: Session, deal_id: UUID) -> list[Step]:
    """The way of a deal through its stages, the latest step first."""
    before = aliased(Stage)
    statement = (
        select(StageChange, before.name, Stage.name, User.name)
        .join(Stage, Stage.id == StageChange.to_stage_id)
        .outerjoin(before, before.id == StageChange.from_stage_id)
        .outerjoin(User, User.id == StageChange.by)
        .where(StageChange.opportunity_id == deal_id)
        .order_by(StageChange.at.desc(), StageChange.id.desc())
    )
    return [Step(*row) for row in session.execute(statement)]


def happenings(scope: Scope, accounts: Select[Any]) -> Select[Any]:
    """What became of the deals of some accounts, for their timeline: each step through the stages."""
    before = aliased(Stage)
    seen = visible_to(scope, few=True).with_only_columns(Opportunity.id)
    title = func.concat(Opportunity.name, ": ", func.coalesce(before.name + " → ", ""), Stage.name)
    facts = func.jsonb_build_object(
        "from", before.name, "to", Stage.name, "amount", cast(StageChange.amount, Text),
        "currency", StageChange.currency, "state", case((Stage.is_won, "won"), (Stage.is_lost, "lost"), else_="open"),
        type_=JSONB,
    )  # fmt: skip
    return (
        select(
            *happening(
                at=StageChange.__table__.c.at,
                kind="stage",
                entity="opportunity",
                id=Opportunity.__table__.c.id,
                account_id=StageChange.__table__.c.account_id,
                actor_id=StageChange.__table__.c.by,
                title=title,
                body=case((or_(Stage.is_won, Stage.is_lost), Opportunity.reason), else_=None),
                facts=facts,
            )
        )
        .select_from(StageChange)
        .join(Opportunity, Opportunity.id == StageChange.opportunity_id)
        .join(Stage, Stage.id == StageChange.to_stage_id)
        .outerjoin(before, before.id == StageChange.from_stage_id)
        .where(StageChange.account_id.in_(accounts), Opportunity.id.in_(seen))
    )


def pipelines(session: Session) -> list[Pipeline]:
    """All pipelines in their order."""
    statement = select(Pipeline).where(Pipeline.deleted_at.is_(None))
    return list(session.scalars(statement.order_by(Pipeline.position, Pipeline.name)))


def stages(session: Session, pipeline_id: UUID | None = None) -> list[Stage]:
    """The stages of a pipeline, or of all, in their order."""
    statement = select(Stage).join(Pipeline, and_(Pipeline.id == Stage.pipeline_id, Pipeline.deleted_at.is_(None)))
    statement = statement.where(Stage.deleted_at.is_(None))
    if pipeline_id is not None:
        statement = statement.where(Stage.pipeline_id == pipeline_id)
    return list(session.scalars(statement.order_by(Pipeline.position, Pipeline.name, Stage.position, Stage.id)))
