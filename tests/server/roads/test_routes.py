"""Roads over the API."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.regions.models import Region
from server.roads import graphs

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]


@pytest.mark.parametrize("path", ["route?points=9,47;9.02,47", "isochrone?point=9,47", "status"])
def test_a_stranger_is_refused(client_for: ClientFor, path: str) -> None:
    assert client_for(None).get(f"/api/v1/roads/{path}").status_code == 401


def test_a_rep_gets_a_route_with_its_legs_and_sources(
    client_for: ClientFor, make_user: MakeUser, session: Session, region: Region
) -> None:
    graphs.build_graph(session, region)
    answer = client_for(make_user("rita", Role.REP)).get("/api/v1/roads/route?points=9,47;9.02,47;9,47").json()
    assert [leg["estimated"] for leg in answer["legs"]] == [False, False]
    assert answer["distance_m"] == pytest.approx(2 * 1517, abs=10)
    assert answer["attribution"] == ["© OpenStreetMap contributors"]


def test_without_roads_the_answer_says_that_it_is_estimated(client_for: ClientFor, make_user: MakeUser) -> None:
    answer = client_for(make_user("rita", Role.REP)).get("/api/v1/roads/route?points=9,47;9.02,47").json()
    assert answer["estimated"] is True
    assert answer["engine"] == "straight-1"


@pytest.mark.parametrize("points", ["9,47", "9,47;x", "9,47;200,47", "9;47", ""])
def test_a_senseless_point_is_named(client_for: ClientFor, make_user: MakeUser, points: str) -> None:
    answer = client_for(make_user("rita", Role.REP)).get("/api/v1/roads/route", params={"points": points})
    assert answer.status_code == 422
    assert "oint" in answer.json()["detail"]


def test_an_isochrone_comes_largest_first(
    client_for: ClientFor, make_user: MakeUser, session: Session, region: Region
) -> None:
    graphs.build_graph(session, region)
    client = client_for(make_user("rita", Role.REP))
    features = client.get("/api/v1/roads/isochrone?point=9,47&minutes=1,2").json()["features"]
    assert [feature["properties"]["minutes"] for feature in features] == [2, 1]
    assert client.get("/api/v1/roads/isochrone?point=9,47&minutes=500").status_code == 422


def test_the_status_tells_regions_with_and_without_roads(
    client_for: ClientFor, make_user: MakeUser, session: Session, region: Region
) -> None:
    client = client_for(make_user("ada"))
    assert client.get("/api/v1/roads/status").json()["items"][0]["graph"] is None
    graphs.build_graph(session, region)
    item = client.get("/api/v1/roads/status").json()["items"][0]
    assert (item["graph"], item["running"]) == (f"{region.sha12}-car", False)
