"""Small areas of some territories with what they ask, read from the accounts; travel by road where roads are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.balance import cutting
from geo.balance.starting import nearest, seats
from geo.balance.types import Areas
from geo.types import LonLat
from routing.roads.straight import StraightLine
from routing.roads.types import Matrix, RoadsUnavailable
from server.balance.drafts import area_of
from server.balance.models import BalanceArea
from server.balance.workload import WORK
from server.roads import service as roads
from server.territories.models import Territory

STOPS_A_DAY = 8
"""One drive there and back serves so many visits."""

LOADED = text(
    f"""
    with {WORK}
    select w.territory_id, case when w.territory_is_fixed or s.territory_id is distinct from w.territory_id
            then null else st_x(w.pin) end as lon, st_y(w.pin) as lat,
        w.visits::float8, w.hours::float8, w.value::float8, w.potential::float8
    from work w left join site s on s.id = w.site_id where w.territory_id = any(:ids)
    """  # noqa: S608 -- put together from our own constants
)


@dataclass(frozen=True, eq=False)
class Cut:
    """Small areas with their outlines."""

    areas: Areas
    outlines: tuple[Polygon, ...]
    travel_is_estimated: bool
    """No road graph knew all ways: some are straight lines."""


def cut(session: Session, rows: Sequence[Territory]) -> Cut:
    """The small areas of some territories; an account assigned by hand stays with its territory wherever it lies."""
    grounds = [area_of(row) for row in rows]
    resolution = cutting.resolution_for(grounds)
    found = [cutting.cut(ground, resolution) for ground in grounds]
    outlines = [piece for pieces in found for piece in pieces]
    owner = np.repeat(np.arange(len(rows)), [len(pieces) for pieces in found])
    first = np.concatenate([[0], np.cumsum([len(pieces) for pieces in found])])
    work, accounts, visits = np.zeros((len(outlines), 3)), np.zeros(len(outlines), np.int64), np.zeros(len(outlines))
    fixed = np.zeros((len(rows), 3))
    sums, number = shapely.get_coordinates(shapely.centroid(outlines)).copy(), {row.id: k for k, row in enumerate(rows)}
    loaded: dict[int, list[tuple[float | None, ...]]] = {}
    for territory_id, *values in session.execute(LOADED, {"ids": [row.id for row in rows]}):
        loaded.setdefault(number[territory_id], []).append(tuple(values))
    for k, lines in loaded.items():
        table = np.array(lines, dtype=float)
        fixed[k] = table[np.isnan(table[:, 0])][:, 3:].sum(axis=0)
        table = table[~np.isnan(table[:, 0])]
        at = first[k] + cutting.holding(found[k], table[:, :2])
        np.add.at(work, at, table[:, 3:])
        np.add.at(visits, at, table[:, 2])
        np.add.at(accounts, at, 1)
        for i in np.unique(at):
            places = table[at == i][:, :2]
            sums[i] = places[nearest(places.mean(axis=0), places)]  # a place that somebody drives to, not one between
    travel, is_estimated = travel_h(session, sums, work, owner, visits, len(rows))
    areas = Areas(sums, work, accounts, cutting.borders(outlines), travel, owner, fixed)
    return Cut(areas, tuple(outlines), is_estimated)


def travel_h(
    session: Session,
    lonlats: NDArray[np.float64],
    work: NDArray[np.float64],
    owner: NDArray[np.int64],
    visits: NDArray[np.float64],
    count: int,
) -> tuple[NDArray[np.float64], bool]:
    """Hours a year from each territory's seat to each area and back; and whether they are estimates."""
    bare = Areas(
        lonlats, work, np.zeros(len(owner), np.int64), ((),) * len(owner), np.zeros((count, len(owner))), owner,
        np.zeros((count, 3)),
    )  # fmt: skip
    centres = [LonLat(float(x), float(y)) for x, y in seats(bare, owner, visits)]
    targets = [LonLat(float(x), float(y)) for x, y in lonlats]
    found = matrix(session, centres, targets)
    return 2 * found.seconds / 3600 * visits / STOPS_A_DAY, bool(found.estimated[:, visits > 0].any())


def matrix(session: Session, sources: Sequence[LonLat], targets: Sequence[LonLat]) -> Matrix:
    """Travel times by road; straight lines where no graph answers."""
    try:
        return roads.engine(session, [*sources, *targets]).matrix(sources, targets)
    except RoadsUnavailable:
        return StraightLine().matrix(sources, targets)


def stored(run_id: UUID, found: Cut) -> list[BalanceArea]:
    """Small areas as rows."""
    areas = found.areas
    return [
        BalanceArea(
            run_id=run_id,
            number=i,
            owner=int(areas.owner[i]),
            area=f"SRID=4326;{outline.wkt}",
            lon=float(areas.lonlats[i, 0]),
            lat=float(areas.lonlats[i, 1]),
            accounts=int(areas.accounts[i]),
            hours=float(areas.work[i, 0]),
            value=float(areas.work[i, 1]),
            potential=float(areas.work[i, 2]),
            neighbours=list(areas.neighbours[i]),
            travel_h=[float(one) for one in areas.travel_h[:, i]],
        )
        for i, outline in enumerate(found.outlines)
    ]


def read(rows: Sequence[BalanceArea], fixed: Sequence[Sequence[float]]) -> Areas:
    """Stored small areas as the optimiser knows them."""
    return Areas(
        np.array([(row.lon, row.lat) for row in rows]),
        np.array([(row.hours, row.value, row.potential) for row in rows]),
        np.array([row.accounts for row in rows], dtype=np.int64),
        tuple(tuple(row.neighbours) for row in rows),
        np.array([row.travel_h for row in rows]).T,
        np.array([row.owner for row in rows], dtype=np.int64),
        np.array(fixed),
    )
