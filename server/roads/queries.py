"""Which region's roads answer for which points."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import BBox, LonLat
from server.regions.models import Region, State
from server.roads.models import RoadGraph, RoadJoin, RoadServer


class RegionRoads(NamedTuple):
    """A region that is served, and its graph when one was built."""

    region: Region
    graph: RoadGraph | None


def served_regions(session: Session) -> list[RegionRoads]:
    """All regions that are ready, by name."""
    rows = session.execute(
        select(Region, RoadGraph)
        .outerjoin(RoadGraph, RoadGraph.region_id == Region.id)
        .where(Region.state == State.READY)
        .order_by(Region.name)
    )
    return [RegionRoads(region, graph) for region, graph in rows]


def generation(session: Session) -> str:
    """Changes with everything that could change an answer about roads."""
    graphs = session.execute(
        select(RoadGraph.region_id, RoadGraph.folder, RoadGraph.built_at)
        .join(Region, Region.id == RoadGraph.region_id)
        .where(Region.state == State.READY)
        .order_by(RoadGraph.region_id)
    )
    joins = session.execute(select(RoadJoin.key, RoadJoin.built_at).order_by(RoadJoin.key))
    server = session.execute(
        select(RoadServer.url, RoadServer.profile, RoadServer.goes_first, RoadServer.quiet_until).where(
            RoadServer.is_on
        )
    )
    return repr([[tuple(row) for row in rows] for rows in (graphs, joins, server)])


def regions_covering(session: Session, points: Sequence[LonLat]) -> list[Region]:
    """Regions that cover at least one of the points: those that cover most first, of these the smallest first."""
    ranked = []
    for region, _graph in served_regions(session):
        if region.bbox is None:
            continue
        box = BBox(*region.bbox)
        covered = sum(box.contains(point) for point in points)
        if covered:
            ranked.append((-covered, (box.east - box.west) * (box.north - box.south), region.name, region))
    return [region for *_rank, region in sorted(ranked, key=lambda entry: entry[:3])]
