"""Segments: saved filters whose members everybody sees as far as their own rights go."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import User
from server.kit import clock
from server.segments import counting
from server.segments.models import SegmentMember

MakeAccount = Callable[..., Account]
ClientFor = Callable[[User | None], TestClient]


@pytest.fixture
def four(make_account: MakeAccount, rita: User, otto: User) -> dict[str, Account]:
    """Two bakers and a garage in the west, a baker in the east."""
    return {
        "Amann": make_account("Amann", at=(9.2, 47.2), account_class="A", tags="baker"),
        "Beck": make_account("Beck", at=(9.21, 47.2), account_class="B", tags="baker"),
        "Garage": make_account("Garage", at=(9.22, 47.2), account_class="A"),
        "Zech": make_account("Zech", at=(9.7, 47.2), account_class="A", tags="baker"),
    }


def saved(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/segments", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def members(client: TestClient, segment: dict[str, Any]) -> int:
    total: int = client.get(f"/api/v1/segments/{segment['id']}/members").json()["total"]
    return total


def names(client: TestClient, filter: str) -> list[str]:
    answer = client.get("/api/v1/accounts", params={"filter": filter})
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def test_strangers_are_turned_away(client_for: ClientFor) -> None:
    assert client_for(None).get("/api/v1/segments").status_code == 401
    assert client_for(None).post("/api/v1/filters", json={"text": "class = A"}).status_code == 401


@pytest.mark.usefixtures("four")
def test_a_private_segment_of_somebody_else_does_not_exist(client_for: ClientFor, rita: User, otto: User) -> None:
    mine = saved(client_for(rita), name="Mine", filter="tag = baker")
    other = client_for(otto)
    assert other.get(f"/api/v1/segments/{mine['id']}").status_code == 404
    assert other.get("/api/v1/segments").json()["items"] == []
    assert other.get("/api/v1/accounts", params={"filter": "in segment Mine"}).status_code == 422


@pytest.mark.usefixtures("four")
def test_list_map_export_and_segment_show_the_same_number(admin_client: TestClient) -> None:
    segment = saved(admin_client, name="Bakers", filter="tag=baker")
    assert segment["filter"] == "tag = baker"
    inside = {"filter": "in segment bakers"}
    assert members(admin_client, segment) == 3
    assert admin_client.get("/api/v1/accounts", params=inside).json()["total"] == 3
    assert len(admin_client.get("/api/v1/accounts/export.csv", params=inside).text.splitlines()) == 1 + 3
    everything = admin_client.get("/tiles/accounts/0/0/0", params={"filter": "tag = baker"}).content
    assert admin_client.get("/tiles/accounts/0/0/0", params=inside).content == everything


@pytest.mark.usefixtures("four")
def test_members_are_cut_by_the_reader_s_own_rights(
    admin_client: TestClient, client_for: ClientFor, otto: User
) -> None:
    segment = saved(admin_client, name="Bakers", filter="tag = baker", sharing="all")
    assert members(client_for(otto), segment) == 1
    assert names(client_for(otto), "in segment Bakers") == ["Zech"]
    assert client_for(otto).patch(f"/api/v1/segments/{segment['id']}", json={"name": "X"}, headers={"If-Match": "1"}
        ).status_code == 404  # fmt: skip


def test_a_static_segment_keeps_its_members(admin_client: TestClient, four: dict[str, Account]) -> None:
    frozen = saved(admin_client, name="Then", filter="tag = baker", is_static=True)
    path = f"/api/v1/segments/{frozen['id']}/members"
    body = {"add": [str(four["Garage"].id)], "remove": [str(four["Amann"].id), str(four["Beck"].id)]}
    assert admin_client.post(path, json=body).json()["count"] == 2
    assert names(admin_client, "in segment Then") == ["Garage", "Zech"]
    moving = saved(admin_client, name="Now", filter="tag = baker")
    refused = admin_client.post(f"/api/v1/segments/{moving['id']}/members", json=body)
    assert refused.status_code == 422
    copy = admin_client.post(f"/api/v1/segments/{moving['id']}/freeze", json={"name": "Copy"}).json()
    assert copy["is_static"] is True
    assert members(admin_client, copy) == 3


@pytest.mark.usefixtures("four")
def test_a_segment_may_use_another_but_never_itself(admin_client: TestClient) -> None:
    bakers = saved(admin_client, name="Bakers", filter="tag = baker")
    saved(admin_client, name="Best", filter='in segment "Bakers" and class = A')
    assert names(admin_client, "in segment best") == ["Amann", "Zech"]
    round_about = admin_client.patch(
        f"/api/v1/segments/{bakers['id']}", json={"filter": "class = A or in segment Best"}, headers={"If-Match": "1"}
    )
    assert round_about.status_code == 422
    assert "contain itself" in round_about.json()["detail"]
    gone = admin_client.delete(f"/api/v1/segments/{bakers['id']}", headers={"If-Match": "1"})
    assert gone.status_code == 409
    assert gone.json()["used_in"] == ["segment “Best”"]


@pytest.mark.usefixtures("four")
def test_two_people_change_different_fields_and_both_win(admin_client: TestClient) -> None:
    segment = saved(admin_client, name="Bakers", filter="tag = baker")
    path, first = f"/api/v1/segments/{segment['id']}", {"If-Match": "1"}
    assert admin_client.patch(path, json={"note": "from one"}, headers=first).status_code == 200
    both = admin_client.patch(path, json={"filter": "tag = baker and class = A"}, headers=first).json()
    assert both["note"] == "from one"
    clash = admin_client.patch(path, json={"note": "from another"}, headers=first)
    assert clash.status_code == 412
    assert clash.json()["conflicts"][0]["stored"] == "from one"


def test_the_night_tells_who_came_in_and_who_left(
    session: Session, admin_client: TestClient, four: dict[str, Account]
) -> None:
    segment = saved(admin_client, name="Bakers", filter="tag = baker")
    path = f"/api/v1/segments/{segment['id']}"
    yesterday = clock.now().date() - timedelta(days=1)
    session.execute(text("update segment_count set day = :day"), {"day": yesterday})
    session.execute(text("update account set tags = '{}' where name = 'Amann'"))
    session.execute(text("update account set tags = '{baker}' where name = 'Garage'"))
    for segment_id in counting.living(session):
        counting.count_one(session, segment_id)
    counts = admin_client.get(f"{path}/history").json()["items"]
    assert [(one["count"], one["entered"], one["gone"]) for one in counts] == [(3, 0, 0), (3, 1, 1)]
    moved = admin_client.get(f"{path}/changes").json()["items"]
    assert [(one["name"], one["entered"]) for one in moved] == [("Garage", True), ("Amann", False)]
    assert session.query(SegmentMember).count() == 3


@pytest.mark.usefixtures("four")
def test_a_segment_that_cannot_be_counted_says_why(session: Session, admin_client: TestClient) -> None:
    saved(admin_client, name="West", filter="in territory West")
    session.execute(text("update territory set name = 'Occident' where name = 'West'"))
    for segment_id in counting.living(session):
        counting.count_one(session, segment_id)
    (row,) = admin_client.get("/api/v1/segments").json()["items"]
    assert "no territory “West”" in row["counted"]["trouble"]


@pytest.mark.usefixtures("four")
def test_a_name_is_taken_once_and_a_wrong_filter_is_not_saved(admin_client: TestClient) -> None:
    saved(admin_client, name="Bakers", filter="tag = baker")
    again = admin_client.post("/api/v1/segments", json={"name": " bakers ", "filter": "class = A"})
    assert (again.status_code, again.json()["code"]) == (409, "segment_name_taken")
    wrong = admin_client.post("/api/v1/segments", json={"name": "Wrong", "filter": "clas = A"})
    assert (wrong.status_code, wrong.json()["position"]) == (422, 0)
    other = admin_client.post("/api/v1/segments", json={"name": "W", "subject": "planet", "filter": "class = A"})
    assert other.status_code == 422


@pytest.mark.usefixtures("four")
def test_a_filter_is_read_for_chips(admin_client: TestClient) -> None:
    good = admin_client.post("/api/v1/filters", json={"text": "class=A and (tag = baker or visits.count()=0)"}).json()
    assert good["text"] == "class = A and (tag = baker or visits.count() = 0)"
    assert good["tree"]["all"][0] == {"text": "class = A", "field": "class", "operator": "=", "values": ["A"]}
    back = admin_client.post("/api/v1/filters", json={"tree": good["tree"]}).json()
    assert back["text"] == good["text"]
    bad = admin_client.post("/api/v1/filters", json={"text": "class = A and cty = x"}).json()
    assert (bad["position"], bad["suggestions"]) == (14, ["city"])
    words = admin_client.get("/api/v1/filters/account").json()
    assert "visits.count()" in [one["name"] for one in words["aggregates"]]
    offered = admin_client.get("/api/v1/filters/account/values", params={"field": "territory", "q": "we"})
    assert offered.json() == ["West"]


@pytest.mark.usefixtures("four")
def test_a_view_keeps_columns_order_and_filter(admin_client: TestClient, client_for: ClientFor, rita: User) -> None:
    body = {"name": "Mine", "columns": ["name", "city"], "sort": "-value", "filter": "class=A", "sharing": "all"}
    view = admin_client.put("/api/v1/views", json=body).json()
    assert admin_client.put("/api/v1/views", json=body | {"columns": ["name"]}).json()["id"] == view["id"]
    (seen,) = client_for(rita).get("/api/v1/views").json()["items"]
    assert (seen["columns"], seen["filter"]) == (["name"], "class = A")
    assert client_for(rita).delete(f"/api/v1/views/{view['id']}").status_code == 404
    assert admin_client.delete(f"/api/v1/views/{view['id']}").status_code == 204


def test_a_view_that_was_changed_since_it_was_read_is_not_replaced_unseen(admin_client: TestClient) -> None:
    body = {"name": "Mine", "filter": "class = A", "columns": ["name"]}
    made = admin_client.put("/api/v1/views", json=body)
    tag = made.headers["etag"]
    assert tag == f'"{made.json()["rev"]}"'
    other = admin_client.put("/api/v1/views", json=body | {"columns": ["city"]}, headers={"If-Match": tag})
    assert (other.status_code, other.headers["etag"] != tag) == (200, True)
    stale = admin_client.put("/api/v1/views", json=body | {"columns": []}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["rev"]) == (412, other.json()["rev"])
    assert "was changed after you read it" in stale.json()["detail"]
    (there,) = admin_client.get("/api/v1/views").json()["items"]
    assert (there["columns"], there["rev"]) == (["city"], other.json()["rev"])
    admin_client.delete(f"/api/v1/views/{there['id']}")
    gone = admin_client.put("/api/v1/views", json=body, headers={"If-Match": other.headers["etag"]})
    assert gone.status_code == 404
    assert admin_client.put("/api/v1/views", json=body).status_code == 200
