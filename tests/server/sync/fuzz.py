"""Schedules of faults by the thousand (`make fuzz-sync`); ends with an error when any invariant is violated.

SCHEDULES=N changes how many, FIRST=N the number of the first batch. The last line says schedules, ops, violations.
"""

import multiprocessing
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from hypothesis.errors import Flaky
from sqlalchemy import create_engine, make_url, text

from tests import conftest as run_of_tests
from tests.server.sync.schedule import RULES, STEPS, Fuzz

BATCH = int(os.environ.get("BATCH", "50"))
WORKERS = int(os.environ.get("WORKERS", "2"))

ENOUGH = 500
"""From so many schedules on each rule is hit, and one that is not is an error."""

type Batch = tuple[int, int, dict[str, int], str | None]
"""Schedules, ops, how often each rule was hit, and what was violated."""


@contextmanager
def cluster() -> Iterator[None]:
    """A database server of this run's own, as the tests have one."""
    stand_in: Any = SimpleNamespace()
    run_of_tests.pytest_configure(stand_in)
    try:
        yield
    finally:
        run_of_tests.pytest_unconfigure(stand_in)


@contextmanager
def prepared(name: str) -> Iterator[Fuzz]:
    """The application on a database of its own."""
    from server.kit import database, embedded

    url = make_url(embedded.ensure(run_of_tests.HOME)).set(database=name)
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"drop database if exists {name} with (force)"))
        connection.execute(text(f"create database {name} template template_waymark strategy file_copy"))
    admin.dispose()
    os.environ["WAYMARK_DATABASE_URL"] = url.render_as_string(hide_password=False)
    yield Fuzz(database.engine())
    database.engine().dispose()


def batch(asked: tuple[int, int]) -> Batch:
    """So many schedules of a number, and what they violate after Hypothesis has shortened it where it can repeat it."""
    number, count = asked
    with prepared(f"fuzz_{os.getpid()}") as fuzz:
        try:
            fuzz.run(count, number, steps=int(os.environ.get("STEPS", STEPS)), shorten=not os.environ.get("LONG"))
        except (AssertionError, Flaky) as error:
            told = "".join(traceback.format_exception(error))  # what did not happen again has its cause within
            return fuzz.schedules, fuzz.ops, dict(fuzz.hit), f"batch {number}: {told}"
        return fuzz.schedules, fuzz.ops, dict(fuzz.hit), None


def batches(wanted: int, first: int) -> list[tuple[int, int]]:
    """Numbers from the first one on, each with how many schedules it makes: together those that are wanted."""
    whole, rest = divmod(wanted, BATCH)
    counts = [BATCH] * whole + [rest] * (rest > 0)
    return list(enumerate(counts, start=first))


def main() -> int:
    wanted, first = int(os.environ.get("SCHEDULES", "10000")), int(os.environ.get("FIRST", "1000"))
    schedules, ops, violations = 0, 0, 0
    hit = dict.fromkeys(RULES, 0)
    with cluster(), multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        for done, saved, hits, violation in pool.imap(batch, batches(wanted, first)):
            schedules, ops, violations = schedules + done, ops + saved, violations + (violation is not None)
            hit = {name: count + hits.get(name, 0) for name, count in hit.items()}
            if violation:
                sys.stdout.write(f"{violation}\n")
            sys.stderr.write(f"\r{schedules} schedules, {ops} ops, {violations} violations ")
            sys.stderr.flush()
    never = sorted(name for name, count in hit.items() if not count) if schedules >= ENOUGH else []
    sys.stderr.write("\n")
    if never:
        sys.stdout.write(f"Rules that were never hit: {', '.join(never)}\n")
    sys.stdout.write(f"{schedules} schedules, {ops} ops, {violations} violations\n")
    return 1 if violations or never else 0


if __name__ == "__main__":
    sys.exit(main())
