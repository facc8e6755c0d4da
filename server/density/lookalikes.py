"""Prospects that are most like the best customers, with the reasons: `geo.whitespace.BestCustomers` over open data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import h3
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from geo.whitespace import FEWEST_BEST, BestCustomers, Likeness, Traits
from server.accounts import queries as accounts
from server.accounts.models import Account, Status
from server.auth.access import Scope
from server.density import queries, reach
from server.density.reach import IN_REACH
from server.kit.settings import settings

BEST_SHARE = 0.2
"""The best customers are this part of those with a yearly value."""
MOST_BEST = 200
CANDIDATES = 600
AROUND_M, NEAR_M = 250, 15_000
SHOWN = 30


@dataclass(frozen=True)
class Alike:
    """A prospect like the best customers."""

    prospect_id: UUID
    name: str
    kind: str
    at: LonLat
    likeness: Likeness
    distance_m: float
    """To the nearest of the best customers."""


@dataclass(frozen=True)
class Found:
    """Look-alikes, or why there are none."""

    alike: list[Alike]
    best: int
    """Customers compared with; fewer than `needed` say nothing."""
    needed: int = FEWEST_BEST
    valued: int = 0
    """Customers with a yearly value that somebody sees, whether their kind is known or not."""
    recognised: int = 0
    """Those of them whose kind of firm is known."""


_BEST = """
    select d.prospect_id as id, a.name, t.kind, ST_X(s.pin) as lon, ST_Y(s.pin) as lat, null::float8 as distance_m
    from density_customer d join site s on s.id = d.site_id and s.is_main join account a on a.id = s.account_id
    join density_trade t on t.id = d.trade_id
    where a.id = any(:ids)
"""
_CANDIDATES = """
    select distinct on (p.id) p.id, p.name, p.kind, ST_X(p.pin) as lon, ST_Y(p.pin) as lat, near.distance_m
    from unnest(cast(:lons as float8[]), cast(:lats as float8[])) as best (lon, lat)
    cross join lateral (
        select p.*, ST_Distance(p.pin::geography, ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography) as distance_m
        from prospect p join region r on r.id = p.region_id and r.state = 'ready'
        where p.kind = any(:kinds) and p.pin && ST_Expand(ST_SetSRID(ST_MakePoint(lon, lat), 4326), 0.15)
        order by p.pin <-> ST_SetSRID(ST_MakePoint(lon, lat), 4326) limit :each
    ) near join prospect p on p.id = near.id and p.region_id = near.region_id
    where near.distance_m <= :near
      and not exists (select from density_customer c where c.prospect_id = p.id)
      and not exists (
          select from white_space_item i join lead l on l.id = i.row_id and l.deleted_at is null
          where i.prospect_id = p.id
      )
      and exists (
          select from density_cell c where c.cell = h3_parent(p.cell, 9) and {reach}
      )
    order by p.id, near.distance_m
    limit :most
"""
_TRAITS = """
    select firm.*, coalesce(around.kinds, '{{}}') as kinds, place.kind as place,
           (select (c.prospects + c.customers)::float8 from density_cell_now c where c.cell = any(:cells)
             and c.geom && ST_Transform(ST_SetSRID(ST_MakePoint(firm.lon, firm.lat), 4326), 3857)
             and ST_Covers(c.geom, ST_Transform(ST_SetSRID(ST_MakePoint(firm.lon, firm.lat), 4326), 3857)) limit 1
           ) as firms
    from ({firms}) firm
    left join lateral (
        select array_agg(distinct p.kind) as kinds from prospect p
        where p.pin && ST_Expand(ST_SetSRID(ST_MakePoint(firm.lon, firm.lat), 4326), 0.004)
          and p.id is distinct from firm.id
          and ST_DWithin(p.pin::geography, ST_SetSRID(ST_MakePoint(firm.lon, firm.lat), 4326)::geography, :around)
    ) around on true
    left join lateral (
        select p.kind from region_place p
        where p.kind in ('city', 'town', 'village', 'hamlet', 'suburb')
          and p.point && ST_Expand(ST_SetSRID(ST_MakePoint(firm.lon, firm.lat), 4326), 0.1)
        order by p.point <-> ST_SetSRID(ST_MakePoint(firm.lon, firm.lat), 4326) limit 1
    ) place on true
"""
_BEST_TRAITS = text(_TRAITS.format(firms=_BEST))
_CANDIDATE_TRAITS = text(_TRAITS.format(firms=_CANDIDATES.format(reach=IN_REACH)))
LEVEL = 8
"""Resolution of the hexagon that says how dense the surroundings are."""


def look_alikes(session: Session, scope: Scope) -> Found:
    """Prospects most like the best customers that somebody sees; silent with too few, or where values are hidden."""
    ids = _best_ids(session, scope)
    if len(ids) < FEWEST_BEST:
        return Found([], len(ids), valued=_valued(session, scope), recognised=len(ids))
    rows = session.execute(_BEST_TRAITS, {"ids": ids, "around": AROUND_M, "cells": _cells_of(session, ids)}).all()
    if len(rows) < FEWEST_BEST:
        return Found([], len(rows), valued=_valued(session, scope), recognised=len(rows))
    kinds = {kind.kind: kind.firms for kind in queries.kinds(session)}
    best = BestCustomers([_traits(row) for row in rows], kinds)
    values = {
        "lons": [row.lon for row in rows], "lats": [row.lat for row in rows],
        "kinds": sorted({row.kind for row in rows}), "each": max(5, CANDIDATES // len(rows)), "near": NEAR_M,
        "most": CANDIDATES, **reach.of(session, scope).values,
    }  # fmt: skip
    candidates = session.execute(text(_CANDIDATES.format(reach=IN_REACH)), values).all()
    cells = sorted({h3.str_to_int(h3.latlng_to_cell(row.lat, row.lon, LEVEL)) for row in candidates})
    found = [
        Alike(
            prospect_id=row.id,
            name=row.name,
            kind=row.kind,
            at=LonLat(row.lon, row.lat),
            likeness=best.likeness(_traits(row)),
            distance_m=row.distance_m,
        )
        for row in session.execute(_CANDIDATE_TRAITS, {**values, "around": AROUND_M, "cells": cells})
    ]
    found.sort(key=lambda one: (-one.likeness.score, one.name, one.prospect_id))
    return Found(found[:SHOWN], len(rows))


def _best_ids(session: Session, scope: Scope) -> list[UUID]:
    """The customers of the highest yearly value that somebody sees, and whose kind is known."""
    if not scope.sees("account", "yearly_value"):
        return []
    seen = accounts.visible_to(scope).where(Account.yearly_value > 0, Account.currency == settings().currency, _KNOWN)
    ranked = session.scalars(
        seen.with_only_columns(Account.id).order_by(Account.yearly_value.desc(), Account.id).limit(MOST_BEST * 5)
    ).all()
    return list(ranked[: min(MOST_BEST, max(FEWEST_BEST, round(len(ranked) * BEST_SHARE)))])


def _valued(session: Session, scope: Scope) -> int:
    """How many customers with a yearly value somebody sees."""
    if not scope.sees("account", "yearly_value"):
        return 0
    seen = accounts.visible_to(scope).where(
        Account.status == Status.CUSTOMER, Account.yearly_value > 0, Account.currency == settings().currency
    )
    return session.scalar(select(func.count()).select_from(seen.with_only_columns(Account.id).subquery())) or 0


_KNOWN: Any = text(
    "exists (select from density_customer d join site s on s.id = d.site_id and s.is_main"
    " where s.account_id = account.id and d.trade_id > 0)"
)


def _cells_of(session: Session, ids: Sequence[UUID]) -> list[int]:
    """The hexagons in which some customers lie."""
    rows = session.execute(
        text("select ST_X(pin), ST_Y(pin) from site where account_id = any(:ids) and is_main and pin is not null"),
        {"ids": list(ids)},
    )
    return sorted({h3.str_to_int(h3.latlng_to_cell(lat, lon, LEVEL)) for lon, lat in rows})


def _traits(row: Any) -> Traits:
    """What is compared of a firm."""
    cell = h3.latlng_to_cell(row.lat, row.lon, LEVEL)
    return Traits(
        kind=row.kind,
        neighbours=frozenset(row.kinds or ()),
        density=(row.firms or 0.0) / h3.cell_area(cell, unit="km^2"),
        place=row.place or "",
        distance_m=row.distance_m or 0.0,
    )
