"""What an order comes to: before or with tax, by the customer's lists, and rounded once a line to the currency."""

from decimal import Decimal

import pytest

from mobile.field.catalogue import line_amount
from tests.mobile.conftest import uid

pytestmark = pytest.mark.window


@pytest.fixture
def sold(world, open_app):
    """Opens the form of an order where lists or products are other ones."""

    def start(before=lambda _server: None, **changes):
        before(world.server)
        rows = world.server.world.rows
        for row_id, more in changes.items():
            kind = "price_list" if row_id.startswith("l") else "product"
            world.server.put(kind, uid(int(row_id[1:])), rows[kind, uid(int(row_id[1:]))]["d"] | more, 412)
        assert world.sync().ok
        world.kill()
        screen = open_app(world.folder, syncing=False)
        screen.app.go("order", account_id=uid(1001))
        screen.frames()
        return screen

    return start


def test_prices_that_contain_the_tax_say_so_in_the_form_and_when_it_is_saved(sold):
    screen = sold(l6701={"is_gross": True}, l6702={"is_gross": True})
    assert screen.shows("Prices are with tax.")
    screen.tap("one more Milch 1 l")
    assert screen.shows("1 line · 4.50 CHF with tax")
    screen.tap("Save the order")
    (op,) = screen.app.ctx.store.outbox.ops()
    screen.app.go("order", account_id=uid(1001), order_id=op.row_id)
    screen.frames()
    assert screen.shows("Total with tax")
    assert not screen.shows("before tax")


def test_where_lists_are_of_both_kinds_each_price_says_it_and_the_sums_stand_apart(sold):
    use = {"price_list_id": uid(6703), "account_id": None, "account_class": None, "territory_id": None}
    prices = [{"price_list_id": uid(6703), "min_quantity": "1.000", "unit_price": "10.0000"}]

    def both(server):
        lists = server.world.rows["price_list", uid(6701)]["d"]
        server.put("price_list", uid(6703), lists | {"id": uid(6703), "name": "Shop", "is_gross": True}, 412)
        server.put("price_list_use", uid(6712), use, 412)

    screen = sold(before=both, p6802={"prices": prices})
    assert not screen.shows("Prices are")
    assert screen.shows("4.50 CHF a piece before tax")
    assert screen.shows("10.00 CHF a piece with tax")
    for name in ("Milch 1 l", "Käse"):
        screen.tap(f"one more {name}")
    assert screen.shows("2 lines · 4.50 CHF before tax + 60.00 CHF with tax")


def test_a_price_keeps_its_digits_and_the_line_is_rounded_to_the_currency(sold):
    price = [{"price_list_id": uid(6702), "min_quantity": "1.000", "unit_price": "26.5050"}]
    screen = sold(p6801={"unit": "kg", "prices": price})
    screen.app.choose("language", "de")
    screen.frames()
    assert screen.shows("26,505 CHF je kg")
    screen.tap("mehr Milch 1 l")
    assert screen.shows("1 Zeile · 26,51 CHF vor Steuer")
    assert screen.shows("26,505 CHF je kg"), "what is exact stays so"
    screen.tap("Auftrag speichern")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert op.body["d"]["lines"][0]["unit_price"] == "26.505"
    screen.app.go("order", account_id=uid(1001), order_id=op.row_id)
    screen.frames()
    for words in ("1 × 26,505 CHF", "26,51 CHF", "Total vor Steuer"):
        assert words in screen.words(), words


def test_currencies_without_cents_have_none():
    assert [line_amount(Decimal(3), Decimal("1.2345"), one) for one in ("EUR", "JPY", "KWD")] == [
        Decimal("3.70"), Decimal(4), Decimal("3.704"),
    ]  # fmt: skip
