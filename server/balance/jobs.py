"""Jobs of balancing: compute a run, apply scenarios whose day has come."""

import logging
from uuid import UUID

from server.balance import balancing, saving, service
from server.balance.models import BalanceScenario, RunState
from server.jobs import task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.kit.settings import settings

log = logging.getLogger("waymark.balance")


@task("balance.compute")
def compute(run_id: str) -> None:
    """Compute a balance. Running twice, or after a killed worker, gives its scenarios once."""
    try:
        balancing.run(UUID(run_id))
    except balancing.Stopped:
        return  # cancelled by a person
    except WaymarkError as error:
        with transaction() as session:
            balancing.end(session, UUID(run_id), RunState.FAILED, f"{error.message} {error.help}".strip())


@queue.periodic(cron="*/10 * * * *")
@queue.task(name="balance.apply_due", queue="default", queueing_lock="balance.apply_due")
def apply_due(timestamp: int) -> None:
    """Apply the changes and scenarios whose day has come; one that cannot be applied says why and stops no other."""
    del timestamp
    today = clock.today(settings().zone)
    with transaction() as session:
        waiting, changes = balancing.due(session, today), saving.due(session, today)
    for change_id in changes:
        try:
            apply_change(change_id)
        except Exception:
            log.exception("change %s of territories is applied later", change_id)
    for run_id, key in waiting:
        try:
            apply_one(run_id, key)
        except Exception:
            log.exception("scenario %s of balance %s is applied later", key, run_id)


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="balance.give_up", queue="default", queueing_lock="balance.give_up")
def give_up(timestamp: int) -> None:
    """Say so of runs that went wrong in every try: nobody computes them any more."""
    del timestamp
    with transaction() as session:
        for run_id in balancing.lost(session):
            balancing.end(session, run_id, RunState.FAILED, "The work went wrong again and again. Balance again.")


def apply_change(change_id: UUID) -> None:
    """Apply a change of territories that waited for its day; what is refused now is kept and says why."""
    try:
        with transaction() as session:
            service.apply_due(session, change_id, clock.today(settings().zone))
    except WaymarkError as error:
        with transaction() as session:
            saving.fail(session, change_id, f"{error.message} {error.help}".strip())


def apply_one(run_id: UUID, key: str) -> None:
    """Apply a scenario as whoever set its day."""
    try:
        with transaction() as session:
            run = balancing.known(session, run_id)
            setter = run.facts.get("set_by")
            service.acting_for(session, UUID(setter) if setter else run.asked_by)
            balancing.apply(session, run_id, key, why="Balanced, on the day that was set.")
    except WaymarkError as error:
        with transaction() as session:
            found = session.get(BalanceScenario, (run_id, key))
            if found is not None:
                balancing.fail(session, found, f"{error.message} {error.help}".strip())
