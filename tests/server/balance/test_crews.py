"""Who works a territory when it is made, merged, taken away or read from a file."""

import json
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Role, User
from server.kit import clock
from server.kit.settings import settings
from tests.server.balance.conftest import CHANGES, ClientFor, MakeUser, do, drawn, named, square


def test_who_loses_a_territory_is_named_and_a_rep_who_left_is_marked(
    session: Session, client: TestClient, make_user: MakeUser
) -> None:
    north, south = drawn(client, "North", square(9)), drawn(client, "South", square(10))
    rita = make_user("rita", Role.REP)
    client.put(f"/api/v1/territories/{south['id']}/members", json={"members": [str(rita.id)]})
    rita.active = False
    session.flush()
    members = client.get(f"/api/v1/territories/{south['id']}/members").json()["items"]
    assert [(one["name"], one["has_left"]) for one in members] == [("Rita", True)]
    seen = do(client, {"kind": "merge", "territory_ids": [north["id"], south["id"]]}, preview=True)
    assert seen["notes"] == ["Nobody will work “North” then."], "who left does not come along"
    assert do(client, {"kind": "delete", "territory_id": south["id"]}, preview=True)["notes"] == [
        "Rita works “South”, which goes: find another territory for them."
    ]


def test_the_people_of_merged_territories_all_work_the_one_that_is_left(
    client: TestClient, make_user: MakeUser
) -> None:
    rita, otto = make_user("rita", Role.REP), make_user("otto", Role.REP)
    today = clock.today(settings().zone)
    north = drawn(client, "North", square(9))
    do(client, {"kind": "create", "name": "South", "area": square(10), "members": [str(rita.id)]})
    south = named(client, "South")
    later, monday = today + timedelta(days=30), today + timedelta(days=7)
    staff = {"kind": "members", "territory_id": south["id"], "members": [str(otto.id)], "valid_from": later.isoformat()}
    do(client, staff)

    def crew(territory: dict[str, Any]) -> list[tuple[str, str, str | None]]:
        rows = client.get(f"/api/v1/territories/{territory['id']}/members").json()["items"]
        return [(one["name"], one["valid_from"], one["valid_to"]) for one in rows]

    revs = {one["id"]: named(client, one["name"])["rev"] for one in (north, south)}
    wish = {"kind": "merge", "territory_ids": [north["id"], south["id"]], "revs": revs}
    seen = do(client, wish, preview=True, apply_on=monday.isoformat())
    assert seen["notes"] == ["These people will work “North”: Otto, Rita."]
    assert {one["name"]: one["after"][0]["valid_from"] for one in seen["effects"]["people"]} == {
        "Rita": monday.isoformat(), "Otto": later.isoformat(),
    }  # fmt: skip
    assert crew(north) == []
    made = do(client, wish)
    both = [("Rita", today.isoformat(), later.isoformat()), ("Otto", later.isoformat(), None)]
    assert crew(north) == both
    assert client.post(f"{CHANGES}/{made['id']}/undo").status_code == 204
    assert (crew(north), crew(named(client, "South"))) == ([], both)
    do(client, {"kind": "reshape", "territory_id": north["id"], "colour": "#112233"})
    late = client.post(CHANGES, json={"operation": wish, "why": "One is enough"})
    assert (late.status_code, "changed “North” after" in late.json()["detail"]) == (412, True)
    do(client, {"kind": "kept", "change_id": late.json()["change_id"]})
    assert crew(north) == both, "also of a version that came too late"
    assert client.get(CHANGES).json()["items"][0]["why"] == "One is enough"


def test_who_works_a_new_territory_is_said_as_it_is_made(client: TestClient, make_user: MakeUser) -> None:
    rita, otto = make_user("rita", Role.REP), make_user("otto", Role.REP)
    today = clock.today(settings().zone)
    monday = (today + timedelta(days=7)).isoformat()
    wish = {"kind": "create", "name": "West", "area": square(9)}
    west = drawn(client, "West", square(9), members=[str(rita.id)])
    assert [one["name"] for one in west["members"]] == ["Rita"]
    cut = {"type": "LineString", "coordinates": [[9.5, 46], [9.5, 49]]}
    do(client, {
        "kind": "split", "territory_id": west["id"], "line": cut, "name": "Half", "members": [str(otto.id)],
        "valid_from": monday,
    })  # fmt: skip
    (planned,) = client.get(f"/api/v1/territories/{named(client, 'Half')['id']}/members").json()["items"]
    assert (planned["name"], planned["valid_from"]) == ("Otto", monday)
    assert [one["name"] for one in named(client, "West")["members"]] == ["Rita"]

    def file(*names: str) -> bytes:
        areas = [{"type": "Feature", "properties": {"name": name}, "geometry": square(20)} for name in names]
        return json.dumps({"type": "FeatureCollection", "features": areas}).encode()

    path, query = "/api/v1/territories/import", {"replace": "true", "members": [str(otto.id)]}
    assert client.post(path, params=query, files={"file": ("a.geojson", file("Far", "West"))}).status_code == 201
    assert [one["name"] for one in named(client, "Far")["members"]] == ["Otto"]
    assert [one["name"] for one in named(client, "West")["members"]] == ["Rita"]

    crews = {"crews": json.dumps({"One": [str(rita.id)], "Two": []})}
    done = client.post(path, params=query, data=crews, files={"file": ("b.geojson", file("One", "Two", "Three"))})
    assert done.status_code == 201
    assert [[m["name"] for m in named(client, one)["members"]] for one in ("One", "Two", "Three")] == [
        ["Rita"], [], ["Otto"],
    ]  # fmt: skip
    for wrong, said in (({"Nowhere": []}, "The file has no new area “Nowhere”."), (["x"], "This does not say who")):
        sent = {"data": {"crews": json.dumps(wrong)}, "files": {"file": ("c.geojson", file("Four"))}}
        refused = client.post(f"{path}/preview", **sent)
        assert refused.status_code == 422
        assert said in refused.json()["detail"]

    rita.active = False
    for more, said in (
        ({"members": [str(rita.id)]}, "cannot sign in"),
        ({"members": [str(otto.id)], "valid_from": (today - timedelta(days=1)).isoformat()}, "Choose today"),
    ):
        refused = client.post(CHANGES, json={"operation": wish | {"name": "New"} | more})
        assert refused.status_code == 422
        assert said in refused.json()["detail"]


def test_the_people_of_a_file_work_its_areas_and_its_overlaps_are_said_before_it_is_saved(
    client: TestClient, client_for: ClientFor, make_user: MakeUser, bakery: Account
) -> None:
    mona, rita = make_user("mona", Role.ADMIN), make_user("rita", Role.REP)
    make_user("otto", Role.REP)
    drawn(client, "Old", square(8))

    def file(**crews: Any) -> bytes:
        places = {"West": square(9), "East": square(9.5), "Old": square(8)}
        areas = [
            {"type": "Feature", "properties": {"name": name, "Members": crew}, "geometry": places[name]}
            for name, crew in crews.items()
        ]
        return json.dumps({"type": "FeatureCollection", "features": areas}).encode()

    path = "/api/v1/territories/import"
    sent = {"files": {"file": ("a.geojson", file(West="RITA; Xaver", East=["Otto", "rita"], Old="Rita"))}}
    seen = client.post(f"{path}/preview?replace=true", **sent).json()
    km2 = next(note for note in seen["notes"] if "overlap" in note).split(" by ")[1]
    assert seen["notes"] == [
        "As the file says, these will work “West”: RITA.",
        "For “West” the file names whom nobody is called: Xaver. Choose who works there.",
        "As the file says, these will work “East”: Otto, rita.",
        "“Old” keeps its people; those of the file are left out: Rita.",
        f"“West” and “East” overlap by {km2}",
    ]
    assert 3_500 < float(km2.removesuffix(" km².")) < 4_500, "half a degree by one"
    assert next(part["members"] for part in seen["parts"] if part["name"] == "West") == [str(rita.id)]
    chosen = client.post(f"{path}/preview?replace=true", data={"crews": json.dumps({"West": [], "East": []})}, **sent)
    assert not any("the file" in note for note in chosen.json()["notes"] if "Old" not in note), (
        "a choice takes its place"
    )
    assert client.post(f"{path}?replace=true", **sent).status_code == 201
    crews = [[one["name"] for one in named(client, name)["members"]] for name in ("West", "East", "Old")]
    assert crews == [["Rita"], ["Otto", "Rita"], []]

    last = client.get(CHANGES).json()["items"][0]
    assert client.post(f"{CHANGES}/{last['id']}/undo").status_code == 204
    page = client_for(mona).get(f"/territories?done={last['id']}", headers={"accept": "text/html"}).text
    told = page.split("data-undone")[1].split("</div>")[0]
    for words in ("Undone:", "From a file:", "East, Old, West", "1 account moved back."):
        assert words in told


def test_people_who_begin_after_the_ground_changes_hands_are_told(client: TestClient, make_user: MakeUser) -> None:
    rita, today = make_user("rita", Role.REP), clock.today(settings().zone)
    monday = today + timedelta(days=7)
    wish = {"kind": "create", "name": "New", "area": square(9), "members": [str(rita.id)]}
    seen = do(client, wish | {"valid_from": monday.isoformat()}, preview=True)
    days = f"{today:%d %B %Y}", f"{monday:%d %B %Y}"
    assert seen["notes"] == [f"The ground changes hands on {days[0]}, but nobody works “New” before {days[1]}."]


def test_members_who_were_there_or_are_planned_are_not_wiped(client: TestClient, make_user: MakeUser) -> None:
    path = f"/api/v1/territories/{drawn(client, 'North', square(9))['id']}/members"
    rita, otto, mia = (make_user(login, Role.REP) for login in ("rita", "otto", "mia"))
    later = (clock.today(settings().zone) + timedelta(days=30)).isoformat()

    def put(*people: User, day: str | None = None) -> int:
        body = {"members": [str(one.id) for one in people], "valid_from": day}
        return int(client.put(path, json=body).status_code)

    def spans() -> list[tuple[str, bool, str | None]]:
        rows = client.get(path).json()["items"]
        return [(one["name"], one["valid_from"] == later, one["valid_to"]) for one in rows]

    assert put(rita) == 204
    assert put(otto, day=later) == 204
    assert put(day="0001-01-01") == 422
    assert put(rita, mia) == 204
    assert spans() == [("Mia", False, later), ("Rita", False, later), ("Otto", True, None)]
    assert put(rita, day=later) == 204
    assert spans() == [("Mia", False, later), ("Rita", False, None)]
