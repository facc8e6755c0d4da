"""Quotes and orders: reach, prices, numbers, states, currency, credit, twice the same."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from shapely.geometry import MultiPolygon, box
from sqlalchemy import select

from server.accounts.models import Site
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.opportunities.pricing import country_of
from server.orders import service
from server.orders.errors import (
    CurrencyFixed,
    IdTaken,
    NeedsCredit,
    NoPrice,
    NotADraft,
    NoTaxRate,
    NothingInIt,
    ProductGone,
    WrongState,
)
from server.orders.models import Kind, Order, State
from server.orders.service import NewLine, NewOrder, OnCurrency
from server.products import service as products
from server.products.queries import Customer
from server.records.revising import ChangedMeanwhile
from server.regions.models import Region, RegionPlace

NOBODY = UUID("01990000-0000-7000-8000-000000000000")


@pytest.fixture
def coffee(make_product: Any) -> Any:
    return make_product("P-1", "Coffee", "12.50", ean="4006381333931")


@pytest.fixture
def hers(scope: Any, rita: Any) -> Any:
    return scope(rita)


def begin(session: Any, scope: Any, account: Any, kind: Kind = Kind.ORDER, **quantities: str) -> Order:
    lines = [NewLine(code=code.replace("_", "-"), fields={"quantity": much}) for code, much in quantities.items()]
    return service.draft(session, scope, NewOrder(account.id, kind, lines))


def lines(session: Any, order: Order) -> list[Any]:
    from server.orders.queries import lines_of

    return lines_of(session, order.id)


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    client = client_for(None)
    for path in ("orders", "orders/export.csv", f"orders/{NOBODY}", f"orders/{NOBODY}/document.pdf"):
        assert client.get(f"/api/v1/{path}").status_code == 401
    assert client.post("/api/v1/orders", json={"account_id": str(NOBODY)}).status_code == 401


def test_somebody_elses_order_does_not_exist(
    session: Any, client_for: Any, otto: Any, hers: Any, amann: Any, coffee: Any
) -> None:
    order = begin(session, hers, amann, P_1="2")
    client = client_for(otto)
    assert client.get("/api/v1/orders").json()["items"] == []
    assert client.get(f"/api/v1/orders/{order.id}").status_code == 404
    assert client.post(f"/api/v1/orders/{order.id}/place", headers={"If-Match": '"9"'}).status_code == 404
    assert client.post("/api/v1/orders", json={"account_id": str(amann.id)}).status_code == 404


def test_an_order_is_priced_taxed_and_placed(session: Any, client_for: Any, rita: Any, amann: Any, coffee: Any) -> None:
    client = client_for(rita)
    body = {"account_id": str(amann.id), "lines": [{"code": "4006381333931", "quantity": "3"}]}
    made = client.post("/api/v1/orders", json=body)
    assert made.status_code == 201, made.text
    order = made.json()
    assert (order["state"], order["number"], order["currency"], order["country"]) == ("draft", None, "CHF", "LI")
    assert (order["net"], order["tax"], order["gross"]) == ("37.50", "3.04", "40.54")
    assert order["lines"][0]["price_reason"] == "list Retail"
    placed = client.post(f"/api/v1/orders/{order['id']}/place", headers={"If-Match": made.headers["etag"]}).json()
    assert placed["state"] == "placed"
    assert placed["number"] == f"O-{placed['day'][:4]}-00001"


@pytest.mark.usefixtures("coffee")
@pytest.mark.parametrize(
    ("site", "of_the_map", "taxed_in"),
    [("Liechtenstein", [], "LI"), ("", ["LI"], "LI"), ("", ["LI", "CH"], ""), ("CH", ["LI"], "CH")],
)
def test_an_order_without_a_country_is_taxed_as_the_map_says(
    session: Any, hers: Any, west: Any, make_account: Any, site: str, of_the_map: list[str], taxed_in: str
) -> None:
    facts = {"sha256": "0" * 64, "version": 1, "state": "ready", "source": "test", "licence": "ODbL", "attribution": []}
    session.add_all(Region(name=one, country=one, **facts) for one in of_the_map)
    session.flush()
    bare = make_account("Bare", (9.2, 47.1), country=site, city="Vaduz", account_class="A")
    assert begin(session, hers, bare, P_1="1").country == taxed_in


@pytest.mark.usefixtures("coffee", "west")
def test_where_the_map_shows_several_countries_the_ground_under_the_pin_says_which(
    session: Any, hers: Any, make_account: Any
) -> None:
    facts = {"sha256": "0" * 64, "version": 1, "source": "test", "licence": "ODbL", "attribution": []}
    places = {"names": {}, "admin_level": 2, "postcode": "", "point": "SRID=4326;POINT(9 47)", "kind": "country"}
    for state, country, west in (("ready", "LI", 9.1), ("ready", "CH", 8.0), ("building", "AT", 9.1)):
        region = Region(name=country, country="", state=state, **facts)
        session.add(region)
        session.flush()
        area = f"SRID=4326;{MultiPolygon([box(west, 47.0, west + 1, 47.2)]).wkt}"
        session.add(
            RegionPlace(region_id=region.id, source_id="r1", name=country, country=country, area=area, **places)
        )
    session.flush()
    bare = make_account("Bare", (9.2, 47.1), country="", city="Vaduz", account_class="A")
    assert begin(session, hers, bare, P_1="1").country == "LI"
    (main,) = session.scalars(select(Site).where(Site.account_id == bare.id))
    main.country = "AT"
    session.flush()
    branch = Site(account_id=bare.id, is_main=False, city="Buchs", pin="SRID=4326;POINT(8.5 47.1)", uncertainty_m=500)
    session.add(branch)
    session.flush()
    assert country_of(session, bare.id, branch.id) == "CH", "its pin says more than the main site's address"
    branch.uncertainty_m = 60_000
    session.flush()
    assert country_of(session, bare.id, branch.id) == "AT", "the pin may lie beyond the border"


def test_the_same_id_twice_is_one_order(session: Any, hers: Any, scope: Any, ada: Any, amann: Any, coffee: Any) -> None:
    new = NewOrder(amann.id, lines=[NewLine(code="P-1", fields={"quantity": "2"})], id=uuid7())
    first = service.draft(session, hers, new)
    assert service.draft(session, hers, new) is first
    assert len(lines(session, first)) == 1
    with pytest.raises(IdTaken):
        service.draft(session, hers, NewOrder(amann.id, Kind.QUOTE, id=new.id))


def test_numbers_have_no_gaps_and_drafts_take_none(session: Any, hers: Any, amann: Any, coffee: Any) -> None:
    orders = [begin(session, hers, amann, P_1="1") for _ in range(4)]
    service.delete(session, hers, orders[1].id, orders[1].rev)
    quote = begin(session, hers, amann, Kind.QUOTE, P_1="1")
    placed = [service.place(session, hers, order.id).number for order in (orders[3], orders[0], orders[2])]
    assert [number[-5:] for number in placed if number] == ["00001", "00002", "00003"]
    assert service.place(session, hers, orders[0].id).number == placed[1], "placing twice places once"
    sent = service.place(session, hers, quote.id)
    assert (sent.number or "").startswith("Q-")
    assert (sent.number or "").endswith("-00001")


def test_what_cannot_be_placed_is_refused_with_the_way_out(
    session: Any, hers: Any, amann: Any, make_product: Any, retail: Any
) -> None:
    empty = begin(session, hers, amann)
    with pytest.raises(NothingInIt):
        service.place(session, hers, empty.id)
    untaxed = make_product("P-2", "Tea", "5", tax_class_id=None)
    service.add_line(session, hers, empty.id, NewLine(untaxed.id))
    with pytest.raises(NoTaxRate, match="Tea"):
        service.place(session, hers, empty.id)
    assert empty.number is None


def test_quantities_follow_least_and_step(session: Any, hers: Any, amann: Any, make_product: Any) -> None:
    make_product("P-2", "Eggs", "0.60", min_quantity="12", quantity_step="6")
    for wrong in ("6", "13", "12.5"):
        with pytest.raises(Invalid, match="cannot be ordered") as refused:
            begin(session, hers, amann, P_2=wrong)
        assert "At least 12, in steps of 6" in refused.value.help
    assert begin(session, hers, amann, P_2="18").net == Decimal("10.80")


def test_a_product_that_is_gone_names_its_successor(session: Any, hers: Any, amann: Any, make_product: Any) -> None:
    new = make_product("P-2", "New", "5")
    make_product("P-3", "Old", "5", is_active=False, successor_id=new.id)
    with pytest.raises(ProductGone, match="sold no more") as refused:
        begin(session, hers, amann, P_3="1")
    assert "New" in refused.value.help
    with pytest.raises(NotFound, match="no number and no barcode"):
        begin(session, hers, amann, P_9="1")


def test_a_price_that_no_list_knows_is_set_by_hand_or_refused(
    session: Any, hers: Any, amann: Any, make_product: Any
) -> None:
    make_product("P-2", "Rare")
    with pytest.raises(NoPrice, match="CHF"):
        service.draft(session, hers, NewOrder(amann.id, lines=[NewLine(code="P-2")], currency="CHF"))
    by_hand = NewLine(code="P-2", fields={"unit_price": "99.95", "discount_percent": "10"})
    order = service.draft(session, hers, NewOrder(amann.id, lines=[by_hand], currency="CHF"))
    (line,) = lines(session, order)
    assert (line.amount, line.by_hand, line.price_reason[0]["kind"]) == (Decimal("89.96"), True, "hand")


def test_a_currency_is_fixed_once_lines_exist_unless_they_are_priced_anew(
    session: Any, hers: Any, amann: Any, coffee: Any
) -> None:
    order = begin(session, hers, amann, P_1="2")
    with pytest.raises(CurrencyFixed, match="priced in CHF"):
        service.change_currency(session, hers, order.id, "EUR", OnCurrency.REFUSE)
    with pytest.raises(NoPrice, match="EUR"), session.begin_nested():
        service.change_currency(session, hers, order.id, "EUR", OnCurrency.REPRICE)
    session.refresh(order)
    assert order.currency == "CHF"
    euros = products.create_list(session, {"name": "Export", "currency": "EUR"})
    products.use_list(session, euros.id, [Customer()])
    products.set_price(session, euros.id, coffee.id, "13")
    service.change_currency(session, hers, order.id, "EUR", OnCurrency.REPRICE)
    assert (order.currency, order.net) == ("EUR", 26)
    service.add_line(session, hers, order.id, NewLine(fields={"text": "Delivery", "unit_price": "9"}))
    with pytest.raises(CurrencyFixed, match="Delivery"):
        service.change_currency(session, hers, order.id, "CHF", OnCurrency.REPRICE)


def test_what_has_left_the_house_stays_as_it_is(session: Any, hers: Any, amann: Any, coffee: Any) -> None:
    order = service.place(session, hers, begin(session, hers, amann, P_1="2").id)
    (line,) = lines(session, order)
    with pytest.raises(NotADraft):
        service.change_line(session, hers, order.id, line.id, line.rev, {"quantity": "3"})
    with pytest.raises(NotADraft, match="day cannot change"):
        service.edit(session, hers, order.id, order.rev, {"day": "2030-01-01"})
    service.edit(session, hers, order.id, order.rev, {"internal_note": "Pays late"})
    with pytest.raises(WrongState):
        service.delete(session, hers, order.id, order.rev)
    products.set_price(session, list_of(session), coffee.id, "99")
    session.refresh(line)
    assert line.unit_price == Decimal("12.5")
    copy = service.copy(session, hers, order.id)
    assert (copy.state, copy.number, copy.net) == ("draft", None, 198)


def list_of(session: Any) -> UUID:
    from server.products.queries import price_lists

    return price_lists(session)[0].id


def test_two_people_change_different_lines_and_fields_and_both_win(
    session: Any, hers: Any, scope: Any, ada: Any, amann: Any, coffee: Any, make_product: Any
) -> None:
    make_product("P-2", "Tea", "5")
    order = begin(session, hers, amann, P_1="2", P_2="1")
    first, second = lines(session, order)
    base = (order.rev, first.rev, second.rev)
    service.change_line(session, hers, order.id, first.id, base[1], {"quantity": "4"})
    service.change_line(session, scope(ada), order.id, second.id, base[2], {"quantity": "3"})
    service.edit(session, hers, order.id, base[0], {"reference": "PO 7"})
    service.edit(session, scope(ada), order.id, base[0], {"note": "Ring twice"})
    assert (order.net, order.reference, order.note) == (65, "PO 7", "Ring twice")
    with pytest.raises(ChangedMeanwhile) as refused:
        service.edit(session, scope(ada), order.id, base[0], {"reference": "PO 8"})
    assert refused.value.details["conflicts"][0]["stored"] == "PO 7"
    with pytest.raises(ChangedMeanwhile):
        service.place(session, hers, order.id, base[0])


def test_a_quote_becomes_an_order_and_both_stay(session: Any, hers: Any, amann: Any, coffee: Any) -> None:
    quote = service.place(session, hers, begin(session, hers, amann, Kind.QUOTE, P_1="2").id)
    order = service.order_from(session, hers, quote.id)
    assert (quote.state, order.kind, order.quote_id, order.net) == ("accepted", "order", quote.id, quote.net)
    assert service.order_from(session, hers, quote.id) is order
    service.place(session, hers, order.id)
    assert len(session.scalars(select(Order)).all()) == 2


def test_a_quote_expires_after_its_last_day(session: Any, hers: Any, amann: Any, coffee: Any) -> None:
    quote = service.place(session, hers, begin(session, hers, amann, Kind.QUOTE, P_1="2").id)
    last: Any = quote.valid_until
    assert service.expire(session, last) == 0
    assert service.expire(session, last + timedelta(days=1)) == 1
    assert quote.state == State.EXPIRED
    with pytest.raises(WrongState, match="expired"):
        service.accept(session, hers, quote.id)
    assert service.decline(session, hers, quote.id, "too dear").reason == "too dear"


def test_goods_arrive_in_parts_and_never_more_than_ordered(session: Any, hers: Any, amann: Any, coffee: Any) -> None:
    order = service.place(session, hers, begin(session, hers, amann, P_1="10").id)
    (line,) = lines(session, order)
    service.deliver(session, hers, order.id, {line.id: Decimal(4)})
    assert order.state == State.PARTLY_DELIVERED
    with pytest.raises(Invalid, match="7 pc cannot be delivered") as refused:
        service.deliver(session, hers, order.id, {line.id: Decimal(7)})
    assert refused.value.help == "6 of 10 are open."
    service.deliver(session, hers, order.id)
    assert (order.state, line.delivered) == (State.DELIVERED, 10)
    with pytest.raises(WrongState):
        service.cancel(session, hers, order.id, None)


def test_negative_quantities_are_a_credit_note_for_a_line(session: Any, hers: Any, amann: Any, coffee: Any) -> None:
    with pytest.raises(NeedsCredit, match="cannot be sold"):
        begin(session, hers, amann, P_1="-2")
    order = service.place(session, hers, begin(session, hers, amann, P_1="10").id)
    (line,) = lines(session, order)
    note = service.credit(session, hers, order.id, {line.id: Decimal(4)}, "broken")
    assert (note.net, note.gross) == (Decimal(-50), Decimal("-54.05"))
    with pytest.raises(NeedsCredit, match="6 are left"), session.begin_nested():
        service.credit(session, hers, order.id, {line.id: Decimal(7)})
    (back,) = lines(session, note)
    with pytest.raises(NeedsCredit, match="10 are left"), session.begin_nested():
        service.change_line(session, hers, note.id, back.id, back.rev, {"quantity": "-11"})
    assert service.place(session, hers, note.id).number == f"C-{note.day.year}-00001"
    assert order.state == State.PLACED
    service.place(session, hers, service.credit(session, hers, order.id).id)
    assert order.state == State.CREDITED
    with pytest.raises(WrongState):
        service.credit(session, hers, order.id)


def test_an_export_holds_no_formula(session: Any, client_for: Any, rita: Any, hers: Any, amann: Any) -> None:
    line = NewLine(fields={"text": '=HYPERLINK("http://evil.example")', "unit_price": "1"})
    service.draft(session, hers, NewOrder(amann.id, lines=[line], currency="CHF"))
    content = client_for(rita).get("/api/v1/orders/export.csv").content.decode("utf-8-sig")
    assert "'=HYPERLINK" in content
    assert client_for(rita).get("/api/v1/orders/export.xlsx").content.startswith(b"PK")


def test_orders_are_filtered_sorted_and_paged(
    session: Any, client_for: Any, rita: Any, hers: Any, amann: Any, coffee: Any
) -> None:
    for much in ("1", "5", "3"):
        begin(session, hers, amann, P_1=much)
    client = client_for(rita)
    query = {"filter": "product = P-1 and net > 20", "sort": "-gross", "limit": 1}
    first = client.get("/api/v1/orders", params=query).json()
    assert (first["total"], first["items"][0]["net"]) == (2, "62.50")
    second = client.get("/api/v1/orders", params=query | {"cursor": first["next_cursor"]}).json()
    assert (second["items"][0]["net"], second["next_cursor"]) == ("37.50", None)
    assert client.get("/api/v1/orders", params={"q": "amann"}).json()["total"] == 3


def test_what_is_taken_back_twice_is_refused_even_from_the_bin(
    session: Any, hers: Any, amann: Any, coffee: Any
) -> None:
    order = service.place(session, hers, begin(session, hers, amann, P_1="4").id)
    first = service.credit(session, hers, order.id)
    service.delete(session, hers, first.id, first.rev)
    second = service.place(session, hers, service.credit(session, hers, order.id).id)
    assert (second.gross, order.state) == (-order.gross, State.CREDITED)
    with pytest.raises((NeedsCredit, WrongState)), session.begin_nested():
        service.restore(session, hers, first.id)
    half = service.place(session, hers, begin(session, hers, amann, P_1="4").id)
    much = {lines(session, half)[0].id: Decimal(3)}
    third = service.credit(session, hers, half.id, much)
    service.delete(session, hers, third.id, third.rev)
    service.place(session, hers, service.credit(session, hers, half.id, much).id)
    with pytest.raises(NeedsCredit, match="6 pc would be taken back of 4"), session.begin_nested():
        service.restore(session, hers, third.id)


def test_a_credit_note_that_is_only_a_draft_credits_nothing_yet(
    session: Any, hers: Any, amann: Any, coffee: Any
) -> None:
    order = service.place(session, hers, begin(session, hers, amann, P_1="4").id)
    much = {lines(session, order)[0].id: Decimal(2)}
    first, second = (service.credit(session, hers, order.id, much) for _ in range(2))
    service.place(session, hers, first.id)
    session.refresh(order)
    assert order.state == State.PLACED
    service.place(session, hers, second.id)
    session.refresh(order)
    assert order.state == State.CREDITED
