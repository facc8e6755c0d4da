"""What pages could do and programs could not: following, drafts brought back, holidays, rules, roads, mail."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth import service
from server.auth.models import Role, User
from server.auth.tokens import create_api_token
from server.plans import rules
from server.roads import servers
from server.web.language import LANGUAGES


@pytest.fixture
def admin_client(client_for: Callable[[User], TestClient], make_user: Callable[..., User]) -> TestClient:
    """A program of the admin's."""
    return client_for(make_user("ada", Role.ADMIN))


@pytest.fixture
def rita(make_user: Callable[..., User]) -> User:
    """A rep."""
    return make_user("rita", Role.REP)


def test_an_account_is_followed_and_no_more(admin_client: TestClient, make_account: Any, session: Session) -> None:
    path = f"/api/v1/accounts/{make_account('Amann').id}/follow"
    for follows in (True, False):
        assert admin_client.put(path, json={"follows": follows}).json() == {"follows": follows}
        assert session.scalar(text("select wanted from follow")) is follows
    assert admin_client.put(path.replace("/0", "/1"), json={"follows": True}).status_code == 404


def test_drafts_and_products_come_back(admin_client: TestClient, make_account: Any) -> None:
    body = {"account_id": str(make_account("Amann").id)}
    order = admin_client.post("/api/v1/orders", json=body)
    product = admin_client.post("/api/v1/products", json={"number": "A1", "name": "Oven", "unit": "pc"})
    for made, path in ((order, "/api/v1/orders"), (product, "/api/v1/products")):
        one = f"{path}/{made.json()['id']}"
        assert admin_client.delete(one, headers={"If-Match": f'"{made.json()["rev"]}"'}).status_code == 204
        assert admin_client.get(one).status_code == 404
        assert admin_client.post(f"{one}/restore").status_code == 200
        assert admin_client.get(one).status_code == 200


def test_holidays_and_company_days_are_kept(admin_client: TestClient, rita: Any) -> None:
    main, other = (
        admin_client.post("/api/v1/holiday-calendars", json={"country": country}).json()["id"]
        for country in ("LI", "AT")
    )
    assert admin_client.delete(f"/api/v1/holiday-calendars/{main}").status_code == 409
    assert admin_client.post(f"/api/v1/holiday-calendars/{other}/main").status_code == 204
    own = f"/api/v1/users/{rita.id}/holiday-calendar"
    assert admin_client.put(own, json={"calendar_id": main}).status_code == 204
    assert admin_client.delete(f"/api/v1/holiday-calendars/{main}").status_code == 204
    day = admin_client.put("/api/v1/company-days", json={"day": "2099-05-01", "name": "Outing"}).json()
    assert [one["name"] for one in admin_client.get("/api/v1/company-days").json()["items"]] == ["Outing"]
    assert admin_client.delete(f"/api/v1/company-days/{day['id']}").status_code == 204
    assert admin_client.get("/api/v1/company-days").json()["items"] == []


def test_planning_rules_and_intervals_are_said(admin_client: TestClient, rita: Any) -> None:
    said = admin_client.patch("/api/v1/planning-rules", json={"night_hour": 21}).json()
    assert (said["night_hour"], said["night_days"]) == (21, 5)
    refused = admin_client.patch("/api/v1/planning-rules", json={"night_hour": 24})
    assert (refused.status_code, refused.json()["field"]) == (422, "night_hour")
    body = {"user_id": str(rita.id), "interval_days": 10, "tolerance": 0.1}
    found = admin_client.put("/api/v1/call-intervals/A", json=body).json()["items"]
    assert {(one["user_id"], one["account_class"]) for one in found} >= {(None, "A"), (str(rita.id), "A")}
    assert admin_client.put("/api/v1/call-intervals/D", json=body).status_code == 422


def test_a_change_of_the_rules_writes_only_what_it_names(
    admin_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, given, set_rules = "/api/v1/planning-rules", list[Any](), rules.set_rules

    def noted(session: Session, changes: Any) -> Any:
        given.append(changes)
        return set_rules(session, changes)

    monkeypatch.setattr(rules, "set_rules", noted)
    assert admin_client.patch(path, json={"night_is_on": True}).json()["night_weekdays"] == [4]
    assert given == [{"night_is_on": True}]
    for days in ([], [1, 1], [0, 1, 2, 3, 4, 5, 6, 0]):
        assert admin_client.patch(path, json={"night_weekdays": days}).status_code == 422, days
    assert admin_client.get(path).json()["night_weekdays"] == [4]


def test_somebody_changes_their_own_language_and_nothing_else(admin_client: TestClient) -> None:
    assert admin_client.patch("/api/v1/me", json={"language": "de"}).json()["language"] == "de"
    assert admin_client.patch("/api/v1/me", json={"role": "rep"}).status_code == 422


def test_own_contact_data_are_looked_at(admin_client: TestClient, make_user: Callable[..., User]) -> None:
    make_user("otto", email="otto@example.com")
    for body, status, field in (
        ({"email": "nobody"}, 422, "email"),
        ({"email": "Otto@example.com"}, 409, "email"),
        ({"language": "xx"}, 422, "language"),
        ({"zone": "Mars/Base"}, 422, "zone"),
    ):
        refused = admin_client.patch("/api/v1/me", json=body)
        assert (refused.status_code, refused.json()["field"]) == (status, field), body
    for _ in range(2):
        assert admin_client.patch("/api/v1/me", json={"email": "ada@example.com"}).status_code == 200
    assert admin_client.patch("/api/v1/me", json={"email": None}).json()["email"] is None
    assert set(LANGUAGES) == set(service.LANGUAGES)


def test_a_key_with_some_rights_only_does_not_change_its_owner(
    admin_client: TestClient, rita: User, session: Session
) -> None:
    _, secret = create_api_token(session, rita.id, "reader", ["users:read"], None)
    session.commit()
    key = {"Authorization": f"Bearer {secret}"}
    refused = admin_client.patch("/api/v1/me", json={"email": "evil@example.com"}, headers=key)
    assert (refused.status_code, "does not change its owner" in refused.text) == (403, True)
    assert admin_client.post("/me", data={"email": "evil@example.com"}, headers=key).status_code == 403
    keys = admin_client.post("/me/keys", data={"name": "more", "days": "1"}, headers=key)
    assert (keys.status_code, "wmk_" in keys.text) == (403, False)


def test_roads_are_set_up(admin_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers:
        def matrix(self, _points: object) -> None:
            """A trial that goes well."""

    monkeypatch.setattr(servers, "client", lambda _server: Answers())
    made = admin_client.put("/api/v1/roads/servers/osrm", json={"url": "https://roads.example.com/"}).json()
    assert (made["is_on"], made["url"]) == (True, "https://roads.example.com")
    assert admin_client.delete("/api/v1/roads/servers/osrm").status_code == 204
    assert [one["is_on"] for one in admin_client.get("/api/v1/roads/servers").json()["items"]] == [False]
    assert admin_client.put("/api/v1/roads/servers/none", json={"url": "https://x.example"}).status_code == 404
    assert admin_client.post("/api/v1/roads/joined", json={"names": ["a", "b"]}).status_code == 404
    assert admin_client.delete("/api/v1/roads/joined/none").status_code == 404
    assert admin_client.post(f"/api/v1/roads/graphs/{'0' * 8}-0000-7000-8000-{'0' * 12}/build").status_code == 404
    assert admin_client.post("/api/v1/roads/drive-times/learn").status_code == 202


def test_mail_leaves_through_the_server_that_was_said(admin_client: TestClient) -> None:
    assert admin_client.get("/api/v1/mail-server").status_code == 404
    assert admin_client.post("/api/v1/mail-server/trial", json={"to": "a@example.com"}).status_code == 409
    body = {"host": "mail.example.com", "sender": "waymark@example.com", "username": "way", "password": "mark"}
    assert admin_client.put("/api/v1/mail-server", json=body).json()["has_password"] is True
    sent = admin_client.post("/api/v1/mail-server/trial", json={"to": "a@example.com"}).json()
    assert [one["id"] for one in admin_client.get("/api/v1/outbox").json()["items"]] == [sent["id"]]
    assert admin_client.post(f"/api/v1/outbox/{sent['id']}/again").status_code == 409, "it is on its way"


def test_a_clash_of_somebody_else_is_not_settled(admin_client: TestClient) -> None:
    assert admin_client.get("/api/v1/calendar-link/clashes").json()["items"] == []
    path = f"/api/v1/calendar-link/clashes/{'0' * 8}-0000-7000-8000-{'0' * 12}/decision"
    assert admin_client.post(path, json={"take": "ours"}).status_code == 404
