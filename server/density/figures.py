"""All figures of one hexagon, or of territories and administrative areas, with what chance explains."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import h3
from sqlalchemy import TextClause, func, select, text, true
from sqlalchemy.orm import Session

from geo.density import Penetration, penetration
from geo.types import LonLat
from geo.whitespace import Chance, chance
from server.density.counting import COARSEST, FINEST, UNKNOWN
from server.density.models import COUNT_NOW, DensityCell, DensityTrade
from server.density.reach import IN_REACH, Reach
from server.kit.errors import Invalid, NotFound
from server.territories.models import Territory

MOST_AREAS = 2000
_INDEX = re.compile("[0-9a-fA-F]{15}")


@dataclass(frozen=True)
class Figures:
    """The market of a place."""

    prospects: int
    customers: float
    penetration: Penetration
    chance: Chance
    """How many customers were to be expected, and what chance explains of the difference."""
    value: float
    """Prospects x rate x value of their kind, a year."""
    square_km: float
    unknown: float = 0.0
    """Of some kinds: customers that may be of these, because theirs is not known."""

    @property
    def potential(self) -> float:
        """All firms that could be customers, or are."""
        return self.prospects + self.customers

    @property
    def not_known(self) -> bool:
        """Of some kinds: nobody knows the penetration, as `counting.NOT_KNOWN` says it of hexagons."""
        return self.customers < 0.05 and self.unknown >= 0.05


def figures(row: Any, square_km: float) -> Figures:
    """The figures of a row with the sums of cells."""
    prospects, customers = int(row.prospects or 0), float(row.customers or 0)
    return Figures(
        prospects=prospects,
        customers=customers,
        penetration=penetration(customers, prospects + customers),
        chance=chance(customers, float(row.expected or 0), max(0.0, float(row.variance or 0))),
        value=float(row.value or 0),
        square_km=square_km,
        unknown=float(getattr(row, "unknown", None) or 0),
    )


@dataclass(frozen=True)
class Cell:
    """A hexagon."""

    cell: str
    resolution: int
    at: LonLat
    territory_id: UUID | None
    territory: str | None
    figures: Figures
    kinds: list[tuple[str, int, float]]
    """The commonest kinds with prospects and customers."""
    unknown: float
    """Customers of whose kind nothing is known."""


def number_of(cell: str) -> int:
    """An H3 index as a number. Refuses what is none of the counted ones."""
    known = _INDEX.fullmatch(cell) and h3.is_valid_cell(cell)
    if not known or not COARSEST <= h3.get_resolution(cell) <= FINEST:
        raise Invalid(
            f"“{cell[:40]}” is no hexagon of the map.",
            help=f"Take the index of an H3 cell of resolution {COARSEST} to {FINEST}.",
            field="cell",
        )
    number: int = h3.str_to_int(cell)
    return number


def cell(session: Session, reach: Reach, name: str, trades: Sequence[int] | None = None) -> Cell:
    """One hexagon with its commonest kinds; its figures are of some kinds only, when that is asked.

    Refuses one in which nothing is, and one that somebody may not see.
    """
    number = number_of(name)
    row = session.get(DensityCell, number)
    parts = [number] if reach.everywhere or row is None else _finest(session, reach, row)
    asked = {"cells": parts, "trades": [UNKNOWN, *(trades or ())]}
    sums = session.execute(_OF_PARTS[trades is None], asked).one()
    if row is None or sums.prospects is None:
        raise NotFound("There is no prospect and no customer in this hexagon.", id=name)
    territory = session.get(Territory, row.territory_id) if row.territory_id and reach.sees(row.territory_id) else None
    lat, lon = h3.cell_to_latlng(name)
    counts = COUNT_NOW.c
    firms = func.sum(counts.prospects + counts.customers)
    kinds = session.execute(
        select(DensityTrade.kind, func.sum(counts.prospects), func.sum(counts.customers))
        .join(COUNT_NOW, DensityTrade.id == counts.trade_id)
        .where(counts.cell.in_(parts), true() if trades is None else counts.trade_id.in_(trades))
        .group_by(DensityTrade.kind)
        .having(firms > 0)
        .order_by(firms.desc(), DensityTrade.kind)
        .limit(8)
    )
    unknown = session.scalar(
        select(func.sum(counts.customers)).where(counts.cell.in_(parts), counts.trade_id == UNKNOWN)
    )
    return Cell(
        cell=name,
        resolution=row.resolution,
        at=LonLat(lon, lat),
        territory_id=territory.id if territory else None,
        territory=territory.name if territory and territory.deleted_at is None else None,
        figures=figures(sums, h3.cell_area(name, unit="km^2")),
        kinds=[(kind, int(prospects), float(customers)) for kind, prospects, customers in kinds],
        unknown=float(unknown or 0),
    )


def _finest(session: Session, reach: Reach, row: DensityCell) -> list[int]:
    """The finest hexagons of one that somebody sees; the middle of a coarse one says nothing of its ground."""
    if row.resolution == FINEST:
        return [row.cell] if reach.sees(row.territory_id) else []
    return list(session.scalars(_PARTS, {"cell": row.cell, "finest": FINEST, **reach.values}))


@dataclass(frozen=True)
class Area:
    """A territory or an administrative area."""

    id: str
    name: str
    level: int | None
    """Of an administrative area: 2 a country, 8 usually a municipality."""
    figures: Figures
    outline: str
    """GeoJSON, simplified."""
    data_date: date | None


_SUMS = """
    sum(c.prospects) as prospects, sum(c.customers) as customers,
    sum(c.expected) as expected, sum(c.variance) as variance, sum(c.value) as value
"""
_OF_KINDS = """
    (select d.cell, d.resolution, d.territory_id, d.geom, k.* from density_cell d cross join lateral (
        select coalesce(sum(k.prospects) filter (where k.trade_id > 0), 0) as prospects,
               coalesce(sum(k.customers) filter (where k.trade_id > 0), 0) as customers,
               coalesce(sum(k.customers) filter (where k.trade_id = 0), 0) as unknown,
               coalesce(sum((k.prospects + k.customers::float8) * t.rate), 0) as expected,
               coalesce(sum((k.prospects + k.customers::float8) * t.rate * (1 - t.rate)), 0) as variance,
               coalesce(sum(k.prospects * t.rate * t.value), 0) as value
        from density_count_now k left join density_trade t on t.id = k.trade_id
        where k.cell = d.cell and k.trade_id = any(:trades)
    ) k)
"""
_PARTS = text(
    """
    select part.cell from density_cell c join lateral (
        select cell from density_cell
        where geom && ST_Expand(c.geom, 0.3 * (ST_XMax(c.geom) - ST_XMin(c.geom)))
          and resolution = :finest and h3_parent(cell, c.resolution) = c.cell and IN_REACH
    ) part on true
    where c.cell = :cell
    """.replace("IN_REACH", IN_REACH)
)


def _sums_in(statement: str) -> dict[bool, TextClause]:
    """A statement over SUMS of CELLS; by whether it is of all kinds."""
    ready = statement.replace("IN_REACH", IN_REACH)
    of_kinds = f"{_SUMS.rstrip()}, sum(c.unknown) as unknown"
    return {
        True: text(ready.replace("SUMS", _SUMS).replace("CELLS", "density_cell_now")),
        False: text(ready.replace("SUMS", of_kinds).replace("CELLS", _OF_KINDS)),
    }


_OF_PARTS = _sums_in("select SUMS from CELLS c where c.cell = any(:cells)")
_TERRITORIES = _sums_in(
    """
    select t.id::text as id, t.name, null::int as level, null::date as data_date,
           ST_AsGeoJSON(ST_SimplifyPreserveTopology(t.area, 0.0005), 5) as outline,
           ST_Area(t.area::geography) / 1e6 as square_km, sums.*
    from (
        select territory_id, SUMS from CELLS c
        where resolution = :finest and territory_id is not null and IN_REACH group by territory_id
    ) sums join territory t on t.id = sums.territory_id and t.deleted_at is null
    order by t.name, t.id limit :most
    """
)
_ADMIN = _sums_in(
    """
    select p.id::text as id, p.name, p.admin_level as level, r.data_date,
           ST_AsGeoJSON(ST_SimplifyPreserveTopology(p.area, 0.0005), 5) as outline,
           ST_Area(p.area::geography) / 1e6 as square_km, sums.*
    from region_place p join region r on r.id = p.region_id and r.state = 'ready'
    cross join lateral (
        select SUMS from CELLS c
        where c.geom && ST_Transform(ST_Envelope(p.area), 3857) and c.resolution = :finest and IN_REACH
          and ST_Covers(p.area, ST_Transform(ST_Centroid(c.geom), 4326))
    ) sums
    where p.area is not null and p.admin_level = :level and sums.prospects is not null
    order by p.name, p.id limit :most
    """
)
_LEVELS = text(
    """
    select p.admin_level, count(*) from region_place p join region r on r.id = p.region_id and r.state = 'ready'
    where p.area is not null and p.admin_level is not null group by 1 order by 1
    """
)


def by_territory(session: Session, reach: Reach, trades: Sequence[int] | None = None) -> list[Area]:
    """The market by territory: the finest hexagons whose middle it covers; the smallest territory where several do."""
    return _areas(session, _TERRITORIES, trades, reach.values)


def by_admin_area(session: Session, reach: Reach, level: int, trades: Sequence[int] | None = None) -> list[Area]:
    """The market by administrative area of a level, of the hexagons that somebody sees."""
    return _areas(session, _ADMIN, trades, {**reach.values, "level": level})


def admin_levels(session: Session) -> list[tuple[int, int]]:
    """The levels of administrative areas that the regions have, and how many areas each."""
    return [(level, count) for level, count in session.execute(_LEVELS)]


def _areas(
    session: Session, statements: Mapping[bool, TextClause], trades: Sequence[int] | None, values: Mapping[str, Any]
) -> list[Area]:
    asked = {**values, "finest": FINEST, "most": MOST_AREAS, "trades": [UNKNOWN, *(trades or ())]}
    return [
        Area(
            id=row.id,
            name=row.name,
            level=row.level,
            figures=figures(row, row.square_km),
            outline=row.outline,
            data_date=row.data_date,
        )
        for row in session.execute(statements[trades is None], asked)
    ]
