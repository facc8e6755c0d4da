"""Background work of leads: care for what came in, the nightly training, tidying the forms' tokens."""

from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.leads import forgetting, forms, scoring, training
from server.leads.caring import MACHINE, care_for_new, keep, take_care
from server.records.service import acting

__all__ = ["care_for_new", "keep", "nightly", "score_again", "take_care"]


@queue.periodic(cron="20 2 * * *")
@queue.task(name="leads.nightly", queue="default", queueing_lock="leads.nightly")
def nightly(timestamp: int) -> None:
    """Train the model on what is decided by now; forget tries to send forms that count no more, and borrowed pins."""
    del timestamp
    with transaction() as session:
        acting(session, MACHINE)
        training.train(session)
        forms.forget(session)
        forgetting.give_pins_back(session)


@task("leads.score_again")
def score_again() -> None:
    """Score the open leads anew, after a rule has changed."""
    with transaction() as session:
        acting(session, MACHINE)
        scoring.score_open(session)
