"""The search for duplicates in the background: after imports, and every five minutes when something changed."""

from server.accounts.duplicates import pairs as duplicate_pairs
from server.accounts.duplicates import rule as duplicate_rule
from server.auth.access import system_scope
from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.records.service import Actor, acting

MACHINE = Actor(user_id=None, source="job")


@task("accounts.find_duplicates")
def find_duplicates() -> None:
    """Compare what is new or changed, then merge what the rule allows, when it is on."""
    with transaction() as session:
        duplicate_pairs.search(session)
    with transaction() as session:
        acting(session, MACHINE)
        duplicate_rule.apply(session, system_scope())


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="accounts.keep_duplicates", queue="default", queueing_lock="accounts.keep_duplicates")
def keep_duplicates(timestamp: int) -> None:
    """See every five minutes what edits have changed; a search that finds nothing new costs one statement."""
    del timestamp
    find_duplicates()
