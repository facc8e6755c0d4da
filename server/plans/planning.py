"""Computing a stored plan step by step, for whichever job asks for it; what is being done stands on the plan."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from routing.types import InvalidProblem
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.plans import computing, rest
from server.plans.computing import Cancelled
from server.plans.models import Plan, PlanState
from server.records.service import Actor, acting

MACHINE = Actor(user_id=None, source="job")
STEPS = {
    "prepare": "Collecting what wants a visit",
    "roads": "Measuring the drives",
    "insert": "First draft",
    "compile": "Compiling the planner, once on this machine",
    "search": "Searching",
    "explain": "Explaining",
    "verify": "Checking",
    "store": "Drawing the routes",
}
"""What people are told, by step."""


def run_plan(key: UUID, phases: dict[str, float] | None = None) -> None:
    """Compute a plan in transactions of its own and store it; one that is ready stays as it is.

    `phases` gets the seconds of each step.
    """
    watch = Watch(phases if phases is not None else {})
    with failures_shown(key):
        _run(key, watch)


class Watch:
    """Notes how long each step takes."""

    def __init__(self, phases: dict[str, float]) -> None:
        self.phases = phases
        self._step, self._since = "prepare", time.perf_counter()

    def begin(self, step: str) -> None:
        """A step begins, the one before is over."""
        now = time.perf_counter()
        self.phases[self._step] = self.phases.get(self._step, 0.0) + now - self._since
        self._step, self._since = step, now


def run_rest(key: UUID) -> None:
    """Plan the rest of a plan anew, as its first version says; one that is ready stays as it is."""
    with failures_shown(key):
        plan = _begun(key)
        if plan is None:
            return
        with transaction() as session:
            there = rest.prepare(session, session.get_one(Plan, key))
        computed = rest.work_out(plan, there, lambda progress: tell(key, progress.step))
        tell(key, "store")
        with transaction() as session:
            acting(session, MACHINE)
            computing.store(session, key, computed)


def _begun(key: UUID) -> Plan | None:
    """Mark a plan as running; None when there is nothing to do any more."""
    with transaction() as session:
        acting(session, MACHINE)
        plan = session.get(Plan, key, with_for_update=True)
        if plan is None or plan.deleted_at is not None or plan.state in (PlanState.READY, PlanState.PUBLISHED):
            return None
        plan.state, plan.started_at, plan.error, plan.error_help = PlanState.RUNNING, clock.now(), None, None
        plan.progress = STEPS["prepare"]
        return plan


def _run(key: UUID, watch: Watch) -> None:
    plan = _begun(key)
    if plan is None:
        return
    with transaction() as session:
        drawn = computing.prepare(session, session.get_one(Plan, key))

    def go_on(step: str) -> None:
        watch.begin(step)
        tell(key, step)

    go_on("roads")
    with transaction() as session:
        journey = computing.travel(session, drawn.points, drawn.hours)
    computed = computing.work_out(plan, drawn, journey, lambda progress: go_on(progress.step))
    go_on("store")
    with transaction() as session:
        acting(session, MACHINE)
        computing.store(session, key, computed)
    watch.begin("stored")


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
