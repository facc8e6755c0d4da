"""Graphs of regions: built, contracted, found again, forgotten."""

import fcntl
import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from routing.roads import osrm_build, osrm_contract
from routing.roads.osrm_build import Graph, GraphError, Trouble
from server.kit import clock
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.regions.models import Region, State
from server.roads.models import Contraction, RoadGraph
from server.roads.process import RoadProcess

CONTRACTION_LIMIT_S = 1800.0
"""Contraction of a grid city can take for ever."""

_REMEDY = {
    Trouble.BROKEN_EXTRACT: "Download the extract again; a half-finished download looks like this.",
    Trouble.NO_ROADS: "Take an extract that contains roads. Until then drives are straight-line estimates.",
    Trouble.DISK_FULL: "Free some space, or point WAYMARK_HOME to a larger disk, and build again.",
    Trouble.OUT_OF_MEMORY: "Take a smaller extract, or a machine with more memory.",
    Trouble.NO_BUILDER: "Install osrm-bindings (uv sync). Until then drives are straight-line estimates.",
    Trouble.TOO_LONG: "The graph serves as it is, only big tables are slower.",
    Trouble.BUILDER_FAILED: "Try another extract of the region. Until then drives are straight-line estimates.",
}


class GraphNotBuilt(WaymarkError):
    """The road graph of a region could not be built; the previous one still serves."""

    code: ClassVar[str] = "graph_not_built"
    status: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY


def not_built(error: GraphError) -> GraphNotBuilt:
    """The same trouble with its remedy."""
    return GraphNotBuilt(str(error), help=_REMEDY[error.trouble], trouble=error.trouble)


def graphs_root(region: Region) -> Path:
    """Folder of all graphs of a region's name, whatever the version of its extract."""
    return root_of(region.name)


def root_of(name: str) -> Path:
    """Folder of all graphs of a region's name."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-")[:60]
    return settings().home / "graphs" / (plain or hashlib.sha256(name.encode()).hexdigest()[:12])


def build_graph(
    session: Session, region: Region, *, threads: int = 1, progress: Callable[[str], None] = lambda _step: None
) -> RoadGraph:
    """Build the road graph of a region's extract; refuses extracts without roads.

    Of a region that is not in service yet it only lies there: the older extract's graph serves until `serve`.
    """
    root, started = graphs_root(region), time.monotonic()
    with alone(root):
        try:
            graph = osrm_build.make(region.extract, root, sha256=region.sha256, threads=threads, progress=progress)
        except GraphError as error:
            raise not_built(error) from error
        if region.state == State.READY:
            publish(root, graph)
    row = {
        "folder": str(graph.folder.relative_to(root.parent.resolve())),
        "algorithm": graph.algorithm,
        "profile": graph.profile,
        "built_at": clock.now(),
        "build_s": round(time.monotonic() - started, 2),
        "contraction": Contraction.DONE if graph.algorithm == "CH" else Contraction.WAITING,
        "trouble": "",
    }
    insertion = insert(RoadGraph).values(region_id=region.id, **row)
    session.execute(insertion.on_conflict_do_update(index_elements=[RoadGraph.region_id], set_=row))
    return session.get_one(RoadGraph, region.id, populate_existing=True)


def serve(region: Region) -> None:
    """Put the graph of a region that is in service now into the place of the older ones, which go."""
    root = graphs_root(region)
    with alone(root):
        graph = graph_of(region)
        if graph is not None:
            publish(root, graph)


def publish(root: Path, graph: Graph) -> None:
    """Make a graph the one that serves, in one step, and delete all others."""
    osrm_build.point_current_at(graph.folder)
    osrm_build.remove_others(root, graph)


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """One build of a region at a time on this machine."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "build.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def graph_of(region: Region) -> Graph | None:
    """The graph that answers for a region on this machine: of its extract, else of the extract before."""
    root = graphs_root(region)
    mine = root / f"{region.sha12}-car"
    contracted = mine.with_name(mine.name + osrm_build.CONTRACTED)
    return osrm_build.read(contracted) or osrm_build.read(mine) or osrm_build.current(root)


def damage_of(region: Region) -> str:
    """What is wrong with the files of a region's graph on this machine; empty when nothing is."""
    return osrm_build.damage(graphs_root(region) / "current")


@dataclass(frozen=True)
class Contracted:
    """What became of a contraction."""

    state: Contraction
    graph: Graph | None = None
    trouble: str = ""


def contract(region: Region, *, limit_s: float = CONTRACTION_LIMIT_S) -> Contracted:
    """Contract a region's graph, for big tables ten times faster; gives up after a limit. The graph serves meanwhile.

    It takes minutes, so no transaction should be open; `note_contraction` writes the outcome down.
    """
    graph, root = graph_of(region), graphs_root(region)
    if graph is None:
        return Contracted(Contraction.WAITING)
    with alone(root):
        try:
            contracted = osrm_contract.contract(graph, limit_s=limit_s)
        except GraphError as error:
            return Contracted(Contraction.GIVEN_UP, graph, str(error))
        if contracted.folder != graph.folder:  # a newer extract's graph may lie there already, and waits for `serve`
            shutil.rmtree(graph.folder, ignore_errors=True)
    return Contracted(Contraction.DONE, contracted)


def note_contraction(session: Session, region: Region, found: Contracted) -> None:
    """Write down what became of a contraction."""
    row = session.get(RoadGraph, region.id)
    if row is None or found.graph is None:
        return
    row.contraction, row.trouble, row.algorithm = found.state, found.trouble, found.graph.algorithm
    row.folder = str(found.graph.folder.relative_to(graphs_root(region).parent.resolve()))


def forget_graphs(name: str) -> None:
    """Stop the process of a region that is gone and delete its graphs."""
    root = root_of(name)
    if root.is_dir():
        RoadProcess(root).stop()
        shutil.rmtree(root, ignore_errors=True)


def processes() -> list[RoadProcess]:
    """The road processes that this home knows, running or not."""
    root = settings().home / "graphs"
    return [RoadProcess(folder) for folder in sorted(root.iterdir())] if root.is_dir() else []


def stop_all() -> int:
    """Stop every road process of this home on this machine; returns how many ran."""
    return sum(process.stop() for process in processes())
