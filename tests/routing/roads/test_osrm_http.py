"""What only a road graph knows, and how its client behaves when the peer does not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geo.types import LonLat
from routing.roads import osrm_build, osrm_http, polyline
from routing.roads.osrm_http import OsrmHttp
from routing.roads.straight import StraightLine
from routing.roads.types import RoadsUnavailable
from tests.routing.roads.conftest import EAST, ISLAND, LAKE, LOOP_TOP, WEST, serve

LIECHTENSTEIN = Path(__file__).parents[4] / "shared/data/osm/liechtenstein.osm.pbf"


def test_main_street_is_as_long_as_on_the_map(osrm: OsrmHttp) -> None:
    matrix = osrm.matrix([WEST], [EAST])
    assert matrix.metres[0, 0] == pytest.approx(1517, abs=5)
    assert not matrix.estimated.any()


def test_a_one_way_street_makes_travel_asymmetric(osrm: OsrmHttp) -> None:
    matrix = osrm.matrix([EAST, LOOP_TOP])
    up, down = matrix.metres[0, 1], matrix.metres[1, 0]
    assert up == pytest.approx(1112, abs=5)
    assert down == pytest.approx(1517 + 1112 + 1517, abs=15)


def test_snap_is_kept_and_far_points_are_estimated_in_both_directions(osrm: OsrmHttp) -> None:
    matrix = osrm.matrix([WEST, LAKE], [EAST, LAKE])
    assert matrix.snap_m[0] < 1
    assert matrix.snap_m[1] > 4000
    assert matrix.estimated.tolist() == [[False, True], [True, True]]
    guess = StraightLine().matrix([WEST], [LAKE])
    assert matrix.seconds[0, 1] == guess.seconds[0, 0]


def test_a_big_table_is_asked_for_in_blocks_and_put_together_right(
    osrm: OsrmHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [LonLat(9 + i * 0.002, 47.0) for i in range(11)]
    whole = osrm.matrix(points)
    bodies: list[bytes] = []

    def counted(path: str, body: bytes) -> bytes:
        bodies.append(body)
        return osrm.post(path, body)

    monkeypatch.setattr(osrm_http, "MOST_ROWS", 4)
    blocks = replace(osrm, post=counted).matrix(points)
    assert len(bodies) == 3
    assert np.array_equal(whole.seconds, blocks.seconds)
    assert np.array_equal(whole.snap_m, blocks.snap_m)


def test_a_drawn_leg_follows_the_bends_of_the_road(osrm: OsrmHttp) -> None:
    (leg,) = osrm.route([LOOP_TOP, WEST])
    assert len(polyline.decode(leg.polyline6)) >= 3


def test_one_unreachable_stop_leaves_the_other_legs_on_the_road(osrm: OsrmHttp) -> None:
    assert [leg.estimated for leg in osrm.route([WEST, EAST, ISLAND, WEST, EAST])] == [False, True, True, False]


def test_an_isochrone_off_the_roads_is_a_marked_circle(osrm: OsrmHttp) -> None:
    assert osrm.isochrone(LAKE, [5])["features"][0]["properties"]["estimated"] is True
    assert osrm.isochrone(WEST, [5])["features"][0]["properties"]["estimated"] is False


@pytest.mark.parametrize("answer", [b"<html>502</html>", b'{"code": "TooBig", "message": "too many"}'])
def test_a_peer_that_talks_nonsense_is_an_error_not_an_estimate(answer: bytes) -> None:
    with pytest.raises(RoadsUnavailable):
        OsrmHttp("x", lambda _path, _body: answer).matrix([WEST], [EAST])


def test_a_silent_peer_is_an_error_not_an_estimate(graph: osrm_build.Graph) -> None:
    peer = serve(graph)
    peer.process.kill()
    peer.process.wait()
    with pytest.raises(RoadsUnavailable):
        OsrmHttp(graph.key, peer.post).route([WEST, EAST])


@pytest.mark.skipif(not LIECHTENSTEIN.exists(), reason="needs the extract of Liechtenstein")
def test_a_country_is_built_and_asked_with_plausible_answers(tmp_path: Path) -> None:
    graph = osrm_build.build(LIECHTENSTEIN, tmp_path)
    peer = serve(graph)
    try:
        engine = OsrmHttp(graph.key, peer.post)
        vaduz, schaan, malbun = LonLat(9.5215, 47.141), LonLat(9.5095, 47.165), LonLat(9.6096, 47.1027)
        matrix = engine.matrix([vaduz, schaan, malbun])
        assert not matrix.estimated.any()
        assert 200 < matrix.seconds[0, 1] < 600
        assert 900 < matrix.seconds[0, 2] < 2400
        assert 10_000 < matrix.metres[0, 2] < 20_000
        assert len(engine.isochrone(vaduz, [5, 10, 15])["features"]) == 3
    finally:
        peer.process.kill()
        peer.process.wait()
