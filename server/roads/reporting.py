"""What this machine knows of its roads: for the page, the command and the API."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from routing.roads import osrm_build
from server.roads import graphs, queries
from server.roads.process import RoadProcess


@dataclass(frozen=True)
class RegionStatus:
    """The roads of a region."""

    region_id: UUID
    region: str
    graph: str | None
    """Null: drives there are estimates."""
    algorithm: str | None
    contraction: str | None
    size_bytes: int
    built_at: datetime | None
    build_s: float | None
    trouble: str
    """Why contraction or the last build failed."""
    damage: str
    """What is wrong with its files on this machine."""
    is_running: bool


def statuses(session: Session) -> list[RegionStatus]:
    """All regions in service, by name."""
    return [_status(found) for found in queries.served_regions(session)]


def _status(found: queries.RegionRoads) -> RegionStatus:
    region, row = found
    graph = graphs.graph_of(region)
    return RegionStatus(
        region_id=region.id,
        region=region.name,
        graph=graph.folder.name if graph else None,
        algorithm=graph.algorithm if graph else None,
        contraction=row.contraction if row else None,
        size_bytes=osrm_build.size_of(graph.folder) if graph else 0,
        built_at=row.built_at if row else None,
        build_s=row.build_s if row else None,
        trouble=row.trouble if row else "",
        damage=graphs.damage_of(region),
        is_running=RoadProcess(graphs.graphs_root(region)).running() is not None,
    )
