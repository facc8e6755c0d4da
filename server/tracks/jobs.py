"""Background work of tracks."""

from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.tracks import service


@queue.periodic(cron="31 1 * * *")
@task("tracks.forget")
def forget(timestamp: int) -> None:
    """Every night: delete the ways that are older than the company keeps them."""
    del timestamp
    with transaction() as session:
        service.forget(session)
