"""Background work of deals: the day's snapshot of the forecast."""

from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.opportunities import snapshots


@task("opportunities.snapshot")
def snapshot() -> None:
    """Take the day's snapshot; where it is taken already, nothing happens."""
    with transaction() as session:
        snapshots.take(session)


@queue.periodic(cron="7 * * * *")
@queue.task(name="opportunities.snapshot_hourly", queue="default", queueing_lock="opportunities.snapshot_hourly")
def snapshot_hourly(timestamp: int) -> None:
    """The first one after midnight takes the day's snapshot; after a night without a worker, a later one does."""
    del timestamp
    snapshot()
