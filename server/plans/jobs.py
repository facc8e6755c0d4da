"""Background work of plans."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from routing.solve import UnlawfulPlan
from routing.types import InvalidProblem
from server.jobs import task
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.plans import computing, rest
from server.plans.computing import Cancelled
from server.plans.exporting import jobs as exporting  # noqa: F401 -- the worker loads one module per room
from server.plans.models import Plan, PlanState
from server.records.service import Actor, acting

MACHINE = Actor(user_id=None, source="job")
STEPS = {
    "prepare": "Collecting what wants a visit",
    "roads": "Measuring the drives",
    "insert": "First draft",
    "search": "Searching",
    "explain": "Explaining",
    "verify": "Checking",
    "store": "Drawing the routes",
}
"""What people are told, by step."""


@task("plans.compute")
def compute(plan_id: str) -> None:
    """Compute a plan. Running twice, or after a killed worker, gives the plan once."""
    key = UUID(plan_id)
    try:
        with failures_shown(key):
            _compute(key)
    except Cancelled:
        return  # deleting a plan is how people stop it
    except (InvalidProblem, UnlawfulPlan, WaymarkError):
        return  # shown on the plan; running it again would end the same way


def _begun(key: UUID) -> bool:
    """Mark a plan as running; False when there is nothing to do any more."""
    with transaction() as session:
        acting(session, MACHINE)
        plan = session.get(Plan, key, with_for_update=True)
        if plan is None or plan.deleted_at is not None or plan.state in (PlanState.READY, PlanState.PUBLISHED):
            return False
        plan.state, plan.started_at, plan.error, plan.error_help = PlanState.RUNNING, clock.now(), None, None
        plan.progress = STEPS["prepare"]
        return True


def _compute(key: UUID) -> None:
    if not _begun(key):
        return
    with transaction() as session:
        plan = session.get_one(Plan, key)
        drawn = computing.prepare(session, plan)
    tell(key, "roads")
    with transaction() as session:
        journey = computing.travel(session, drawn.points)
    computed = computing.work_out(plan, drawn, journey, lambda step: tell(key, step))
    tell(key, "store")
    with transaction() as session:
        acting(session, MACHINE)
        computing.store(session, key, computed)


@task("plans.plan_again")
def plan_again(plan_id: str) -> None:
    """Plan the rest of a plan anew. Running twice, or after a killed worker, gives the plan once."""
    key = UUID(plan_id)
    try:
        with failures_shown(key):
            _plan_again(key)
    except Cancelled:
        return  # deleting a plan is how people stop it
    except (InvalidProblem, UnlawfulPlan, WaymarkError):
        return  # shown on the plan; running it again would end the same way


def _plan_again(key: UUID) -> None:
    if not _begun(key):
        return
    with transaction() as session:
        plan = session.get_one(Plan, key)
        there = rest.prepare(session, plan)
    computed = rest.work_out(plan, there, lambda step: tell(key, step))
    tell(key, "store")
    with transaction() as session:
        acting(session, MACHINE)
        computing.store(session, key, computed)


def tell(key: UUID, step: str) -> None:
    """Say on the plan what is being done; stops when somebody has deleted it."""
    with transaction() as session:
        acting(session, MACHINE)
        plan = session.get(Plan, key)
        if plan is None or plan.deleted_at is not None:
            raise Cancelled("The plan was deleted.")
        plan.progress = STEPS[step]


@contextmanager
def failures_shown(key: UUID) -> Iterator[None]:
    """Write on the plan why it failed, for whoever waits for it."""
    try:
        yield
    except Cancelled:
        raise
    except Exception as error:
        shown = isinstance(error, WaymarkError | InvalidProblem)
        with transaction() as session:
            acting(session, MACHINE)
            plan = session.get(Plan, key)
            if plan is not None:
                plan.state, plan.progress = PlanState.FAILED, None
                plan.error = str(error) if shown else "The planner stopped with a fault of its own."
                plan.error_help = getattr(error, "help", "") or (None if shown else "The server's log says more.")
        raise
