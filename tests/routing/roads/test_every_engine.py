"""One suite for all engines: what the planner and the maps may rely on, whoever answers."""

import numpy as np
import pytest

from geo.distance import haversine_m, haversine_matrix_m
from geo.types import LonLat
from routing.roads import polyline
from routing.roads.types import RoadEngine
from tests.routing.roads.conftest import EAST, ISLAND, LAKE, LOOP_TOP, WEST

PLACES = [WEST, EAST, LOOP_TOP, ISLAND, LAKE]


def test_an_engine_keeps_the_protocol(engine: RoadEngine) -> None:
    assert isinstance(engine, RoadEngine)
    assert engine.key


def test_a_matrix_has_a_row_per_source_and_a_column_per_target(engine: RoadEngine) -> None:
    matrix = engine.matrix(PLACES[:2], PLACES)
    assert matrix.seconds.shape == matrix.metres.shape == matrix.estimated.shape == (2, 5)
    assert matrix.snap_m.shape == (2,)
    assert matrix.seconds.dtype == matrix.metres.dtype == np.int32
    assert matrix.snap_m.dtype == np.float32
    assert matrix.estimated.dtype == np.bool_


def test_without_targets_the_sources_are_the_targets(engine: RoadEngine) -> None:
    assert np.array_equal(engine.matrix(PLACES).seconds, engine.matrix(PLACES, PLACES).seconds)


def test_no_points_give_an_empty_matrix_and_no_legs(engine: RoadEngine) -> None:
    assert engine.matrix([]).seconds.shape == (0, 0)
    assert engine.matrix([], [WEST]).seconds.shape == (0, 1)
    assert engine.route([]) == engine.route([WEST]) == []


def test_every_cell_is_a_finite_time_that_a_planner_may_use(engine: RoadEngine) -> None:
    matrix = engine.matrix(PLACES)
    apart = haversine_matrix_m(PLACES, PLACES)
    assert (np.diag(matrix.seconds) == 0).all()
    assert (matrix.metres >= apart * 0.98 - 1).all()
    assert matrix.seconds.max() < 3600


ALONG, UP = LonLat(9.015, 47.0), LonLat(9.02, 47.005)
"""On Main Street and on the loop, away from their ends."""


@pytest.mark.parametrize("stops", [[WEST, EAST, LOOP_TOP, EAST, WEST], [WEST, ALONG, UP, ALONG, UP, WEST]])
def test_legs_take_as_long_as_the_cells_of_the_matrix(engine: RoadEngine, stops: list[LonLat]) -> None:
    if engine.key.startswith("valhalla") and EAST in stops:
        pytest.skip("a table of Valhalla leaves a point that lies exactly on a junction by one of its roads only")
    matrix = engine.matrix(stops)
    for i, leg in enumerate(engine.route(stops)):
        assert abs(leg.seconds - matrix.seconds[i, i + 1]) <= 1
        assert abs(leg.metres - matrix.metres[i, i + 1]) <= 1
        assert leg.estimated == matrix.estimated[i, i + 1]


def test_a_leg_is_drawn_from_stop_to_stop(engine: RoadEngine) -> None:
    for (a, b), leg in zip([(WEST, EAST), (EAST, LOOP_TOP)], engine.route([WEST, EAST, LOOP_TOP]), strict=True):
        line = polyline.decode(leg.polyline6)
        assert haversine_m(line[0], a) < 1
        assert haversine_m(line[-1], b) < 1


def test_an_off_road_stop_makes_only_its_own_legs_estimates(engine: RoadEngine) -> None:
    legs = engine.route([WEST, LAKE, EAST, WEST])
    assert [leg.estimated for leg in legs[:2]] == [True, True]
    assert legs[2].estimated == (engine.key == "straight-1")


def test_an_island_without_a_bridge_is_reached_only_by_an_estimate(engine: RoadEngine) -> None:
    assert engine.matrix([WEST], [ISLAND]).estimated.all()
    assert [leg.estimated for leg in engine.route([WEST, ISLAND])] == [True]


def test_isochrones_grow_with_the_minutes_and_come_largest_first(engine: RoadEngine) -> None:
    areas = engine.isochrone(WEST, [1, 3, 2])["features"]
    assert [area["properties"]["minutes"] for area in areas] == [3, 2, 1]
    widths = [_width(area["geometry"]) for area in areas]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] > 0


@pytest.mark.parametrize("minutes", [[], [0], [-5], [121], [float("nan")]])
def test_senseless_durations_are_refused(engine: RoadEngine, minutes: list[float]) -> None:
    with pytest.raises(ValueError, match="minutes"):
        engine.isochrone(WEST, minutes)


def _width(geometry: dict) -> float:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    lons = [LonLat(*point).lon for polygon in polygons for ring in polygon for point in ring]
    return max(lons) - min(lons)
