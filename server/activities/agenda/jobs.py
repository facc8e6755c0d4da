"""Reminders in the background."""

from server.activities.agenda import reminding
from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction


@queue.periodic(cron="* * * * *")
@task("activities.remind")
def remind(timestamp: int) -> None:
    """Every minute: remind people of what begins soon."""
    del timestamp
    with transaction() as session:
        reminding.remind(session)
