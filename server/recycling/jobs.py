"""Emptying the bin of what is old."""

from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.recycling import service


@queue.periodic(cron="20 3 * * *")
@task("recycling.purge")
def purge(timestamp: int) -> None:
    """Every night: remove for good what was deleted long ago."""
    del timestamp
    with transaction() as session:
        service.purge(session)
