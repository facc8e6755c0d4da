"""Where orders meet other rooms: the filter language, the timeline, deals."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from server.kit.errors import Invalid
from server.kit.ids import uuid7
from server.opportunities.rates import set_rate
from server.orders import service
from server.orders.dealing import begun_from
from server.orders.models import Kind
from server.orders.queries import lines_of
from server.orders.schemas import reason_of
from server.orders.service import NewLine, NewOrder
from server.timeline import sources


@pytest.fixture
def sold(session: Any, scope: Any, rita: Any, amann: Any, make_product: Any) -> Any:
    make_product("P-1", "Coffee", "12.50")
    hers = scope(rita)
    new = NewOrder(amann.id, lines=[NewLine(code="P-1", fields={"quantity": "500"})])
    return service.place(session, hers, service.draft(session, hers, new).id)


def test_accounts_are_filtered_by_what_they_ordered(
    session: Any, client_for: Any, rita: Any, make_account: Any, sold: Any
) -> None:
    set_rate(session, "CHF", date(2020, 1, 1), "1")
    make_account("Beck", (9.21, 47.1))
    client = client_for(rita)

    def found(filter: str) -> list[str]:
        answer = client.get("/api/v1/accounts", params={"filter": filter})
        assert answer.status_code == 200, answer.text
        return [one["name"] for one in answer.json()["items"]]

    assert found("orders.sum(amount) over 24 months > 5000") == ["Amann"]
    assert found("order.product = P-1") == ["Amann"]
    assert found("orders.sum(amount) over 24 months > 7000") == []


def test_the_timeline_tells_of_orders() -> None:
    assert any(source.permission == "orders:read" and "quote" in source.kinds for source in sources.SOURCES)


def test_a_quote_of_a_deal_has_its_lines(session: Any, scope: Any, ada: Any, amann: Any, make_product: Any) -> None:
    from server.opportunities.models import Opportunity, OpportunityLine, Pipeline, Stage

    product, his = make_product("P-2", "Machine", "3890"), scope(ada)
    pipeline = Pipeline(name="Sales")
    session.add(pipeline)
    session.flush()
    stage = Stage(pipeline_id=pipeline.id, name="Talk", position=1, probability=Decimal("0.5"), category="pipeline")
    session.add(stage)
    session.flush()
    deal = Opportunity(
        name="Bar", account_id=amann.id, pipeline_id=pipeline.id, stage_id=stage.id, close_on=date(2030, 1, 1),
        currency="CHF",
    )  # fmt: skip
    session.add(deal)
    session.flush()
    session.add(
        OpportunityLine(
            opportunity_id=deal.id, position=1, product_id=product.id, name="Machine", quantity=2, unit_price=3500,
            discount=Decimal("0.1"),
        )
    )  # fmt: skip
    session.flush()
    quote = service.draft(session, his, begun_from(session, his, deal.id, Kind.QUOTE))
    (line,) = lines_of(session, quote.id)
    assert (quote.opportunity_id, quote.net, line.by_hand) == (deal.id, 6300, True)
    assert reason_of(line) == "agreed in the deal"
    changed = service.change_line(session, his, quote.id, line.id, line.rev, {"unit_price": "3400"})
    assert reason_of(changed) == "set by hand"
    session.execute(update(OpportunityLine).values(unit_price=3890))
    listed = service.draft(session, his, begun_from(session, his, deal.id, Kind.QUOTE))
    (line,) = lines_of(session, listed.id)
    assert (listed.net, line.by_hand) == (7002, False)
    assert reason_of(line).startswith("list ")
    with pytest.raises(Invalid, match="no such deal"):
        service.draft(session, his, NewOrder(amann.id, fields={"opportunity_id": uuid7()}))
