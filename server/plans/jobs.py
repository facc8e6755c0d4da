"""Background work of plans."""

from uuid import UUID

from routing.solve import UnlawfulPlan
from routing.types import InvalidProblem
from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.plans import forgetting
from server.plans.computing import Cancelled
from server.plans.planning import run_plan, run_rest


@task("plans.compute")
def compute(plan_id: str) -> None:
    """Compute a plan. Running twice, or after a killed worker, gives the plan once."""
    try:
        run_plan(UUID(plan_id))
    except Cancelled:
        return  # deleting a plan is how people stop it
    except (InvalidProblem, UnlawfulPlan, WaymarkError):
        return  # shown on the plan; running it again would end the same way


@task("plans.plan_rest")
def plan_rest(plan_id: str) -> None:
    """Plan the rest of a plan anew. Running twice, or after a killed worker, gives the plan once."""
    try:
        run_rest(UUID(plan_id))
    except Cancelled:
        return  # deleting a plan is how people stop it
    except (InvalidProblem, UnlawfulPlan, WaymarkError):
        return  # shown on the plan; running it again would end the same way


@queue.periodic(cron="57 3 * * *")
@queue.task(name="plans.forget", queue="default", queueing_lock="plans.forget")
def forget(timestamp: int) -> None:
    """Follow when accounts have given borrowed pins back."""
    del timestamp
    with transaction() as session:
        forgetting.forget_copies(session)
