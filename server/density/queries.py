"""Reads of density: tiles in one statement each, totals, legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.density.counting import COARSEST, FINEST
from server.density.models import DensityCell, DensityState
from server.kit.tiles import Tile

SINGLE_FROM_ZOOM = 13
"""From here on prospects are single points; below, one point stands for a hexagon."""
RAMP = ("#FFFFCC", "#A1DAB4", "#41B6C4", "#2C7FB8", "#253494")
"""Colours of the classes: YlGnBu (ColorBrewer), safe for colour-blind people."""
QUANTILES = (0.2, 0.4, 0.6, 0.8)

_CELLS = text(
    """
    with tile as (select ST_TileEnvelope(:z, :x, :y) as box),
    drawn as (
        select to_hex(cell) as cell, prospects, customers::float8 as customers,
               round(penetration::numeric, 4)::float8 as penetration,
               round(low::numeric, 4)::float8 as low, round(high::numeric, 4)::float8 as high,
               ST_AsMVTGeom(geom, tile.box, 4096, 64, true) as geom
        from tile join density_cell on geom && tile.box and resolution = :resolution
        where prospects > 0 or customers >= 0.05
    )
    select coalesce(ST_AsMVT(drawn, 'density', 4096, 'geom'), ''::bytea) from drawn
    """
)

_PROSPECTS = text(
    """
    with tile as (select ST_TileEnvelope(:z, :x, :y) as box, ST_TileEnvelope(:z, :x, :y, margin => 0.02) as reach),
    drawn as (
        select p.id::text as id, p.name, p.kind,
               exists (select from density_customer c where c.prospect_id = p.id) as is_customer,
               ST_AsMVTGeom(ST_Transform(p.pin, 3857), tile.box, 4096, 80, true) as geom
        from tile join prospect p on p.pin && ST_Transform(tile.reach, 4326)
        where p.region_id in (select id from region where state = 'ready')
    )
    select coalesce(ST_AsMVT(drawn, 'prospects', 4096, 'geom'), ''::bytea) from drawn
    """
)

_CLUSTERS = text(
    """
    with tile as (select ST_TileEnvelope(:z, :x, :y) as box),
    drawn as (
        select to_hex(cell) as cell, prospects as count,
               ST_AsMVTGeom(ST_Centroid(geom), tile.box, 4096, 0, true) as geom
        from tile join density_cell on geom && tile.box and resolution = :resolution
        where prospects > 0
    )
    select coalesce(ST_AsMVT(drawn, 'prospects', 4096, 'geom'), ''::bytea) from drawn where geom is not null
    """
)


def resolution_at(zoom: int) -> int:
    """The H3 resolution whose hexagons are about 40 pixels wide at a zoom."""
    return max(COARSEST, min(FINEST, round(zoom * 0.713 - 0.5)))


def density_tile(session: Session, tile: Tile) -> bytes:
    """The hexagons of one tile."""
    body: bytes = session.execute(_CELLS, {**tile._asdict(), "resolution": resolution_at(tile.z)}).scalar_one()
    return bytes(body)


def prospect_tile(session: Session, tile: Tile) -> bytes:
    """The prospects of one tile: each by itself from zoom 13 on, else counted by hexagon."""
    if tile.z >= SINGLE_FROM_ZOOM:
        body: bytes = session.execute(_PROSPECTS, tile._asdict()).scalar_one()
    else:
        resolution = min(FINEST, resolution_at(tile.z) + 1)
        body = session.execute(_CLUSTERS, {**tile._asdict(), "resolution": resolution}).scalar_one()
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
    refreshed_at: datetime | None


def totals(session: Session) -> Totals:
    """Sum up all cells."""
    sums = select(func.coalesce(func.sum(DensityCell.prospects), 0), func.coalesce(func.sum(DensityCell.customers), 0))
    prospects, customers = session.execute(sums.where(DensityCell.resolution == COARSEST)).one()
    state = session.get(DensityState, 1)
    return Totals(int(prospects), int(customers), state.refreshed_at if state else None)


def breaks(session: Session, resolution: int) -> list[int]:
    """Upper bounds of the legend's classes: quintiles of the prospects per hexagon, each once."""
    quantiles = func.percentile_disc(list(QUANTILES)).within_group(DensityCell.prospects)
    where = (DensityCell.resolution == resolution, DensityCell.prospects > 0)
    found: list[int] | None = session.scalar(select(quantiles).where(*where))
    return sorted(set(found or []))


def cells(session: Session, resolution: int) -> Sequence[DensityCell]:
    """All hexagons of a resolution."""
    statement = select(DensityCell).where(DensityCell.resolution == resolution).order_by(DensityCell.cell)
    return session.scalars(statement).all()
