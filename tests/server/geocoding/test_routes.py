"""The JSON API of geocoding."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.regions.models import Region

Clients = Callable[[User | None], TestClient]


@pytest.mark.parametrize("path", ["/api/v1/geocode?query=x", "/api/v1/reverse?lon=1&lat=2"])
def test_nobody_is_refused(client_for: Clients, path: str) -> None:
    assert client_for(None).get(path).status_code == 401


def test_a_rep_may_ask(client_for: Clients, make_user: Callable[..., User], region: Region) -> None:
    rep = client_for(make_user("rita", Role.REP))
    assert rep.get("/api/v1/geocode", params={"query": "Nowhere 1"}).status_code == 200


def test_a_batch_is_answered_in_order_with_its_sources(
    client_for: Clients, make_user: Callable[..., User], session: Session, region: Region
) -> None:
    client = client_for(make_user())
    rows = session.execute(
        text("select street, number, postcode, city from region_address where postcode <> '' order by id limit 3")
    ).all()
    items = [{"street": f"{r.street} {r.number}", "postcode": r.postcode, "city": r.city} for r in rows]
    answer = client.post("/api/v1/geocode", json={"items": [*items, {"query": "Plutoniumquarzgasse 9"}]})
    assert answer.status_code == 200
    body = answer.json()
    assert [a["number"] for a in body["items"][:3]] == [r.number for r in rows]
    assert all(a["grade"] == "rooftop" and a["confidence"] >= 0.8 for a in body["items"][:3])
    assert body["items"][3]["confidence"] < 0.8
    assert body["attribution"] == region.attribution


def test_a_point_outside_the_world_is_refused(
    client_for: Clients, make_user: Callable[..., User], region: Region
) -> None:
    answer = client_for(make_user()).get("/api/v1/reverse", params={"lon": 9, "lat": 147})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Lat: 90 or less is needed."


def test_without_any_region_the_answer_says_what_to_do(client_for: Clients, make_user: Callable[..., User]) -> None:
    answer = client_for(make_user()).get("/api/v1/geocode", params={"query": "Landstrasse 1"})
    assert answer.status_code == 503
    assert "waymark region add" in answer.json()["help"]
