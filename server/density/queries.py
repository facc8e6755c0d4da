"""Reads of density: tiles in one statement each, totals, legend."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import h3
from sqlalchemy import Row, TextClause, func, or_, select, text
from sqlalchemy.orm import Session

from geo.types import BBox
from server.density.counting import BREAKS_OF_KINDS, COARSEST, FINEST, NOT_KNOWN, UNKNOWN
from server.density.ground import ONE_SEEN, PARTS, ROOT, WILSON, seen_cells
from server.density.ground import values as ground_of
from server.density.models import CELL_NOW, COUNT_NOW, DensityState, DensityTrade, WhiteSpaceItem
from server.density.reach import IN_REACH, Reach
from server.kit.errors import Invalid
from server.kit.layers import WORLD_M
from server.kit.tiles import Tile

SINGLE_FROM_ZOOM = 13
"""From here on prospects are single points; below, one point stands for a hexagon."""
RAMP = ("#FFFFCC", "#A1DAB4", "#41B6C4", "#2C7FB8", "#253494")
"""Colours of the classes: YlGnBu (ColorBrewer), safe for colour-blind people."""
QUANTILES = (0.2, 0.4, 0.6, 0.8)
EVERYTHING = Reach(everywhere=True)
WORLD = BBox(-180.0, -90.0, 180.0, 90.0)

_TILE = """
    with tile as (select ST_TileEnvelope(:z, :x, :y) as box),
    cells as ({cells}),
    drawn as (
        select to_hex(cell) as cell, prospects, customers::float8 as customers,
               round(penetration::numeric, 4)::float8 as penetration,
               round(low::numeric, 4)::float8 as low, round(high::numeric, 4)::float8 as high,
               round(expected::numeric, 1)::float8 as expected,
               case when variance > 0 then round((sign(customers::float8 - expected)
                   * greatest(0, abs(customers::float8 - expected) - 0.5) / sqrt(variance))::numeric, 2)::float8 else 0
               end as z,
               case when :values then round(value) end as value, NOT_KNOWN
               ST_AsMVTGeom(geom, tile.box, 4096, 64, true) as geom
        from tile, cells
        where prospects > 0 or customers >= 0.05
    )
    select coalesce(ST_AsMVT(drawn, 'density', 4096, 'geom'), ''::bytea) from drawn
"""
_IN_TILE = "c.geom && (select box from tile) and c.resolution = :resolution"
_CELLS = seen_cells(_TILE.replace("NOT_KNOWN", "").format(cells="SEEN_CELLS"), _IN_TILE)
_OF_KINDS = (
    """
    select cell, resolution, geom, prospects, customers, expected, variance, value,
           coalesce(share, 0) as penetration, WILSON, unknown, NOT_KNOWN as not_known
    from (
        select *, ROOT
        from (
            select *, (prospects + customers)::float8 as n,
                   (customers / nullif(prospects + customers, 0))::float8 as share
            from (
                select c.cell, c.resolution, c.geom,
                       coalesce(sum(k.prospects) filter (where k.trade_id > 0), 0) as prospects,
                       coalesce(sum(k.customers) filter (where k.trade_id > 0), 0) as customers,
                       coalesce(sum(k.customers) filter (where k.trade_id = 0), 0) as unknown,
                       coalesce(sum((k.prospects + k.customers::float8) * t.rate), 0) as expected,
                       coalesce(sum((k.prospects + k.customers::float8) * t.rate * (1 - t.rate)), 0) as variance,
                       coalesce(sum(k.prospects * t.rate * t.value), 0) as value
                from density_cell c {parts}
                left join density_trade t on t.id = k.trade_id
                where IN_TILE
                group by c.cell
            ) sums
        ) shares
        where n > 0
    ) roots
""".replace("WILSON", WILSON)
    .replace("ROOT", ROOT)
    .replace("NOT_KNOWN", NOT_KNOWN)
    .replace("IN_TILE", _IN_TILE)
)
"""Beside the figures of some kinds the customers of whom nobody knows a kind: they may be of these."""
_PARTS_OF_KINDS = {
    True: "join density_count_now k on k.cell = c.cell and k.trade_id = any(:trades)",
    False: "join lateral (select cell from density_cell where PARTS) part on true"
    " join density_count_now k on k.cell = part.cell and k.trade_id = any(:trades)".replace("PARTS", PARTS),
}
_TILE_OF_KINDS = _TILE.replace("NOT_KNOWN", "round(unknown, 1)::float8 as unknown, not_known,")
_CELLS_OF_KINDS = {
    everywhere: text(_TILE_OF_KINDS.format(cells=_OF_KINDS.format(parts=parts)))
    for everywhere, parts in _PARTS_OF_KINDS.items()
}

_PROSPECTS = text(
    """
    with tile as (select ST_TileEnvelope(:z, :x, :y) as box, ST_TileEnvelope(:z, :x, :y, margin => 0.02) as reach),
    drawn as (
        select p.id::text as id, p.name, p.kind,
               exists (select from density_customer c where c.prospect_id = p.id) as is_customer,
               ST_AsMVTGeom(ST_Transform(p.pin, 3857), tile.box, 4096, 80, true) as geom
        from tile join prospect p on p.pin && ST_Transform(tile.reach, 4326)
        where p.region_id in (select id from region where state = 'ready') and ONE_SEEN
            and (not :of_kinds or p.kind in (select kind from density_trade where id = any(:trades)))
    )
    select coalesce(ST_AsMVT(drawn, 'prospects', 4096, 'geom'), ''::bytea) from drawn
    """.replace("ONE_SEEN", ONE_SEEN)
)

FINEST_ZOOM = 16
"""From here on a tile is smaller than a hexagon."""
MOST_SINGLES = 4000
"""More prospects in one tile are counted by hexagon, so that no tile grows beyond some 300 kB."""
_THERE = text(
    """
    select coalesce(sum(prospects + customers), 0) <= :most from density_cell_now
    where geom && ST_TileEnvelope(:z, :x, :y) and resolution = :finest and IN_REACH
    """.replace("IN_REACH", IN_REACH)
)

_CLUSTER_TILE = """
    with tile as (select ST_TileEnvelope(:z, :x, :y) as box),
    drawn as (
        select to_hex(cell) as cell, prospects::int as count,
               ST_AsMVTGeom(ST_Centroid(geom), tile.box, 4096, 0, true) as geom
        from tile, (SEEN_CELLS) cells
        where prospects > 0
    )
    select coalesce(ST_AsMVT(drawn, 'prospects', 4096, 'geom'), ''::bytea) from drawn where geom is not null
"""
_CLUSTERS = seen_cells(_CLUSTER_TILE, _IN_TILE)
_CLUSTERS_OF_KINDS = {
    everywhere: text(_CLUSTER_TILE.replace("SEEN_CELLS", _OF_KINDS.format(parts=parts)))
    for everywhere, parts in _PARTS_OF_KINDS.items()
}


def resolution_at(zoom: int) -> int:
    """The H3 resolution whose hexagons are about 40 pixels wide at a zoom."""
    return max(COARSEST, min(FINEST, round(zoom * 0.713 - 0.5)))


def density_tile(
    session: Session, reach: Reach, tile: Tile, *, values: bool = True, trades: Sequence[int] | None = None
) -> bytes:
    """The hexagons of one tile that somebody sees; of some kinds only, and without money, when that is asked."""
    asked = {**tile._asdict(), "resolution": resolution_at(tile.z), "values": values, **ground_of(reach)}
    if trades is None:
        body: bytes = session.execute(_CELLS[reach.everywhere], asked).scalar_one()
    else:
        body = session.execute(_CELLS_OF_KINDS[reach.everywhere], {**asked, "trades": [UNKNOWN, *trades]}).scalar_one()
    return bytes(body)


def prospect_tile(session: Session, reach: Reach, tile: Tile, trades: Sequence[int] | None = None) -> bytes:
    """The prospects of one tile that somebody sees: each by itself from zoom 13 on, else, or too many, by hexagon; of
    some kinds only, when that is asked."""
    of = {"of_kinds": trades is not None, "trades": list(trades or ())}
    asked = {**tile._asdict(), "most": MOST_SINGLES, **of, **ground_of(reach)}
    if tile.z >= FINEST_ZOOM or (tile.z >= SINGLE_FROM_ZOOM and session.execute(_THERE, asked).scalar_one()):
        body: bytes = session.execute(_PROSPECTS, asked).scalar_one()
    else:
        resolution = resolution_at(tile.z)
        clusters = (_CLUSTERS if trades is None else _CLUSTERS_OF_KINDS)[reach.everywhere]
        body = session.execute(clusters, {**asked, "resolution": resolution}).scalar_one()
    return bytes(body)


def state_key(session: Session) -> str:
    """Changes whenever the counts do."""
    state = session.get(DensityState, 1)
    return state.refreshed_at.isoformat() if state else ""


@dataclass(frozen=True)
class Totals:
    """The whole market."""

    prospects: int
    """Firms that are not customers yet."""
    customers: int
    unknown: int
    """Customers of whose kind nothing is known: with those of some kinds they are not counted."""
    refreshed_at: datetime | None


def totals(session: Session, reach: Reach = EVERYTHING, trades: Sequence[int] | None = None) -> Totals:
    """Sum up all cells that somebody sees; of some kinds only, when that is asked."""
    cells, counts = CELL_NOW.c, COUNT_NOW.c
    of = cells if trades is None else counts
    here = (cells.resolution == (COARSEST if reach.everywhere else FINEST), reach.holds(cells.territory_id))
    by_kind = COUNT_NOW.join(CELL_NOW, cells.cell == counts.cell)
    of_no_kind = select(func.coalesce(func.sum(counts.customers), 0)).select_from(by_kind)
    sums = select(
        func.coalesce(func.sum(of.prospects), 0),
        func.coalesce(func.sum(of.customers), 0),
        of_no_kind.where(counts.trade_id == UNKNOWN, *here).correlate(None).scalar_subquery(),
    ).where(*here)
    if trades is not None:
        sums = sums.select_from(by_kind).where(counts.trade_id.in_(trades))
    prospects, customers, unknown = session.execute(sums).one()
    state = session.get(DensityState, 1)
    return Totals(int(prospects), round(float(customers)), round(float(unknown)), state.refreshed_at if state else None)


@dataclass(frozen=True)
class Classes:
    """Of a legend."""

    bounds: list[float]
    """Upper bounds of all classes but the last one: quintiles, each once; of shares the lower bounds of all but the
    first."""
    most: float
    """The highest figure of a hexagon; 0 where there is none."""


LAYERS = ("prospects", "customers", "value", "penetration")


def classes(session: Session, trades: Sequence[int] | None = None) -> dict[str, dict[int, Classes]]:
    """The legends' classes by layer and resolution, as maps draw them; of some kinds, when that is asked."""
    if trades is None:
        state = session.get(DensityState, 1)
        kept = state.breaks if state else {}
        return {layer: {int(level): Classes(*one) for level, one in kept.get(layer, {}).items()} for layer in LAYERS}
    asked = {"shares": list(QUANTILES), "trades": list(trades)}
    return classes_of(session.execute(BREAKS_OF_KINDS, asked))


def classes_of(rows: Iterable[Row[Any]]) -> dict[str, dict[int, Classes]]:
    """Classes from rows of a resolution, the quintiles of each layer, and the highest figure of each."""
    found: dict[str, dict[int, Classes]] = {layer: {} for layer in LAYERS}
    for row in rows:
        for at, layer in enumerate(LAYERS, 1):
            most = row[at + len(LAYERS)] or 0
            plain = share_plain if layer == "penetration" else _plain
            kept = sorted({plain(value) for value in row[at] or ()})
            highest = float(most) if layer == "penetration" else math.ceil(most)
            found[layer][row[0]] = Classes([one for one in kept if 0 < one < most], highest)
    return found


def share_plain(value: Any) -> float:
    """A share that people can read: whole percents from 10 % on, tenths below; never above the share itself."""
    percent = round(100 * float(value), 6)
    return (math.floor(percent) if percent >= 10 else math.floor(10 * percent) / 10) / 100


def _plain(value: Any) -> float:
    """A bound that people can read: two digits count."""
    number = float(value)
    return int(round(number, 1 - math.floor(math.log10(number)))) if number >= 100 else math.ceil(number)


@dataclass(frozen=True)
class Usual:
    """Of all kinds together."""

    rate: float
    """Share of the firms that are customers."""
    value: float
    """Mean yearly value of a customer."""


def usual(session: Session) -> Usual:
    """How many firms become customers, and what a customer is worth; 0 while there are none."""
    state = session.get(DensityState, 1)
    return Usual(state.usual_rate, state.usual_value) if state else Usual(0.0, 0.0)


@dataclass(frozen=True)
class Kind:
    """A kind of firm, and what is known of it."""

    kind: str
    firms: float
    customers: float
    rate: float
    """Share that become customers, drawn towards that of all kinds."""
    value: float
    """Mean yearly value of such customers, drawn towards that of all kinds."""


def kinds(session: Session) -> list[Kind]:
    """Every kind of which there are firms, the commonest first."""
    rows = session.scalars(
        select(DensityTrade).where(DensityTrade.firms > 0).order_by(DensityTrade.firms.desc(), DensityTrade.kind)
    )
    return [Kind(row.kind, row.firms, row.customers, row.rate, row.value) for row in rows]


def trades_of(session: Session, kind: str) -> list[int]:
    """The kinds that a word means: `shop=bakery` one, `shop` all shops. Refuses a word that no firm goes by."""
    statement = select(DensityTrade.id).where(
        or_(DensityTrade.kind == kind, func.split_part(DensityTrade.kind, "=", 1) == kind)
    )
    found = list(session.scalars(statement))
    if not found:
        raise Invalid(
            f"There is no kind of firm “{kind[:60]}”.", help="GET /api/v1/density/kinds names them all.", field="kind"
        )
    return found


class Figure(StrEnum):
    """What hexagons are ranked by."""

    PROSPECTS = "prospects"
    CUSTOMERS = "customers"
    PENETRATION = "penetration"
    """By the lower end of its interval, so that one of one does not lead."""
    DIFFERENCE = "difference"
    """The fewest customers for what was to be expected first, in standard deviations."""
    VALUE = "value"


_Z = """sign(customers::float8 - expected) * greatest(0, abs(customers::float8 - expected) - 0.5)
    / sqrt(nullif(variance, 0))"""
_RANKS: dict[Figure | None, tuple[str, str]] = {
    None: ("true", "cell"),
    Figure.PROSPECTS: ("prospects > 0", "prospects desc"),
    Figure.CUSTOMERS: ("customers >= 0.05", "customers desc"),
    Figure.PENETRATION: ("customers >= 0.05", "low desc"),
    Figure.DIFFERENCE: (f"{_Z} < 0", _Z),
    Figure.VALUE: ("value > 0", "value desc"),
}
"""Which hexagons lead by a figure, and in which order; without one all of them, by name."""
_LEADING = "select * from (SEEN_CELLS) cells where {leads} order by {order}, cell limit :most"
_LEADING_FIRST = "select * from (SEEN_CELLS) cells order by ({leads}) is not true, {order}, cell"
_OF_KINDS_FIRST = _LEADING_FIRST.replace("order by", "where prospects > 0 or customers > 0 order by")
_IN_BOX = "c.resolution = :resolution and c.geom && ST_MakeEnvelope(:west, :south, :east, :north, 3857)"


def _of_kinds(statement: str, where: str = "c.resolution = :resolution") -> dict[bool, TextClause]:
    """A statement over the hexagons of a resolution with the figures of some kinds; by whether everything is seen."""
    cells = _OF_KINDS.replace(_IN_TILE, where)
    return {
        everywhere: text(statement.replace("SEEN_CELLS", cells.format(parts=parts)))
        for everywhere, parts in _PARTS_OF_KINDS.items()
    }


def _ranked(statement: str) -> dict[Figure | None, str]:
    return {figure: statement.format(leads=leads, order=order) for figure, (leads, order) in _RANKS.items()}


_BEST = {figure: seen_cells(ranked, _IN_BOX) for figure, ranked in _ranked(_LEADING).items()}
_BEST_OF_KINDS = {figure: _of_kinds(ranked, _IN_BOX) for figure, ranked in _ranked(_LEADING).items()}
_ALL = {figure: seen_cells(ranked, "c.resolution = :resolution") for figure, ranked in _ranked(_LEADING_FIRST).items()}
_ALL_OF_KINDS = {figure: _of_kinds(ranked) for figure, ranked in _ranked(_OF_KINDS_FIRST).items()}


def cells(
    session: Session,
    resolution: int,
    reach: Reach = EVERYTHING,
    trades: Sequence[int] | None = None,
    *,
    figure: Figure | None = None,
) -> Sequence[Row[Any]]:
    """All hexagons of a resolution that somebody sees, with the figures of what they see of them; of some kinds only,
    when that is asked, with the customers of unknown kind beside them. Those that lead by a figure, as `best_cells`
    ranks them, come first; without one all stand in the order of their names."""
    asked = {"resolution": resolution, "trades": [UNKNOWN, *(trades or ())], **ground_of(reach)}
    return session.execute((_ALL if trades is None else _ALL_OF_KINDS)[figure][reach.everywhere], asked).all()


def best_cells(
    session: Session,
    resolution: int,
    reach: Reach,
    most: int,
    trades: Sequence[int] | None = None,
    *,
    figure: Figure = Figure.PROSPECTS,
    box: BBox = WORLD,
) -> Sequence[Row[Any]]:
    """The hexagons that lead by a figure; of some kinds only, and of those that touch a box in degrees, when that is
    asked."""
    edges = {
        "west": WORLD_M * box.west / 360,
        "east": WORLD_M * box.east / 360,
        "south": _north_m(box.south),
        "north": _north_m(box.north),
    }
    asked = {"resolution": resolution, "most": most, "trades": [UNKNOWN, *(trades or ())], **ground_of(reach), **edges}
    statement = (_BEST if trades is None else _BEST_OF_KINDS)[figure][reach.everywhere]
    return session.execute(statement, asked).all()


def _north_m(lat: float) -> float:
    """Web Mercator's northing; the poles have no place in it."""
    return WORLD_M / math.tau * math.asinh(math.tan(math.radians(max(-85.06, min(85.06, lat)))))


def cell_of(session: Session, row_id: UUID) -> str | None:
    """The hexagon that a lead or a task was made of; None for one that comes from elsewhere."""
    made = select(WhiteSpaceItem.cell).where(WhiteSpaceItem.row_id == row_id, WhiteSpaceItem.cell.is_not(None))
    cell = session.scalar(made.limit(1))
    return None if cell is None else h3.int_to_str(cell)
