"""Ground that somebody drew around, the firms of open data in it, and one such firm as its card says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shapely import Polygon, make_valid
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.density import queries, reach
from server.density.ground import ONE_SEEN
from server.density.ground import values as ground_of
from server.density.open_data import BECAME_LEAD, IS_CUSTOMER, LIKE_ACCOUNT, LIKE_LEAD, lead_fields
from server.kit.errors import NotFound

MOST_CORNERS = 100
MOST_COUNTED = 5000
"""Firms of an outline; whether there are more is all that is asked then."""

_COUNTED = text(
    f"""
    select count(*) from (
        select distinct p.id from prospect p, (select ST_GeomFromText(:outline, 4326) as area) drawn
        where p.region_id in (select id from region where state = 'ready')
          and p.pin && drawn.area and ST_Covers(drawn.area, p.pin) and {ONE_SEEN} and not {IS_CUSTOMER}
          and (:any_kind or p.kind in (select kind from density_trade where id = any(:trades)))
        limit :most
    ) found
    """  # noqa: S608 our constants
)
_ONE = text(
    f"""
    select p.id, p.name, p.kind, p.tags, {IS_CUSTOMER} as is_customer, {BECAME_LEAD} or {LIKE_LEAD} as is_lead,
           {LIKE_ACCOUNT} as is_account, null as value
    from prospect p where p.id = :id and p.region_id in (select id from region where state = 'ready') and {ONE_SEEN}
    """  # noqa: S608 our constants
)


@dataclass(frozen=True)
class Firm:
    """One firm of open data."""

    id: UUID
    name: str
    kind: str
    known: dict[str, Any]
    """What a lead would take of it: street, postcode, city, website, phones, emails."""
    is_taken: str | None
    """`customer`, `account` or `lead`, when it is that already."""


def area_of(outline: Sequence[tuple[float, float]]) -> BaseGeometry:
    """What an outline of three corners or more encloses, in degrees; one that crosses itself encloses its parts."""
    return make_valid(Polygon(outline))


def counted(session: Session, scope: Scope, outline: Sequence[tuple[float, float]], kind: str | None = None) -> int:
    """How many firms that are no customers, and that somebody sees, lie in an outline; `MOST_COUNTED` + 1 when more.

    Refuses a word that no kind of firm goes by.
    """
    trades = [] if kind is None else queries.trades_of(session, kind)
    asked = {
        "outline": area_of(outline).wkt, "any_kind": kind is None, "trades": trades, "most": MOST_COUNTED + 1,
        **ground_of(reach.of(session, scope)),
    }  # fmt: skip
    return int(session.execute(_COUNTED, asked).scalar_one())


def firm(session: Session, scope: Scope, prospect_id: UUID) -> Firm:
    """One firm of ground that somebody sees. Refuses every other one."""
    row = session.execute(_ONE, {"id": prospect_id, **ground_of(reach.of(session, scope))}).first()
    if row is None:
        raise NotFound(
            "There is no such prospect.", help="Load the page again: the region may have been updated since."
        )
    taken = (("customer", row.is_customer), ("account", row.is_account), ("lead", row.is_lead))
    is_taken = next((name for name, yes in taken if yes), None)
    return Firm(row.id, row.name, row.kind, lead_fields(row, scope), is_taken)
