"""What several fixes agree on: right in small worlds, and near enough in a made-up field."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.distance import haversine_m
from geo.madeup.checkins import customers, moved
from geo.middle import agreed, geometric_median
from geo.types import Fix, LonLat

DOOR = LonLat(9.5209, 47.141)


def around(*away: tuple[float, float], accuracy_m: float = 8.0) -> list[Fix]:
    """Fixes some metres east and north of the door."""
    return [Fix(moved(DOOR, math.hypot(e, n), math.atan2(n, e)), accuracy_m) for e, n in away]


def test_two_fixes_prove_nothing() -> None:
    assert agreed(around((0, 0), (1, 1))) is None


def test_three_fixes_of_which_one_was_sent_from_home_prove_nothing() -> None:
    assert agreed(around((0, 0), (4, 3), (4000, 900))) is None


def test_a_fix_from_home_does_not_move_what_the_others_agree_on() -> None:
    fixes = around((0, 0), (6, 0), (0, 6), (2, 2))
    alone, together = agreed(fixes), agreed([*fixes, *around((4000, 900))])
    assert alone is not None
    assert together is not None
    assert (together.agreeing, alone.agreeing) == (4, 4)
    assert haversine_m(alone.point, together.point) < 1.0
    assert haversine_m(alone.point, DOOR) < 5


def test_the_better_fix_weighs_more() -> None:
    poor = around((30, 0), (32, 0), accuracy_m=35)
    good = around((0, 0), (1, 0), accuracy_m=5)
    middle = agreed(poor + good)
    assert middle is not None
    assert haversine_m(middle.point, DOOR) < 3


def test_half_and_half_is_no_agreement() -> None:
    assert agreed(around((0, 0), (1, 0), (2, 0), (500, 0), (501, 0), (502, 0))) is None


def test_the_median_of_a_square_with_a_point_in_it_is_that_point() -> None:
    points = np.array([[0.0, 0], [2, 0], [2, 2], [0, 2], [1, 1]])
    assert geometric_median(points, np.ones(5)) == pytest.approx([1, 1], abs=0.02)


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=3, max_size=12), st.floats(-179, 179))
def test_the_middle_lies_among_the_fixes_wherever_on_earth(away: list[tuple[float, float]], shift: float) -> None:
    fixes = [Fix(LonLat((f.point.lon + shift + 180) % 360 - 180, f.point.lat), f.accuracy_m) for f in around(*away)]
    middle = agreed(fixes)
    if middle is not None:
        assert min(haversine_m(middle.point, fix.point) for fix in fixes) <= 60
        assert 3 <= middle.agreeing <= len(fixes)


@pytest.mark.parametrize("check_ins", [3, 5, 8])
def test_pins_that_were_300_m_off_come_near_the_door(check_ins: int) -> None:
    after = []
    for customer in customers(300, check_ins):
        middle = agreed(customer.fixes)
        after.append(haversine_m(customer.door, middle.point if middle else customer.pin))
    assert statistics.median(after) < 25
