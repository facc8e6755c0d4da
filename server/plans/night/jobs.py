"""Background work of the night: one job for each part, so that they spread over all workers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from routing.solve import UnlawfulPlan
from routing.types import InvalidProblem
from server.jobs import task
from server.jobs.service import queue
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.plans.computing import Cancelled
from server.plans.night import service
from server.plans.night_models import NightRun
from server.plans.planning import MACHINE, run_plan
from server.records.service import acting
from server.roads import jobs as roads

type Phases = dict[str, float]


@task("plans.night_part")
def plan_part(part_id: str) -> None:
    """Plan, publish and write one part. Running twice, or after a killed worker, does it once."""
    key = UUID(part_id)
    try:
        with failures_shown(key):
            _plan_part(key)
    except (InvalidProblem, UnlawfulPlan, WaymarkError):
        return  # shown on the night's page; running it again would end the same way


def _plan_part(key: UUID) -> None:
    phases: Phases = {}
    with timed(phases, "roads"):
        roads.settle()
    with transaction() as session:
        acting(session, MACHINE)
        part = service.begin(session, key)
        if part is None or part.plan_id is None:
            return
        run = session.get_one(NightRun, part.run_id)
    run_plan(part.plan_id, phases)
    with timed(phases, "publish"), transaction() as session:
        acting(session, MACHINE)
        service.publish(session, key)
    files: dict[str, str] = {}
    with timed(phases, "files"):
        for rep_id in part.rep_ids:
            with transaction() as session:
                files |= service.write_files(session, run, rep_id)
    with transaction() as session:
        service.finish(session, key, files, {name: round(seconds, 3) for name, seconds in phases.items()})


@contextmanager
def timed(phases: Phases, name: str) -> Iterator[None]:
    """Note the seconds that something takes."""
    begin = time.perf_counter()
    yield
    phases[name] = phases.get(name, 0.0) + time.perf_counter() - begin


@contextmanager
def failures_shown(key: UUID) -> Iterator[None]:
    """Write on the part why it failed."""
    try:
        yield
    except Exception as error:
        known = isinstance(error, WaymarkError | InvalidProblem)
        message = str(error) if known else "The planner stopped with a fault of its own."
        if isinstance(error, Cancelled):
            message = "Its plan was deleted while it was computed."
        with transaction() as session:
            service.fail(session, key, message, getattr(error, "help", "") or None)
        raise


@queue.periodic(cron="*/10 * * * *")
@task("plans.night_watch")
def watch(timestamp: int) -> None:
    """Every ten minutes: begin the night when its hour has come, and go on where a job was lost."""
    del timestamp
    with transaction() as session:
        acting(session, MACHINE)
        service.pick_up(session, plan_part)
        first_day = service.night_to_plan(session)
        if first_day is not None:
            service.ask(session, plan_part, first_day=first_day)
