"""Territories change, accounts follow in the same transaction."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.auth.models import Role, User
from server.kit import clock
from server.kit.settings import settings
from server.leads.models import LeadSource
from server.leads.taking import NewLead, take_in

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
    lead = take_in(session, NewLead({"company": "Beck"}, LeadSource.API, at=LonLat(9.5, 47.5))).lead
    client = client_for(make_user())
    north = client.post("/api/v1/territories", json={"name": "North", "area": square(9)}).json()
    session.refresh(lead)
    assert str(lead.territory_id) == north["id"]
    assert client.delete(f"/api/v1/territories/{north['id']}").status_code == 204
    session.refresh(lead)
    assert lead.territory_id is None


def test_a_change_of_people_is_previewed_has_a_reason_and_is_undone_exactly(
    session: Session, client_for: ClientFor, make_user: MakeUser
) -> None:
    rita, otto = make_user("rita", Role.REP), make_user("otto", Role.REP)
    account_at(session, LonLat(9.5, 47.5)).owner_id = rita.id
    client = client_for(make_user())
    north = client.post("/api/v1/territories", json={"name": "North", "area": square(9), "members": [str(rita.id)]})
    today = clock.today(settings().zone)
    first, end = (today + timedelta(days=days) for days in (10, 17))
    wish = {
        "kind": "members", "territory_id": north.json()["id"], "rev": north.json()["rev"], "members": [str(otto.id)],
        "valid_from": first.isoformat(), "valid_to": end.isoformat(),
    }  # fmt: skip
    path = f"/api/v1/territories/{north.json()['id']}/members"
    before = client.get(path).json()
    seen = client.post("/api/v1/territory-changes", json={"operation": wish, "preview": True}).json()
    assert client.get(path).json() == before
    leaving = next(one for one in seen["effects"]["people"] if one["name"] == "Rita")
    assert (leaving["accounts"], leaving["owned"]) == (1, 1)
    assert [one["valid_from"] for one in leaving["after"]] == [today.isoformat(), end.isoformat()]
    made = client.post("/api/v1/territory-changes", json={"operation": wish, "why": "Holidays"}).json()
    line = client.get("/api/v1/territory-changes").json()["items"][0]
    assert (line["kind"], line["why"], {one["name"] for one in line["people"]}) == (
        "members", "Holidays", {"Otto", "Rita"},
    )  # fmt: skip
    assert client.post(f"/api/v1/territory-changes/{made['id']}/undo").status_code == 204
    assert client.get(path).json() == before


def test_the_second_of_two_managers_is_told_both_versions_and_can_apply_theirs(
    client_for: ClientFor, make_user: MakeUser
) -> None:
    rita, otto = make_user("rita", Role.REP), make_user("otto", Role.REP)
    client = client_for(make_user())
    north = client.post("/api/v1/territories", json={"name": "North", "area": square(9)}).json()
    path = f"/api/v1/territories/{north['id']}/members"
    assert client.put(path, json={"members": [str(rita.id)], "rev": north["rev"]}).status_code == 204
    drawn = {"operation": {"kind": "reshape", "territory_id": north["id"], "area": square(9.2), "rev": north["rev"]}}
    assert client.post("/api/v1/territory-changes", json=drawn).status_code == 201  # people are no part of an outline
    assert client.post("/api/v1/territory-changes", json=drawn).status_code == 412
    late = client.put(path, json={"members": [str(otto.id)], "rev": north["rev"]})
    assert (late.status_code, "changed “North” after you opened it" in late.json()["detail"]) == (412, True)
    for_people = {"Accept-Language": "de", "X-CSRF-Token": "of a page's script"}
    german = client.put(path, json={"members": [str(otto.id)], "rev": north["rev"]}, headers=for_people)
    assert "hat «North» geändert, nachdem" in german.json()["detail"]
    both = {one["name"]: (len(one["before"]), len(one["after"])) for one in late.json()["people"]}
    assert both == {"Otto": (0, 1), "Rita": (1, 0)}
    again = {"operation": {"kind": "kept", "change_id": late.json()["change_id"]}}
    assert client.post("/api/v1/territory-changes", json=again).status_code == 201
    assert [one["name"] for one in client.get("/api/v1/territories").json()["items"][0]["members"]] == ["Otto"]
    wrong = client.put(path, json={"members": [], "valid_to": clock.today(settings().zone).isoformat()})
    assert (wrong.status_code, wrong.json()["detail"]) == (422, "The last day lies before the first.")


def test_a_late_change_of_people_is_asked_for_once_more_on_what_is_there(
    client_for: ClientFor, make_user: MakeUser
) -> None:
    """Laid over it, it took back days that others had set since, and brought a territory back without its accounts."""
    rita, otto = make_user("rita", Role.REP), make_user("otto", Role.REP)
    client, today = client_for(make_user()), clock.today(settings().zone)
    north = client.post("/api/v1/territories", json={"name": "North", "area": square(9)}).json()
    path, changes = f"/api/v1/territories/{north['id']}/members", "/api/v1/territory-changes"
    never = {"members": [str(otto.id)], "valid_from": "9999-01-01", "rev": north["rev"]}
    refused = client.put(f"/api/v1/territories/{north['id']}/members", json=never)
    assert (refused.status_code, refused.json()["field"]) == (422, "valid_from")
    later = {"members": [str(otto.id)], "valid_from": (today + timedelta(30)).isoformat(), "rev": north["rev"]}
    assert client.put(path, json={"members": []}).status_code == 204
    late = client.put(path, json=later)
    assert late.status_code == 412
    assert client.put(path, json={"members": [str(rita.id)]}).status_code == 204
    again = {"operation": {"kind": "kept", "change_id": late.json()["change_id"]}}
    assert client.post(changes, json=again).status_code == 201
    assert [one["user_id"] for one in client.get(path).json()["items"]] == [str(rita.id), str(otto.id)]

    gone = client.put(path, json=later | {"members": []})
    assert client.post(changes, json={"operation": {"kind": "delete", "territory_id": north["id"]}}).status_code == 201
    again = {"operation": {"kind": "kept", "change_id": gone.json()["change_id"]}}
    assert client.post(changes, json=again | {"preview": True}).status_code == 404
