"""Territories change, accounts follow in the same transaction."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.auth.models import Role, User
from server.leads import service as leads
from server.leads.models import LeadSource
from server.leads.service import NewLead

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]


def square(west: float) -> dict[str, Any]:
    east = west + 1
    return {"type": "Polygon", "coordinates": [[[west, 47], [east, 47], [east, 48], [west, 48], [west, 47]]]}


def account_at(session: Session, point: LonLat) -> Account:
    account = Account(name="Bakery", currency="EUR")
    session.add(account)
    session.flush()
    session.add(Site(account_id=account.id, is_main=True, pin=wkt(point), pin_state="placed"))
    session.flush()
    return account


def test_strangers_and_reps_change_no_territory(client_for: ClientFor, make_user: MakeUser) -> None:
    body = {"name": "North", "area": square(9)}
    assert client_for(None).post("/api/v1/territories", json=body).status_code == 401
    assert client_for(make_user("rita", Role.REP)).post("/api/v1/territories", json=body).status_code == 403


def test_accounts_follow_the_areas(session: Session, client_for: ClientFor, make_user: MakeUser) -> None:
    account = account_at(session, LonLat(9.5, 47.5))
    client = client_for(make_user())
    north = client.post("/api/v1/territories", json={"name": "North", "area": square(9)}).json()
    session.refresh(account)
    assert str(account.territory_id) == north["id"]
    assert client.patch(f"/api/v1/territories/{north['id']}", json={"area": square(20)}).status_code == 200
    session.refresh(account)
    assert account.territory_id is None


def test_a_rep_of_the_territory_sees_its_accounts_from_that_day_on(
    session: Session, client_for: ClientFor, make_user: MakeUser
) -> None:
    account = account_at(session, LonLat(9.5, 47.5))
    rita = make_user("rita", Role.REP)
    admin = client_for(make_user())
    north = admin.post("/api/v1/territories", json={"name": "North", "area": square(9)}).json()
    assert client_for(rita).get(f"/api/v1/accounts/{account.id}").status_code == 404
    put = admin.put(f"/api/v1/territories/{north['id']}/members", json={"members": [str(rita.id)]})
    assert put.status_code == 204
    assert client_for(rita).get(f"/api/v1/accounts/{account.id}").status_code == 200


def test_a_file_of_areas_is_taken_whole_or_not_at_all(client_for: ClientFor, make_user: MakeUser) -> None:
    import json

    client = client_for(make_user())
    good = {"type": "Feature", "properties": {"name": "East"}, "geometry": square(9)}
    nameless = {"type": "Feature", "properties": {}, "geometry": square(11)}
    both = json.dumps({"type": "FeatureCollection", "features": [good, nameless]})
    refused = client.post("/api/v1/territories/import", files={"file": ("areas.geojson", both)})
    assert refused.status_code == 422
    assert "areas.geojson, feature 2" in refused.json()["detail"]
    assert client.get("/api/v1/territories").json()["items"] == []
    one = json.dumps({"type": "FeatureCollection", "features": [good]})
    assert client.post("/api/v1/territories/import", files={"file": ("areas.geojson", one)}).status_code == 201


def test_open_leads_follow_the_areas(session: Session, client_for: ClientFor, make_user: MakeUser) -> None:
    lead = leads.take_in(session, NewLead({"company": "Beck"}, LeadSource.API, at=LonLat(9.5, 47.5))).lead
    client = client_for(make_user())
    north = client.post("/api/v1/territories", json={"name": "North", "area": square(9)}).json()
    session.refresh(lead)
    assert str(lead.territory_id) == north["id"]
    assert client.delete(f"/api/v1/territories/{north['id']}").status_code == 204
    session.refresh(lead)
    assert lead.territory_id is None
