"""House numbers on a street whose houses stand 20 m apart."""

import pytest
from worlds import place_of

from geo.distance import haversine_m
from geo.geocode.numbers import House, HouseNumber, Houses, parse_number
from geo.types import Grade


def houses(*numbers: str) -> Houses:
    found = []
    for position, text in enumerate(numbers):
        number = parse_number(text)
        assert number is not None
        found.append(House(number, place_of(0, position), "9490"))
    return Houses(found)


def asked(text: str) -> HouseNumber:
    number = parse_number(text)
    assert number is not None
    return number


@pytest.mark.parametrize(
    ("text", "base", "tail"),
    [
        ("12", 12, ()),
        ("12a", 12, ("a",)),
        ("90/H", 90, ("h",)),
        ("12-2", 12, ("2",)),
        ("5 bis", 5, ("bis",)),
        ("6 B 4", 6, ("b", "4")),
    ],
)
def test_numbers_of_all_countries_are_read(text: str, base: int, tail: tuple[str, ...]) -> None:
    number = parse_number(text)
    assert number is not None
    assert (number.base, number.tail) == (base, tail)


def test_a_text_without_a_leading_figure_is_no_number() -> None:
    assert parse_number("a12") is None
    assert parse_number("") is None


def test_the_very_number_is_found_with_its_suffix() -> None:
    placed = houses("12", "12a", "12b").place(asked("12A"))
    assert placed is not None
    assert (placed.text, placed.grade, placed.fit) == ("12a", Grade.ROOFTOP, "exact")


def test_a_flat_or_range_behind_a_known_number_is_the_number() -> None:
    placed = houses("101", "103").place(asked("101-103"))
    assert placed is not None
    assert (placed.text, placed.fit) == ("101", "exact")


def test_an_unknown_suffix_falls_back_to_its_base() -> None:
    placed = houses("12a", "14").place(asked("12c"))
    assert placed is not None
    assert (placed.text, placed.grade, placed.fit) == ("12a", Grade.INTERPOLATED, "base")


def test_a_missing_number_stands_between_its_neighbours_of_the_same_side() -> None:
    street = houses("1", "2", "3", "4", "7", "8")
    placed = street.place(asked("5"))
    assert placed is not None
    assert (placed.grade, placed.fit, placed.text) == (Grade.INTERPOLATED, "between", "5")
    assert haversine_m(placed.point, place_of(0, 3)) < 1
    assert placed.uncertainty_m < 60


def test_a_number_just_past_the_end_is_near_and_one_far_past_is_far() -> None:
    street = houses("2", "4", "6", "8")
    near, far = street.place(asked("10")), street.place(asked("214"))
    assert near is not None
    assert far is not None
    assert (near.fit, far.fit) == ("beyond", "far")
    assert far.grade is Grade.STREET


def test_a_street_without_numbers_places_none() -> None:
    assert Houses(()).place(asked("3")) is None
