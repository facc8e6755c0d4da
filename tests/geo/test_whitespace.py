"""White space: rates lean on all kinds, chance is left alone, drives cost, likeness has reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.whitespace import FEWEST_BEST, WEIGHTS, BestCustomers, Traits, chance, drive_hours, per_hour, pooled

BAKERY = Traits("shop=bakery", frozenset({"amenity=bank", "shop=butcher"}), 20.0, "town", 0.0)


def test_little_evidence_leans_on_the_usual_rate_and_much_speaks_for_itself() -> None:
    assert pooled(1, 1, usual=0.1) == pytest.approx(3 / 21)
    assert pooled(500, 1000, usual=0.1) == pytest.approx(502 / 1020)
    assert pooled(0, 0, usual=0.1) == pytest.approx(0.1)


@given(st.integers(0, 50), st.floats(0, 40), st.floats(0, 1))
def test_what_is_expected_lies_within_chance(found: int, expected: float, share: float) -> None:
    told = chance(found, expected, expected * share)
    assert told.low <= expected <= told.high
    assert told.beyond == (0 if told.low <= found <= told.high else (1 if found > expected else -1))


def test_half_a_customer_is_no_surprise_even_without_variance() -> None:
    assert chance(0.4, 0.0, 0.0).beyond == 0


@pytest.mark.parametrize("bad", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_negative_counts_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="variance"):
        chance(*bad)


def test_hours_count_the_way_there_and_back_for_every_ten_stops_and_the_tour_inside() -> None:
    one = drive_hours(1800, 4, 0.0)
    assert one == pytest.approx(1.0)
    assert drive_hours(1800, 11, 0.0) == pytest.approx(2.0)
    assert drive_hours(0, 100, 1.0) == pytest.approx(0.7124 * 10 * 1.35 / 30)
    assert drive_hours(0, 1, 0.0) == 0


def test_an_hour_counts_the_visits_too_so_that_next_door_is_not_worth_everything() -> None:
    assert per_hour(1000, 0.0, 0.5) == pytest.approx(2000)
    assert per_hour(1000, 1.5, 0.5) == pytest.approx(500)
    with pytest.raises(ValueError, match="must not be negative"):
        per_hour(1000, 1.0, 0.0)


def test_a_firm_like_the_best_scores_above_others_and_says_why() -> None:
    best = BestCustomers([BAKERY] * 6, {"shop=bakery": 10, "shop=toys": 90})
    like = best.likeness(BAKERY)
    other = best.likeness(Traits("shop=toys", frozenset(), 1.0, "hamlet", 12_000.0))
    assert like.score > 0.85 > 0.3 > other.score
    assert like.same_kind == pytest.approx(10.0)
    assert like.shared == ("amenity=bank", "shop=butcher")
    assert like.same_place
    assert like.as_dense
    assert not other.shared


def test_likeness_is_silent_with_too_few_customers() -> None:
    with pytest.raises(ValueError, match="too few"):
        BestCustomers([BAKERY] * (FEWEST_BEST - 1), {})


def test_the_weights_add_up() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
