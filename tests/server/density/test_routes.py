"""The API of density: who may ask, tiles that are not sent twice, files."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Site
from server.auth.models import Role, User
from server.density import service
from server.regions.models import Region

Clients = Callable[[User | None], TestClient]
TILE = "12/1979/1457"
"""Of the made-up town."""


@pytest.fixture
def rep(client_for: Clients, make_user: Callable[..., User]) -> TestClient:
    return client_for(make_user("rita", Role.REP))


@pytest.fixture
def manager(client_for: Clients, make_user: Callable[..., User]) -> TestClient:
    return client_for(make_user("max", Role.ADMIN))


@pytest.fixture
def market(session: Session, region: Region, customer: Callable[..., Site]) -> Region:
    customer("Visible Everywhere Ltd", LonLat(-6.0, 46.0))
    service.refresh(session)
    return region


@pytest.mark.parametrize(
    "path", ["/api/v1/density", "/api/v1/density/export", f"/tiles/density/{TILE}", f"/tiles/prospects/{TILE}"]
)
def test_nothing_is_shown_to_strangers(client_for: Clients, path: str) -> None:
    assert client_for(None).get(path).status_code == 401


def test_a_rep_sees_the_market_and_takes_no_file_away(rep: TestClient, market: Region) -> None:
    assert rep.get("/api/v1/density").json()["customers"] == 1
    assert rep.get("/api/v1/density/export").json()["code"] == "not_allowed"


def test_the_market_comes_with_its_sources_and_a_legend(rep: TestClient, market: Region) -> None:
    body = rep.get("/api/v1/density").json()
    assert body["prospects"] > 80
    assert body["sources"] == ["demo: Made-up data (no rights reserved, 2026-01-01)"]
    assert body["layer_breaks"]["prospects"]["8"]
    assert body["layer_most"]["prospects"]["8"] >= body["layer_breaks"]["prospects"]["8"][-1]
    assert len(body["ramp"]) == 5


def test_hexagons_come_as_tiles_and_not_twice(rep: TestClient, market: Region) -> None:
    answer = rep.get(f"/tiles/density/{TILE}")
    assert b"density" in answer.content
    assert b"penetration" in answer.content
    again = rep.get(f"/tiles/density/{TILE}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_changed_market_is_sent_again(
    rep: TestClient, session: Session, market: Region, customer: Callable[..., Site]
) -> None:
    etag = rep.get(f"/tiles/density/{TILE}").headers["etag"]
    customer("One More Ltd", LonLat(-6.0, 46.001))
    service.refresh(session)
    assert rep.get(f"/tiles/density/{TILE}", headers={"If-None-Match": etag}).status_code == 200


def test_prospects_are_single_near_and_counted_far(rep: TestClient, market: Region) -> None:
    near, far = rep.get("/tiles/prospects/13/3959/2914"), rep.get("/tiles/prospects/8/123/91")
    assert b"is_customer" in near.content
    assert b"count" in far.content
    assert b"is_customer" not in far.content


@pytest.mark.parametrize(("format", "start"), [("html", b"<!DOCTYPE html>"), ("gpkg", b"SQLite format 3\x00")])
def test_the_market_is_a_file(manager: TestClient, market: Region, format: str, start: bytes) -> None:
    answer = manager.get("/api/v1/density/export", params={"format": format})
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    assert f"density.{format}" in answer.headers["content-disposition"]


def test_an_unknown_format_or_resolution_is_refused(manager: TestClient) -> None:
    assert manager.get("/api/v1/density/export", params={"format": "doc"}).status_code == 422
    assert manager.get("/api/v1/density/export", params={"resolution": 12}).status_code == 422


def test_firms_nearby_come_of_one_kind_only_when_that_is_asked(rep: TestClient, market: Region) -> None:
    kind, other = (one["kind"] for one in rep.get("/api/v1/density/kinds").json()["items"][:2])
    for tile in ("13/3959/2914", "8/123/91"):
        every = rep.get(f"/tiles/prospects/{tile}")
        some = rep.get(f"/tiles/prospects/{tile}", params={"kind": kind})
        assert some.content
        assert some.content != every.content
        assert some.headers["etag"] != every.headers["etag"]
    one = rep.get("/tiles/prospects/13/3959/2914", params={"kind": kind}).content
    assert (kind.encode() in one, other.encode() in one) == (True, False)
    refused = rep.get("/tiles/prospects/8/123/91", params={"kind": "shop=nothing"})
    assert (refused.status_code, refused.json()["field"]) == (422, "kind")


@pytest.mark.parametrize("kind", [None, "shop"])
def test_hexagons_are_ranked_by_each_figure_where_the_map_looks(
    manager: TestClient, market: Region, kind: str | None
) -> None:
    of = {
        "prospects": lambda told: -told["prospects"],
        "customers": lambda told: -told["customers"],
        "penetration": lambda told: -told["low_90"],
        "difference": lambda told: told["z"],
        "value": lambda told: -told["value"],
    }
    asked = {"kind": kind} if kind else {}
    for figure, key in of.items():
        found = manager.get("/api/v1/density/cells", params={"figure": figure, "resolution": 9, "limit": 200, **asked})
        ranked = [round(key(one["figures"]), 4) for one in found.json()["items"]]
        assert (found.status_code, ranked) == (200, sorted(ranked)), figure
        table = manager.get(
            "/api/v1/density/export", params={"figure": figure, "format": "csv", "resolution": 9, **asked}
        )
        cells = [line.split(",")[0] for line in table.text.splitlines()[1:]]
        places = {one: at for at, one in enumerate(cells)}
        order = [places[one["cell"]] for one in found.json()["items"]]
        assert order == list(range(len(order))), "a table begins with what leads the list, in its order"
    first = manager.get("/api/v1/density/cells", params={"limit": 1, **asked}).json()["items"][0]
    box = ",".join(str(first[at] + way) for way in (-0.0001, 0.0001) for at in ("lon", "lat"))
    near = manager.get("/api/v1/density/cells", params={"box": box, **asked}).json()["items"]
    assert [one["cell"] for one in near] == [first["cell"]]
    assert not manager.get("/api/v1/density/cells", params={"box": "0,0,1,1", **asked}).json()["items"]
    page = manager.get("/density", params={"figure": "difference", "resolution": 7, "box": box, **asked}).text
    assert "Where customers are missing" in page
    assert "in the part of the map that was chosen" in page
    assert '<input type="hidden" name="resolution" value="7">' in page


def test_an_unknown_figure_or_box_is_refused(rep: TestClient, market: Region) -> None:
    assert rep.get("/api/v1/density/cells", params={"figure": "size"}).status_code == 422
    refused = rep.get("/api/v1/density/cells", params={"box": "9,47,north"})
    assert (refused.status_code, refused.json()["field"]) == (422, "box")
