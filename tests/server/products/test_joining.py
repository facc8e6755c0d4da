"""Two products that are one article become one: prices, stock and what is asked of old lines follow, and go back."""

from typing import Any

import pytest

from server.kit import clock
from server.kit.errors import Conflict, NotFound
from server.kit.settings import settings
from server.orders import insights
from server.products import joining, queries, service
from server.products.models import Product
from server.products.queries import Customer


def test_prices_and_stock_go_to_the_one_that_lives_on_and_back(
    session: Any, scope: Any, ada: Any, retail: Any, make_product: Any
) -> None:
    coffee, kaffee = make_product("P-1", "Coffee", price="12.50"), make_product("P-001", "Kaffee", price="11")
    fair = service.create_list(session, {"name": "Fair", "currency": "CHF"})
    service.set_price(session, fair.id, kaffee.id, "9")
    service.note_stock(session, kaffee.id, "40", warehouse="South")
    heir = make_product("P-2", "Tea", successor_id=kaffee.id)
    made = joining.merge(session, scope(ada), coffee.id, kaffee.id, {"name": "loser"})
    session.refresh(coffee)
    assert (coffee.name, coffee.number) == ("Kaffee", "P-1")
    assert [str(price.unit_price) for price, _ in queries.prices_in(session, retail.id)] == ["12.5000"]
    assert [product.id for _, product in queries.prices_in(session, fair.id)] == [coffee.id]
    assert [str(one.quantity) for one in queries.stock_of(session, [coffee.id])[coffee.id]] == ["40.000"]
    assert session.get_one(Product, heir.id, populate_existing=True).successor_id == coffee.id
    assert queries.by_code(session, "P-001").id == coffee.id
    book = queries.book_of(session, Customer(), [kaffee.id])
    assert {product_id for _list, product_id in book.breaks} == {kaffee.id}

    joining.undo(session, scope(ada), made.id)
    session.expire_all()
    assert (coffee.name, kaffee.merged_into, kaffee.deleted_at) == ("Coffee", None, None)
    assert [product.id for _, product in queries.prices_in(session, fair.id)] == [kaffee.id]
    assert list(queries.stock_of(session, [coffee.id, kaffee.id])) == [kaffee.id]
    assert session.get_one(Product, heir.id).successor_id == kaffee.id


def test_what_was_priced_or_counted_since_stays_and_is_named(
    session: Any, scope: Any, ada: Any, make_product: Any
) -> None:
    coffee, kaffee = make_product("P-1", "Coffee"), make_product("P-001", "Kaffee")
    fair = service.create_list(session, {"name": "Fair", "currency": "CHF"})
    service.set_price(session, fair.id, kaffee.id, "9")
    service.note_stock(session, kaffee.id, "40", warehouse="South")
    made = joining.merge(session, scope(ada), coffee.id, kaffee.id, {})
    service.set_price(session, fair.id, coffee.id, "7")
    service.note_stock(session, coffee.id, "11", warehouse="South")
    assert joining.undo(session, scope(ada), made.id)[1] == ("Prices", "Stock")
    assert [product.id for _, product in queries.prices_in(session, fair.id)] == [coffee.id]
    assert list(queries.stock_of(session, [coffee.id, kaffee.id])) == [coffee.id]


def test_what_is_counted_in_other_units_is_no_duplicate(session: Any, scope: Any, ada: Any, make_product: Any) -> None:
    one, other = make_product("P-1", "Coffee"), make_product("P-2", "Coffee", unit="kg")
    with pytest.raises(Conflict, match="counted in pc"):
        joining.merge(session, scope(ada), one.id, other.id, {})
    assert joining.alike(session, scope(ada), one) == []


def test_a_product_never_succeeds_itself_by_a_merge(session: Any, scope: Any, ada: Any, make_product: Any) -> None:
    new = make_product("P-2", "Coffee new")
    old = make_product("P-1", "Coffee", successor_id=new.id)
    joining.merge(session, scope(ada), old.id, new.id, {})
    assert session.get_one(Product, old.id, populate_existing=True).successor_id is None
    last = make_product("P-5", "Last")
    between = make_product("P-4", "Between", successor_id=last.id)
    first = make_product("P-3", "First", successor_id=between.id)
    made = joining.merge(session, scope(ada), first.id, last.id, {})

    def after(one: Product) -> Any:
        return session.get_one(Product, one.id, populate_existing=True).successor_id

    assert (after(first), after(between)) == (None, first.id), "the one before the last stands before the first now"
    assert joining.undo(session, scope(ada), made.id)[1] == ()
    assert (after(first), after(between)) == (between.id, last.id)


def test_a_deleted_barcode_is_free_and_a_merged_product_is_not_restored(
    session: Any, scope: Any, ada: Any, make_product: Any
) -> None:
    one, other = make_product("P-1", "Coffee"), make_product("P-2", "Coffee", ean="4006381333931")
    made = joining.merge(session, scope(ada), one.id, other.id, {})
    assert session.get_one(Product, one.id, populate_existing=True).ean == "4006381333931"
    with pytest.raises(Conflict, match="merged into another one"):
        service.restore(session, other.id)
    joining.undo(session, scope(ada), made.id)
    assert session.get_one(Product, one.id, populate_existing=True).ean is None
    with pytest.raises(NotFound):
        joining.undo(session, scope(ada), one.id)


def test_old_lines_are_found_and_counted_under_the_one_that_lives_on(
    session: Any, scope: Any, ada: Any, admin_client: Any, make_account: Any, make_product: Any
) -> None:
    account = make_account("Beck AG")
    coffee, kaffee = make_product("P-1", "Coffee", price="12"), make_product("P-001", "Kaffee", price="12")
    for product in (coffee, kaffee):
        lines = [{"product_id": str(product.id), "quantity": "2"}]
        order = admin_client.post("/api/v1/orders", json={"account_id": str(account.id), "lines": lines}).json()
        seen = {"If-Match": f'"{order["rev"]}"'}
        assert admin_client.post(f"/api/v1/orders/{order['id']}/place", headers=seen).status_code == 200
    path = f"/api/v1/products/{coffee.id}/merge"
    assert admin_client.post(path, json={"loser_id": str(kaffee.id)}).status_code == 201
    assert admin_client.get("/api/v1/orders", params={"filter": "product = P-1"}).json()["total"] == 2
    assert admin_client.get("/api/v1/orders", params={"filter": "product = P-001"}).json()["total"] == 1
    [bought] = insights.insights(session, account.id, clock.today(settings().zone)).top
    assert (bought.number, bought.quantity) == ("P-1", 4)
    fresh = {"account_id": str(account.id), "lines": [{"code": "P-001", "quantity": "1"}]}
    again = admin_client.post("/api/v1/orders", json=fresh).json()
    assert again["lines"][0]["product_id"] == str(coffee.id)


def test_only_who_keeps_the_catalogue_merges_and_the_pages_do_it(
    client_for: Any, admin_client: Any, rita: Any, make_product: Any
) -> None:
    one, other = make_product("P-1", "Coffee dark"), make_product("P-01", "Coffee, dark")
    assert (
        client_for(rita).post(f"/api/v1/products/{one.id}/merge", json={"loser_id": str(other.id)}).status_code == 403
    )
    alike = admin_client.get(f"/api/v1/products/{one.id}/duplicates").json()["items"]
    assert [each["number"] for each in alike] == ["P-01"]
    assert "Compare and merge" in admin_client.get(f"/products/{one.id}").text
    page = admin_client.get(f"/products/{one.id}/merge?with={other.id}", follow_redirects=True)
    assert "Order lines: 0" in page.text
    sent = {"winner_rev": one.rev, "loser_rev": other.rev}
    done = admin_client.post(f"/products/{one.id}/merge/{other.id}", data=sent, follow_redirects=True)
    assert "Merged into this one" in done.text
    [merge] = admin_client.get(f"/api/v1/products/{one.id}/merges").json()["items"]
    admin_client.post(f"/products/{one.id}/merges/{merge['id']}/undo")
    assert admin_client.get(f"/products/{other.id}", follow_redirects=False).status_code == 200
