"""Territories are drawn, split, merged and given away; each change says what it moves, is kept, and can be undone."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.auth.models import Role, User
from server.balance import saving, service
from server.kit import clock
from server.kit.errors import Conflict, NotFound
from server.kit.settings import settings
from server.territories.models import Territory, TerritoryChange
from server.territories.schemas import TerritoryRead
from server.web.territories import in_tree

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]
CHANGES = "/api/v1/territory-changes"


def square(west: float, east: float | None = None) -> dict[str, Any]:
    right = west + 1 if east is None else east
    return {"type": "Polygon", "coordinates": [[[west, 47], [right, 47], [right, 48], [west, 48], [west, 47]]]}


@pytest.fixture
def bakery(session: Session) -> Account:
    """An account that is visited every two weeks for half an hour."""
    account = Account(name="Bakery", currency="EUR", account_class="A", yearly_value=1000)
    session.add(account)
    session.flush()
    session.add(Site(account_id=account.id, is_main=True, pin=wkt(LonLat(9.75, 47.5)), pin_state="placed"))
    session.flush()
    return account


@pytest.fixture
def client(client_for: ClientFor, make_user: MakeUser) -> TestClient:
    return client_for(make_user())


def do(client: TestClient, operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post(CHANGES, json={"operation": operation} | more)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def drawn(client: TestClient, name: str, outline: dict[str, Any], **more: Any) -> dict[str, Any]:
    do(client, {"kind": "create", "name": name, "area": outline} | more)
    return named(client, name)


def named(client: TestClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in client.get("/api/v1/territories?area=true").json()["items"] if one["name"] == name
    )
    return found


def place_of(session: Session, account: Account) -> str | None:
    session.refresh(account)
    return session.scalars(select(Territory.name).where(Territory.id == account.territory_id)).first()


def test_strangers_and_reps_change_nothing(client_for: ClientFor, make_user: MakeUser) -> None:
    body = {"operation": {"kind": "create", "name": "North", "area": square(9)}}
    assert client_for(None).post(CHANGES, json=body).status_code == 401
    assert client_for(make_user("rita", Role.REP)).post(CHANGES, json=body).status_code == 403


def test_a_preview_says_what_moves_and_changes_nothing(session: Session, client: TestClient, bakery: Account) -> None:
    north = drawn(client, "North", square(9))
    operation = {
        "kind": "split",
        "territory_id": north["id"],
        "rev": north["rev"],
        "name": "East",
        "line": {"type": "LineString", "coordinates": [[9.5, 46.9], [9.5, 48.1]]},
    }
    seen = do(client, operation, preview=True)["effects"]
    assert (seen["accounts"], seen["value"]) == (1, 1000)
    assert 26 * 0.5 < seen["hours"] < 26 * 1.3  # every two weeks, half an hour and the drive
    assert place_of(session, bakery) == "North"
    done = do(client, operation)
    assert done["effects"]["accounts"] == 1
    assert place_of(session, bakery) == "East"


def test_an_undone_change_leaves_every_corner_where_it_was(
    session: Session, client: TestClient, bakery: Account
) -> None:
    drawn(client, "North", square(9))
    before = session.scalars(select(Territory.area)).one().data
    first = do(client, {"kind": "give", "ground": square(9.5, 11), "to_id": drawn(client, "East", square(10))["id"]})
    second = do(client, {"kind": "merge", "territory_ids": [named(client, n)["id"] for n in ("East", "North")]})
    assert place_of(session, bakery) == "East"
    early = client.post(f"{CHANGES}/{first['id']}/undo")
    assert early.status_code == 409
    assert "changed again after that by Ada" in early.json()["detail"]
    for change in (second, first):
        assert client.post(f"{CHANGES}/{change['id']}/undo").status_code == 204
    assert place_of(session, bakery) == "North"
    session.expire_all()
    row = session.scalars(select(Territory).where(Territory.name == "North")).one()
    assert row.area.data == before
    assert client.post(f"{CHANGES}/{first['id']}/undo").status_code == 409


def test_a_change_on_an_older_state_is_refused_by_name_and_kept(
    client: TestClient, client_for: ClientFor, make_user: MakeUser
) -> None:
    north = drawn(client, "North", square(9))
    wish = {"kind": "reshape", "territory_id": north["id"], "rev": north["rev"]}
    do(client, wish | {"area": square(9, 9.8)})
    second = client_for(make_user("mara", Role.ADMIN))
    late = second.post(CHANGES, json={"operation": wish | {"area": square(9, 9.6)}, "why": "Rita is near"})
    assert late.status_code == 412
    assert "Ada changed “North”" in late.json()["detail"]
    kept = next(one for one in client.get(CHANGES).json()["items"] if one["state"] == "kept")
    assert (kept["why"], kept["by"]) == ("Rita is near", "Mara")
    assert named(client, "North")["area"]["coordinates"][0][0] == square(9, 9.8)["coordinates"][0]
    do(second, {"kind": "kept", "change_id": late.json()["change_id"]})
    assert named(client, "North")["area"]["coordinates"][0][0] == square(9, 9.6)["coordinates"][0]
    assert [one["state"] for one in client.get(CHANGES).json()["items"]].count("kept") == 0


def test_an_account_assigned_by_hand_keeps_its_territory(session: Session, client: TestClient, bakery: Account) -> None:
    drawn(client, "North", square(9))
    session.refresh(bakery)
    bakery.territory_is_fixed = True
    session.flush()
    east = drawn(client, "East", square(10))
    seen = do(client, {"kind": "give", "ground": square(9.5, 11), "to_id": east["id"]})
    assert (seen["effects"]["accounts"], seen["effects"]["by_hand"]) == (0, 1)
    assert place_of(session, bakery) == "North"


def test_gaps_and_overlaps_are_listed_and_mended_by_one_action(client: TestClient) -> None:
    west, east = drawn(client, "West", square(9, 10.01)), drawn(client, "East", square(10, 11))
    drawn(client, "Far", square(11.0005, 12))
    troubles = client.get("/api/v1/territory-troubles").json()["items"]
    assert [one["kind"] for one in troubles] == ["overlap", "gap"]
    assert set(troubles[0]["between"]) == {west["id"], east["id"]}
    do(client, {"kind": "give", "ground": troubles[0]["area"], "to_id": east["id"]})
    do(client, {"kind": "give", "ground": troubles[1]["area"]})
    assert client.get("/api/v1/territory-troubles").json()["items"] == []


def test_a_region_that_somebody_works_beside_what_lies_below_it_is_no_gap(
    client: TestClient, make_user: MakeUser, client_for: ClientFor
) -> None:
    rita = make_user("rita", Role.REP)
    do(client, {"kind": "create", "name": "South", "area": square(9, 11), "members": [str(rita.id)]})
    south = named(client, "South")
    below = {"kind": "create", "name": "Town", "area": square(9), "parent_id": south["id"]}
    (note,) = [one for one in do(client, below, preview=True)["notes"] if "sales region" in one]
    assert note.startswith("“South” becomes a sales region: Rita go on working the ")
    do(client, below)
    assert client.get("/api/v1/territory-troubles").json()["items"] == []
    do(client, {"kind": "create", "name": "Far", "area": square(10.5, 12), "others_give_way": True})
    assert client.get("/api/v1/territory-troubles").json()["items"] == [], "what is worked of a region gives way too"
    do(client, {"kind": "members", "territory_id": south["id"], "members": []})
    (gap,) = client.get("/api/v1/territory-troubles").json()["items"]
    assert (gap["kind"], set(gap["between"])) == ("gap", {named(client, name)["id"] for name in ("Town", "Far")})
    pages = [one.get("/territories", headers={"Accept": "text/html"}).text for one in (client, client_for(rita))]
    assert ["A gap of " in page for page in pages] == [True, False], "whoever cannot mend it is not alarmed"


def test_a_region_that_nobody_works_becomes_a_gap_and_the_preview_says_so(client: TestClient) -> None:
    south = drawn(client, "South", square(9, 11))
    below = {"kind": "create", "name": "Town", "area": square(9), "parent_id": south["id"]}
    (note,) = [one for one in do(client, below, preview=True)["notes"] if "sales region" in one]
    assert note.startswith("“South” becomes a sales region: nobody works the ")
    assert note.endswith("which is told as a gap.")
    do(client, below)
    assert [one["kind"] for one in client.get("/api/v1/territory-troubles").json()["items"]] == ["gap"]


def test_corners_of_a_region_are_moved_without_taking_the_ground_of_those_below_it(client: TestClient) -> None:
    south = drawn(client, "South", square(9, 11))
    town = drawn(client, "Town", square(9), parent_id=south["id"])
    do(client, {"kind": "reshape", "territory_id": south["id"], "area": square(9, 12), "others_give_way": True})
    assert named(client, "Town")["area"] == town["area"]


def test_neighbours_give_way_to_a_drawing_and_a_region_above_does_not(client: TestClient) -> None:
    region = drawn(client, "Region", square(9, 11))
    drawn(client, "West", square(9, 10), parent_id=region["id"])
    drawn(client, "East", square(9.5, 11), parent_id=region["id"], others_give_way=True)
    assert named(client, "Region")["area"] == region["area"]
    assert max(x for x, _ in named(client, "West")["area"]["coordinates"][0][0]) == 9.5


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (
            {"kind": "split", "name": "B", "line": {"type": "LineString", "coordinates": [[1, 1], [2, 2]]}},
            "cut “North”",
        ),
        ({"kind": "reshape", "area": {"type": "Polygon", "coordinates": []}}, "“North” is empty"),
        ({"kind": "reshape", "area": {"type": "Point", "coordinates": [9, 47]}}, "“North” is not an area"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(client: TestClient, operation: dict[str, Any], said: str) -> None:
    north = drawn(client, "North", square(9))
    refused = client.post(CHANGES, json={"operation": operation | {"territory_id": north["id"]}})
    assert refused.status_code == 422
    assert said in refused.json()["detail"]


def test_ground_that_would_swallow_a_territory_is_refused(client: TestClient) -> None:
    drawn(client, "Small", square(9.2, 9.3))
    north = drawn(client, "North", square(10))
    refused = client.post(CHANGES, json={"operation": {"kind": "give", "ground": square(9), "to_id": north["id"]}})
    assert refused.status_code == 422
    assert "Nothing would be left of “Small”" in refused.json()["detail"]


def test_a_crossing_of_the_antimeridian_is_mended_and_told(client: TestClient) -> None:
    far = {"type": "Polygon", "coordinates": [[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]]}
    seen = do(client, {"kind": "create", "name": "Fiji", "area": far})
    assert seen["notes"] == ["The outline of “Fiji” crossed the 180th meridian and was cut there."]
    assert len(named(client, "Fiji")["area"]["coordinates"]) == 2


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


def test_the_history_says_what_a_territory_was_called_and_below_what_it_lay(client: TestClient) -> None:
    region, north = drawn(client, "Land", square(8, 12)), drawn(client, "North", square(9))
    wish = {"name": "Upper", "colour": "#445566", "parent_id": region["id"]}
    do(client, {"kind": "reshape", "territory_id": north["id"]} | wish)
    line, *others = client.get(CHANGES).json()["items"]
    assert [(one["name"], one["field"], one["before"], one["after"]) for one in line["facts"]] == [
        ("Upper", "name", "North", "Upper"),
        ("Upper", "colour", north["colour"], "#445566"),
        ("Upper", "parent", None, "Land"),
    ]
    assert [one["facts"] for one in others] == [[], []]
    page = client.get("/territories", headers={"Accept": "text/html"}).text.split('class="plain-list history"')[1]
    told = page.split("</li>")[0]
    assert "Name: North → Upper" in told
    assert "Sales region above it: none → Land" in told
    assert "accounts moved" not in told


def test_an_undo_that_would_close_a_circle_of_parents_is_refused_by_name(client: TestClient) -> None:
    first, second = drawn(client, "CA", square(9)), drawn(client, "CB", square(10))

    def below(row: dict[str, Any], parent: dict[str, Any] | None) -> dict[str, Any]:
        wish = {"kind": "reshape", "territory_id": row["id"], "parent_id": parent and parent["id"]}
        return do(client, wish)

    below(second, first)
    freed = below(second, None)
    below(first, second)
    refused = client.post(f"{CHANGES}/{freed['id']}/undo")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "“CB” would lie below itself."


def test_a_version_kept_too_long_closes_no_circle_and_a_circle_that_is_there_ends(
    session: Session, client: TestClient
) -> None:
    first, second = drawn(client, "CA", square(9)), drawn(client, "CB", square(10))
    wish = {"kind": "reshape", "territory_id": second["id"], "rev": second["rev"]}
    do(client, wish | {"colour": "#111111"})
    late = client.post(CHANGES, json={"operation": wish | {"parent_id": first["id"]}})
    do(client, {"kind": "reshape", "territory_id": first["id"], "parent_id": second["id"]})
    refused = client.post(CHANGES, json={"operation": {"kind": "kept", "change_id": late.json()["change_id"]}})
    assert (refused.status_code, "would lie below itself" in refused.text) == (409, True)
    session.execute(update(Territory).where(Territory.name == "CB").values(parent_id=first["id"]))
    session.expire_all()
    third = drawn(client, "CC", square(12))
    do(client, {"kind": "reshape", "territory_id": third["id"], "parent_id": first["id"]})
    rows = [TerritoryRead(**row) for row in client.get("/api/v1/territories").json()["items"]]
    assert sorted(row.name for row, _ in in_tree(rows)) == ["CA", "CB", "CC"]
    client.delete(f"/api/v1/territories/{third['id']}")
    gone = client.post(CHANGES, json={"operation": wish | {"rev": None, "parent_id": third["id"]}})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "reshape", "area": square(9, 9.6)},
        {"kind": "split", "name": "East", "line": {"type": "LineString", "coordinates": [[9.5, 46], [9.5, 49]]}},
    ],
)
def test_what_was_drawn_on_a_territory_taken_away_meanwhile_is_kept(client: TestClient, wish: dict[str, Any]) -> None:
    north = drawn(client, "North", square(9))
    client.delete(f"/api/v1/territories/{north['id']}")
    late = client.post(CHANGES, json={"operation": wish | {"territory_id": north["id"], "rev": north["rev"]}})
    assert late.status_code == 412
    assert "Ada took “North” away" in late.json()["detail"]
    do(client, {"kind": "kept", "change_id": late.json()["change_id"]})
    assert named(client, "North")["id"] == north["id"]


def test_a_rename_is_not_undone_onto_a_name_that_is_taken(client: TestClient) -> None:
    north = drawn(client, "North", square(9))
    renamed = do(client, {"kind": "reshape", "territory_id": north["id"], "name": "South"})
    drawn(client, "North", square(10))
    refused = client.post(f"{CHANGES}/{renamed['id']}/undo")
    assert (refused.status_code, refused.json()["detail"]) == (409, "There is a territory “North” already.")


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


def test_a_territory_drawn_from_a_later_day_moves_nothing_before(
    session: Session, client: TestClient, bakery: Account, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    rita, today = make_user("rita", Role.REP), clock.today(settings().zone)
    drawn(client, "Old", square(9))
    monday = today + timedelta(days=7)
    wish = {
        "kind": "create",
        "name": "New",
        "area": square(9.5, 10.5),
        "others_give_way": True,
        "members": [str(rita.id)],
    }
    seen = do(client, wish, preview=True, apply_on=monday.isoformat())
    assert (seen["apply_on"], seen["effects"]["accounts"], seen["notes"]) == (monday.isoformat(), 1, [])
    made = do(client, wish, apply_on=monday.isoformat(), why="Next week")
    assert [one["name"] for one in client.get("/api/v1/territories").json()["items"]] == ["Old"]
    assert place_of(session, bakery) == "Old"
    page = client.get("/territories", headers={"Accept": "text/html"}).text
    assert "data-waiting" in page
    assert "1 account will move" in page
    assert client.post(f"{CHANGES}/{made['id']}/undo").status_code == 409

    assert saving.due(session, monday - timedelta(days=1)) == []
    (waiting,) = saving.due(session, monday)
    monkeypatch.setattr(clock, "today", lambda zone: monday)
    service.apply_due(session, waiting, monday)
    assert place_of(session, bakery) == "New"
    (member,) = client.get(f"/api/v1/territories/{named(client, 'New')['id']}/members").json()["items"]
    assert (member["name"], member["valid_from"]) == ("Rita", monday.isoformat())
    (line,) = [one for one in client.get(CHANGES).json()["items"] if one["why"]]
    assert (line["kind"], line["state"], line["why"], line["accounts"]) == ("create", "applied", "Next week", 1)
    assert saving.due(session, monday) == []
    assert client.post(f"{CHANGES}/{made['id']}/undo").status_code == 204, "it is the change that was asked for"
    assert place_of(session, bakery) == "Old"


def test_what_waits_for_a_day_is_called_off_or_says_why_it_was_not_done(session: Session, client: TestClient) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    old = drawn(client, "Old", square(9))
    take = {"kind": "delete", "territory_id": old["id"], "rev": old["rev"]}
    first = do(client, take, apply_on=monday.isoformat())
    assert client.delete(f"{CHANGES}/{first['id']}").status_code == 204
    assert saving.due(session, monday) == []
    do(client, take, apply_on=monday.isoformat())
    do(client, {"kind": "reshape", "territory_id": old["id"], "name": "Other"})
    (waiting,) = saving.due(session, monday)
    service.apply_due(session, waiting, monday)
    assert named(client, "Other"), "somebody else was first: it is kept, not done"
    (kept,) = [one for one in client.get(CHANGES).json()["items"] if one["state"] == "kept"]
    assert kept["id"] == str(waiting)
    saving.fail(session, UUID(do(client, take | {"rev": None}, apply_on=monday.isoformat())["id"]), "Why not.")
    assert client.get(CHANGES).json()["items"][0]["trouble"] == "Why not."
    page = client.get("/territories", headers={"Accept": "text/html"}).text
    assert page.count("data-failed") == 2, "at the territories, not only in their history"
    assert "Why not." in page.split("data-failed")[1].split("</div></div>")[0] + page.split("data-failed")[2]
    told = client.get("/api/v1/notifications").json()["items"]
    assert [one["kind"] for one in told] == ["territory"] * 2, "whoever set the day is told, of both"
    assert all("Old" in one["text"] or "Other" in one["text"] for one in told)
    assert told[0]["link"].startswith("/territories?kept=")
    people = {"kind": "members", "territory_id": old["id"], "members": []}
    refused = client.post(CHANGES, json={"operation": people, "apply_on": monday.isoformat()})
    assert (refused.status_code, refused.json()["detail"]) == (422, "This cannot wait for a day.")
    refused = client.post(CHANGES, json={"operation": take | {"rev": None}, "apply_on": "2001-01-01"})
    assert (refused.status_code, refused.json()["detail"]) == (422, "That day has passed.")


def test_what_waits_is_recounted_says_who_changed_its_territory_since_and_is_set_anew(
    session: Session, client: TestClient, bakery: Account
) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    old = drawn(client, "Old", square(9, 11))
    line = {"type": "LineString", "coordinates": [[9.6, 46], [9.6, 49]]}
    wish = {"kind": "split", "territory_id": old["id"], "rev": old["rev"], "line": line, "name": "East"}
    made = do(client, wish, apply_on=monday.isoformat(), why="Spring")

    def told() -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in client.get(CHANGES).json()["items"] if one["id"] == made["id"])
        return found

    assert (told()["accounts"], told()["trouble"]) == (1, "")
    bakery.territory_is_fixed = True
    session.flush()
    assert told()["accounts"] == 0, "as it is now, not as it was when the day was set"
    bakery.territory_is_fixed = False
    session.flush()

    name = {"kind": "reshape", "territory_id": old["id"], "name": "Older"}
    do(client, name)
    since = "Ada changed “Older” after this was set: it will not be done on its day, but kept."
    assert (told()["accounts"], told()["trouble"]) == (1, since)
    again = {"kind": "kept", "change_id": made["id"]}
    seen = do(client, again, preview=True, apply_on=monday.isoformat())
    assert (seen["effects"]["accounts"], {one["name"] for one in seen["parts"]}) == (1, {"East", "Older"})
    tuesday = monday + timedelta(days=1)
    assert do(client, again, apply_on=tuesday.isoformat())["id"] == made["id"], "it stays the same change"
    assert (told()["trouble"], told()["apply_on"], told()["why"]) == ("", tuesday.isoformat(), "Spring")

    do(client, {"kind": "give", "to_id": drawn(client, "New", square(20))["id"], "ground": square(9.5, 11)})
    assert told()["accounts"] == 0
    assert told()["trouble"] == f"{since} The line does not cut “Older” in two."
    german = client.get("/territories", headers={"Accept": "text/html", "Accept-Language": "de"}).text
    notice = german.split("data-waiting")[1].split("</div></div>")[0]
    assert "Ada hat «Older» geändert, seit dies angesetzt wurde" in notice
    assert f'data-day="{tuesday.isoformat()}"' in notice
    assert "Konten" not in notice, "what cannot be done moves nothing"
    assert client.post(CHANGES, json={"operation": again}).status_code == 422
    assert told()["state"] == "waiting"


def test_a_change_for_a_day_whose_territory_is_taken_away_says_which_and_by_whom(
    session: Session, client: TestClient
) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    old = drawn(client, "Old", square(9))
    made = do(client, {"kind": "give", "to_id": old["id"], "ground": square(9.5, 11)}, apply_on=monday.isoformat())
    do(client, {"kind": "delete", "territory_id": old["id"], "rev": old["rev"]})
    with pytest.raises(NotFound, match="Ada took “Old” away") as refused:
        service.apply_due(session, UUID(made["id"]), monday)
    assert "Undo that in the history" in refused.value.help


def test_areas_far_from_all_that_is_known_are_told_of_and_whether_they_are_swapped(
    client: TestClient, bakery: Account
) -> None:
    def notes(*corner: float) -> list[str]:
        x, y = corner
        ring = [[x, y], [x + 0.1, y], [x + 0.1, y + 0.1], [x, y]]
        feature = {
            "type": "Feature",
            "properties": {"name": "New"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        answer = client.post("/api/v1/territories/import/preview", files={"file": ("a.geojson", json.dumps(feature))})
        return [str(one) for one in answer.json()["notes"]]

    assert notes(9.7, 47.4) == [], bakery.name
    (swapped,) = notes(47.4, 9.7)
    assert swapped.startswith("“New” lies 5")
    assert swapped.endswith("km from all that is known: are latitude and longitude swapped?")
    (far,) = notes(170, -20)
    assert far.endswith(" km from all that is known.")


def test_a_second_click_waits_not_twice_and_whoever_may_no_more_is_not_obeyed(
    session: Session, client: TestClient
) -> None:
    monday = clock.today(settings().zone) + timedelta(days=7)
    wish = {"kind": "create", "name": "New", "area": square(9)}
    made = do(client, wish, apply_on=monday.isoformat())
    again = client.post(CHANGES, json={"operation": wish, "apply_on": monday.isoformat()})
    assert (again.status_code, again.json()["detail"]) == (409, "The same change waits already.")
    setter = session.get_one(User, session.get_one(TerritoryChange, UUID(made["id"])).actor_id)
    setter.active = False
    session.flush()
    with pytest.raises(Conflict, match="who set the day, may not change territories any more"):
        service.apply_due(session, UUID(made["id"]), monday)
    assert "New" not in [one.name for one in session.scalars(select(Territory))]


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
