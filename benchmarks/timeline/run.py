"""What a page of a timeline costs: an account with 10,000 entries in a database with many others; then with as many
again of an account that was merged into it, and with those of five.

The bar is 100 ms at the 95th percentile, for the first page and for page 50. The floor beside it is one plain select of
fifty rows from an index in the same run: what any page must cost at least. In a cluster of its own that is removed at
the end. Run: `.venv/bin/python benchmarks/timeline/run.py`; ACCOUNTS=20000 changes the size.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="waymark-timeline-"))
HOME.chmod(0o755)
os.environ["WAYMARK_HOME"] = str(HOME)
os.environ.pop("WAYMARK_DATABASE_URL", None)
sys.path.insert(0, str(Path(__file__).parents[2]))

from sqlalchemy import text  # noqa: E402
from sqlalchemy.orm import Session  # noqa: E402

from server import migrations  # noqa: E402
from server.auth.access import scope_of  # noqa: E402
from server.auth.models import Role, User  # noqa: E402
from server.auth.service import create_user  # noqa: E402
from server.kit import embedded  # noqa: E402
from server.kit.database import engine, transaction  # noqa: E402
from server.timeline import queries  # noqa: E402
from server.timeline.queries import Wish  # noqa: E402

ACCOUNTS = int(os.environ.get("ACCOUNTS", "20000"))
ENTRIES = 10_000
OTHERS = 10
"""Entries of each source at every other account."""
RUNS = 40
PAGE = 50
LONG = [f"Account {number}" for number in range(1, 7)]
"""Those with a long story."""
JOIN = text("update account set merged_into = (select id from account where name = :into) where name = any(:names)")

FILL = (
    "alter table account disable trigger user",
    "alter table note disable trigger user",
    "alter table visit disable trigger user",
    "insert into account (id, name, owner_id) select gen_random_uuid(), 'Account ' || n, :rep"
    " from generate_series(1, :accounts) n",
    "create temporary table share as select id, case when name = any(:long) then :many else :few end as n from account",
    "insert into note (id, account_id, author_id, text, written_at)"
    " select gen_random_uuid(), s.id, :rep, 'What was said, number ' || k, now() - k * interval '100 minutes'"
    " from share s, generate_series(1, s.n) k",
    "insert into visit (id, account_id, rep_id, day, zone, state, done_at, note)"
    " select gen_random_uuid(), s.id, :rep, current_date - k % 700, 'UTC', 'done',"
    " now() - k * interval '100 minutes' - interval '7 minutes', 'What the rep saw'"
    " from share s, generate_series(1, s.n) k",
    "insert into field_history (entity, row_id, rev, field, old, new, actor, source, at)"
    " select 'account', s.id, k + 1, 'phone', to_jsonb('old'::text), to_jsonb('new'::text), :rep, 'web',"
    " now() - k * interval '100 minutes' - interval '13 minutes' from share s, generate_series(1, s.n) k",
    "alter table account enable trigger user",
    "alter table note enable trigger user",
    "alter table visit enable trigger user",
)
FLOOR = text("select * from note where account_id = :id order by written_at desc, id desc limit 50")


def timed(work: Callable[[], object]) -> list[float]:
    """Milliseconds of each run."""
    for _ in range(5):
        work()
    figures = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        figures.append(1000 * (time.perf_counter() - began))
    return figures


def shown(name: str, figures: list[float], floor: float) -> None:
    """One line of the report."""
    p95 = statistics.quantiles(figures, n=20)[18]
    median = statistics.median(figures)
    print(f"{name:28} median {median:7.1f} ms   p95 {p95:7.1f} ms   {median / floor:6.1f} x the floor")


def measure(session: Session) -> None:
    """Read pages, the floor first."""
    rep = session.execute(text("select id from app_user where login = 'rita'")).scalar_one()
    account = session.execute(text("select id from account where name = 'Account 1'")).scalar_one()
    scope = scope_of(session, session.get_one(User, rep), source="web")
    floor = timed(lambda: session.execute(FLOOR, {"id": account}).all())
    least = statistics.median(floor)
    shown("floor: 50 rows of an index", floor, least)
    cursor = None
    for _ in range(PAGE - 1):
        cursor = queries.page(session, scope, account, Wish(), cursor=cursor).next_cursor
    shown("first page", timed(lambda: queries.page(session, scope, account, Wish())), least)
    shown("page 50", timed(lambda: queries.page(session, scope, account, Wish(), cursor=cursor)), least)
    notes = Wish(kinds=frozenset({"note"}))
    shown("first page, notes only", timed(lambda: queries.page(session, scope, account, notes)), least)
    words = Wish(search="number 9999")
    shown("search through all of it", timed(lambda: queries.page(session, scope, account, words)), least)


def main() -> None:
    """Fill a database, measure, clean up."""
    try:
        migrations.upgrade(engine())
        with engine().connect() as connection:
            setting = connection.execution_options(isolation_level="AUTOCOMMIT")
            setting.execute(text("alter system set synchronous_commit = off"))
            setting.execute(text("select pg_reload_conf()"))
        with transaction() as session:
            rita = create_user(session, login="rita", name="Rita", role=Role.REP)
            sizes = {"rep": rita.id, "accounts": ACCOUNTS, "many": ENTRIES // 3, "few": OTHERS, "long": LONG}
            for statement in FILL:
                session.execute(text(statement), {key: value for key, value in sizes.items() if f":{key}" in statement})
        with engine().connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
        entries = 3 * (OTHERS * (ACCOUNTS - len(LONG)) + len(LONG) * (ENTRIES // 3))
        print(f"{ACCOUNTS:,} accounts, {entries:,} entries, {ENTRIES:,} of them at each of {len(LONG)} accounts")
        for joined in (0, 1, len(LONG) - 1):
            print(f"\nmerged into the account: {joined}")
            with transaction() as session:
                session.execute(JOIN, {"into": LONG[0], "names": LONG[1 : joined + 1]})
            with transaction() as session:
                measure(session)
    finally:
        engine().dispose()
        embedded.stop(HOME)
        shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main()
