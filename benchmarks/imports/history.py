"""What the history of a company costs: 50,000 orders with two lines each, and 50,000 activities.

Each is received, tried, loaded and taken back, beside a floor of the same run: a plain COPY of the same rows into a
table without index or trigger. A database of its own is made in a folder that is removed afterwards.

python benchmarks/imports/history.py [--records 50000]
"""

import argparse
import csv
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from cpu import database_s, ours_s

HOME = Path(tempfile.mkdtemp(prefix="waymark-bench-"))
HOME.chmod(0o755)
os.environ["WAYMARK_HOME"] = str(HOME)
os.environ.pop("WAYMARK_DATABASE_URL", None)

from sqlalchemy import text  # noqa: E402

from server import migrations  # noqa: E402
from server.auth.models import Role  # noqa: E402
from server.auth.service import create_user  # noqa: E402
from server.exchange import jobs  # noqa: E402
from server.exchange.kinds import KINDS  # noqa: E402
from server.imports import service  # noqa: E402
from server.imports.models import ImportRun  # noqa: E402
from server.kit import embedded  # noqa: E402
from server.kit.database import copy_rows, engine, transaction  # noqa: E402

ACCOUNTS, PRODUCTS, LINES = 2_000, 200, 2
HEADS = {
    "accounts": ["number", "name", "city"],
    "products": ["number", "name", "unit"],
    "orders": ["number", "day", "account", "state", "position", "product", "text", "quantity", "unit_price", "tax"],
    "activities": ["reference", "kind", "subject", "account", "starts_at", "note"],
}
COUNTED = {"orders": ("sales_order", "order_line"), "activities": ("activity",)}

took: dict[tuple[str, str], tuple[float, float, float]] = {}
"""Seconds on the wall, of our own processor and of the database's, by kind and step."""


@contextmanager
def timed(kind: str, step: str) -> Iterator[None]:
    """Time a step and say so."""
    print(f"{kind}: {step} ...", file=sys.stderr)
    wall, ours, theirs = time.monotonic(), ours_s(), database_s(HOME)
    yield
    took[kind, step] = (time.monotonic() - wall, ours_s() - ours, database_s(HOME) - theirs)


def rows_of(kind: str, count: int) -> list[list[str]]:
    """The rows of a file."""
    if kind == "accounts":
        return [[f"K-{n}", f"Customer {n} AG", "Vaduz"] for n in range(ACCOUNTS)]
    if kind == "products":
        return [[f"P-{n}", f"Coffee {n}", "kg"] for n in range(PRODUCTS)]
    if kind == "activities":
        kinds = ("call", "meeting", "task")
        return [
            [f"E-{n}", kinds[n % 3], f"Talk {n}", f"K-{n % ACCOUNTS}", f"{day(n)} {8 + n % 9:02d}:30", f"Wants {n}."]
            for n in range(count)
        ]
    return [
        [f"A-{n}", day(n), f"K-{n % ACCOUNTS}", "delivered", str(line + 1), f"P-{(n + line) % PRODUCTS}",
         f"Coffee {n}", str(1 + n % 9), f"{5 + n % 40}.{n % 10}5", "8.1"]
        for n in range(count)
        for line in range(LINES)
    ]  # fmt: skip


def day(number: int) -> str:
    """A day of the last years."""
    return f"{2023 + number % 3}-{1 + number % 12:02d}-{1 + number % 28:02d}"


def floor(kind: str, rows: list[list[str]]) -> None:
    """Copy the same rows into a table of texts."""
    names = [f"c{place}" for place in range(len(rows[0]))]
    with transaction() as session:
        session.execute(text(f"create table floor ({', '.join(f'{name} text' for name in names)})"))
        with timed(kind, "floor"):
            copy_rows(session, "floor", names, rows)
        session.execute(text("drop table floor"))


def counts(kind: str) -> list[int]:
    """How many living rows there are."""
    with transaction() as session:
        # A line lives as long as its order; an order that an import takes back takes its lines along.
        return [
            session.scalar(
                text(f"select count(*) from {table} t where coalesce(to_jsonb(t) ->> 'deleted_at', '') = ''")
            )
            or 0
            for table in COUNTED.get(kind, ())
        ]


def brought(kind: str, count: int, actor: UUID) -> UUID:
    """Receive, try and load a file of a kind."""
    rows = rows_of(kind, count)
    path = HOME / f"{kind}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADS[kind], *rows])
    floor(kind, rows)
    with timed(kind, "receive"), transaction() as session:
        run_id = service.receive(session, KINDS[kind].target(session), path, file_name=path.name, actor=actor).id
    with timed(kind, "dry run"):
        jobs.check_import(run_id=str(run_id))
    seen(run_id, "checked", len(rows))
    with timed(kind, "load"):
        jobs.apply_import(run_id=str(run_id))
    seen(run_id, "done", len(rows))
    return run_id


def seen(run_id: UUID, state: str, created: int) -> None:
    """Stop when a step did not do what it should."""
    with transaction() as session:
        run = session.get_one(ImportRun, run_id)
        if run.state != state or run.counts.get("create") != created:
            raise SystemExit(f"{run.kind} is {run.state}: {run.counts} {run.message}")


def measure(count: int) -> None:
    """Every step once."""
    migrations.upgrade(engine())
    with transaction() as session:
        actor = create_user(session, login="ada", name="Ada", role=Role.ADMIN, password="three words make one").id
    for kind in ("accounts", "products"):
        brought(kind, count, actor)
    for kind in ("orders", "activities"):
        before = counts(kind)
        run_id = brought(kind, count, actor)
        print(f"{kind}: {before} rows before, {counts(kind)} after the load")
        with timed(kind, "undo"):
            jobs.undo_import(run_id=str(run_id))
        with transaction() as session:
            run = session.get_one(ImportRun, run_id)
            if run.state != "undone":
                raise SystemExit(f"The undo of {kind} failed: {run.message}")
            print(f"{kind}: undone, {run.undo_counts}")


def report() -> None:
    """The table."""
    for (kind, step), (wall, ours, theirs) in took.items():
        if kind in COUNTED:
            print(
                f"{kind:11} {step:8} {wall:7.2f} s {wall / took[kind, 'floor'][0]:8.0f} x floor"
                f" {ours:7.2f} s of our processor {theirs:7.2f} s of the database's"
            )


def main() -> None:
    """Run every step once and print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=50_000)
    given = options.parse_args()
    try:
        measure(given.records)
        report()
    finally:
        engine().dispose()
        embedded.stop(HOME)
        shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main()
