"""Background work of orders: quotes that end, and what the history feeds, every night."""

from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.orders import feeding, service
from server.records.service import Actor, acting

MACHINE = Actor(user_id=None, source="job")


@queue.periodic(cron="20 2 * * *")
@queue.task(name="orders.nightly", queue="default", queueing_lock="orders.nightly")
def nightly(timestamp: int) -> None:
    """Let quotes expire, bring values up to date, ask for visits. Running twice changes nothing more."""
    del timestamp
    with transaction() as session:
        acting(session, MACHINE)
        service.expire(session)
        today = clock.today(settings().zone)
        feeding.follow_values(session, today)
        feeding.ask_for_visits(session, today)
