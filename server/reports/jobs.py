"""Mailing reports in the background."""

from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.reports import mailing


@queue.periodic(cron="*/5 * * * *")
@task("reports.mail_due")
def mail_due(timestamp: int) -> None:
    """Every five minutes: put what is due into the outbox. A mail has a key, so a killed worker's is not sent twice."""
    del timestamp
    with transaction() as session:
        mailing.send_due(session)
