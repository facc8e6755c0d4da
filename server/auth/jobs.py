"""Background work of sign-ins and keys."""

from server.auth import codes, idempotency
from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction


@queue.periodic(cron="23 * * * *")
@task("auth.forget_answers")
def forget_answers(timestamp: int) -> None:
    """Every hour: forget answers to requests that nobody sends again, and codes that let no phone in any more."""
    del timestamp
    with transaction() as session:
        idempotency.forget(session)
        codes.forget(session)
