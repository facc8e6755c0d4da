"""Roads of several regions in one graph: asked for by name, built by a worker, built again when an extract changes."""

import contextlib
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from geo.types import BBox
from routing.roads import merging, osrm_build, osrm_contract
from routing.roads.osrm_build import GraphError
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.regions import queries as region_queries
from server.regions.models import Region
from server.roads import graphs
from server.roads.models import JoinState, RoadJoin

MOST_REGIONS = 10


def ask_for(session: Session, names: Iterable[str]) -> RoadJoin:
    """Note that the roads of some regions are to be joined. Refuses unknown regions, and those that do not touch."""
    wanted = sorted({name.strip() for name in names if name.strip()})
    served = {region.name: region for region in region_queries.served(session)}
    unknown = [name for name in wanted if name not in served]
    if unknown:
        raise NotFound(f"There is no region “{unknown[0]}” in service.", help="See “waymark region list”.")
    if not 2 <= len(wanted) <= MOST_REGIONS:
        raise Invalid(f"2 to {MOST_REGIONS} regions can be joined.", help="Name the regions.", field="names")
    apart = _apart([served[name] for name in wanted])
    if apart:
        raise Invalid(
            f"{apart} does not touch the other regions: no road leads across.",
            help="Add the region between them, or join only neighbours.",
            field="names",
        )
    key = "+".join(wanted)
    row = session.get(RoadJoin, key) or RoadJoin(key=key, names=wanted)
    row.state, row.trouble = JoinState.WAITING, ""
    session.add(row)
    session.flush()
    return row


@dataclass(frozen=True)
class Joined:
    """What became of joining."""

    graph: osrm_build.Graph | None
    seconds: float = 0.0
    trouble: str = ""


def regions_of(session: Session, row: RoadJoin) -> list[Region]:
    """The regions of a joined graph that are in service."""
    served = {region.name: region for region in region_queries.served(session)}
    return [served[name] for name in row.names if name in served]


def build(row: RoadJoin, regions: Sequence[Region], *, limit_s: float = graphs.CONTRACTION_LIMIT_S) -> Joined:
    """Merge the extracts, build and contract the graph.

    It takes minutes, so no transaction should be open; `note` writes the outcome down.
    """
    if len(regions) < len(row.names):
        return Joined(None, trouble="One of the regions is gone.")
    root, started = root_of(row), time.monotonic()
    with graphs.alone(root):
        try:
            graph = _built(root, regions)
            with contextlib.suppress(GraphError):  # it serves as it is, only big tables are slower
                graph = osrm_contract.contract(graph, limit_s=limit_s)
        except (GraphError, OSError) as error:
            return Joined(None, trouble=str(error))
        osrm_build.remove_others(root, graph)
    return Joined(graph, round(time.monotonic() - started, 2))


def note(session: Session, key: str, found: Joined) -> None:
    """Write down what became of joining; a graph that stands from before goes on serving."""
    row = session.get(RoadJoin, key)
    if row is None:
        return
    if found.graph is None:
        row.state, row.trouble = JoinState.FAILED, found.trouble
        return
    row.state, row.trouble, row.algorithm = JoinState.READY, "", found.graph.algorithm
    row.built_at, row.build_s = clock.now(), found.seconds


def _built(root: Path, regions: Sequence[Region]) -> osrm_build.Graph:
    """The merged extract is needed only until the graph stands; what stands already is not merged again."""
    digest = merging.digest_of([region.sha256 for region in regions])
    for name in (f"{digest[:12]}-car{osrm_build.CONTRACTED}", f"{digest[:12]}-car"):
        graph = osrm_build.read(root / name)
        if graph is not None:
            osrm_build.point_current_at(graph.folder)
            return graph
    with tempfile.TemporaryDirectory(dir=root, prefix=".merging-") as folder:
        merged = merging.merge([region.extract for region in regions], Path(folder, "joined.osm.pbf"))
        return osrm_build.build(merged, root, sha256=digest, threads=2)


def covering(session: Session, names: set[str]) -> RoadJoin | None:
    """The smallest joined graph that stands and holds all these regions."""
    ready = session.scalars(
        select(RoadJoin).where(RoadJoin.built_at.is_not(None), RoadJoin.names.contains(list(names)))
    )
    return min(ready, key=lambda row: (len(row.names), row.key), default=None)


def all_joins(session: Session) -> Sequence[RoadJoin]:
    """Every joined graph, ready or not."""
    return session.scalars(select(RoadJoin).order_by(RoadJoin.key)).all()


def with_region(session: Session, name: str) -> Sequence[RoadJoin]:
    """The joined graphs that a region is part of."""
    return session.scalars(select(RoadJoin).where(RoadJoin.names.contains([name])).order_by(RoadJoin.key)).all()


def take_apart(session: Session, key: str) -> None:
    """Forget a joined graph; drives across are estimates again. Refuses an unknown one."""
    row = session.get(RoadJoin, key)
    if row is None:
        raise NotFound("These regions are not joined.")
    session.execute(delete(RoadJoin).where(RoadJoin.key == key))
    graphs.forget_graphs(_folder(row.names))


def root_of(row: RoadJoin) -> Path:
    """Folder of the graphs of some regions together."""
    return graphs.root_of(_folder(row.names))


def neighbours(session: Session) -> list[list[str]]:
    """Groups of served regions that touch and are not joined yet."""
    regions = [region for region in region_queries.served(session) if region.bbox]
    joined = [set(row.names) for row in all_joins(session)]
    groups: list[list[Region]] = []
    for region in regions:
        touching = [group for group in groups if any(_touch(region, other) for other in group)]
        groups = [group for group in groups if group not in touching] + [[region, *(r for g in touching for r in g)]]
    found = [sorted(region.name for region in group) for group in groups if 1 < len(group) <= MOST_REGIONS]
    return sorted(names for names in found if not any(set(names) <= known for known in joined))


def _folder(names: Sequence[str]) -> str:
    return f"joined-{merging.digest_of(names)[:12]}"


def _apart(regions: Sequence[Region]) -> str:
    """The name of a region that no chain of touching boxes joins to the first one."""
    reached, rest = [regions[0]], list(regions[1:])
    while rest:
        near = next((region for region in rest if any(_touch(region, other) for other in reached)), None)
        if near is None:
            return rest[0].name
        reached.append(near)
        rest.remove(near)
    return ""


def _touch(a: Region, b: Region) -> bool:
    if not a.bbox or not b.bbox:
        return False
    one, other = BBox(*a.bbox), BBox(*b.bbox)
    return one.west <= other.east and other.west <= one.east and one.south <= other.north and other.south <= one.north
