"""Outlines are mended, split and given away; what lies between them is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from geo import territories as shapes

AREA = MultiPolygon([box(9, 47, 11, 48)])


@pytest.mark.parametrize("outline", [[179, -179, -179, 179], [179, 181, 181, 179], [-181, -179, -179, -181]])
def test_an_outline_across_the_antimeridian_is_cut_there(outline: list[float]) -> None:
    found = shapes.tidied(Polygon(list(zip(outline, [0, 0, 1, 1], strict=True))))
    assert found.crossed_antimeridian
    assert found.area.bounds[::2] == (-180, 180)
    assert found.area.area == pytest.approx(2)


def test_an_outline_that_crosses_itself_says_so() -> None:
    found = shapes.tidied(Polygon([(9, 47), (10, 48), (10, 47), (9, 48)]))
    assert found.crossed_itself
    assert found.area.is_valid


CORNERS = np.random.default_rng(1).uniform([9, 47], [10, 48], (3000, 2))
TURNS = np.linspace(0, 2 * np.pi, 99_998, endpoint=False)
ROUND = np.column_stack([9 + np.cos(TURNS), 47 + np.sin(TURNS)])
THERE_AND_BACK = np.column_stack([np.tile([9, 10], 3000), np.full(6000, 47)])
ZIGZAG = np.column_stack([np.tile([9, 10], 20_000), np.tile([47, 48], 20_000) + np.arange(40_000) * 1e-5])


@pytest.mark.parametrize("corners", [CORNERS, CORNERS[:300], THERE_AND_BACK, ZIGZAG])
def test_an_outline_too_tangled_to_be_mended_is_told_at_once(corners: NDArray[np.float64]) -> None:
    with pytest.raises(shapes.Tangled):
        shapes.tidied(Polygon([*corners, (9, 49)]))


@pytest.mark.parametrize(("swapped", "crosses"), [(0, False), (3, True)])
def test_many_corners_are_no_tangle(swapped: int, crosses: bool) -> None:
    corners = np.concatenate([ROUND[:swapped][::-1], ROUND[swapped:]])
    found = shapes.tidied(Polygon(corners))
    assert found.crossed_itself == crosses
    assert found.area.area == pytest.approx(np.pi, abs=1e-6)


@given(st.floats(9.05, 10.95), st.floats(9.05, 10.95), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_split_keeps_all_of_the_area(south: float, north: float, above: float, below: float) -> None:
    sides = shapes.split(AREA, LineString([(south, 46.99 + below / 10), (north, 48.01 - above / 10)]))
    assert sides is not None
    left, right = sides
    assert left.area + right.area == pytest.approx(AREA.area)
    assert left.intersection(right).area == pytest.approx(0, abs=1e-9)
    assert left.centroid.x < right.centroid.x


def test_a_line_that_only_touches_does_not_split() -> None:
    assert shapes.split(AREA, LineString([(12, 47), (13, 48)])) is None


def test_holes_narrow_strips_and_what_the_region_has_left_are_gaps() -> None:
    ring = box(9, 47, 9.3, 47.3).difference(box(9.1, 47.1, 9.2, 47.2))
    assert [round(one.area, 4) for one in shapes.gaps([ring])] == [0.01]
    strip = shapes.gaps([box(9, 47, 9.1, 47.1), box(9.1005, 47, 9.2, 47.1)])
    assert len(strip) == 1
    assert [one.bounds for one in shapes.gaps([box(9, 47, 9.1, 47.1)], within=box(9, 47, 9.2, 47.1))] == [
        (9.1, 47, 9.2, 47.1)
    ]
    assert shapes.gaps([box(9, 47, 9.1, 47.1), box(9.1, 47, 9.2, 47.1)]) == []


def test_overlaps_are_told_with_their_ground() -> None:
    found = shapes.overlaps([box(9, 47, 9.2, 47.1), box(9.1, 47, 9.3, 47.1), box(9.3, 47, 9.4, 47.1)])
    assert [(one.one, one.other) for one in found] == [(0, 1)]
    assert found[0].area.bounds == pytest.approx((9.1, 47, 9.2, 47.1))


def test_ground_goes_to_the_longest_border() -> None:
    gap = box(9.1, 47, 9.11, 47.1)
    assert shapes.nearest(gap, [box(9.11, 47.09, 9.2, 47.2), box(9, 47, 9.1, 47.1)]) == 1
    assert shapes.nearest(gap, [box(20, 47, 21, 48), box(12, 47, 13, 48)]) == 1


def test_postcodes_grow_around_their_addresses_without_gaps() -> None:
    points = np.array([[9.1, 47.1], [9.11, 47.12], [9.3, 47.1], [9.31, 47.3], [9.1, 47.1]])
    grown = shapes.around_points(points, ["a", "a", "b", "b", "a"], within=box(9, 47, 9.4, 47.4))
    assert set(grown) == {"a", "b"}
    assert sum(one.area for one in grown.values()) == pytest.approx(0.16)
    assert grown["a"].centroid.x < grown["b"].centroid.x
