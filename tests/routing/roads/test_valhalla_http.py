"""A Valhalla server that cannot answer is told apart from places that no road reaches."""

import json

import pytest

from routing.roads.types import RoadsUnavailable
from routing.roads.valhalla_http import ValhallaHttp
from tests.routing.roads.conftest import EAST, ISLAND, LAKE, WEST


def test_an_unreachable_place_is_estimated_and_the_others_are_not(valhalla: ValhallaHttp) -> None:
    matrix = valhalla.matrix([WEST, EAST], [WEST, EAST, LAKE, ISLAND])
    assert matrix.estimated.tolist() == [[False, False, True, True]] * 2
    assert matrix.metres[0, 1] == pytest.approx(1518, abs=5)


@pytest.mark.parametrize("answer", [b"<html>502</html>", b'{"error": "Failed to parse", "error_code": 100}'])
def test_a_peer_that_talks_nonsense_is_an_error_not_an_estimate(answer: bytes) -> None:
    with pytest.raises(RoadsUnavailable):
        ValhallaHttp("x", lambda _path, _body: answer).matrix([WEST], [EAST])


def test_a_table_that_is_refused_for_one_far_pair_is_asked_for_in_halves() -> None:
    def peer(path: str, body: bytes) -> bytes:
        asked = json.loads(body)
        if path == "/locate":
            near = [{"correlated_lon": p["lon"], "correlated_lat": p["lat"]} for p in asked["locations"]]
            return json.dumps([{"edges": [edge]} for edge in near]).encode()
        far = {p["lat"] for p in asked["sources"]} | {p["lat"] for p in asked["targets"]}
        if len(far) > 1 and ISLAND.lat in far:
            return b'{"error": "Path distance exceeds the max distance limit", "error_code": 154}'
        rows = [[60] * len(asked["targets"])] * len(asked["sources"])
        return json.dumps({"sources_to_targets": {"durations": rows, "distances": rows}}).encode()

    matrix = ValhallaHttp("x", peer).matrix([WEST, EAST, ISLAND])
    assert matrix.estimated.tolist() == [[False, False, True], [False, False, True], [True, True, False]]
