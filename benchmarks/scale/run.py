"""Pages, lists, counts, the search and a mixed load on a large company: time and processor time of each.

    .venv/bin/python benchmarks/scale/run.py --accounts 100000
    .venv/bin/python benchmarks/scale/run.py --accounts 1000000 --home /var/tmp/scale --load 60

A server of its own is asked over HTTP. Beside the time stand the processor time of server and database, and the ratio
to a floor in the same run: an indexed single-row select through the same server.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

BARS_MS = {"list": 300, "page": 150, "timeline": 100, "search": 100, "board": 500, "tile": 300, "api": 300}
FILTERS = (
    "",
    "class = A",
    'class = A and city = "Vaduz"',
    "status = customer and value > 50000",
    "not visited since 30 days",
    "tag = vip and last_visit in last quarter",
    'name contains "hotel"',
    "owner = rep3",
    "visits.count() over 90 days = 0 and class = A",
    "visit.outcome = order and class = A",
    "orders.sum(amount) over 24 months > 900 and class = A",
    "within 5 km of 9.52, 47.14",
    "number = K00000042",
)
SEARCHES = (
    "K00000042", "gewerbeweg 17 vaduz", "backerei", "+423 2603166", "hotel gmbh", "info77@example.org", "hotle vaduz",
    "deal 1234", "anna", "O-4242", "device broken",
)  # fmt: skip
LISTS = (
    ("list of deals", "/pipeline/list", {}),
    ("list of all deals", "/pipeline/list", {"filter": ""}),
    ("list of deals above 5000", "/pipeline/list", {"filter": "state = open and amount > 5000"}),
    ("list of orders", "/orders", {}),
    ("list of placed orders", "/orders", {"filter": "state = placed"}),
    ("list of orders of class A", "/orders", {"filter": "class = A and net > 500"}),
    ("list of tickets", "/tickets", {}),
    ("list of leads", "/leads", {}),
    ("list of contacts", "/contacts", {}),
    ("page home", "/", {}),
    ("page calendar", "/calendar", {}),
    ("page tasks", "/tasks", {}),
)


def main() -> None:
    """Fill, measure, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--home", type=Path, help="a folder that stays; left out: one that goes away")
    parser.add_argument("--load", type=float, default=20, help="seconds of mixed load at each rate; 0: none")
    parser.add_argument("--rates", type=float, nargs="*", default=[10, 25, 50])
    parser.add_argument("--workers", type=int, default=2, help="server processes during the mixed load")
    parser.add_argument("--only", default="", help="only requests whose name holds this")
    parser.add_argument("--fill", action="store_true", help="write the company, measure nothing")
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="waymark-scale-"))
    home.mkdir(exist_ok=True)
    home.chmod(0o755)
    os.environ.pop("WAYMARK_DATABASE_URL", None)
    os.environ["WAYMARK_HOME"] = str(home)
    from server import migrations
    from server.kit import embedded
    from server.kit.database import engine

    try:
        migrations.upgrade(engine())
        prepare(options.accounts)
        secrets, ids, board = people()
        if options.fill:
            return
        print(json.dumps(singles(home, options.rounds, secrets, ids, board, options.only)))
        if options.load:
            print(json.dumps(loads(home, options, secrets, ids)))
    finally:
        engine().dispose()
        embedded.stop(home)
        if options.home is None:
            shutil.rmtree(home, ignore_errors=True)


def prepare(accounts: int) -> None:
    """People, pipelines, a queue and the company, unless they are there."""
    from company import fill
    from sqlalchemy import func, select, text

    from server.accounts.models import Account
    from server.auth.access import system_scope
    from server.auth.models import Role
    from server.auth.service import create_user
    from server.kit.database import engine, transaction
    from server.opportunities import pipelines
    from server.tickets import queues

    with transaction() as session:
        if session.scalar(select(func.count()).select_from(Account).limit(1)):
            return
        for login, role in (("ada", Role.ADMIN), *((f"rep{n}", Role.REP) for n in range(reps(accounts)))):
            create_user(session, login=login, name=login.title(), role=role, password="three words make one")
        board, history = pipelines.create_usual(session).id, pipelines.create(session, "History").id
        for name in (*"1234", "Won", "Lost"):
            values = {"name": name, "probability": "0.5", "category": "pipeline"}
            pipelines.add_stage(session, history, {**values, "is_won": name == "Won", "is_lost": name == "Lost"})
        queue = queues.create(session, system_scope(), {"name": "Service"}).id
    begin = time.perf_counter()
    fill(engine(), accounts=accounts, queue=queue, board=board, history=history)
    with engine().connect() as connection:
        size = connection.scalar(text("select pg_size_pretty(pg_database_size(current_database()))"))
    note(f"{accounts:,} accounts were written in {time.perf_counter() - begin:.0f} s: {size}")


def reps(accounts: int) -> int:
    """One for every 5,000 accounts: what a phone is measured with, too."""
    return max(12, accounts // 5_000)


def people() -> tuple[dict[str, str], list[str], str]:
    """Keys of an admin and a rep, accounts to look at (the one with the long story first), and the board."""
    from sqlalchemy import select

    from server.accounts.models import Account
    from server.auth.models import User
    from server.auth.tokens import create_api_token
    from server.kit.database import transaction
    from server.opportunities.models import Pipeline

    with transaction() as session:
        secrets = {
            login: create_api_token(session, session.scalars(select(User.id).where(User.login == login)).one(),
                                    "scale", None, None)[1]
            for login in ("ada", "rep3")
        }  # fmt: skip
        rep = select(User.id).where(User.login == "rep3").scalar_subquery()
        long = session.scalars(select(Account.id).where(Account.number == "K00000001")).one()
        ids = session.scalars(select(Account.id).where(Account.owner_id == rep).limit(200)).all()
        board = session.scalars(select(Pipeline.id).where(Pipeline.name == "Sales")).one()
        return secrets, [str(long), *map(str, ids)], str(board)


def singles(
    home: Path, rounds: int, secrets: dict[str, str], ids: list[str], board: str, only: str
) -> dict[str, dict[str, float]]:
    """Every kind of request by itself, one after the other."""
    from running import Browser, serving

    found: dict[str, dict[str, float]] = {}
    with serving(home, 1) as (port, server):
        ada, rep = (Browser(port, secrets[who]) for who in ("ada", "rep3"))
        series: list[tuple[str, Browser, str, dict[str, str]]] = [("floor", ada, "/floor/{id}", {})]
        for who, browser in (("ada", ada), ("rep3", rep)):
            series += [(f"list {who}: {one or 'everything'}", browser, "/accounts", {"filter": one}) for one in FILTERS]
            series += [(f"search {who}: {words}", browser, "/api/v1/search", {"q": words}) for words in SEARCHES]
            series += [(f"{name} {who}", browser, path, query) for name, path, query in LISTS]
            series += [
                (f"api list {who}", browser, "/api/v1/accounts", {}),
                (f"page account {who}", browser, "/accounts/{id}", {}),
                (f"timeline {who}", browser, "/accounts/{id}/timeline", {}),
                (f"board {who}", browser, "/pipeline", {"pipeline": board}),
                (f"tile {who}", browser, "/tiles/accounts/10/539/359", {"filter": "class = A"}),
            ]
        series += [
            ("page account ada, 10,000 entries", ada, f"/accounts/{ids[0]}", {}),
            ("timeline ada, 10,000 entries", ada, f"/accounts/{ids[0]}/timeline", {}),
        ]
        for name, browser, path, query in series:
            if name == "floor" or only in name:
                found[name] = measured(server, browser, path, query, rounds, ids)
                tell(name, found)
    return found


def measured(
    server: int, browser: Any, path: str, query: dict[str, str], rounds: int, ids: list[str]
) -> dict[str, float]:
    """Median and 95th percentile of some requests after two to warm up, with processor time of server and database."""
    from running import spent

    from server.kit import embedded
    from server.kit.settings import settings

    database = embedded.status(settings().home).pid or 0
    times = []
    for number in range(rounds + 2):
        if number == 2:
            before = spent(server), spent(database)
        begin = time.perf_counter()
        status, body = browser.get(path.format(id=ids[1 + number % (len(ids) - 1)]), query)
        times.append((time.perf_counter() - begin) * 1000)
        if status != 200:
            raise SystemExit(f"{path} {query}: {status} {body[:300]!r}")
    after = spent(server), spent(database)
    kept = sorted(times[2:])
    return {
        "median": round(statistics.median(kept), 1),
        "p95": round(kept[min(int(len(kept) * 0.95), len(kept) - 1)], 1),
        "server_cpu": round((after[0] - before[0]) * 1000 / rounds, 1),
        "database_cpu": round((after[1] - before[1]) * 1000 / rounds, 1),
    }


def tell(name: str, found: dict[str, dict[str, float]]) -> None:
    """One line of the report."""
    at, bar = found[name], BARS_MS.get(name.split()[0])
    ratio = at["median"] / found["floor"]["median"]
    over = " OVER" if bar and at["p95"] > bar else ""
    note(
        f"{at['median']:8.1f} {at['p95']:8.1f} ms  cpu {at['server_cpu']:6.1f} + {at['database_cpu']:6.1f}"
        f" {ratio:6.1f} x floor  {name}{over}"
    )


def loads(home: Path, options: argparse.Namespace, secrets: dict[str, str], ids: list[str]) -> list[dict[str, Any]]:
    """The mixed load at rising rates, its generator a process beside."""
    from running import serving, spent

    from server.kit import embedded

    database, found = embedded.status(home).pid or 0, []
    with serving(home, options.workers) as (port, server):
        for rate in (5.0, *options.rates):  # the first one warms up
            before = spent(server), spent(database)
            wish = {"port": port, "secrets": secrets, "ids": ids[1:], "rate": rate, "seconds": options.load}
            command = [sys.executable, str(Path(__file__).parent / "load.py")]
            done = subprocess.run(command, input=json.dumps(wish), capture_output=True, text=True, check=True)
            one = json.loads(done.stdout)
            count = rate * options.load
            one["server_cpu"] = round((spent(server) - before[0]) * 1000 / count, 1)
            one["database_cpu"] = round((spent(database) - before[1]) * 1000 / count, 1)
            note(json.dumps(one))
            found.append(one)
    return found[1:]


def note(line: str) -> None:
    """Say something on the side."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
