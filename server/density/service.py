"""Keeps the counts true: only what has changed is touched."""

from collections.abc import Iterator, Sequence
from typing import Any

import h3
import shapely
from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geo.density import cell_outlines, spread
from geo.types import LonLat
from server.density import counting
from server.density.models import DensityCustomer, DensityState
from server.kit import clock
from server.kit.database import copy_rows
from server.regions.loading import to_mercator

LOCK = 0x64656E73
CHUNK = 50_000
_CELL_COLUMNS = ("cell", "resolution", "prospects", "customers", "penetration", "low", "high", "geom")


def refresh(session: Session) -> bool:
    """Count prospects and customers anew where something has changed; returns whether there was anything to do."""
    session.flush()
    session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
    inputs: str = session.execute(counting.INPUTS).scalar_one()
    state = session.get(DensityState, 1)
    if state is not None and state.inputs == inputs:
        return False
    for preparation in counting.START:
        session.execute(preparation)
    regions_changed = state is None or state.inputs.split(" ")[0] != inputs.split(" ")[0]
    _count_customers(session, again=regions_changed)
    _count_cells(session)
    values = {"inputs": inputs, "refreshed_at": clock.now()}
    statement = insert(DensityState).values(id=1, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
    session.expire_all()
    return True


def _count_customers(session: Session, *, again: bool) -> None:
    """Bring the customers' cells up to date, and find out which of them were prospects."""
    session.execute(counting.CUSTOMERS)
    session.execute(counting.FORGET)
    rows = session.execute(counting.NEW_CUSTOMERS).all()
    copy_rows(session, "density_customer", ("site_id", "rev", "cells", "parts"), (_spread(row) for row in rows))
    sites = [row[0] for row in rows]
    if again:
        session.execute(counting.UNMATCH)
        sites = list(session.scalars(select(DensityCustomer.site_id)))
    session.execute(counting.MATCH, {**counting.SAME_FIRM, "sites": sites})


def _spread(row: Sequence[Any]) -> tuple[Any, ...]:
    """A customer in the cells in which it may lie."""
    site_id, rev, lon, lat, doubt_m = row
    parts = spread(LonLat(lon, lat), doubt_m, counting.FINEST)
    return site_id, rev, [h3.str_to_int(cell) for cell in parts], list(parts.values())


def _count_cells(session: Session) -> None:
    """Count the finest cells, add them up, and write the difference."""
    session.execute(counting.COUNT_FINEST, {"finest": counting.FINEST})
    for resolution in range(counting.FINEST - 1, counting.COARSEST - 1, -1):
        session.execute(counting.COUNT_COARSER, {"resolution": resolution})
    session.execute(text("analyze fresh"))
    session.execute(counting.CHANGES)
    session.execute(counting.DROP_OLD)
    session.execute(counting.SHARES, {"z2": counting.Z2})
    session.execute(counting.UPDATE_CHANGED)
    new = session.execute(counting.NEW_CELLS).all()
    if new:
        rows = (row for start in range(0, len(new), CHUNK) for row in _with_outlines(new[start : start + CHUNK]))
        copy_rows(session, "density_cell", _CELL_COLUMNS, rows)
        session.execute(text("analyze density_cell"))


def _with_outlines(rows: Sequence[Row[Any]]) -> Iterator[tuple[Any, ...]]:
    """Add the hexagon in Web Mercator, which PostgreSQL cannot make."""
    outlines = cell_outlines([h3.int_to_str(row.cell) for row in rows])
    projected = shapely.set_srid(shapely.transform(outlines, to_mercator), 3857)
    texts = shapely.to_wkb(projected, hex=True, include_srid=True)
    for row, outline in zip(rows, texts, strict=True):
        yield (*row, outline)
