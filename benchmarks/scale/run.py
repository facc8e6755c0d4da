"""Lists, counts, pages, tiles and the search on a large company: how long each takes, request by request.

    .venv/bin/python benchmarks/scale/run.py --accounts 200000

The requests go through the real application (no network), one after the other, each many times with other words.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

BARS_MS = {"list": 300, "page": 150, "search": 100, "tile": 300}
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
    "within 5 km of 9.52, 47.14",
    "number = K00000042",
)
SEARCHES = (
    "K00000042",
    "gewerbeweg 17 vaduz",
    "backerei",
    "+423 0000042",
    "hotel gmbh",
    "info77@example.org",
    "hotle vaduz",
)


def main() -> None:
    """Fill, measure, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--visits", type=int, default=5, help="of each account")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--home", type=Path, help="a folder that stays; left out: one that goes away")
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
        prepare(options.accounts, options.visits)
        report = measure(options.rounds)
        print(json.dumps({"accounts": options.accounts, "visits": options.accounts * options.visits, **report}))
    finally:
        engine().dispose()
        embedded.stop(home)
        if options.home is None:
            shutil.rmtree(home, ignore_errors=True)


def prepare(accounts: int, visits: int) -> None:
    """People and the company, unless they are there."""
    from company import fill
    from sqlalchemy import func, select

    from server.accounts.models import Account
    from server.auth.models import Role
    from server.auth.service import create_user
    from server.kit.database import engine, transaction

    with transaction() as session:
        if session.scalar(select(func.count()).select_from(Account)):
            return
        for login, role in (("ada", Role.ADMIN), *((f"rep{n}", Role.REP) for n in range(12))):
            create_user(session, login=login, name=login.title(), role=role, password="three words make one")
    begin = time.perf_counter()
    fill(engine(), accounts=accounts, visits_each=visits)
    print(f"{accounts} accounts were written in {time.perf_counter() - begin:.0f} s", file=sys.stderr)


def measure(rounds: int) -> dict[str, Any]:
    """Every kind of request; the worst filters are named."""
    from fastapi.testclient import TestClient
    from sqlalchemy import select

    from server.accounts.models import Account
    from server.app import create_app
    from server.auth.models import User
    from server.auth.tokens import create_api_token
    from server.kit.database import transaction

    with transaction() as session:
        secrets = {
            login: create_api_token(session, session.scalars(select(User.id).where(User.login == login)).one(),
                                    "scale", None, None)[1]
            for login in ("ada", "rep3")
        }  # fmt: skip
        ids = list(session.scalars(select(Account.id).limit(rounds)))
    found: dict[str, Any] = {}
    with TestClient(create_app()) as client:
        for login, secret in secrets.items():
            client.headers["Authorization"] = f"Bearer {secret}"
            get = timed(client)
            for filter in FILTERS:
                times = [get("/api/v1/accounts", filter=filter) for _ in range(rounds)]
                note(found, f"list {login}: {filter or 'everything'}", times)
            for words in SEARCHES:
                note(found, f"search {login}: {words}", [get("/api/v1/search", q=words) for _ in range(rounds)])
            note(found, f"tile {login}", [get("/tiles/accounts/10/539/359", filter="class = A") for _ in range(rounds)])
        client.headers["Authorization"] = f"Bearer {secrets['ada']}"
        client.headers["accept"] = "text/html"
        note(found, "page ada", [timed(client)(f"/accounts/{one}") for one in ids])
    return {"ms": found, "over": sorted(name for name, at in found.items() if at["p95"] > BARS_MS[name.split()[0]])}


def timed(client: Any) -> Callable[..., float]:
    """Asks and gives milliseconds; a refusal is an error."""

    def get(path: str, **query: str) -> float:
        begin = time.perf_counter()
        answer = client.get(path, params={name: value for name, value in query.items() if value})
        took = (time.perf_counter() - begin) * 1000
        if answer.status_code != 200:
            raise SystemExit(f"{path} {query}: {answer.status_code} {answer.text[:300]}")
        return took

    return get


def note(found: dict[str, Any], name: str, times: list[float]) -> None:
    """Median and 95th percentile; the first request warms up."""
    warm = sorted(times[1:] or times)
    found[name] = {"median": round(statistics.median(warm), 1), "p95": round(warm[int(len(warm) * 0.95)], 1)}
    print(f"{found[name]['median']:8.1f} {found[name]['p95']:8.1f} ms  {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
