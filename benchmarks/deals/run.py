"""What deals cost: the board of 2,000 deals as the server sends it, and a filtered list with its sums at 200,000 deals.

Each is given as median and p95 in milliseconds, and as ratio of medians to a floor in the same run: for the board one
plain read of the deals' rows, for the list one `count(*)` with the same condition.
Run: `.venv/bin/python benchmarks/deals/run.py`. Options: `--deals 200000 --rounds 20`. It makes a database of its own
in a temporary folder and removes it.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

BOARD_DEALS = 2000
BOARD_BAR_MS = 500

ACCOUNTS = text(
    """
    insert into account (id, name, owner_id, account_class, status)
    select gen_random_uuid(), 'Account ' || n, :owner, (array['A', 'B', 'C'])[1 + n % 3], 'customer'
    from generate_series(1, :count) n
    """
)
DEALS = text(
    """
    with numbered as (select id, row_number() over () as n from account),
         standing as (select id, row_number() over (order by position) as n from stage where pipeline_id = :pipeline)
    insert into opportunity (id, name, account_id, owner_id, pipeline_id, stage_id, state, amount, currency, close_on,
                             next_step, next_step_on, closed_at)
    select gen_random_uuid(), 'Deal ' || d, a.id, :owner, :pipeline, s.id,
           case s.n when 5 then 'won' when 6 then 'lost' else 'open' end, 100 + (d * 7919) % 20000, 'EUR',
           current_date + (d * 31 % 400) - 200, 'Call', current_date + (d % 20)::int,
           case when s.n in (5, 6) then now() - make_interval(days => (d % 700)::int) end
    from generate_series(1, :count) d
    join numbered a on a.n = 1 + d % (select count(*) from account)
    join standing s on s.n = case when :open then 1 + d % 4 else 1 + d % 6 end
    """
)


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median and 95th percentile of some rounds, in milliseconds, after two to warm up."""
    times = []
    for number in range(rounds + 2):
        start = time.perf_counter()
        work()
        if number >= 2:
            times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 1), round(statistics.quantiles(times, n=20)[-1], 1)


def measure(deals: int, rounds: int) -> dict[str, object]:
    """Fill a database and measure."""
    from fastapi.testclient import TestClient

    from server import migrations
    from server.app import create_app
    from server.auth.models import Role
    from server.auth.service import create_user
    from server.auth.tokens import create_api_token
    from server.kit import database
    from server.opportunities import pipelines

    migrations.upgrade(database.engine())
    with database.transaction() as session:
        owner = create_user(session, login="ada", name="Ada", role=Role.ADMIN)
        token = create_api_token(session, owner.id, "benchmark", None, 1)[1]
        board = pipelines.create_usual(session)
        other = pipelines.create(session, "History")
        for name, won, lost in (
            *((f"Stage {n}", False, False) for n in range(4)),
            ("Won", True, False),
            ("Lost", False, True),
        ):
            values = {"name": name, "probability": "0.5", "category": "pipeline", "is_won": won, "is_lost": lost}
            pipelines.add_stage(session, other.id, values)
        session.execute(ACCOUNTS, {"count": max(deals // 10, 100), "owner": owner.id})
        for pipeline, count, is_open in ((board.id, BOARD_DEALS, True), (other.id, deals, False)):
            session.execute(DEALS, {"pipeline": pipeline, "owner": owner.id, "count": count, "open": is_open})
        board_id = board.id
    with database.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    client = TestClient(create_app(), headers={"Authorization": f"Bearer {token}", "accept": "text/html"})
    condition = "state = 'open' and amount > 5000"

    def asked(path: str, **params: str) -> Callable[[], None]:
        def ask() -> None:
            answer = client.get(path, params=params)
            if answer.status_code != 200:
                raise SystemExit(answer.text[:2000])

        return ask

    def plain(statement: str, **values: object) -> Callable[[], None]:
        def run() -> None:
            with database.engine().connect() as connection:
                connection.execute(text(statement), values).all()

        return run

    wanted = {"filter": "state = open and amount > 5000"}
    found = {
        "board": timed(asked("/pipeline", pipeline=str(board_id)), rounds),
        "board_floor": timed(plain("select * from opportunity where pipeline_id = :p", p=board_id), rounds),
        "list": timed(asked("/api/v1/opportunities", **wanted), rounds),
        "list_floor": timed(plain(f"select count(*) from opportunity where {condition}"), rounds),
        "forecast": timed(asked("/api/v1/forecast", by="territory"), max(rounds // 4, 2)),
    }
    return {name: {"median": median, "p95": worst} for name, (median, worst) in found.items()} | {
        "deals": deals,
        "board_ratio": round(found["board"][0] / found["board_floor"][0], 1),
        "list_ratio": round(found["list"][0] / found["list_floor"][0], 1),
        "board_within_bar": found["board"][1] <= BOARD_BAR_MS,
    }


def main() -> None:
    """Measure in a database of one's own and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waymark-deals-") as folder:
        Path(folder).chmod(0o755)
        os.environ["WAYMARK_HOME"] = folder
        os.environ.pop("WAYMARK_DATABASE_URL", None)
        from server.kit import database, embedded

        try:
            print(json.dumps(measure(wish.deals, wish.rounds), indent=1))
        finally:
            database.engine().dispose()
            embedded.stop(Path(folder))


if __name__ == "__main__":
    main()
