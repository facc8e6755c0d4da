"""Filters that ask of other rooms' rows find the same accounts in each way of asking."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Text, cast, update
from sqlalchemy.orm import Session

from server.kit.filtering import guard, judging, sampling
from server.orders.models import Order

FILTERS = (
    "orders.sum(amount) over 24 months > 150 and status = prospect",
    "orders.sum(amount) <= 150",
    "orders.max(amount) != 100",
    "order.currency is empty",
    "order with (amount > 50)",
    "not (orders.count() >= 1) and status = prospect",
    "orders.count() = 0 or orders.count() > 1",
)


@pytest.fixture
def four(session: Session, admin_client: TestClient, make_account: Any) -> list[str]:
    """Two orders at Amann (one came with Bertsch, merged into it), one at Cech, none at Dosch."""
    ids = [str(make_account(name, at=(9.2, 47.2)).id) for name in ("Amann", "Bertsch", "Cech", "Dosch")]
    for one in ids[:3]:
        body = {"account_id": one, "lines": [{"text": "Oven", "quantity": "1", "unit_price": "100"}]}
        assert admin_client.post("/api/v1/orders", json=body).status_code == 201
    session.execute(update(Order).values(state="placed", number=cast(Order.id, Text)))
    merged = admin_client.post(f"/api/v1/accounts/{ids[0]}/merge", json={"loser_id": ids[1]})
    assert merged.status_code == 201, merged.text
    return ids


def names(client: TestClient, filter: str, **more: Any) -> tuple[int, list[str]]:
    """How many a filter finds, and their names page by page."""
    asked: dict[str, Any] = {"filter": filter, "limit": 2, **more}
    found: list[str] = []
    while True:
        page = client.get("/api/v1/accounts", params=asked).json()
        found += [row["name"] for row in page["items"]]
        if not page["next_cursor"]:
            return page["total"], found
        asked["cursor"] = page["next_cursor"]


@pytest.mark.usefixtures("four")
def test_each_way_of_asking_finds_the_same(admin_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {filter: names(admin_client, filter) for filter in FILTERS}
    assert plain[FILTERS[0]] == (1, ["Amann"])
    assert plain[FILTERS[-1]] == (2, ["Amann", "Dosch"])
    monkeypatch.setattr(guard, "DEAR_COST", 0.0)
    assert {filter: names(admin_client, filter) for filter in FILTERS} == plain, "one by one"
    monkeypatch.setattr(judging, "FEW_CANDIDATES", 0)
    assert {filter: names(admin_client, filter) for filter in FILTERS} == plain, "all at once, their ids kept"
    monkeypatch.setattr(sampling, "ENOUGH", 0)
    about = {filter: names(admin_client, filter) for filter in FILTERS}
    assert {filter: found for filter, (_, found) in about.items()} == {
        filter: rows for filter, (_, rows) in plain.items()
    }
    assert {filter: names(admin_client, filter, exact=True) for filter in FILTERS} == plain


@pytest.mark.usefixtures("four")
def test_a_sampled_list_says_about_and_counts_exactly_on_a_click(
    admin_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where, name in ((guard, "DEAR_COST"), (judging, "FEW_CANDIDATES"), (sampling, "ENOUGH")):
        monkeypatch.setattr(where, name, 0)
    asked = {"filter": "orders.count() > 0"}
    assert admin_client.get("/api/v1/accounts", params=asked).json()["total_is_estimated"] is True
    page = admin_client.get("/accounts", params=asked, headers={"accept": "text/html"}).text
    assert "of about" in page
    assert "exact=1" in page
    page = admin_client.get("/accounts", params={**asked, "exact": "1"}, headers={"accept": "text/html"}).text
    assert "1–2 of 2" in page
