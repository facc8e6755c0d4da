"""Where the car stops, and what is said of places that nobody can simply drive to."""

import pytest

from geo.types import Grade, LonLat
from mobile.field.pins import ROUGH_GRADES, is_approximate
from mobile.field.pins import ROUGH_M as ROUGH_M_ON_PHONES
from mobile.texts import DE, EN
from routing.roads import polyline
from routing.roads.types import Leg
from server.accounts.pins import ROUGH_M
from server.plans.entry import CAUTIONS, cautions, entry_point, in_words, walk_m

PIN, ROAD = LonLat(9.52, 47.14), LonLat(9.5204, 47.14)


def test_the_car_stops_where_the_drive_ends_on_the_road() -> None:
    leg = Leg(60, 500, polyline.encode([LonLat(9.5, 47.1), ROAD]), False)
    assert entry_point(leg) == ROAD
    assert walk_m(PIN, ROAD) == pytest.approx(30, abs=1)


def test_an_estimated_drive_ends_nowhere_in_particular() -> None:
    assert entry_point(Leg(60, 500, "", True)) is None
    assert walk_m(PIN, None) is None


@pytest.mark.parametrize(
    ("grade", "uncertainty_m", "walk", "expected"),
    [
        (Grade.ROOFTOP, 8, 20, []),
        (Grade.MANUAL, 10, None, []),
        (Grade.GIVEN, 50, 20, []),
        (Grade.GIVEN, 787, 20, ["unsure"]),
        (Grade.STREET, 90, 10, ["street"]),
        (Grade.LOCALITY, 2000, 400, ["locality", "far_from_road"]),
        (Grade.MANUAL, 10, 300, ["far_from_road"]),
        (None, None, None, []),
    ],
)
def test_what_is_unsure_is_told(
    grade: Grade | None, uncertainty_m: float | None, walk: float | None, expected: list[str]
) -> None:
    assert cautions(grade, uncertainty_m, walk) == expected
    assert bool(in_words(expected)) is bool(expected)


def test_phone_and_server_call_the_same_pins_approximate() -> None:
    assert ROUGH_M == ROUGH_M_ON_PHONES
    for grade in Grade:
        for metres in (10, 250, 251, 5000):
            site = {"lat": 47.1, "grade": str(grade), "uncertainty_m": metres}
            assert is_approximate(site) is bool(cautions(grade, metres, None))
    assert set(ROUGH_GRADES) == {"street", "locality"}
    assert {f"c_{code}" for code in CAUTIONS} <= EN.keys() & DE.keys()
