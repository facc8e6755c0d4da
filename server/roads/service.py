"""Graphs of regions and the engine that answers for given points."""

import fcntl
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads import osrm_build
from routing.roads.osrm_build import Graph, GraphError, Trouble
from routing.roads.osrm_http import OsrmHttp
from routing.roads.straight import StraightLine
from routing.roads.types import RoadEngine
from server.kit import clock
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.regions.models import Region
from server.roads import queries
from server.roads.models import RoadGraph
from server.roads.process import Peer, RoadProcess

_REMEDY = {
    Trouble.BROKEN_EXTRACT: "Download the extract again; a half-finished download looks like this.",
    Trouble.NO_ROADS: "Take an extract that contains roads. Until then drives are straight-line estimates.",
    Trouble.DISK_FULL: "Free some space, or point WAYMARK_HOME to a larger disk, and build again.",
    Trouble.OUT_OF_MEMORY: "Take a smaller extract, or a machine with more memory.",
    Trouble.NO_BUILDER: "Install osrm-bindings (uv sync). Until then drives are straight-line estimates.",
    Trouble.BUILDER_FAILED: "Try another extract of the region. Until then drives are straight-line estimates.",
}


class GraphNotBuilt(WaymarkError):
    """The road graph of a region could not be built; the previous one still serves."""

    code: ClassVar[str] = "graph_not_built"
    status: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY


def graphs_root(region: Region) -> Path:
    """Folder of all graphs of a region's name, whatever the version of its extract."""
    name = re.sub(r"[^\w.-]+", "-", region.name).strip(".-")[:60]
    return settings().home / "graphs" / (name or region.sha12)


def build_graph(
    session: Session, region: Region, *, threads: int = 1, progress: Callable[[str], None] = lambda _step: None
) -> RoadGraph:
    """Build the road graph of a region's extract; refuses extracts without roads. The old graph serves until then."""
    root, started = graphs_root(region), time.monotonic()
    with _alone(root):
        try:
            graph = osrm_build.build(region.extract, root, sha256=region.sha256, threads=threads, progress=progress)
        except GraphError as error:
            raise GraphNotBuilt(str(error), help=_REMEDY[error.trouble], trouble=error.trouble) from error
        osrm_build.remove_others(root, graph)
    row = {
        "folder": str(graph.folder.relative_to(root.parent.resolve())),
        "algorithm": graph.algorithm,
        "profile": graph.profile,
        "built_at": clock.now(),
        "build_s": round(time.monotonic() - started, 2),
    }
    insertion = insert(RoadGraph).values(region_id=region.id, **row)
    session.execute(insertion.on_conflict_do_update(index_elements=[RoadGraph.region_id], set_=row))
    return session.get_one(RoadGraph, region.id, populate_existing=True)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One build of a region at a time on this machine."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "build.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def graph_of(region: Region) -> Graph | None:
    """The graph that answers for a region on this machine: of its extract, else of the extract before."""
    root = graphs_root(region)
    return osrm_build.read(root / f"{region.sha12}-car") or osrm_build.current(root)


def engine(session: Session, points: Sequence[LonLat]) -> RoadEngine:
    """The engine that knows the roads around the points; where no graph does, the straight line, marked estimated."""
    for region in queries.regions_covering(session, points):
        graph = graph_of(region)
        if graph:
            return OsrmHttp(graph.key, Peer(RoadProcess(graphs_root(region)), graph).post)
    return StraightLine()


def processes() -> list[RoadProcess]:
    """The road processes that this home knows, running or not."""
    root = settings().home / "graphs"
    return [RoadProcess(folder) for folder in sorted(root.iterdir())] if root.is_dir() else []


def stop_all() -> int:
    """Stop every road process of this home on this machine; returns how many ran."""
    return sum(process.stop() for process in processes())
