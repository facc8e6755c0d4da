"""The whole way of an extract, step by step. A killed build goes on where it stopped; until then the old one serves."""

from pathlib import Path
from uuid import UUID

from server.geocoding import service as geocoding
from server.kit.database import transaction
from server.regions import building
from server.regions.building import Steps, quiet
from server.regions.models import Region
from server.roads import service as roads


def add_region(path: Path, name: str | None = None, *, source: str | None = None, steps: Steps = quiet) -> UUID:
    """Build a region from an extract and put it into service; a region that is there already is left alone.

    Accounts whose pins were made with an older version are looked at again by a job of `accounts`.
    """
    region_id, ready = building.add(path, name, source, steps)
    if ready:
        return region_id
    with transaction() as session:
        steps("indexing addresses", 0, 1)
        geocoding.build_index(session, region_id)
        steps("indexing addresses", 1, 1)
    with transaction() as session:
        region = session.get_one(Region, region_id)
        steps("building the road graph", 0, 1)
        roads.build_graph(session, region, threads=2)
        steps("building the road graph", 1, 1)
    building.publish(region_id)
    return region_id
