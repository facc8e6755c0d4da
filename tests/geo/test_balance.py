"""Small areas are shared out evenly, and every territory stays whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geo.balance.improving import scenarios, shared, whole
from geo.balance.starting import seats
from geo.balance.types import SCENARIOS, Areas, measured


def grid(side: int, owner: NDArray[np.int64], seed: int = 1) -> Areas:
    """A square of areas with chance work."""
    chance = np.random.default_rng(seed)
    n, k = side * side, int(owner.max()) + 1
    xy = np.array([(i % side, i // side) for i in range(n)], dtype=float)
    hours = chance.gamma(2.0, 10.0, n)
    near = [
        tuple(j for j in (i - side, i + side, i - 1, i + 1) if 0 <= j < n and abs(xy[i] - xy[j]).sum() == 1)
        for i in range(n)
    ]
    return Areas(
        lonlats=9 + xy / 100,
        work=np.column_stack([hours, hours * chance.uniform(50, 150, n), hours * chance.uniform(50, 150, n)]),
        accounts=np.ones(n, dtype=np.int64),
        neighbours=tuple(near),
        travel_h=np.full((k, n), 0.5),
        owner=owner,
        fixed=np.zeros((k, 3)),
    )


def stripes(side: int, *widths: int) -> NDArray[np.int64]:
    row = np.repeat(np.arange(len(widths)), widths)
    return np.tile(row, side)


def test_uneven_stripes_become_even_and_whole_and_each_way_is_best_in_what_its_name_says() -> None:
    areas = grid(16, stripes(16, 2, 3, 4, 7))
    assert measured(areas, areas.owner).hours_spread > 0.8
    found = {goal.key: measured(areas, owner) for goal, owner in scenarios(areas)}
    for after in found.values():
        assert after.hours_spread <= 0.10
        assert after.value_spread <= 0.20
        assert set(after.pieces) == {1}
    assert found["few"].moved_accounts == min(one.moved_accounts for one in found.values())
    assert found["even"].hours_spread == min(one.hours_spread for one in found.values())
    assert found["compact"].compactness == max(one.compactness for one in found.values())


def test_no_areas_are_refused() -> None:
    nobody = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="no areas"):
        Areas(np.zeros((0, 2)), np.zeros((0, 3)), nobody, (), np.zeros((2, 0)), nobody, np.zeros((2, 3)))


def test_equal_seeds_give_equal_answers_and_the_search_can_be_stopped() -> None:
    areas = grid(8, stripes(8, 2, 6))
    once, again = (shared(areas, SCENARIOS[1], [areas.owner], seed=3) for _ in range(2))
    assert (once == again).all()

    class Stopped(Exception):
        pass

    def stop(share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        shared(areas, SCENARIOS[1], [areas.owner], tell=stop)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 2), min_size=25, max_size=25))
def test_torn_territories_are_made_whole(marks: list[int]) -> None:
    owner = np.array(marks, dtype=np.int64)
    owner[:3] = (0, 1, 2)
    areas = grid(5, owner)
    assert set(measured(areas, whole(areas, owner)).pieces) <= {0, 1}


def test_a_narrow_way_to_new_ground_is_told_as_a_strip_and_a_broad_one_is_not() -> None:
    areas = grid(12, stripes(12, 3, 9))
    assert measured(areas, areas.owner).strips_km == (0.0, 0.0), "nothing changes hands"
    chain, broad = areas.owner.copy(), areas.owner.copy()
    chain[5 * 12 + 3 : 5 * 12 + 10] = 0
    broad.reshape(12, 12)[4:8, 3:10] = 0
    narrow = measured(areas, chain).strips_km
    assert 4 < narrow[0] < 7, "five of seven areas, the first ones beside broad ground; each 0.76 km wide"
    assert narrow[1] == 0
    assert measured(areas, broad).strips_km == (0.0, 0.0)


def test_drives_begin_at_a_visited_place_and_not_in_the_empty_middle() -> None:
    areas = grid(5, np.zeros(25, dtype=np.int64))
    visits = np.zeros(25)
    visits[[0, 4, 20]] = 3
    seat = seats(areas, areas.owner, visits)
    assert any((seat[0] == areas.lonlats[i]).all() for i in (0, 4, 20))
    middle = seats(areas, areas.owner, np.zeros(25))
    assert 9.01 < middle[0][0] < 9.03, "nobody is visited: the middle stays"
