"""The API of regions: who may ask, the map pack in ranges, tiles that are not sent twice."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from server.auth.models import Role, User
from server.regions.models import Region

Clients = Callable[[User | None], TestClient]


@pytest.fixture
def rep(client_for: Clients, make_user: Callable[..., User]) -> TestClient:
    return client_for(make_user("rita", Role.REP))


@pytest.mark.parametrize("path", ["/api/v1/regions", "/api/v1/regions/{id}/map-pack", "/tiles/basemap/8/123/91"])
def test_nothing_is_shown_to_strangers(client_for: Clients, region: Region, path: str) -> None:
    assert client_for(None).get(path.format(id=region.id)).status_code == 401


def test_regions_come_with_their_attribution_date_and_map_pack(rep: TestClient, region: Region) -> None:
    (item,) = rep.get("/api/v1/regions").json()["items"]
    assert item["name"] == "demo"
    assert item["data_date"] == "2026-01-01"
    assert item["attribution"] == ["Made-up data"]
    assert item["map_pack"]["size"] == region.map_pack.stat().st_size


def test_the_map_pack_is_what_the_phone_reads(rep: TestClient, region: Region, tmp_path: Path) -> None:
    (item,) = rep.get("/api/v1/regions").json()["items"]
    answer = rep.get(item["map_pack"]["url"])
    assert answer.headers["etag"] == f'"{item["map_pack"]["sha256"]}"'
    copy = tmp_path / "copy.wmap"
    copy.write_bytes(answer.content)
    with sqlite3.connect(copy) as connection:
        meta = dict(connection.execute("select k, v from meta").fetchall())
        zooms = {row[0] for row in connection.execute("select distinct z from tile")}
    assert meta["format"] == "waymark-map/1"
    assert meta["region"] == region.sha12
    assert zooms == {8, 10, 12, 14}


def test_the_map_pack_comes_in_ranges_and_not_twice(rep: TestClient, region: Region) -> None:
    url = f"/api/v1/regions/{region.id}/map-pack"
    part = rep.get(url, headers={"Range": "bytes=0-15"})
    assert (part.status_code, part.content) == (206, b"SQLite format 3\x00")
    assert rep.get(url, headers={"If-None-Match": part.headers["etag"]}).status_code == 304


def test_a_region_that_is_not_there_has_no_map_pack(rep: TestClient) -> None:
    answer = rep.get("/api/v1/regions/00000000-0000-7000-8000-000000000000/map-pack")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_region")


def test_a_tile_holds_the_base_map_and_is_sent_once(rep: TestClient, region: Region) -> None:
    answer = rep.get("/tiles/basemap/12/1979/1457")
    assert answer.status_code == 200
    for layer in (b"road", b"landuse", b"place"):
        assert layer in answer.content
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    again = rep.get("/tiles/basemap/12/1979/1457", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_tile_over_the_sea_is_empty(rep: TestClient, region: Region) -> None:
    answer = rep.get("/tiles/basemap/12/0/0")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_tile_outside_the_world_is_refused(rep: TestClient) -> None:
    assert rep.get("/tiles/basemap/3/8/0").json()["code"] == "no_such_tile"
    assert rep.get("/tiles/basemap/x/8/0").status_code == 422
