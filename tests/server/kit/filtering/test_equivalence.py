"""Random filters find in the database what a plain Python reading of them finds in the same rows."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, Engine, select

from server.kit.filtering import compile_filter, parse, write
from server.kit.filtering import nodes as n
from tests.server.kit.filtering.strategies import NAMES, conditions
from tests.server.kit.filtering.world import DEAL, METADATA, SHOP, TODAY, VOCABULARY, Row, holds


def some_rows() -> list[Row]:
    """Forty shops with up to four deals each; every field is sometimes empty."""
    random = Random(7)

    def day() -> date | None:
        return random.choice([None, TODAY - timedelta(days=random.randrange(-60, 500)), TODAY])

    def amount() -> Decimal | None:
        return random.choice([None, Decimal(random.randrange(-5, 20)), Decimal("2.50")])

    shops, number = [], 0
    for id in range(40):
        deals = []
        for _ in range(random.choice([0, 0, 1, 2, 4])):
            number += 1
            state = random.choice([None, "open", "won", "lost"])
            deals.append(Row(number, {"state": state, "amount": amount(), "day": day()}))
        values = {"name": random.choice([None, *NAMES]), "kind": random.choice([None, "A", "B", "C"])}
        shops.append(Row(id, values | {"worth": amount(), "last_visit": day()}, tuple(deals)))
    return shops


ROWS = some_rows()


@pytest.fixture(scope="module")
def filled(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        METADATA.create_all(connection)
        shops = [{"id": one.id, "name": one.values["name"], "kind": one.values["kind"], "worth": one.values["worth"],
                  "seen": one.values["last_visit"]} for one in ROWS]  # fmt: skip
        connection.execute(SHOP.insert(), shops)
        connection.execute(
            DEAL.insert(), [{"id": deal.id, "shop": shop.id, **deal.values} for shop in ROWS for deal in shop.deals]
        )
        yield connection
        connection.rollback()


def found(connection: Connection, tree: n.Node) -> set[int]:
    return set(connection.scalars(select(SHOP.c.id).where(compile_filter(tree, VOCABULARY))))


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(conditions())
def test_the_database_and_plain_python_agree(filled: Connection, tree: n.Node) -> None:
    assert found(filled, tree) == {row.id for row in ROWS if holds(tree, row)}, write(tree)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(conditions())
def test_a_negation_is_the_exact_complement(filled: Connection, tree: n.Node) -> None:
    assert found(filled, n.Not(tree)) == {row.id for row in ROWS} - found(filled, tree)


def test_an_object_without_rows_counts_nothing(filled: Connection) -> None:
    without = {row.id for row in ROWS if not row.deals}
    assert without
    assert found(filled, parse("deals.count() = 0")) == without
    assert without <= found(filled, parse("deals.sum(amount) over 2 years < 1"))
    assert not without & found(filled, parse("deals.max(amount) < 100"))
