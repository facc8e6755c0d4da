"""The line format is the one that maps and routers speak."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.types import LonLat
from routing.roads import polyline

degrees = st.integers(-179_999_999, 179_999_999).map(lambda n: n / 1_000_000)


def test_the_published_example_comes_out_at_six_decimals() -> None:
    points = [LonLat(-120.2, 38.5), LonLat(-120.95, 40.7), LonLat(-126.453, 43.252)]
    assert polyline.encode(points) == "_izlhA~rlgdF_{geC~ywl@_kwzCn`{nI"


@given(st.lists(st.builds(LonLat, degrees, degrees)))
def test_what_was_encoded_is_decoded_to_the_same_points(points: list[LonLat]) -> None:
    assert polyline.decode(polyline.encode(points)) == points


@pytest.mark.parametrize("text", ["_izlhA", "_", "_izlhA ~rlgdF"])
def test_a_damaged_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="polyline"):
        polyline.decode(text)


def test_lines_that_follow_each_other_become_one_without_repeats() -> None:
    a, b, c = LonLat(9, 47), LonLat(9.1, 47), LonLat(9.1, 47.1)
    assert polyline.decode(polyline.joined([polyline.encode([a, b]), polyline.encode([b, c])])) == [a, b, c]
