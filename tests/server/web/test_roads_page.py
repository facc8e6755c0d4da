"""The page of roads, a drive's reach on the map and in the list, and the warning of a pin far from roads."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads.factors import Drive
from server.accounts import reaching
from server.accounts.models import Account
from server.auth.models import Role, User
from server.kit import clock
from server.regions.models import Region
from server.roads import graphs, traffic
from server.roads.models import RoadJoin, RoadServer
from tests.routing.roads.conftest import write_village
from tests.server.roads.conftest import home, make_region
from tests.server.web.conftest import token_in

__all__ = ["home"]
Browsers = Callable[[User], TestClient]


def test_a_stranger_is_sent_to_sign_in(client_for: Callable[[User | None], TestClient]) -> None:
    answer = client_for(None).get("/regions/roads", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


def test_a_manager_may_not_change_roads(browser_of: Browsers, make_user: Callable[..., User]) -> None:
    mara = browser_of(make_user("mara", Role.MANAGER))
    assert mara.get("/regions/roads").status_code == 403
    token = token_in(mara.get("/accounts/new").text)
    for path in ("join", "apart", "learn", "server/osrm", "server/osrm/off"):
        assert mara.post(f"/regions/roads/{path}", data={"_csrf": token}).status_code == 403


def test_the_warning_of_somebody_elses_pin_is_not_found(
    browser_of: Browsers, make_user: Callable[..., User], make_account: Callable[..., Account], session: Session
) -> None:
    account = make_account("Hidden AG")
    site = session.execute(text("select id from site where account_id = :id"), {"id": account.id}).scalar_one()
    path = f"/accounts/{account.id}/sites/{site}/road"
    assert browser_of(make_user("rita", Role.REP)).get(path).status_code == 404
    assert browser_of(make_user("ada")).get(path).status_code == 200


@pytest.fixture
def admin(browser_of: Browsers, make_user: Callable[..., User]) -> TestClient:
    return browser_of(make_user("ada"))


def send(admin: TestClient, path: str, **data: str | list[str]) -> tuple[int, str]:
    token = token_in(admin.get("/regions/roads").text)
    answer = admin.post(f"/regions/roads/{path}", data={"_csrf": token, **data})
    return answer.status_code, answer.text


def test_without_regions_the_next_step_is_offered(admin: TestClient, home: Path) -> None:
    assert "waymark region add" in admin.get("/regions/roads").text


def test_a_graph_is_shown_and_a_damaged_one_is_built_again_by_a_worker(
    admin: TestClient, session: Session, home: Path
) -> None:
    region = make_region(session, "village", write_village(home / "v.osm.pbf").read_bytes())
    assert "no roads: estimated" in admin.get("/regions/roads").text
    graphs.build_graph(session, region)
    assert "until a worker has contracted it" in admin.get("/regions/roads").text
    graph = graphs.graph_of(region)
    assert graph is not None
    graph.base.with_name("roads.osrm.names").unlink()
    assert "mld/roads.osrm.names is missing" in admin.get("/regions/roads").text
    assert send(admin, f"build/{region.id}")[0] == 303
    assert waiting(session) == ["roads.build"]


def waiting(session: Session) -> list[str]:
    return list(session.scalars(text("select task_name from procrastinate_jobs where status = 'todo' order by id")))


def test_regions_that_touch_are_joined_and_taken_apart(admin: TestClient, session: Session, home: Path) -> None:
    for name, west in (("one", 9.0), ("two", 9.5)):
        make_region(session, name, name.encode(), bbox=(west, 47.0, west + 0.6, 47.5))
    assert "one, two touch." in admin.get("/regions/roads").text
    assert send(admin, "join", names=["one", "two"])[0] == 303
    assert waiting(session) == ["roads.join"]
    assert "waits for a worker" in admin.get("/regions/roads").text
    assert send(admin, "join", names=["one", "Atlantis"])[0] == 404
    assert send(admin, "apart", key="one+two")[0] == 303
    assert session.scalars(select(RoadJoin)).all() == []
    assert send(admin, "apart", key="one+two")[0] == 404


def test_a_server_that_is_not_there_is_refused_beside_its_field(admin: TestClient, session: Session) -> None:
    code, shown = send(admin, "server/osrm", url="http://127.0.0.1:9", timeout_s="1,5", table_points="100")
    assert code == 422
    assert "does not answer as it should" in shown
    assert 'value="http://127.0.0.1:9"' in shown
    assert session.scalars(select(RoadServer)).all() == []
    assert send(admin, "server/google", url="http://127.0.0.1:9")[0] == 404


def test_learned_factors_are_shown_with_their_counts(admin: TestClient, session: Session) -> None:
    assert "Nothing learned yet" in admin.get("/regions/roads").text
    traffic.relearn(session, {"village": [Drive(1, 8, 600, 900)] * 57})
    shown = admin.get("/regions/roads").text
    assert "<small>57</small>" in shown
    assert "slow-2" in shown
    assert send(admin, "learn")[0] == 303
    assert waiting(session) == ["activities.learn_drive_times"]


def test_the_list_shows_the_drive_and_the_map_knows_the_term(
    admin: TestClient, make_account: Callable[..., Account], home: Path
) -> None:
    make_account("Near AG")
    filter = "within 20 minutes of 9.52, 47.15 and status = prospect"
    shown = admin.get("/accounts", params={"filter": filter, "sort": "drive"}).text
    assert 'class="col-drive number">~' in shown
    assert 'href="/accounts?filter=status+%3D+prospect&amp;sort=drive"' in shown
    assert "~" in admin.get("/home/accounts", params={"filter": filter}).text
    assert "col-drive" not in admin.get("/accounts").text
    assert "expected minutes" in admin.get("/accounts", params={"filter": "within 5 hours of 9, 47"}).text


def test_a_pin_far_from_every_road_is_warned_of(
    admin: TestClient, session: Session, make_account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("Alp AG")
    site = session.execute(text("select id from site where account_id = :id"), {"id": account.id}).scalar_one()
    assert f'hx-get="/accounts/{account.id}/sites/{site}/road"' in admin.get(f"/accounts/{account.id}").text
    for away_m, said in ((40.0, ""), (430.0, "430 m from the pin"), (1500.0, "No road within 1 km")):
        monkeypatch.setattr(reaching, "road_m", lambda _session, _point, away_m=away_m: away_m)
        shown = admin.get(f"/accounts/{account.id}/sites/{site}/road").text
        assert said in shown
        assert bool(said) == bool(shown.strip())


def test_metres_to_the_road_come_from_the_roads(session: Session, home: Path) -> None:
    region = make_region(session, "village", write_village(home / "v.osm.pbf").read_bytes())
    graphs.build_graph(session, region)
    assert reaching.road_m(session, LonLat(9.01, 47.004)) == pytest.approx(445, abs=5)
    assert reaching.road_m(session, LonLat(20.0, 20.0)) == 0


def test_a_silent_server_is_shown_with_its_trouble(admin: TestClient, session: Session) -> None:
    row = RoadServer(kind="osrm", url="http://127.0.0.1:9", profile="driving", is_on=True)
    row.trouble, row.quiet_until = "no answer within 10 s", clock.now() + timedelta(minutes=1)
    session.add(row)
    session.flush()
    assert "It did not answer: no answer within 10 s." in admin.get("/regions/roads").text
    assert send(admin, "server/osrm/off")[0] == 303
    assert isinstance(session.get(RoadServer, "osrm"), RoadServer)


def test_regions_link_to_roads(admin: TestClient, session: Session) -> None:
    assert isinstance(session.scalars(select(Region)).all(), list)
    assert 'href="/regions/roads"' in admin.get("/regions").text
