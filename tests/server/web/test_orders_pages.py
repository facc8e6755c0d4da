"""The pages of trade: the catalogue, price lists, a document with its lines, an account's orders."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from server.auth.models import Role
from server.orders.models import Order, OrderLine
from server.products import service as products
from server.products.models import PriceList, Product
from server.products.queries import Customer
from tests.server.web.conftest import token_in


@pytest.fixture
def ada(make_user: Any) -> Any:
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def retail(session: Any) -> PriceList:
    made = products.create_list(session, {"name": "Retail", "currency": "CHF"})
    products.use_list(session, made.id, [Customer()])
    return made


@pytest.fixture
def coffee(session: Any, retail: PriceList) -> Product:
    tax = products.tax_class(session, "standard")
    products.set_rate(session, tax.id, "", date(2020, 1, 1), "8.1")
    made = products.create(session, {"number": "P-1", "name": "Coffee", "tax_class_id": tax.id})
    products.set_price(session, retail.id, made.id, "12.50")
    return made


@pytest.mark.parametrize("path", ["/orders", "/orders/new", "/products", "/products/new", "/price-lists"])
def test_a_stranger_is_asked_to_sign_in(client_for: Any, path: str) -> None:
    answer = client_for(None).get(path, headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_somebody_elses_document_is_not_there(
    session: Any, browser_of: Any, make_user: Any, make_account: Any, ada: Any
) -> None:
    rita, otto = make_user("rita", Role.REP), make_user("otto", Role.REP)
    account = make_account("Amann", owner=rita)
    browser = browser_of(rita)
    token = token_in(browser.get(f"/orders/new?account_id={account.id}").text)
    made = browser.post("/orders/new", data={"_csrf": token, "account_id": str(account.id), "kind": "quote"})
    assert made.status_code == 303
    stranger = browser_of(otto)
    assert stranger.get(made.headers["location"]).status_code == 404
    assert stranger.get(f"/accounts/{account.id}/trade").status_code == 404


def test_an_order_is_written_with_live_totals_and_placed(
    session: Any, browser_of: Any, make_account: Any, ada: Any, coffee: Product
) -> None:
    account, browser = make_account("Amann", owner=ada), browser_of(ada)
    token = token_in(browser.get("/orders/new?q=Amann").text)
    where = browser.post("/orders/new", data={"_csrf": token, "account_id": str(account.id)}).headers["location"]
    assert "Coffee" in browser.get(f"{where}/find?code=cof").text
    added = browser.post(f"{where}/lines", data={"_csrf": token, "code": "P-1", "quantity": "4"}).text
    assert "list Retail" in added
    assert "54.05 CHF" in added
    line = session.scalars(select(OrderLine)).one()
    body = {"_csrf": token, "rev": str(line.rev), "quantity": "-1"}
    refused = browser.post(f"{where}/lines/{line.id}", data=body)
    assert refused.status_code == 422
    assert "make a credit note" in refused.text
    assert "54.05 CHF" in refused.text, "nothing has changed"
    changed = browser.post(f"{where}/lines/{line.id}", data=body | {"quantity": "2", "discount_percent": "10"}).text
    assert "22.50" in changed
    order = session.scalars(select(Order)).one()
    placed = browser.post(f"{where}/do/place", data={"_csrf": token, "rev": str(order.rev)})
    assert placed.status_code == 303
    page = browser.get(where).text
    assert str(order.number) in page
    assert "All delivered" in page
    assert "Usually orders" not in browser.get(f"/accounts/{account.id}/trade").text
    assert order.number
    assert order.number in browser.get("/orders?filter=state = placed").text


def test_products_lists_and_taxes_are_kept_on_pages(session: Any, browser_of: Any, ada: Any, retail: PriceList) -> None:
    browser = browser_of(ada)
    token = token_in(browser.get("/products/new").text)
    form = {"_csrf": token, "number": "P-2", "name": "Tea", "unit": "box", "is_active": "on", "new_category": "Drinks"}
    wrong = browser.post("/products/new", data=form | {"ean": "4006381333932"})
    assert wrong.status_code == 422
    assert "check digit" in wrong.text
    where = browser.post("/products/new", data=form).headers["location"]
    browser.post(f"{where}/stock", data={"_csrf": token, "quantity": "12"})
    gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    gif += b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
    wrong = browser.post(f"{where}/picture", data={"_csrf": token}, files={"file": ("price.txt", b"5.20")})
    assert "is no picture" in wrong.text
    assert browser.post(f"{where}/picture", data={"_csrf": token}, files={"file": ("tea.gif", gif)}).status_code == 303
    assert "product-picture" in browser.get(where).text
    price = {"_csrf": token, "rev": str(retail.rev), "code": "P-2", "unit_price": "5.20"}
    browser.post(f"/price-lists/{retail.id}", data=price)
    page = browser.get("/products").text
    assert "Drinks" in page
    assert "product-thumb" in page
    assert "5.20 CHF" in page
    tax = {"_csrf": token, "tax_class": "reduced", "country": "LI", "valid_from": "2024-01-01", "percent": "2.6"}
    nameless = browser.post("/price-lists/taxes", data={**tax, "tax_class": " "})
    assert (nameless.status_code, "Tax class: is missing" in nameless.text) == (422, True)
    assert browser.post("/price-lists/taxes", data=tax).status_code == 303
    assert "2.6 %" in browser.get("/price-lists").text
    assert b"P-2" in browser.get("/products/export.csv").content
