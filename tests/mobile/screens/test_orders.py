"""An order: how much of what, said where it is refused, and told in the visit."""

import pytest

from mobile.field.rows import docs
from tests.mobile.conftest import uid
from tests.mobile.screens.conftest import in_sight
from tests.mobile.window import SIZES

pytestmark = pytest.mark.window


def test_a_refused_quantity_is_scrolled_to_and_products_stand_under_their_category(screen):
    from mobile.widgets.controls import Field, PushButton

    store = screen.app.ctx.store
    milk = next(doc for doc in docs(store, "product") if doc["name"] == "Milch 1 l")
    with store.page():
        for n in range(24):
            row = milk | {"id": uid(9500 + n), "name": f"Zwieback {n:02}", "number": f"Z{n}", "category": "Rusks"}
            store.cache.put_base("product", row["id"], 1, row)
    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    words = screen.words()
    assert words.index("Dairy") < words.index("Milch 1 l") < words.index("Rusks") < words.index("Zwieback 00")
    screen.tap("one more Zwieback 23")
    screen.widgets(Field)[1].input.text = "abc"
    (pad,) = [one for one in screen.widgets() if hasattr(one, "catalogue")]
    pad.list.scroll_y = 1
    screen.frames()
    screen.tap("Save the order")
    assert in_sight(screen, pad.rows[uid(9523)])
    pad.field.input.text = "Käse"
    screen.frames()
    screen.tap("Save the order")
    assert in_sight(screen, pad.rows[uid(9523)]), "what was looked for hid it"
    assert screen.words().index("In this order") < screen.words().index("Zwieback 23") < screen.words().index("Dairy")
    screen.resize(SIZES["tablet"])
    (save,) = [one for one in screen.widgets(PushButton) if one.label == "Save the order"]
    assert save.width <= 760, "as wide as the list"
    assert pad.field.width <= 760
    screen.resize(SIZES["phone"])


def test_how_much_is_ordered_can_be_typed(screen):
    screen.app.go("order", account_id=uid(1001))
    screen.frames()
    (pad,) = [one for one in screen.widgets() if hasattr(one, "catalogue")]
    assert pad.total.height == pad.warning.height == 0, "an empty order leaves no white band above its button"
    quantity = lambda: {w.product.name: w.input for w in screen.widgets() if hasattr(w, "product")}  # noqa: E731
    screen.tap("one more Milch 1 l")
    quantity()["Milch 1 l"].text = "60"
    assert screen.shows("1 line · 246.00 CHF before tax"), "the price of sixty, before anything is tapped"
    screen.tap("one more Käse")
    quantity()["Käse"].text = "7"
    screen.tap("Save the order")
    assert screen.shows("Käse is sold by 6, at least 6: it is 12 now.")
    assert pad.list.scroll_y == 1, "the rows stay where they are when a line appears below them"
    assert quantity()["Käse"].text == "12"
    quantity()["Käse"].text = "many"
    screen.tap("Save the order")
    assert screen.shows("“many” is no quantity of Käse.")
    quantity()["Käse"].text = ""
    screen.tap("Save the order")
    (op,) = screen.app.ctx.store.outbox.ops()
    assert [(line["quantity"], line["unit_price"]) for line in op.body["d"]["lines"]] == [("60", "4.10")]


def test_an_order_that_has_arrived_says_so_in_the_visit_and_what_is_typed_stays(screen, monkeypatch):
    from mobile.field import records
    from mobile.field.sync.run import Report
    from mobile.screens.visit import VisitForm

    order = {"id": uid(7001), "account_id": uid(1001), "lines": [{}], "day": "2026-11-26", "currency": "CHF"}
    monkeypatch.setattr(records, "orders_on", lambda *_: [order | {"state": None}])
    screen.app.go("visit", visit_id=uid(3001), account_id=uid(1001))
    screen.frames()
    assert screen.shows("saved here, becomes a draft in the office")
    (form,) = screen.widgets(VisitForm)
    form.note.input.text = "Twelve more"
    monkeypatch.setattr(records, "orders_on", lambda *_: [order | {"state": "draft", "gross": "24.65"}])
    screen.app.worker = object()
    screen.app._synced(Report(ok=True, results={"applied": 1}))
    screen.frames()
    screen.app.worker = None
    assert not screen.shows("saved here")
    assert screen.shows("24.65 CHF")
    assert screen.widgets(VisitForm) == [form]
    assert form.note.input.text == "Twelve more"
