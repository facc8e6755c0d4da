"""The firms that files of the market show, and the sources that every file must name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Text, cast, func, null, select, true
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.fields import KIND
from server.accounts.models import Account, Site, Status
from server.accounts.queries import chosen
from server.accounts.reaching import Reaching
from server.auth.access import Scope
from server.density.counting import FINEST
from server.density.models import DensityCell, DensityCustomer, DensityTrade
from server.density.reach import Reach
from server.geocoding.queries import credits_beside
from server.regions import queries as regions
from server.regions.models import Prospect, Region, State


@dataclass(frozen=True)
class Firm:
    """A prospect or a customer on the map."""

    id: str
    name: str
    kind: str | None
    """`shop=bakery`; None for a customer of unknown kind."""
    point: LonLat
    account_class: str | None = None
    """Of a customer."""


def prospects(session: Session, seen: Reach, trades: Sequence[int] | None = None) -> list[Firm]:
    """The firms of the served regions that are not customers yet, where somebody sees the ground; of some kinds."""
    taken = select(DensityCustomer.prospect_id).where(DensityCustomer.prospect_id == Prospect.id).exists()
    cell = func.h3_parent(Prospect.cell, FINEST)
    here = (
        true() if seen.everywhere else select(DensityCell.cell).where(DensityCell.cell == cell, seen.holds()).exists()
    )
    statement = (
        select(Prospect.id, Prospect.name, Prospect.kind, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin))
        .join(Region, Region.id == Prospect.region_id)
        .where(Region.state == State.READY, ~taken, here)
        .order_by(Prospect.id)
    )
    if trades is not None:
        statement = statement.where(Prospect.kind.in_(_tags(trades)))
    return [Firm(str(id), name, kind, LonLat(lon, lat)) for id, name, kind, lon, lat in session.execute(statement)]


def customers(
    session: Session, scope: Scope, filter: str | None = None, trades: Sequence[int] | None = None
) -> list[Firm]:
    """The customers with a pin that somebody may see: those of some kinds, and that a filter finds."""
    shown: Any = Account.account_class if scope.sees("account", "account_class") else cast(null(), Text)
    statement = (
        chosen(Reaching(session), scope, filter=filter)
        .join(Site, Site.account_id == Account.id)
        .where(Account.status == Status.CUSTOMER, Site.deleted_at.is_(None), Site.pin.is_not(None))
        .with_only_columns(Account.id, Account.name, KIND, shown, func.ST_X(Site.pin), func.ST_Y(Site.pin))
        .order_by(Account.id, Site.id)
    )
    if trades is not None:
        statement = statement.where(KIND.in_(_tags(trades)))
    rows = session.execute(statement)
    return [Firm(str(id), name, kind, LonLat(lon, lat), graded) for id, name, kind, graded, lon, lat in rows]


def _tags(trades: Sequence[int]) -> Select[str]:
    return select(DensityTrade.kind).where(DensityTrade.id.in_(trades))


def sources(session: Session) -> list[str]:
    """Every source with its date, to be printed on what leaves the house."""
    lines = []
    for region in regions.served(session):
        when = f", {region.data_date:%Y-%m-%d}" if region.data_date else ""
        lines += [f"{region.name}: {credit} ({region.licence}{when})" for credit in region.attribution]
    return lines + credits_beside(session)
