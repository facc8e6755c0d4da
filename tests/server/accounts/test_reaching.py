"""“Within 20 minutes of here”: exact by the roads, the same for list, map and export."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts import reaching
from server.auth.models import User
from server.kit.filtering import FilterError, Reach, parse
from server.kit.settings import settings
from server.regions.models import Region
from server.roads import graphs
from tests.routing.roads.conftest import EAST, LAKE, LOOP_TOP, WEST, write_village

MakeAccount = Callable[..., Any]


@pytest.fixture
def village(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    """The village with its roads and four accounts' worth of places."""
    monkeypatch.setattr(settings(), "home", tmp_path)
    data = write_village(tmp_path / "v.osm.pbf").read_bytes()
    region = Region(
        name="village", sha256=hashlib.sha256(data).hexdigest(), version=1, state="ready", source="test",
        licence="ODbL", attribution=["©"], bbox=[8.9, 46.9, 9.1, 47.2],
    )  # fmt: skip
    session.add(region)
    session.flush()
    region.extract.parent.mkdir(parents=True)
    region.extract.write_bytes(data)
    graphs.build_graph(session, region)
    yield region
    graphs.stop_all()


@pytest.fixture
def four(make_account: MakeAccount) -> None:
    """West and East are 2.3 minutes apart; from the loop's top one drives 3.9 minutes to West, 2 more to East."""
    make_account("West", at=tuple(WEST))
    make_account("East", at=tuple(EAST))
    make_account("Top", at=tuple(LOOP_TOP))
    make_account("Lake", at=tuple(LAKE))


def listed(client: TestClient, filter: str, **more: str) -> list[tuple[str, int | None]]:
    answer = client.get("/api/v1/accounts", params={"filter": filter, "sort": "drive", **more})
    assert answer.status_code == 200, answer.text
    return [(item["name"], item["drive_s"]) for item in answer.json()["items"]]


@pytest.mark.usefixtures("village", "four")
def test_the_nearest_come_first_with_their_seconds(admin_client: TestClient) -> None:
    found = listed(admin_client, f"within 5 minutes of {EAST.lon}, {EAST.lat}")
    assert [name for name, _s in found] == ["East", "Top", "West"]
    assert found[0][1] == 0
    assert found[1][1] == pytest.approx(160, abs=60)


@pytest.mark.usefixtures("village", "four")
def test_a_one_way_street_counts_and_a_straight_line_would_not(admin_client: TestClient) -> None:
    """Top is 1.1 km from East, but from Top to East one drives 4.1 km round by West."""
    names = [name for name, _s in listed(admin_client, f"within 7 minutes of {LOOP_TOP.lon}, {LOOP_TOP.lat}")]
    assert names == ["Top", "West"]
    assert "East" in [name for name, _s in listed(admin_client, f"within 15 minutes of {LOOP_TOP.lon}, {LOOP_TOP.lat}")]


@pytest.mark.usefixtures("village", "four")
def test_what_no_road_reaches_is_an_estimate_and_says_so(admin_client: TestClient) -> None:
    answer = admin_client.get("/api/v1/accounts", params={"filter": f"within 60 minutes of {WEST.lon}, {WEST.lat}"})
    assert {item["name"]: item["drive_estimated"] for item in answer.json()["items"]} == {
        "West": False, "East": False, "Top": False, "Lake": True,
    }  # fmt: skip


@pytest.mark.usefixtures("village", "four")
def test_it_combines_with_every_other_condition(admin_client: TestClient) -> None:
    here = f"within 5 minutes of {EAST.lon}, {EAST.lat}"
    assert [name for name, _s in listed(admin_client, f"{here} and name = East")] == ["East"]
    assert {name for name, _s in listed(admin_client, f"not {here}")} == {"Lake"}
    assert len(listed(admin_client, f"{here} or name = Lake")) == 4


@pytest.mark.usefixtures("village", "four")
def test_list_and_export_agree_and_pages_go_on_by_drive(admin_client: TestClient) -> None:
    filter = f"within 5 minutes of {EAST.lon}, {EAST.lat}"
    table = admin_client.get("/api/v1/accounts/export.csv", params={"filter": filter}).text
    assert sorted(line.split(",")[1] for line in table.splitlines()[1:]) == ["East", "Top", "West"]
    first = admin_client.get("/api/v1/accounts", params={"filter": filter, "sort": "drive", "limit": 2}).json()
    rest = listed(admin_client, filter, cursor=first["next_cursor"])
    assert [item["name"] for item in first["items"]] + [name for name, _s in rest] == ["East", "Top", "West"]


@pytest.mark.usefixtures("village", "four")
def test_others_customers_stay_hidden(client_for: Callable[[User | None], TestClient], otto: User) -> None:
    assert listed(client_for(otto), f"within 60 minutes of {EAST.lon}, {EAST.lat}") == []


@pytest.mark.usefixtures("village", "four")
def test_a_place_is_asked_about_once(admin_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"within 5 minutes of {EAST.lon}, {EAST.lat} and not name = Lake"
    first = listed(admin_client, here)
    asked: list[int] = []
    real = reaching._ask
    monkeypatch.setattr(reaching, "_ask", lambda e, c, points: asked.append(len(points)) or real(e, c, points))
    assert listed(admin_client, here) == first
    assert asked == [1], "only the estimate to the lake is made again"


def test_a_tile_shows_what_the_list_shows(admin_client: TestClient, make_account: MakeAccount) -> None:
    make_account("Near", at=(9.2, 47.2))
    near = {"filter": "within 5 minutes of 9.2, 47.2"}
    far = {"filter": "within 5 minutes of 9.9, 47.9"}
    assert len(admin_client.get("/tiles/accounts/0/0/0", params=near).content) > 20
    assert admin_client.get("/tiles/accounts/0/0/0", params=far).content == b""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("within 0 minutes of 9, 47", "between 0 and 120"),
        ("within 500 min of 9, 47", "between 0 and 120"),
        ("within 5 hours of 9, 47", "expected minutes"),
        ("within 5 minutes of 9", "expected “,”"),
        ("within 5 minutes of 9, 147", "147"),
        ("within 5 minutes of Vaduz", "expected a number"),
    ],
)
def test_a_wrong_question_says_where_and_how(text: str, word: str) -> None:
    with pytest.raises(FilterError, match=word):
        parse(text)


def test_within_stays_a_word_elsewhere() -> None:
    assert parse("within = 5") != parse("within 5 minutes of 9, 47")
    assert parse("within 20 min of -9.5,47") == Reach(20.0, (-9.5, 47.0), 0)
