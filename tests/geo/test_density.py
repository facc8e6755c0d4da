"""Density: nothing is lost between cells, surfaces keep their volume, intervals hold what they promise."""

import math

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.density import (
    SPREAD_PARTS,
    cell_outline,
    cell_outlines,
    coarser,
    count_cells,
    kernel_surface,
    penetration,
    spread,
)
from geo.distance import haversine_m
from geo.types import LonLat

places = st.builds(LonLat, st.floats(8, 11), st.floats(46, 49))


@given(st.lists(places, max_size=30))
def test_counts_add_up_at_every_resolution(points: list[LonLat]) -> None:
    fine = count_cells(points, 9)
    assert sum(fine.values()) == len(points)
    assert coarser(fine, 6) == count_cells_by_parent(points, 9, 6)


def count_cells_by_parent(points: list[LonLat], fine: int, coarse: int) -> dict[str, int]:
    result: dict[str, int] = {}
    for point in points:
        for cell in coarser(count_cells([point], fine), coarse):
            result[cell] = result.get(cell, 0) + 1
    return result


def test_a_point_lies_in_the_outline_of_its_cell() -> None:
    point = LonLat(9.52, 47.14)
    (cell,) = count_cells([point], 8)
    assert cell_outline(cell).contains(Point(point))


def test_many_outlines_are_the_same_as_one_by_one() -> None:
    cells = [*h3.get_pentagons(4), *count_cells([LonLat(9.5, 47.1), LonLat(-6, 46)], 8)]
    for outline, cell in zip(cell_outlines(cells), cells, strict=True):
        assert outline.equals(cell_outline(cell))
    assert len(cell_outlines([])) == 0


def test_a_hexagon_over_the_antimeridian_is_small_and_not_around_the_world() -> None:
    cell = h3.latlng_to_cell(-16.8, 180.0, 7)
    west, _, east, _ = cell_outline(cell).bounds
    assert 179 < west < 180 < east < 181


def test_a_resolution_that_h3_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="H3 resolution is 16"):
        count_cells([], 16)
    with pytest.raises(ValueError, match="coarser than resolution 9"):
        coarser(count_cells([LonLat(9, 47)], 8), 9)


def test_penetration_of_a_handful_is_unsure_and_of_thousands_is_sharp() -> None:
    few, many = penetration(1, 4), penetration(1000, 4000)
    assert few.share == many.share == 0.25
    assert few.low == pytest.approx(0.0579, abs=1e-3)
    assert few.high == pytest.approx(0.6438, abs=1e-3)
    assert many.high - many.low < 0.025


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.5, 0.99))
def test_the_interval_lies_in_the_unit_range_and_around_the_share(a: int, b: int, level: float) -> None:
    found = penetration(min(a, b), max(a, b), level)
    assert 0 <= found.low <= found.share + 1e-9
    assert found.share - 1e-9 <= found.high <= 1


def test_ninety_of_a_hundred_intervals_hold_the_true_share() -> None:
    n, truth = 25, 0.3
    held = 0.0
    for customers in range(n + 1):
        found = penetration(customers, n)
        if found.low <= truth <= found.high:
            held += math.comb(n, customers) * truth**customers * (1 - truth) ** (n - customers)
    assert 0.86 < held < 0.95


@pytest.mark.parametrize(("customers", "potential"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(customers: int, potential: int) -> None:
    with pytest.raises(ValueError, match="must be 0 <= customers <= potential"):
        penetration(customers, potential)


@given(st.lists(places, min_size=1, max_size=20))
def test_the_volume_under_a_surface_is_the_number_of_points(points: list[LonLat]) -> None:
    surface = kernel_surface(points, 20_000)
    assert surface.values.sum() * (surface.cell_m / 1000) ** 2 == pytest.approx(len(points), rel=1e-6)


def test_the_peak_of_one_point_is_the_formula_of_the_quartic_kernel() -> None:
    point = LonLat(9.52, 47.14)
    surface = kernel_surface([point], 1000, cell_m=20)
    assert surface.values.max() == pytest.approx(3 / math.pi, rel=0.01)
    assert surface.at(point) == pytest.approx(3 / math.pi, rel=0.01)
    assert surface.at(LonLat(10.5, 47.14)) == 0


def test_weights_count_and_cell_centres_are_where_the_points_are() -> None:
    surface = kernel_surface([LonLat(9.5, 47.1), LonLat(9.6, 47.1)], 1500, weights=[1, 3])
    lon, lat = surface.cell_centres()
    highest = np.unravel_index(surface.values.argmax(), surface.values.shape)
    assert (lon[highest], lat[highest]) == (pytest.approx(9.6, abs=0.003), pytest.approx(47.1, abs=0.003))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"points": [], "bandwidth_m": 10}, "at least one point"),
        ({"points": [LonLat(9, 47)], "bandwidth_m": 0}, "must be above 0"),
        ({"points": [LonLat(9, 47)], "bandwidth_m": 10, "weights": [1, 2]}, "2 weights for 1 points"),
        ({"points": [LonLat(9, 47), LonLat(11, 48)], "bandwidth_m": 10}, "too large"),
    ],
)
def test_a_surface_that_cannot_be_is_refused(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        kernel_surface(**arguments)  # type: ignore[arg-type]


def spread_of(place: LonLat, doubt: float, level: int) -> dict[str, int]:
    """One point's parts by the names of its cells; a neighbour beside it changes nothing."""
    beside = spread([LonLat(0, 0), place], [5_000, doubt], level)[1]
    assert spread([place], [doubt], level) == [beside]
    return {h3.int_to_str(cell): part for cell, part in beside.items()}


@given(st.floats(-179.9, 179.9), st.floats(-85, 85), st.floats(0, 20_000), st.integers(3, 10))
def test_a_spread_weight_adds_up_and_depends_on_nothing_else(lon: float, lat: float, doubt: float, level: int) -> None:
    parts = spread_of(LonLat(lon, lat), doubt, level)
    assert sum(parts.values()) == SPREAD_PARTS
    assert min(parts.values()) >= 1
    assert parts == spread_of(LonLat(lon, lat), doubt, level)


def test_a_sure_place_lies_in_one_cell_and_an_unsure_one_around_it() -> None:
    place = LonLat(9.5209, 47.141)
    home = h3.latlng_to_cell(place.lat, place.lon, 9)
    middle = LonLat(*reversed(h3.cell_to_latlng(home)))
    assert spread_of(place, 0, 9) == {home: 100}
    assert spread_of(middle, 40, 9) == {home: 100}
    wide = spread_of(middle, 200, 9)
    assert len(wide) > 5
    assert max(wide, key=wide.__getitem__) == home
    assert set(wide) <= set(h3.grid_disk(home, 3))


def test_two_thirds_of_a_spread_weight_lie_within_the_uncertainty() -> None:
    place, doubt = LonLat(9.5209, 47.141), 1000.0
    near = sum(
        part
        for cell, part in spread_of(place, doubt, 12).items()
        if haversine_m(place, LonLat(*reversed(h3.cell_to_latlng(cell)))) <= doubt
    )
    assert 65 <= near <= 71


def test_no_uncertainty_is_below_zero() -> None:
    with pytest.raises(ValueError, match="uncertainty"):
        spread_of(LonLat(9.5, 47.1), -1, 9)
