"""The whole way of an extract, step by step. A killed build goes on where it stopped; until then the old one serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from server.accounts import rechecking
from server.geocoding import queries, updating
from server.geocoding import service as geocoding
from server.kit.database import transaction
from server.kit.locks import is_first
from server.regions import building
from server.regions import queries as region_queries
from server.regions import service as regions
from server.regions.building import Steps, quiet
from server.regions.errors import BeingBuilt
from server.regions.models import Region
from server.roads import graphs as roads
from server.roads import jobs as road_jobs
from server.roads import joining


def add_region(path: Path, name: str | None = None, *, source: str | None = None, steps: Steps = quiet) -> UUID:
    """Build a region from an extract and put it into service; a region that is there already is left alone.

    What differs from the older extract of the name is noted; a job of `accounts` looks at the pins again that it may
    concern. Refuses while another process builds a region of this name.
    """
    name = (name or regions.name_of(path)).strip()
    with _alone(name):
        return _add(path, name, source, steps)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Nobody else builds or removes a region of this name; refuses while somebody does."""
    with transaction() as session:
        if not is_first(session, f"region:{name}"):
            raise BeingBuilt(f"Region {name} is being built by another process.", help="Wait until it is done.")
        yield


def _add(path: Path, name: str, source: str | None, steps: Steps) -> UUID:
    region_id, ready = building.add(path, name, source, steps)
    if ready:
        with transaction() as session:
            roads.serve(session.get_one(Region, region_id))
        return region_id
    with transaction() as session:
        steps("indexing addresses", 0, 2)
        index(session, region_id, steps)
    with transaction() as session:
        region = session.get_one(Region, region_id)
        steps("building the road graph", 0, 1)
        roads.build_graph(session, region, threads=2)
        steps("building the road graph", 1, 1)
    building.publish(region_id)
    building.drop_unfinished(name)
    with transaction() as session:
        updating.settle(session)
        region = session.get_one(Region, region_id)
        roads.serve(region)
        road_jobs.after_build(session, region)
    return region_id


def index(session: Session, region_id: UUID, steps: Steps = quiet) -> None:
    """Build the address index of a region that is not in service yet, and note what it changes."""
    region = session.get_one(Region, region_id)
    old = queries.of_region(session, region.name)
    new = geocoding.build_index(session, region_id)
    steps("indexing addresses", 1, 2)
    updating.note_changes(session, old.id if old is not None else None, new)
    if old is not None and old.region_id is not None:
        firms = region_queries.prospect_changes(session, old.region_id, region_id)
        new.changes = {**new.changes, "prospects": firms}
    steps("indexing addresses", 2, 2)


def remove_region(name: str) -> None:
    """Remove a region with its files and everything that was built from its extract; refuses while it is built."""
    with _alone(name):
        _remove(name)


def _remove(name: str) -> None:
    with transaction() as session:
        source = queries.of_region(session, name)
        if source is not None:
            updating.note_removal(session, source)
        gone = regions.remove(session, name)
        updating.settle(session)
    with transaction() as session:
        regions.clear_files(session, gone)
        for row in joining.with_region(session, name):
            joining.take_apart(session, row.key)
    roads.forget_graphs(name)


def to_look_at_again(session: Session) -> int:
    """How many sites' pins the present version of the index may concern and that were not asked for again yet."""
    current = updating.settle(session)
    return len(rechecking.concerned(session, current)) if current is not None else 0
