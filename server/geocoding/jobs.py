"""Background work of geocoding."""

from uuid import UUID

from server.geocoding import service
from server.jobs.service import task
from server.kit.database import transaction


@task("geocoding.build_index")
def build_index(region_id: str) -> None:
    """Build a region's address index; building it again replaces it."""
    with transaction() as session:
        service.build_index(session, UUID(region_id))
