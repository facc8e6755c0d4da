"""Accounts and leads of somebody's territory that nobody goes to."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import queries as accounts
from server.accounts.models import Account, AccountClass, Site, Status
from server.auth.access import Scope
from server.density import queries
from server.kit.settings import settings
from server.leads import queries as leads
from server.leads.models import OPEN, Lead, LeadSignal, SignalKind
from server.territories.models import Territory

MOST = 20_000
"""The most valuable of so many are looked at."""


@dataclass(frozen=True)
class Idle:
    """An account or a lead without a visit."""

    id: UUID
    is_lead: bool
    name: str
    at: LonLat
    territory_id: UUID | None
    territory: str | None
    value: float
    """The usual rate x what it is worth a year."""
    owner_id: UUID | None = None
    """Of an account."""
    service_s: int = 0
    """Of an account: the planned length of a visit."""


def idle_accounts(
    session: Session,
    scope: Scope,
    *,
    since: date,
    territory_id: UUID | None = None,
    account_class: AccountClass | None = None,
    permission: str = "accounts:read",
) -> list[Idle]:
    """Accounts in a territory that were not visited since a day, the most valuable first; former ones are left out."""
    statement = (
        accounts.visible_to(scope, permission)
        .join(Site, Site.account_id == Account.id)
        .join(Territory, Territory.id == Account.territory_id)
        .where(
            Site.is_main,
            Site.deleted_at.is_(None),
            Site.pin.is_not(None),
            Territory.deleted_at.is_(None),
            Account.status != Status.FORMER,
            or_(Account.last_visit_on.is_(None), Account.last_visit_on < since),
        )
    )
    if territory_id is not None:
        statement = statement.where(Account.territory_id == territory_id)
    if account_class is not None:
        scope.need_sees("account", "account_class")
        statement = statement.where(Account.account_class == account_class)
    worth = func.coalesce(func.greatest(Account.yearly_potential, Account.yearly_value), 0)
    rows = session.execute(
        statement.with_only_columns(
            Account.id,
            Account.name,
            func.ST_X(Site.pin),
            func.ST_Y(Site.pin),
            Territory.id,
            Territory.name,
            worth,
            Account.owner_id,
            Site.service_s,
        )
        .order_by(worth.desc(), Account.id)
        .limit(MOST)
    )
    known = queries.usual(session)
    return [
        Idle(id, False, name, LonLat(lon, lat), place, territory, known.rate * float(value or known.value), *more)
        for id, name, lon, lat, place, territory, value, *more in rows
    ]


def idle_leads(session: Session, scope: Scope, *, since: date, territory_id: UUID | None = None) -> list[Idle]:
    """Open leads in a territory that came before a day and have had no visit since."""
    moment = datetime.combine(since, time(), ZoneInfo(scope.zone or settings().zone))
    visited = select(LeadSignal.id).where(
        LeadSignal.lead_id == Lead.id, LeadSignal.kind == SignalKind.VISIT, LeadSignal.at >= moment
    )
    statement = (
        leads.visible_to(scope)
        .join(Territory, Territory.id == Lead.territory_id)
        .where(Lead.state.in_(OPEN), Lead.pin.is_not(None), Lead.created_at < moment, ~visited.exists())
    )
    if territory_id is not None:
        statement = statement.where(Lead.territory_id == territory_id)
    rows = session.execute(
        statement.with_only_columns(
            Lead.id,
            func.coalesce(Lead.company, Lead.person),
            func.ST_X(Lead.pin),
            func.ST_Y(Lead.pin),
            Territory.id,
            Territory.name,
            Lead.expected_value,
        )
        .order_by(Lead.id)
        .limit(MOST)
    )
    known = queries.usual(session)
    shows = scope.sees("lead", "expected_value")
    return [
        Idle(
            id, True, name, LonLat(lon, lat), place, territory,
            known.rate * float((value if shows else None) or known.value),
        )
        for id, name, lon, lat, place, territory, value in rows
    ]  # fmt: skip
