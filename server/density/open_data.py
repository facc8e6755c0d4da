"""What open data knows of the prospects of a selection, and how a lead takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.density.ground import NOBODYS, SOMEBODYS
from server.density.reach import IN_REACH
from server.density.whitespace import RESOLUTION, Which, sees_values
from server.kit.errors import Invalid, NotFound
from server.kit.settings import settings
from server.leads.values import LEAD, new_values
from server.records.values import cleaned
from server.regions.models import Prospect, Region, State

CAMPAIGN = "White space"


class Unfit(StrEnum):
    """Why no lead can be made of a prospect."""

    NAMELESS = "nameless"
    """Its name holds nothing that anybody could see."""
    LONG_NAME = "long_name"
    """Its name is longer than that of a company may be."""


@dataclass(frozen=True)
class Refused:
    """A prospect of which no lead can be made."""

    prospect_id: UUID
    source_id: str
    """What open data calls it, `n123`."""
    name: str
    """Its first 300 letters."""
    reason: Unfit


IS_CUSTOMER = "exists (select from density_customer c where c.prospect_id = p.id)"
BECAME_LEAD = """exists (
    select from white_space_item i join lead made on made.id = i.row_id
    join lead l on l.id = coalesce(made.merged_into, made.id) and l.deleted_at is null where i.prospect_id = p.id
)"""
LIKE_LEAD = """exists (
    select from lead l where l.deleted_at is null and l.company is not null
      and l.pin && ST_Expand(p.pin, 0.003) and ST_DWithin(l.pin::geography, p.pin::geography, 150)
      and similarity(search_text(l.company), search_text(p.name)) >= 0.45
)"""
LIKE_ACCOUNT = """exists (
    select from site s join account a on a.id = s.account_id
    where s.pin && ST_Expand(p.pin, 0.003) and ST_DWithin(s.pin::geography, p.pin::geography, 150)
      and s.deleted_at is null and a.deleted_at is null and a.merged_into is null
      and similarity(search_text(a.name), search_text(p.name)) >= 0.45
)"""
"""What a prospect `p` is already: by what was counted or made of it, or by much the same name within 150 m."""

_OF_SELECTION = f"""
    select distinct on (p.id) p.id, p.source_id, p.name, p.kind, p.tags, ST_X(p.pin) as lon, ST_Y(p.pin) as lat,
           {IS_CUSTOMER} as is_customer, {BECAME_LEAD} or {LIKE_LEAD} as is_lead, {LIKE_ACCOUNT} as is_account,
           (select t.value from density_trade t where t.kind = p.kind) as value,
           h3_parent(p.cell, {RESOLUTION}) as whole
    from prospect p join region r on r.id = p.region_id and r.state = 'ready'
    where CHOSEN
      and (:any_kind or p.kind in (select kind from density_trade where id = any(:trades)))
    order by p.id limit :most
"""  # noqa: S608 our constants
_SEEN = "exists (select from density_cell c where c.cell = h3_parent(p.cell, 9) and IN_REACH and GROUND)".replace(
    "IN_REACH", IN_REACH.replace("territory_id", "c.territory_id")
)
_CHOSEN = {
    False: f"""(p.id = any(:ids) or exists (
            select from density_cell c where c.cell = any(:cells)
              and p.pin && ST_Transform(ST_Expand(c.geom, 0.3 * (ST_XMax(c.geom) - ST_XMin(c.geom))), 4326)
              and h3_parent(p.cell, c.resolution) = c.cell and {_SEEN}
        ))""",
    True: f"ST_Covers(ST_GeomFromText(:outline, 4326), p.pin) and {_SEEN}",
}
OF_SELECTION = {
    (which, outlined): text(_OF_SELECTION.replace("CHOSEN", chosen).replace("GROUND", ground))
    for outlined, chosen in _CHOSEN.items()
    for which, ground in ((None, "true"), (Which.UNASSIGNED, NOBODYS), (Which.UNWORKED, SOMEBODYS))
}
"""Those of a selection, of either kind of white space or of both, with what they are already; of hexagons and single
ones, or of an outline.

Small hexagons stick out of the larger one that counts them; the ground is judged by the finest ones.
"""


def need_there(session: Session, ids: Sequence[UUID]) -> None:
    """Refuse prospects that no region has, e.g. of one that was updated since."""
    there = select(Prospect.id).join(Region, Region.id == Prospect.region_id)
    known = session.scalars(there.where(Prospect.id.in_(ids), Region.state == State.READY)) if ids else ()
    if strange := sorted(set(ids).difference(known)):
        raise NotFound(
            "There is no such prospect.",
            help="Load the page again: the region may have been updated since.",
            field="prospect_ids",
            id=str(strange[0]),
        )


def lead_fields(row: Any, scope: Scope) -> dict[str, Any]:
    """What is known of a prospect, as a lead has it; fields that the role may not see or write are left out.

    What it is expected to be worth is what customers of its kind are worth a year on average.
    """
    tags: Mapping[str, str] = row.tags or {}

    def first(*names: str) -> str | None:
        return next((tags[name] for name in names if tags.get(name)), None)

    street = " ".join(filter(None, (first("addr:street", "addr:place"), first("addr:housenumber"))))
    phone, mail = first("phone", "contact:phone"), first("email", "contact:email")
    given = {
        "company": row.name,
        "street": street or None,
        "postcode": first("addr:postcode"),
        "city": first("addr:city"),
        "website": first("website", "contact:website"),
        "phones": [phone.split(";")[0].strip()] if phone else None,
        "emails": [mail.split(";")[0].strip()] if mail else None,
        "campaign": CAMPAIGN,
        "note": f"Open data: {row.kind}",
    }
    if row.value and sees_values(scope) and scope.sees("lead", "expected_value"):
        given |= {"expected_value": str(round(row.value)), "currency": settings().currency}
    return {
        name: value for name, value in given.items() if value and scope.changes("lead", name) and _fits(name, value)
    }


def unfit(name: str) -> Unfit | None:
    """Why no lead can be made of a prospect of that name; None when one can."""
    try:
        return None if cleaned(LEAD, "company", name) else Unfit.NAMELESS
    except Invalid:
        return Unfit.LONG_NAME


def _fits(name: str, value: Any) -> bool:
    """Whether a lead takes what somebody once wrote on a map, e.g. a website where the e-mail belongs."""
    try:
        new_values({"company": "x", name: value})
    except Invalid:
        return False
    return True
