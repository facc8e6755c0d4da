"""What trade costs: a page of the order list with filter and count at 300,000 orders, and pricing lines.

Floors: the same page read by its primary keys alone, and the bare decimal multiplication of a line. Run:
`.venv/bin/python benchmarks/orders/run.py [orders]`.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

ACCOUNTS, TRIES = 5_000, 15
FILTERS = (None, "state = placed", "kind = order and gross > 900", "day >= today - 30 days", "class = A and net > 500")

FILL = """
    insert into sales_order (id, kind, state, number, account_id, currency, country, day, zone, net, tax, gross,
                             placed_at)
    select gen_random_uuid(), 'order', (array['placed', 'confirmed', 'delivered', 'delivered'])[1 + n % 4],
           'O-' || n, a.ids[1 + n % {accounts}], 'CHF', 'LI', current_date - n % 730, 'Europe/Vaduz',
           n % 1000, n % 80, n % 1080, now() - make_interval(days => n % 730)
    from generate_series(1, {orders}) n, (select array_agg(id) as ids from account) a
"""


def milliseconds(work: Callable[[], Any]) -> tuple[float, float]:
    """Median and 95th percentile of some calls."""
    times = []
    for _ in range(TRIES):
        begin = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times), sorted(times)[int(len(times) * 0.95)]


def lists(orders: int) -> None:
    """The order list."""
    from sqlalchemy import select, text

    from server import migrations
    from server.auth.access import system_scope
    from server.kit.database import engine, transaction
    from server.orders import queries
    from server.orders.models import Order

    migrations.upgrade(engine())
    with transaction() as session:
        session.execute(text("set local sync.suppress = 'on'"))
        session.execute(text("set local session_replication_role = replica"))
        session.execute(
            text(
                "insert into account (id, name, account_class) select gen_random_uuid(), 'Account ' || n,"
                f" substr('ABC', 1 + n % 3, 1) from generate_series(1, {ACCOUNTS}) n"
            )
        )
        session.execute(text(FILL.format(accounts=ACCOUNTS, orders=orders)))
        session.execute(text("analyze account, sales_order"))
    with transaction() as session:
        scope = system_scope()
        ids = list(session.scalars(select(Order.id).limit(50)))

        def by_key() -> list[Order]:
            session.expire_all()
            return list(session.scalars(select(Order).where(Order.id.in_(ids))))

        floor, _ = milliseconds(by_key)
        print(f"{orders:,} orders; floor: 50 of them by key {floor:.1f} ms")
        for filter in FILTERS:
            middle, worst = milliseconds(lambda filter=filter: queries.page(session, scope, filter=filter))
            print(f"  {filter or 'no filter':32} {middle:7.1f} ms, p95 {worst:7.1f} ms, {middle / floor:5.1f} x floor")


def prices(lines: int = 10_000) -> None:
    """Pricing lines from a book of 1,000 products in three lists that rest on each other."""
    from server.products.pricing import Book, Listed, Rank, line_amount, price_of

    day, names = date(2026, 1, 1), ("Retail", "Trade", "Own")
    known = [UUID(int=n) for n in range(1, 1001)]
    made = [
        Listed(UUID(int=9000 + n), name, "CHF", valid_from=day - timedelta(days=n), percent=Decimal(-n),
               base_id=UUID(int=8999 + n) if n else None)
        for n, name in enumerate(names)
    ]  # fmt: skip
    steps = [(Decimal(1), Decimal("12.5")), (Decimal(10), Decimal("11.9")), (Decimal(100), Decimal("11.2"))]
    book = Book(
        {one.id: one for one in made},
        {(made[0].id, product): steps for product in known},
        [(Rank(2 - n + 1), one.id) for n, one in enumerate(made)],
    )
    quantities = [Decimal(n % 150 + 1) for n in range(lines)]

    def priced() -> None:
        for n, quantity in enumerate(quantities):
            found = price_of(book, known[n % 1000], quantity, day, "CHF")
            assert found is not None
            line_amount(found.unit_price, quantity, Decimal(0), "CHF")

    def bare() -> None:
        for quantity in quantities:
            line_amount(Decimal("12.5"), quantity, Decimal(0), "CHF")

    taken, floor = milliseconds(priced)[0], milliseconds(bare)[0]
    print(f"{lines:,} lines priced through three lists in {taken:.0f} ms: {lines / taken * 1000:,.0f} lines/s,")
    print(f"  {taken / floor:.1f} x the floor of multiplying and rounding alone ({floor:.0f} ms)")


def main() -> None:
    """Measure in a database of its own, which goes away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="waymark-orders-"))
    folder.chmod(0o755)
    os.environ.pop("WAYMARK_DATABASE_URL", None)
    os.environ["WAYMARK_HOME"] = str(folder)
    from server.kit import embedded
    from server.kit.database import engine

    try:
        lists(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
    finally:
        engine().dispose()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    prices()


if __name__ == "__main__":
    main()
