"""Background work of geocoding."""

from uuid import UUID

from server.geocoding import remote, service, sources, uploads
from server.jobs.service import queue, task
from server.kit.database import transaction


@task("geocoding.build_index")
def build_index(region_id: str) -> None:
    """Build a region's address index; building it again replaces it."""
    with transaction() as session:
        service.build_index(session, UUID(region_id))


@task("geocoding.read_upload")
def read_upload(load_id: str) -> None:
    """Read an uploaded address file into the index, all or nothing. A killed worker leaves the older one serving."""
    uploads.read(UUID(load_id))


@queue.periodic(cron="17 3 * * *")
@queue.task(name="geocoding.clear", queue="default", queueing_lock="geocoding.clear")
def clear(timestamp: int) -> None:
    """Forget every night what was taken out long ago, what everybody has followed up, and what may not be kept."""
    del timestamp
    with transaction() as session:
        sources.clear(session)
        remote.forget(session)
