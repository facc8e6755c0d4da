"""The nightly look at the classes of all accounts."""

from server.accounts.classes import service
from server.jobs.service import queue
from server.kit.database import transaction
from server.records.service import Actor, acting


@queue.periodic(cron="10 1 * * *")
@queue.task(name="accounts.suggest_classes", queue="default", queueing_lock="accounts.suggest_classes")
def suggest_classes(timestamp: int) -> None:
    """Suggest other classes where value and potential say so."""
    del timestamp
    with transaction() as session:
        acting(session, Actor(user_id=None, source="job"))
        service.suggest(session)
