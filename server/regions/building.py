"""The whole way from a file to a region that only waits for its geocoding index and road graph.

Each stage is a transaction of its own: a killed build goes on after its last finished stage, and until `publish` the
older region of the same name serves.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from geo.osm.extract import ExtractError, check
from server.kit.database import transaction
from server.kit.settings import settings
from server.regions import packing, service
from server.regions.errors import BadExtract, NoSpace, is_disk_full
from server.regions.models import State
from server.regions.queries import region_by_id

Steps = Callable[[str, int, int], None]
"""Progress: what is done, how much of it, of how much in all."""


def quiet(_step: str, _done: int, _total: int) -> None:
    """Report nothing."""


def add(path: Path, name: str | None = None, source: str | None = None, steps: Steps = quiet) -> tuple[UUID, bool]:
    """Bring an extract into the tables and write its map pack.

    Returns
    -------
    tuple
        The region's id, and whether it already serves (then there is nothing left to do; else build the geocoding index
        and the road graph and call `publish`).
    """
    with mending(path):
        check(path)
        sha256 = packing.sha256_of(path, lambda done, total: steps("checking", done, total))
        with transaction() as session:
            region = service.register(session, name or service.name_of(path), sha256, source or path.name)
            region_id, ready = region.id, region.state == State.READY
            if ready and region.extract.exists() and region.map_pack.exists():
                return region_id, True
        try:
            with transaction() as session:
                service.load(session, region_id, path, lambda done, total: steps("reading", done, total))
        except BadExtract:
            with transaction() as session:
                service.forget(session, region_id)
            raise
        with transaction() as session:
            service.keep_extract(region_by_id(session, region_id), path)
            service.pack(session, region_id, lambda done, total: steps("drawing the phone's map", done, total))
    return region_id, ready


def publish(region_id: UUID) -> None:
    """Put a built region into service and clear up what it replaces."""
    with transaction() as session:
        gone = service.publish(session, region_id)
    with transaction() as session:
        service.clear_files(session, gone)


def drop_unfinished(name: str) -> None:
    """Clear up builds of a name that were killed and never taken up again; nobody may be building one of it."""
    with transaction() as session:
        gone = service.drop_unfinished(session, name)
    with transaction() as session:
        service.clear_files(session, gone)


@contextmanager
def mending(path: Path) -> Iterator[None]:
    """Turn a bad extract and a full disk into errors that a person can act on."""
    try:
        yield
    except ExtractError as error:
        raise BadExtract(str(error), help=error.help) from error
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise NoSpace(
            f"The disk is full; {path.name} was not added.", help=f"Make room under {settings().home} and run it again."
        ) from error
