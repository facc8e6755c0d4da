"""What 50,000 messy rows cost: dry run, load, pins, the same file again, undo; each beside a floor of the same run.

The floor is a plain COPY of the same rows into a table without index or trigger. A database of its own is made in a
folder that is removed afterwards.

python benchmarks/imports/run.py [--rows 50000] [--region FILE.osm.pbf]
"""

import argparse
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
from messy import Address, as_csv, messy_rows

HOME = Path(tempfile.mkdtemp(prefix="waymark-bench-"))
HOME.chmod(0o755)
os.environ["WAYMARK_HOME"] = str(HOME)
os.environ.pop("WAYMARK_DATABASE_URL", None)

from sqlalchemy import text  # noqa: E402

from geo.madeup import write_region  # noqa: E402
from server import migrations  # noqa: E402
from server.accounts import jobs  # noqa: E402
from server.accounts.importing.target import TARGET  # noqa: E402
from server.exchange import jobs as imports  # noqa: E402
from server.geocoding import service as geocoding  # noqa: E402
from server.imports import service  # noqa: E402
from server.imports.models import ImportRun  # noqa: E402
from server.imports.reading import fingerprint  # noqa: E402
from server.kit import embedded  # noqa: E402
from server.kit.database import copy_rows, engine, transaction  # noqa: E402
from server.regions import service as regions  # noqa: E402

LIECHTENSTEIN = Path(__file__).parents[2].parent / "shared" / "data" / "osm" / "liechtenstein.osm.pbf"
ADDRESSES = text(
    "select street, number, postcode, city, country from region_address"
    " where street <> '' and city <> '' and not is_place order by id"
)
HASH = text(
    """
    select md5(string_agg(md5(doc), '' order by id)) from (
        select id, (to_jsonb(a) - array['rev', 'frev', 'created_at', 'updated_at'])::text as doc
        from account a where deleted_at is null
        union all
        select id, (to_jsonb(s) - array['rev', 'frev', 'created_at', 'updated_at'])::text
                   || coalesce(st_asewkb(pin)::text, '')
        from site s where deleted_at is null
    ) rows
    """
)
"""The business columns of every living row."""

SAME = "identical rows"

seconds: dict[str, float] = {}
processor: dict[str, tuple[float, float]] = {}
"""Seconds of our own process and of the database's."""


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Time a step and say so."""
    print(f"{step} ...", file=sys.stderr)
    begin, ours, theirs = time.monotonic(), ours_s(), database_s(HOME)
    yield
    seconds[step] = time.monotonic() - begin
    processor[step] = (ours_s() - ours, database_s(HOME) - theirs)


def main() -> None:
    """Run every step once and print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=50_000)
    options.add_argument("--same", type=int, default=1_000_000, help="identical rows of another file")
    options.add_argument("--region", type=Path, default=LIECHTENSTEIN if LIECHTENSTEIN.exists() else None)
    given = options.parse_args()
    try:
        measure(given.rows, given.same, given.region)
    finally:
        engine().dispose()
        embedded.stop(HOME)
        shutil.rmtree(HOME, ignore_errors=True)


def add_region(file: Path | None) -> None:
    """The addresses of an extract, made up when there is none."""
    if file is None:
        file = HOME / "made-up.osm.pbf"
        write_region(file, villages=12)
    with transaction() as session:
        region = regions.register(session, file.stem, fingerprint(file), file.name)
        regions.keep_extract(region, file)
        regions.load(session, region.id, file)
        regions.pack(session, region.id)
        geocoding.build_index(session, region.id)
        regions.publish(session, region.id)


def received(path: Path) -> UUID:
    """Read a file in."""
    with transaction() as session:
        return service.receive(session, TARGET, path, file_name=path.name, actor=None).id


def counts(run_id: UUID) -> dict[str, int]:
    """What became of the rows."""
    with transaction() as session:
        run = session.get_one(ImportRun, run_id)
        if run.message:
            raise SystemExit(run.message)
        return {name: count for name, count in run.counts.items() if count}


def value(statement: object) -> object:
    """One value from the database."""
    with transaction() as session:
        return session.scalar(statement)  # type: ignore[call-overload]


def floor(rows: list[list[str]]) -> None:
    """Copy the same rows into a table of texts."""
    names = [f"c{place}" for place in range(len(rows[0]))]
    with transaction() as session:
        session.execute(text(f"create table floor ({', '.join(f'{name} text' for name in names)})"))
        with timed("floor"):
            copy_rows(session, "floor", names, rows)
        session.execute(text("drop table floor"))


def place_all() -> None:
    """Place every address, as the worker does."""
    while value(text("select count(*) from site where pin_state = 'pending' and deleted_at is null")):
        jobs.locate_pending()


def measure(count: int, same: int, region: Path | None) -> None:
    """Every step once."""
    migrations.upgrade(engine())
    with timed("region"):
        add_region(region)
    with transaction() as session:
        addresses: list[Address] = [tuple(row) for row in session.execute(ADDRESSES)]  # type: ignore[misc]
    rows = messy_rows(addresses, count)
    path = HOME / "customers.csv"
    path.write_bytes(as_csv(rows))
    floor(rows)
    _, first = steps(path, "")
    with timed("geocoding"):
        place_all()
    _, again = steps(path, " again")
    if again.get("create") or again.get("update"):
        raise SystemExit(f"The same file again changes something: {again}")
    before = value(HASH)
    changed = changed_rows(rows, addresses)
    path.write_bytes(as_csv(changed))
    run_id, updated = steps(path, " of changes")
    with timed("geocoding of changes"):
        place_all()
    with timed("undo"):
        imports.undo_import(run_id=str(run_id))
    if value(HASH) != before:
        raise SystemExit("After the undo some row is not what it was.")
    path.write_bytes("\n".join(["name,city", *["Same AG,Vaduz"] * same]).encode())
    with timed(SAME):
        run_id = received(path)
        imports.check_import(run_id=str(run_id))
    print(f"{count:,} rows from {len(addresses):,} addresses: {first}")
    print(f"the same file again: {again}")
    print(f"with every second row changed: {updated}; undone, and the hash of all rows is what it was")
    print(f"{same:,} identical rows: {counts(run_id)}")
    report(count, same)


def changed_rows(rows: list[list[str]], addresses: list[Address]) -> list[list[str]]:
    """Every second row with another phone and amount, every tenth with another address, a few new ones."""
    changed = [list(row) for row in rows]
    for place, row in enumerate(changed):
        if place % 2 == 0:
            row[6], row[8] = f"+423 38{place % 10} {place % 90 + 10} 11", str(place)
        if place % 10 == 0:
            street, house, row[3], row[4], row[5] = addresses[place % len(addresses)]
            row[2] = f"{street} {house}"
        if place % 100 == 50:
            row[0] = f"N-{place}"
    return changed


def steps(path: Path, again: str) -> tuple[UUID, dict[str, int]]:
    """Receive, dry run, load."""
    with timed(f"receive{again}"):
        run_id = received(path)
    with timed(f"dry run{again}"):
        imports.check_import(run_id=str(run_id))
    with timed(f"load{again}"):
        imports.apply_import(run_id=str(run_id))
    return run_id, counts(run_id)


def report(count: int, same: int) -> None:
    """The table."""
    for step, took in seconds.items():
        rows = same if step == SAME else count
        floors = "" if step == "region" else f"{took / seconds['floor'] * count / rows:8.0f} x floor"
        ours, theirs = processor[step]
        print(
            f"{step:22} {took:7.2f} s {floors:16} {rows / took:10,.0f} rows/s"
            f" {ours:7.2f} s of our processor {theirs:7.2f} s of the database's"
        )


if __name__ == "__main__":
    main()
