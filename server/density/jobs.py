"""The job that keeps the counts true."""

from server.density import offering, service
from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction


@task("density.refresh")
def refresh_density() -> None:
    """Count again what has changed, learn of it, and pick what phones hold."""
    with transaction() as session:
        service.refresh(session)
    with transaction() as session:
        service.learn_anew(session)
    with transaction() as session:
        offering.refresh(session)


@queue.periodic(cron="* * * * *")
@queue.task(name="density.watch_territories", queue="default", queueing_lock="density.watch_territories")
def watch_territories(timestamp: int) -> None:
    """Ground that changed hands is counted within a minute: whoever drew it looks at it next. Costs one statement when
    none has."""
    del timestamp
    with transaction() as session:
        has_moved = service.has_ground_moved(session)
    if has_moved:
        refresh_density()


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="density.watch", queue="default", queueing_lock="density.watch")
def watch_density(timestamp: int) -> None:
    """Look every five minutes whether anything has changed; costs a few milliseconds when not."""
    del timestamp
    refresh_density()
