"""House numbers on a street whose houses stand 20 m apart."""

import pytest
from worlds import STEP_DEG, place_of

from geo.distance import haversine_m
from geo.geocode.numbers import House, HouseNumber, Houses, parse_number
from geo.types import Grade


def houses(*numbers: str) -> Houses:
    found = []
    for position, text in enumerate(numbers):
        number = parse_number(text)
        assert number is not None
        found.append(House(number, place_of(0, position), "9490"))
    return Houses.of(found)


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
    assert far.uncertainty_m == 300.0, "a number that nobody has is no farther off than the street is long"


def test_a_missing_number_past_the_last_one_goes_most_of_its_step_on() -> None:
    placed = houses("30", "32", "34", "36").place(asked("28"))
    assert placed is not None
    assert (placed.fit, placed.grade) == ("beyond", Grade.INTERPOLATED)
    step_m = haversine_m(place_of(0, 0), place_of(0, 1))
    assert haversine_m(placed.point, place_of(0, 0)) == pytest.approx(0.6 * step_m, rel=0.01)
    assert haversine_m(placed.point, place_of(0, -1)) == pytest.approx(0.4 * step_m, rel=0.01)


@pytest.mark.parametrize(
    ("text", "last", "alone", "across"),
    [("46", 10, 11.8, 15.5), ("56", 30, 30.0, 50.5)],
    ids=["one step on", "where the other side has it"],
)
def test_past_its_side_a_number_is_half_way_to_where_it_is_as_the_other_side_goes_on(
    text: str, last: int, alone: float, across: float
) -> None:
    numbers = {"20": 0, "40": last, "21": 0, "41": 10, "51": 20, "61": 40}
    street = Houses.of(House(asked(number), place_of(0, at), "9490") for number, at in numbers.items())
    placed = street.place(asked(text))
    assert placed is not None
    assert (placed.fit, placed.grade) == ("between", Grade.INTERPOLATED)
    half = (alone + across) / 2
    assert placed.point.lat == pytest.approx(place_of(0, 0).lat + half * STEP_DEG, abs=1e-6)
    assert placed.uncertainty_m > 20 * (across - alone) / 2, "as far as one of the two is from the middle"


def test_a_house_of_two_numbers_answers_to_either() -> None:
    street = houses("1234/12", "877/14", "301/16", "101-103")
    for question, text in (("12", "1234/12"), ("877", "877/14"), ("301/16", "301/16"), ("103", "101-103")):
        placed = street.place(asked(question))
        assert placed is not None
        assert (placed.text, placed.fit) == (text, "exact")
    other = street.place(asked("555/14"))
    assert other is not None
    assert (other.text, other.fit, other.is_cut) == ("877/14", "base", True)


def test_where_first_figures_are_jumbled_the_second_ones_place_a_missing_house() -> None:
    first = (871, 12, 455, 990, 33, 702, 561, 118, 640, 77)
    street = houses(*(f"{f}/{2 * at + 2}" for at, f in enumerate(first) if at != 4))
    placed = street.place(asked("33/10"))
    assert placed is not None
    assert (placed.fit, haversine_m(placed.point, place_of(0, 4)) < 30) == ("between", True)
    far = street.place(asked("700"))
    assert far is not None
    assert far.fit == "far"


def test_where_the_second_figures_go_along_a_house_of_that_figure_alone_is_the_place() -> None:
    first = (871, 12, 455, 990, 702, 561, 118, 640, 77)
    street = houses("1", *(f"{f}/{2 * at + 3}" for at, f in enumerate(first)))
    placed = street.place(asked("333/1"))
    assert placed is not None
    assert (placed.fit, placed.is_cut, placed.point) == ("base", True, place_of(0, 0))


def test_numbers_in_the_order_of_building_say_little_about_what_is_between() -> None:
    order = (17, 3, 29, 11, 41, 7, 33, 1, 23, 13, 37, 5, 19, 27, 9, 39, 21, 31, 15, 25)
    street = houses(*(str(n) for n in order))
    placed = street.place(asked("35"))
    assert placed is not None
    assert placed.fit == "far"
    assert placed.uncertainty_m > 150


def test_a_number_whose_suffix_is_unknown_says_so() -> None:
    placed = houses("56", "58").place(asked("56a"))
    assert placed is not None
    assert (placed.text, placed.is_cut) == ("56", True)


def test_a_street_without_numbers_places_none() -> None:
    assert Houses.of(()).place(asked("3")) is None
