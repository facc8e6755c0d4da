"""Learned factors follow what was driven, slowly where little was, and never run away."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.roads.factors import LEAST, MOST, Drive, Factor, learn, mean

TUESDAY_8 = (1, 8)


def drives(ratio: float, count: int, cell: tuple[int, int] = TUESDAY_8) -> list[Drive]:
    rng = random.Random(7)
    return [Drive(*cell, 600, 600 * ratio * rng.uniform(0.9, 1.1)) for _ in range(count)]


def test_a_busy_hour_is_learned_from_many_drives() -> None:
    factor = learn(drives(1.4, 300))[TUESDAY_8]
    assert factor.value == pytest.approx(1.4, abs=0.06)
    assert factor.drives == 300


def test_few_drives_move_little() -> None:
    assert 1 < learn(drives(1.4, 2))[TUESDAY_8].value < 1.15


def test_a_quiet_hour_beside_a_busy_one_stays_quieter() -> None:
    week = learn(drives(1.5, 200) + drives(1.0, 200, (1, 11)))
    assert week[1, 11].value < 1.1 < 1.35 < week[TUESDAY_8].value


def test_an_hour_with_few_drives_leans_on_the_same_hour_of_other_days() -> None:
    busy = [drive for day in (0, 1, 2, 3) for drive in drives(1.5, 100, (day, 8))]
    week = learn(busy + drives(1.0, 400, (4, 15)) + drives(1.5, 1, (4, 8)))
    assert week[4, 8].value > 1.3


def test_lunches_and_slips_of_the_clock_do_not_count() -> None:
    wrong = [Drive(*TUESDAY_8, 600, 5400), Drive(*TUESDAY_8, 600, 20), Drive(*TUESDAY_8, 60, 100)]
    assert learn(wrong) == {}
    assert learn(drives(1.2, 200) + wrong * 30)[TUESDAY_8].value == pytest.approx(1.2, abs=0.05)


def test_a_third_of_wrong_notes_hardly_moves_the_median() -> None:
    clean, dirty = learn(drives(1.1, 200)), learn(drives(1.1, 200) + drives(2.2, 90))
    assert abs(clean[TUESDAY_8].value - dirty[TUESDAY_8].value) < 0.1


@given(st.lists(st.builds(Drive, st.integers(0, 6), st.integers(0, 23), st.floats(1, 2e4), st.floats(1, 2e4))))
def test_factors_are_bounded_and_the_order_of_drives_means_nothing(found: list[Drive]) -> None:
    week = learn(found)
    assert all(LEAST <= factor.value <= MOST for factor in week.values())
    assert learn(found[::-1]) == week


def test_the_mean_of_hours_counts_unknown_ones_as_one() -> None:
    assert mean({TUESDAY_8: Factor(1.4, 9)}, [TUESDAY_8, (1, 9)]) == pytest.approx(1.2)
    assert mean({}, []) == 1
