"""Engines made of engines keep what the parts know and mark what they do not."""

import numpy as np
import pytest

from geo.types import LonLat
from routing.roads.combined import OrEstimated, Patchwork, Scaled
from routing.roads.osrm_http import OsrmHttp
from routing.roads.straight import StraightLine
from routing.roads.types import RoadsUnavailable
from tests.routing.roads.conftest import EAST, ISLAND, LOOP_TOP, WEST

ELSEWHERE = LonLat(10.0, 47.0)


@pytest.fixture
def two(osrm: OsrmHttp) -> Patchwork:
    """The village in the west, a land without roads of its own in the east."""
    return Patchwork({"village": osrm}, lambda point: "village" if point.lon < 9.5 else None)


def test_a_region_answers_for_its_own_block_only(two: Patchwork, osrm: OsrmHttp) -> None:
    matrix = two.matrix([WEST, ELSEWHERE, EAST])
    assert matrix.estimated.tolist() == [[False, True, False], [True, True, True], [False, True, False]]
    assert matrix.seconds[0, 2] == osrm.matrix([WEST], [EAST]).seconds[0, 0]


def test_only_legs_across_the_border_are_estimates(two: Patchwork) -> None:
    legs = two.route([WEST, EAST, ELSEWHERE, WEST, EAST])
    assert [leg.estimated for leg in legs] == [False, True, True, False]
    assert [leg.estimated for leg in two.route([ELSEWHERE, WEST])] == [True]


def test_an_engine_that_is_gone_is_replaced_by_marked_estimates_and_somebody_is_told() -> None:
    def nobody(_path: str, _body: bytes) -> bytes:
        raise RoadsUnavailable("nobody there")

    told: list[str] = []
    engine = OrEstimated(OsrmHttp("gone", nobody), lambda error: told.append(str(error)))
    assert engine.matrix([WEST, EAST]).estimated.all()
    assert engine.route([WEST, EAST])[0].estimated
    assert engine.isochrone(WEST, [5])["features"][0]["properties"]["estimated"]
    assert told == ["nobody there"] * 3


def test_a_factor_scales_times_and_leaves_distances(osrm: OsrmHttp) -> None:
    slow = Scaled(osrm, 1.5)
    plain, scaled = osrm.matrix([WEST, LOOP_TOP, ISLAND]), slow.matrix([WEST, LOOP_TOP, ISLAND])
    assert np.array_equal(scaled.seconds, np.rint(plain.seconds * 1.5))
    assert np.array_equal(scaled.metres, plain.metres)
    assert slow.route([WEST, EAST])[0].seconds == round(osrm.route([WEST, EAST])[0].seconds * 1.5)
    assert slow.key != osrm.key


def test_slower_traffic_makes_areas_smaller_under_the_same_minutes() -> None:
    plain, slow = StraightLine().isochrone(WEST, [10]), Scaled(StraightLine(), 2).isochrone(WEST, [10])
    assert slow["features"][0]["properties"]["minutes"] == 10
    assert width(slow) < width(plain)


def width(areas: dict) -> float:
    lons = [lon for lon, _lat in areas["features"][0]["geometry"]["coordinates"][0]]
    return max(lons) - min(lons)
