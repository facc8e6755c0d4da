"""Which engine answers for given points: a region's own roads, joined ones, a server elsewhere, or an estimate."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from geo.types import BBox, LonLat
from routing.roads import factors, osrm_build
from routing.roads.combined import OrEstimated, Patchwork, Scaled
from routing.roads.osrm_build import Graph
from routing.roads.osrm_http import OsrmHttp
from routing.roads.straight import StraightLine
from routing.roads.types import FAR_FROM_ROADS_M, RoadEngine, RoadsUnavailable
from server.regions.models import Region
from server.roads import graphs, joining, queries, servers, traffic
from server.roads.process import Peer, RoadProcess

log = logging.getLogger("waymark.roads")

ALIKE_M = 25.0
"""Roads of two regions that are about as near are the same road: then the region that knows more points answers."""


def engine(session: Session, points: Sequence[LonLat], hours: traffic.Hours = ()) -> RoadEngine:
    """The engine that knows the roads between the points, at the traffic of some hours of the week when they are named.

    Where no graph does, or none answers, the straight line stands in, marked estimated.
    """
    found, region = _choice(session, points)
    if not hours or region is None:
        return found
    week = traffic.week(session, region.name)
    if all(cell not in week or week[cell].value == 1 for cell in hours):
        return found
    factor = factors.mean(week, hours)
    return Scaled(found, factor, {cell: known.value for cell, known in week.items()})


def borders(engine: RoadEngine) -> str:
    """Why drives of an engine are estimates although both ends have roads; empty when that does not happen."""
    inside = engine.engine if isinstance(engine, Scaled) else engine
    if not isinstance(inside, Patchwork):
        return ""
    names = sorted(inside.engines)
    return (
        f"Drives between {', '.join(names[:-1])} and {names[-1]} are straight-line estimates:"
        " the roads of these regions are not joined."
    )


def serving(root: Path, graph: Graph) -> RoadEngine:
    """The engine of a graph on this machine; estimates while its process cannot be had."""
    return OrEstimated(OsrmHttp(graph.key, Peer(RoadProcess(root), graph).post), _warn)


def _warn(error: RoadsUnavailable) -> None:
    log.warning("drives are estimated: %s", error)


def _choice(session: Session, points: Sequence[LonLat]) -> tuple[RoadEngine, Region | None]:
    """The engine, and the region whose traffic counts."""
    elsewhere = servers.active(session)
    asked = servers.engine(elsewhere) if elsewhere else None
    covering = queries.regions_covering(session, points)
    first = covering[0] if covering else None
    if asked is not None and elsewhere is not None and elsewhere.goes_first:
        return asked, first
    known = {region.name: graph for region in covering if (graph := graphs.graph_of(region))}
    engines = {
        region.name: serving(graphs.graphs_root(region), known[region.name])
        for region in covering
        if region.name in known
    }
    if len(engines) > 1:
        return _among(session, points, covering, engines, asked)
    covers_all = first is not None and all(_box(first).contains(point) for point in points)
    if asked is not None and not (engines and covers_all):
        return asked, first
    for region in covering:
        if region.name in engines:
            return engines[region.name], region
    return StraightLine(), first


def _among(
    session: Session,
    points: Sequence[LonLat],
    covering: list[Region],
    engines: dict[str, RoadEngine],
    asked: RoadEngine | None,
) -> tuple[RoadEngine, Region]:
    """Of several regions the one that knows the roads at all points, else their roads together."""
    regions = [region for region in covering if region.name in engines]
    snap = np.array([_snap_m(engines[region.name], region, points) for region in regions])
    has_road = snap <= FAR_FROM_ROADS_M
    reached = has_road.any(axis=0)
    alone = [k for k in range(len(regions)) if has_road[k][reached].all()]
    if alone:
        best = min(alone, key=lambda k: (np.round(snap[k][reached].sum() / ALIKE_M / max(1, reached.sum())), k))
        return engines[regions[best].name], regions[best]
    nearest = np.argmin(np.where(has_road, np.floor(snap / ALIKE_M), np.inf), axis=0)
    home = {point: regions[nearest[k]].name if reached[k] else None for k, point in enumerate(points)}
    needed = {name for name in home.values() if name}
    busiest = max(regions, key=lambda region: sum(name == region.name for name in home.values()))
    joined = joining.covering(session, needed)
    if joined is not None and (graph := osrm_build.current(joining.root_of(joined))):
        return serving(joining.root_of(joined), graph), busiest
    if asked is not None:
        return asked, busiest

    def region_of(point: LonLat) -> str | None:
        return home[point] if point in home else next((r.name for r in regions if _box(r).contains(point)), None)

    return Patchwork({name: engines[name] for name in sorted(needed)}, region_of), busiest


def _snap_m(engine: RoadEngine, region: Region, points: Sequence[LonLat]) -> list[float]:
    """Metres from each point to the region's roads, infinite outside the region's box."""
    box = _box(region)
    inside = [k for k, point in enumerate(points) if box.contains(point)]
    found = engine.matrix([points[k] for k in inside], [points[inside[0]]])
    metres = [float("inf")] * len(points)
    for k, snap_m in zip(inside, found.snap_m, strict=True):
        metres[k] = float(snap_m)
    return metres


def _box(region: Region) -> BBox:
    return BBox(*region.bbox) if region.bbox else BBox(0, 0, 0, 0)
