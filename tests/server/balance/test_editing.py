"""Territories are drawn, split, merged and given away; each change says what it moves before it is made."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Role
from tests.server.balance.conftest import CHANGES, ClientFor, MakeUser, do, drawn, named, place_of, square


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
