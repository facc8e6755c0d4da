"""What deals are about: their lines, what they add up to, what became of them, and filters on them."""

from datetime import date
from typing import Any

from server.products import service as catalogue
from server.products.queries import Customer
from tests.server.opportunities.conftest import DEALS, NOBODY


def test_a_deal_is_worth_what_its_lines_come_to_without_tax_to_the_unit_of_its_currency(
    session: Any, clients: Any, make_deal: Any, make_account: Any
) -> None:
    for code in ("EUR", "JPY"):
        prices = catalogue.create_list(session, {"name": f"Shop {code}", "currency": code, "is_gross": code == "EUR"})
        catalogue.use_list(session, prices.id, [Customer()])
        tax = catalogue.tax_class(session, f"standard {code}")
        catalogue.set_rate(session, tax.id, "", date(2020, 1, 1), "8.1")
        product = catalogue.create(session, {"number": code, "name": f"Oven {code}", "tax_class_id": tax.id})
        catalogue.set_price(session, prices.id, product.id, "99.90", 1)
        deal = make_deal(f"Kitchen {code}")
        path = f"{DEALS}/{deal.id}"
        lines = [
            {"name": "Oven", "product_id": str(product.id), "quantity": "3", "unit_price": "99.90",
             "discount": "0.00125"},
            {"name": "Fitting", "quantity": "1", "unit_price": "50.25"},
        ]  # fmt: skip
        match = {"If-Match": f'"{deal.rev}"'}
        told = clients["rita"].put(f"{path}/lines", json={"lines": lines, "currency": code}, headers=match).json()
        assert told["amount"] == {"EUR": "327.15", "JPY": "349"}[code], "299.33 with 8.1 % in it, and 50.25; 299 + 50"
        assert [(one["is_gross"], one["tax_percent"]) for one in told["lines"]] == [
            (code == "EUR", "8.100"), (False, None),
        ]  # fmt: skip
        assert told["lines"][0]["discount"] == "0.00125"


def test_the_lines_add_up_to_the_amount(clients: Any, make_deal: Any) -> None:
    deal = make_deal("Oven")
    lines = [
        {"name": "Oven", "quantity": "2", "unit_price": "499.995", "discount": "0.1"},
        {"name": "Tray", "quantity": "3", "unit_price": "10"},
    ]
    path = f"{DEALS}/{deal.id}"
    answer = clients["rita"].put(f"{path}/lines", json={"lines": lines}, headers={"If-Match": f'"{deal.rev}"'})
    assert answer.json()["amount"] == "929.99"
    assert [one["code"] for one in answer.json()["notes"]] == ["amount_changed"], "somebody had typed another one"
    match = {"If-Match": answer.headers["etag"]}
    by_hand = clients["rita"].patch(path, json={"amount": "1"}, headers=match)
    assert (by_hand.status_code, by_hand.json()["code"]) == (409, "amount_follows_lines")
    for change in ({"quantity": "-1"}, {"quantity": "0"}, {"unit_price": "-0.5"}, {"discount": "2"}, {"name": " "}):
        wrong = clients["rita"].put(f"{path}/lines", json={"lines": [lines[0] | change]}, headers=match)
        assert wrong.status_code == 422, change
        assert wrong.json()["detail"].startswith("Line 1")
    for change, said in (
        ({"quantity": "1.0005"}, "Line 1: Quantity: 1.0005 has too many digits after the point."),
        ({"discount": "0.123456"}, "Line 1: Discount: 0.123456 has too many digits after the point."),
        ({"product_id": str(NOBODY)}, "Line 1: “Oven” names a product that is not in the catalogue."),
        (
            {"quantity": "9999999999", "unit_price": "9999999", "discount": "0"},
            "The lines add up to 99999989990000001.00, more than an amount holds.",
        ),
    ):
        wrong = clients["rita"].put(f"{path}/lines", json={"lines": [lines[0] | change]}, headers=match)
        assert (wrong.status_code, wrong.json()["detail"]) == (422, said)
    unknown = clients["rita"].put(f"{path}/lines", json={"lines": lines, "currency": "EUX"}, headers=match)
    assert (unknown.status_code, unknown.json()["detail"]) == (422, "Currency: “EUX” is not a currency.")


def test_what_became_of_the_lines_is_told_save_by_save(session: Any, clients: Any, make_deal: Any) -> None:
    deal = make_deal("Oven")
    path = f"{DEALS}/{deal.id}/lines"

    def save(*lines: dict[str, Any], who: str = "rita", **more: str) -> None:
        session.refresh(deal)
        answer = clients[who].put(path, json={"lines": lines} | more, headers={"If-Match": f'"{deal.rev}"'})
        assert answer.status_code == 200, answer.text

    oven, tray = (
        {"name": "Oven", "quantity": "2", "unit_price": "500"},
        {"name": "Tray", "quantity": "1", "unit_price": "9.5"},
    )
    save(oven, tray)
    save(oven, tray)
    save(oven | {"unit_price": "480.25", "discount": "0.1"}, {"name": "Fitting", "quantity": "1", "unit_price": "90"})
    told = clients["rita"].get(f"{path}/history").json()
    assert [
        [(one["name"], *(one[side] and one[side]["amount"] for side in ("old", "new"))) for one in saved["changes"]]
        for saved in told
    ] == [
        [("Oven", "1000.00", "864.45"), ("Fitting", None, "90.00"), ("Tray", "9.50", None)],
        [("Oven", None, "1000.00"), ("Tray", None, "9.50")],
    ], "a save that changed nothing is not told"
    assert {saved["who"] for saved in told} == {"Rita"}
    save(tray, who="ada")
    save(who="ada")
    told = clients["rita"].get(f"{path}/history").json()
    assert [(saved["who"], len(saved["changes"])) for saved in told[:2]] == [("Ada", 1), ("Ada", 3)], (
        "saves in the same second stay apart"
    )
    assert clients["otto"].get(f"{path}/history").status_code == 404
    save(oven)
    before = deal.currency
    save(oven, currency="CHF")
    save(oven, tray, currency="CHF")
    told = clients["rita"].get(f"{path}/history").json()
    changes = [
        [
            tuple(one[side] and f"{one[side]['amount']} {one[side]['currency']}" for side in ("old", "new"))
            for one in saved["changes"]
        ]
        for saved in told
    ]
    assert changes[:3] == [
        [(None, "9.50 CHF")],
        [(f"1000.00 {before}", "1000.00 CHF")],
        [(None, f"1000.00 {before}")],
    ], "each line is told in the currency of its day, and a new currency is a change"


def test_deals_are_filtered_by_their_lines(session: Any, clients: Any, make_deal: Any) -> None:
    tax = catalogue.tax_class(session, "standard")
    catalogue.set_rate(session, tax.id, "", date(2020, 1, 1), "8.1")
    oven = catalogue.create(session, {"number": "P-1", "name": "Oven"})
    for name, quantity in (("Kitchen", "2"), ("Bakery", "1")):
        deal = make_deal(name)
        lines = [
            {"name": "Oven", "quantity": quantity, "unit_price": "500.25", "product_id": str(oven.id)},
            {"name": "Fitting", "quantity": "1", "unit_price": "90", "tax_class_id": str(tax.id)},
        ]
        path, match = f"{DEALS}/{deal.id}/lines", {"If-Match": f'"{deal.rev}"'}
        told = clients["rita"].put(path, json={"lines": lines}, headers=match).json()
        assert [one["tax_percent"] for one in told["lines"]] == [None, "8.100"], (
            "what somebody chose for their own words"
        )
        wrong = [lines[1] | {"tax_class_id": str(NOBODY)}]
        refused = clients["rita"].put(path, json={"lines": wrong}, headers={"If-Match": f'"{told["rev"]}"'})
        assert (refused.status_code, refused.json()["detail"]) == (422, "Line 1: there is no such tax class.")
    for filter, found in (
        ('line.product = "P-1" and lines.sum(amount) > 1000', {"Kitchen"}),
        ("lines.sum(amount) = 590.25", {"Bakery"}),
        ("line with (quantity >= 2 and name ~ ove)", {"Kitchen"}),
        ("lines.count() = 2", {"Kitchen", "Bakery"}),
        ('line.product = "P-2"', set()),
    ):
        answer = clients["ada"].get(DEALS, params={"filter": filter})
        assert {one["name"] for one in answer.json()["items"]} == found, answer.text
