"""A company's night: every rep's five days planned, published and written by two worker processes.

    python -m benchmarks.night.run [--extract ../shared/data/osm/liechtenstein.osm.pbf] [--reps 50] [--accounts 150]

Runs in a home of its own (`--home` keeps it, and finds region and company there the next time). The night is run three
times: for the first time; again as it stands; and again from nothing, after its plans were taken back and its files
deleted. `files` is one hash over all files of all reps. The share of the time that goes into searching is printed, so
that a run on another machine can be compared.
"""

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTRACT = ROOT.parent / "shared" / "data" / "osm" / "liechtenstein.osm.pbf"
DAYS = 5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extract", type=Path, default=EXTRACT)
    parser.add_argument("--reps", type=int, default=50)
    parser.add_argument("--accounts", type=int, default=150, help="Of each rep.")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", default=None)
    parser.add_argument("--home", type=Path, default=None)
    wanted = parser.parse_args()
    home = wanted.home or Path(tempfile.mkdtemp(prefix="waymark-night-"))
    home.mkdir(exist_ok=True)
    home.chmod(0o755)
    os.environ["WAYMARK_HOME"] = str(home)
    try:
        measure(wanted)
    finally:
        from server.kit import embedded
        from server.kit.database import engine
        from server.roads import graphs as roads

        roads.stop_all()
        engine().dispose()
        embedded.stop(home)
        if wanted.home is None:
            shutil.rmtree(home, ignore_errors=True)


def measure(wanted: argparse.Namespace) -> None:
    """Prepare what is missing, then the three nights."""
    from benchmarks.night.company import found
    from server import migrations
    from server.atlas import service as atlas
    from server.auth.queries import anybody
    from server.kit import clock
    from server.kit.database import engine, transaction
    from server.kit.settings import settings
    from server.regions.queries import served

    migrations.upgrade(engine())
    today = clock.today(settings().zone)
    monday = today + timedelta(days=7 - today.weekday())
    with transaction() as session:
        has_region, has_company = bool(served(session)), anybody(session)
    if not has_region:
        atlas.add_region(wanted.extract)
    if has_company:
        take_back()
    else:
        with transaction() as session:
            found(session, reps=wanted.reps, accounts_a_rep=wanted.accounts, today=today)
    print(f"{wanted.reps} reps, {wanted.reps * wanted.accounts} accounts, {DAYS} days, {wanted.workers} workers,")
    print(f"{wanted.steps} steps a part, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| night | wall s | CPU s of the workers | CPU s of the database | unchanged parts | files |")
    print("|---|--:|--:|--:|--:|---|")
    hashes = []
    for name in ("first", "again", "from nothing"):
        if name == "from nothing":
            take_back()
        hashes.append(night(name, monday, wanted))
    summary()
    print(f"\nsame files again: {hashes[0] == hashes[1]}, from nothing: {hashes[0] == hashes[2]}")


def night(name: str, monday: date, wanted: argparse.Namespace) -> str:
    """One night; prints its row and gives the hash of its files."""
    from routing.solve import DEFAULT_ENGINE
    from server.kit.database import transaction
    from server.plans.night import service
    from server.plans.night.jobs import plan_part

    used, database = cpu_s(), database_cpu_s()
    begin = time.perf_counter()
    with transaction() as session:
        run = service.ask(
            session,
            plan_part,
            first_day=monday,
            days=DAYS,
            steps=wanted.steps,
            engine=wanted.engine or DEFAULT_ENGINE,
        )
    command = [sys.executable, "-c", "from server.cli import main; main()", "worker", "--once"]
    workers = [subprocess.Popen(command, cwd=ROOT) for _ in range(wanted.workers)]
    for worker in workers:
        worker.wait()
    wall = time.perf_counter() - begin
    with transaction() as session:
        parts = service.parts_of(session, run.id)
        bad = [f"{part.name}: {part.state} {part.error or ''}" for part in parts if part.state != "done"]
        same = sum(part.is_unchanged for part in parts)
    if bad:
        sys.exit("; ".join(bad))
    digest = files_hash()
    spent = f"{cpu_s() - used:.1f} | {database_cpu_s() - database:.1f}"
    print(f"| {name} | {wall:.1f} | {spent} | {same} of {len(parts)} | {digest[:16]} |", flush=True)
    return digest


def cpu_s() -> float:
    """CPU seconds of all worker processes that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def database_cpu_s() -> float:
    """CPU seconds of the embedded database's backends that have ended."""
    from server.kit.settings import settings

    (pid_file,) = settings().home.glob("*/postmaster.pid")
    fields = Path(f"/proc/{pid_file.read_text().split()[0]}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def files_hash() -> str:
    """One hash over the names and contents of all exported files."""
    from server.kit.settings import settings

    digest = hashlib.sha256()
    root = settings().home / "exports"
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def take_back() -> None:
    """Take all plans out of the calendar and delete the files: the next night begins from nothing."""
    from sqlalchemy import select

    from server.auth.access import system_scope
    from server.kit.database import transaction
    from server.kit.settings import settings
    from server.plans import service
    from server.plans.models import Plan

    with transaction() as session:
        for plan_id in session.scalars(select(Plan.id).where(Plan.deleted_at.is_(None))).all():
            service.delete(session, system_scope(), plan_id)
    shutil.rmtree(settings().home / "exports", ignore_errors=True)


def summary() -> None:
    """Where the time of the last night went, and what came of it."""
    from sqlalchemy import select

    from server.kit.database import transaction
    from server.plans.models import Plan
    from server.plans.night_models import NightPart, NightRun

    with transaction() as session:
        run = session.scalars(select(NightRun).order_by(NightRun.created_at.desc()).limit(1)).one()
        phases: Counter[str] = Counter()
        figures: Counter[str] = Counter()
        reps = files = 0
        for part, plan in session.execute(
            select(NightPart, Plan).join(Plan, Plan.id == NightPart.plan_id).where(NightPart.run_id == run.id)
        ):
            phases.update(part.phases)
            figures.update({key: (plan.summary or {})[key] for key in ("visits", "routes", "unplanned", "drive_s")})
            reps, files = reps + len(part.rep_ids), files + len(part.files)
    total = sum(phases.values())
    print("\n| phase of the last night | s, all parts | share |\n|---|--:|--:|")
    for name, seconds in phases.most_common():
        print(f"| {name} | {seconds:.1f} | {seconds / total:.0%} |")
    print(f"\n{figures['visits']} visits on {figures['routes']} routes, {figures['unplanned']} left out,", end=" ")
    print(f"{figures['drive_s'] / 3600:.0f} h of driving; files of {files} of {reps} reps")


if __name__ == "__main__":
    main()
