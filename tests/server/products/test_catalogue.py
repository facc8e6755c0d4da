"""The catalogue: who may change it, parallel edits, circles, price lists and their use."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from server.kit import clock
from server.kit.errors import Conflict, Invalid
from server.products import queries, service
from server.products.queries import Customer
from server.products.service import Circular, InUse, NumberTaken


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    for path in ("products", "price-lists", "tax-classes", "product-categories"):
        assert client_for(None).get(f"/api/v1/{path}").status_code == 401


def test_a_rep_reads_the_catalogue_and_does_not_change_it(client_for: Any, rita: Any, make_product: Any) -> None:
    product = make_product("P-1", "Coffee", "12.50")
    client = client_for(rita)
    assert client.get(f"/api/v1/products/{product.id}").json()["name"] == "Coffee"
    assert client.post("/api/v1/products", json={"number": "2", "name": "Tea"}).status_code == 403
    assert client.put(f"/api/v1/products/{product.id}/stock", json={"quantity": "1"}).status_code == 403


def test_two_people_change_different_fields_and_both_win(admin_client: Any, make_product: Any) -> None:
    product = make_product("P-1", "Coffee")
    path, base = f"/api/v1/products/{product.id}", {"If-Match": f'"{product.rev}"'}
    assert admin_client.patch(path, json={"name": "Espresso"}, headers=base).status_code == 200
    second = admin_client.patch(path, json={"quantity_step": "6", "min_quantity": "6"}, headers=base)
    assert (second.json()["name"], second.json()["quantity_step"]) == ("Espresso", "6.000")
    clash = admin_client.patch(path, json={"name": "Mocha"}, headers=base)
    assert clash.status_code == 412
    assert clash.json()["conflicts"] == [
        {"field": "name", "kind": "concurrent", "base": "Coffee", "yours": "Mocha", "stored": "Espresso"}
    ]


def test_a_number_and_a_barcode_are_had_once(session: Any, make_product: Any) -> None:
    make_product("P-1", "Coffee", ean="4006381333931")
    with pytest.raises(NumberTaken, match="Coffee"):
        service.create(session, {"number": "P-1", "name": "Tea"})
    with pytest.raises(NumberTaken, match="barcode"):
        service.create(session, {"number": "P-2", "name": "Tea", "ean": "4006381333931"})
    with pytest.raises(Invalid, match="it should be 1"):
        service.create(session, {"number": "P-2", "name": "Tea", "ean": "4006381333932"})


def test_nothing_stands_below_itself(session: Any, make_product: Any, retail: Any) -> None:
    coffee = service.category(session, "Coffee")
    beans = service.category(session, "Beans", coffee.id)
    with pytest.raises(Circular, match="below itself"):
        service.move_category(session, coffee.id, beans.id)
    assert [path for _, path in queries.categories(session)] == ["Coffee", "Coffee / Beans"]
    old, new = make_product("1", "Old"), make_product("2", "New")
    service.edit(session, old.id, old.rev, {"successor_id": new.id})
    with pytest.raises(Circular, match="succeed itself"):
        service.edit(session, new.id, new.rev, {"successor_id": old.id})
    trade = service.create_list(session, {"name": "Trade", "currency": "CHF", "base_id": retail.id})
    with pytest.raises(Circular, match="rest on itself"):
        service.edit_list(session, retail.id, retail.rev, {"base_id": trade.id})
    with pytest.raises(InUse, match="Trade"):
        service.delete_list(session, retail.id, retail.rev)


def test_a_list_with_prices_keeps_its_currency(session: Any, make_product: Any, retail: Any) -> None:
    make_product("1", "Coffee", "12")
    with pytest.raises(Conflict, match="prices in CHF"):
        service.edit_list(session, retail.id, retail.rev, {"currency": "EUR"})


def test_an_older_word_on_stock_changes_nothing(session: Any, make_product: Any) -> None:
    product = make_product("1", "Coffee")
    now = clock.now()
    service.note_stock(session, product.id, "12", now)
    level = service.note_stock(session, product.id, "99", now - timedelta(hours=1))
    assert level.quantity == 12
    with pytest.raises(Invalid, match="in the future"):
        service.note_stock(session, product.id, "1", now + timedelta(hours=1))


def test_the_catalogue_is_searched_filtered_and_paged(admin_client: Any, make_product: Any) -> None:
    for number in range(5):
        make_product(f"P-{number}", f"Espresso No {number}", is_active=number != 3)
    first = admin_client.get("/api/v1/products", params={"q": "espreso", "filter": "active = yes", "limit": 3}).json()
    assert (first["total"], [one["number"] for one in first["items"]]) == (4, ["P-0", "P-1", "P-2"])
    more = {"q": "espreso", "filter": "active = yes", "limit": 3, "cursor": first["next_cursor"]}
    assert [one["number"] for one in admin_client.get("/api/v1/products", params=more).json()["items"]] == ["P-4"]


def test_a_list_is_for_whom_it_names(session: Any, retail: Any, make_product: Any, make_account: Any) -> None:
    product, account = make_product("1", "Coffee", "12"), make_account("Amann", account_class="A")
    own = service.create_list(session, {"name": "Class A", "currency": "CHF", "base_id": retail.id, "percent": -10})
    service.use_list(session, own.id, [Customer(account_class="A")])
    book = queries.book_of(session, Customer(account.id, "A"), [product.id])
    assert [one.name for one in book.in_order(clock.now().date(), "CHF")] == ["Class A", "Retail"]
    service.use_list(session, own.id, [])
    assert queries.uses_of(session, own.id) == []
    with pytest.raises(Invalid, match="not for several"):
        service.use_list(session, own.id, [Customer(account.id, "A")])


def test_a_product_is_shown_with_one_picture_and_with_nothing_else(
    admin_client: Any, client_for: Any, rita: Any, make_product: Any
) -> None:
    path = f"/api/v1/products/{make_product('P-1', 'Coffee').id}"

    def sent(name: str, content: bytes) -> dict[str, str]:
        return {"file_id": admin_client.post("/api/v1/files", params={"name": name}, content=content).json()["id"]}

    assert admin_client.get(f"{path}/picture").status_code == 404
    refused = admin_client.put(f"{path}/picture", json=sent("price.txt", b"12.50"))
    assert (refused.status_code, refused.json()["field"]) == (422, "file")
    for colour in ("red", "blue"):  # the second takes the place of the first
        file = io.BytesIO()
        Image.new("RGB", (8, 8), colour).save(file, "PNG")
        shown = admin_client.put(f"{path}/picture", json=sent("a.png", file.getvalue())).json()["picture"]
        assert hashlib.sha256(file.getvalue()).hexdigest() == shown
    reader = client_for(rita)
    assert reader.get(f"{path}/picture").content == file.getvalue()
    assert reader.get("/api/v1/products").json()["items"][0]["picture"] == shown
    assert reader.delete(f"{path}/picture").status_code == 403
    assert admin_client.delete(f"{path}/picture").status_code == 204
    assert admin_client.get(path).json()["picture"] is None
