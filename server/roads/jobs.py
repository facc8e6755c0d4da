"""Background work of roads: what takes minutes, in child processes of the worker."""

from uuid import UUID

from sqlalchemy.orm import Session

from server.jobs import defer, task
from server.kit.database import transaction
from server.regions.models import Region, State
from server.roads import graphs, joining, queries
from server.roads.models import Contraction, RoadGraph, RoadJoin


def after_build(session: Session, region: Region) -> None:
    """What follows when a region's graph stands: contraction, and the graphs that it is joined in."""
    defer(session, contract, key=f"roads.contract.{region.id}", lock="roads", region_id=str(region.id))
    for row in joining.with_region(session, region.name):
        ask_for_join(session, row.names)


def ask_for_join(session: Session, names: list[str]) -> None:
    """Have the roads of some regions joined by a worker."""
    row = joining.ask_for(session, names)
    defer(session, join, key=f"roads.join.{row.key}", lock="roads", join_key=row.key)


def ask_for_build(session: Session, region: Region) -> None:
    """Have a region's graph built anew by a worker."""
    defer(session, build, key=f"roads.build.{region.id}", lock="roads", region_id=str(region.id))


@task("roads.build")
def build(region_id: str) -> None:
    """Build a region's graph again, on a machine that lost it or where it is damaged."""
    with transaction() as session:
        region = session.get(Region, UUID(region_id))
        if region is None or region.state != State.READY:
            return
        try:
            graphs.build_graph(session, region)
        except graphs.GraphNotBuilt as error:
            row = session.get(RoadGraph, region.id)
            if row is not None:
                row.trouble = f"{error.message} {error.help}"
            return
        after_build(session, region)


@task("roads.contract")
def contract(region_id: str) -> None:
    """Contract a region's graph; a killed worker leaves the graph as it was, and the next one begins again."""
    with transaction() as session:
        region = session.get(Region, UUID(region_id))
    if region is None:
        return
    found = graphs.contract(region)
    with transaction() as session:
        graphs.note_contraction(session, region, found)


def settle() -> None:
    """Contract what still waits for it, or wait for whoever is at it: from then on equal questions have equal answers.

    A contracted graph may know a drive between two far corners that the other one does not, so whoever promises the
    same plan for the same wishes begins here.
    """
    with transaction() as session:
        known = queries.served_regions(session)
        waiting = [one.region.id for one in known if one.graph and one.graph.contraction == Contraction.WAITING]
    for region_id in waiting:
        contract(region_id=str(region_id))


@task("roads.join")
def join(join_key: str) -> None:
    """Join the roads of some regions."""
    with transaction() as session:
        row = session.get(RoadJoin, join_key)
        regions = joining.regions_of(session, row) if row is not None else []
    if row is None:
        return
    found = joining.build(row, regions)
    with transaction() as session:
        joining.note(session, join_key, found)
