"""What looks nearly right and is another street or house: it is never answered surely."""

import pytest
from worlds import Streets, row, world

from geo.geocode.types import AddressQuery, Answer, Reason

GRID: Streets = {
    ("North 400 West", "84032", "Heber"): row(1, 60),
    ("West 200 South", "84032", "Heber"): row(1, 60),
    ("66. Sokak", "84032", "Heber"): row(1, 60),
    ("1454. Sokak", "84032", "Heber"): row(1, 60),
    ("Straße des 17. Juni", "84032", "Heber"): row(1, 60),
    ("71st Road", "84032", "Heber"): row(1, 60),
    ("Calle 17", "84032", "Heber"): row(1, 60),
    ("Carrera 2", "84032", "Heber"): row(1, 60),
    ("L 15", "84032", "Heber"): row(1, 60),
    ("Rue Haute", "84032", "Heber"): row(1, 60),
    ("Main Street", "84032", "Heber"): row(1, 60),
    ("Am Roten Haus", "84032", "Heber"): row(1, 25),
    ("Hauptstraße", "84032", "Heber"): row(1, 60),
    ("Calle Zaragoza Poniente", "84032", "Heber"): row(1, 60),
    ("Rua Pedro Sul", "84032", "Heber"): row(1, 60),
}
TOWN = world(GRID, "US")


def asked(street: str, **fields: str) -> Answer:
    return TOWN.locate(AddressQuery(**({"street": street, "postcode": "84032", "city": "Heber"} | fields)))


@pytest.mark.parametrize(
    "street",
    [
        "57 North 4000 West",
        "57 West 2400 South",
        "606. Sokak No: 16",
        "6. Sokak 16",
        "145. Sokak 16",
        "Straße des 18. Juni 5",
        "Straße des 7. Juni 5",
        "Calle 1 7-9",
        "C 34 1",
        "C 9 15",
        "47 71st Avenue",
        "K 2 # 35-37",
        "Calle 2 17",
    ],
)
def test_a_figure_of_a_name_is_the_same_figure_or_the_answer_is_not_sure(street: str) -> None:
    assert not asked(street).is_confident


@pytest.mark.parametrize("street", ["Calle Zaragoza Oriente 7", "Calle Zaragoza Ote. 7", "Rua Pedro Norte 7"])
def test_another_point_of_the_compass_is_another_street(street: str) -> None:
    assert not asked(street).is_confident


@pytest.mark.parametrize(
    ("street", "name", "number"),
    [
        ("57 North 400 West", "North 400 West", "57"),
        ("57 N 400 W", "North 400 West", "57"),
        ("66 Sok. 16", "66. Sokak", "16"),
        ("Strasse d. 17. Juni 5", "Straße des 17. Juni", "5"),
        ("Strase des 17. Juni 5", "Straße des 17. Juni", "5"),
        ("47 71st Rd", "71st Road", "47"),
        ("Calle 17 7-9", "Calle 17", "7"),
        ("Callee 17 7", "Calle 17", "7"),
        ("Zaragoza Pte. 7", "Calle Zaragoza Poniente", "7"),
        ("R. Pedro Sul 7", "Rua Pedro Sul", "7"),
    ],
)
def test_the_same_figure_is_found_in_other_writing(street: str, name: str, number: str) -> None:
    answer = asked(street)
    assert (answer.street, answer.number, answer.is_confident) == (name, number, True)


def test_another_type_is_sure_only_where_nothing_else_contradicts() -> None:
    assert asked("Chemin Haute 9").is_confident
    assert not asked("Chemin Haute 64").is_confident
    assert not asked("Chemin Haute 9", postcode="84033").is_confident


@pytest.mark.parametrize(
    ("street", "name", "number"),
    [
        ("L 15, 40", "L 15", "40"),
        ("L 15, 38-40", "L 15", "38"),
        ("Carrera 2, 38-40", "Carrera 2", "38"),
        ("Hauptstraße Haus 40", "Hauptstraße", "40"),
        ("Hauptstraße Haus 40, 3. OG", "Hauptstraße", "40"),
        ("Hauptstraße 5 Haus 3", "Hauptstraße", "5"),
        ("L 15 Haus 40", "L 15", "40"),
        ("Strasse d. 17. Juni, Haus 38-40", "Straße des 17. Juni", "38"),
        ("Am Rotne Haus 24", "Am Roten Haus", "24"),
        ("Am Roten Haus 26", "Am Roten Haus", "26"),
        ("House 60, Main Street", "Main Street", "60"),
        ("Hauptstraße, 2nd floor, 40", "Hauptstraße", "40"),
        ("Hauptstraße (2. OG) 40", "Hauptstraße", "40"),
        ("Main St. (2. OG) 40", "Main Street", "40"),
        ("60 (top floor) Main Street", "Main Street", "60"),
        ("60, flat 4, Main Street", "Main Street", "60"),
        ("29/A / 4, Main Street", "Main Street", "29"),
        ("29/A / 4 Main Street", "Main Street", "29"),
        ("29/A/4 Main Street", "Main Street", "29"),
        ("29, 4, Main Street", "Main Street", "29"),
        ("Main Street, 29 / 4", "Main Street", "29"),
        ("58-60 (2nd floor) Main Street", "Main Street", "58"),
        ("Main Street, súp. č. 39", "Main Street", "39"),
        ("60 (old 99) Main Street", "Main Street", "60"),
        ("Lot 4 60 Main Street", "Main Street", "60"),
        ("Flat 4 60 Main Street", "Main Street", "60"),
    ],
)
def test_the_number_stands_apart_from_its_street(street: str, name: str, number: str) -> None:
    answer = asked(street)
    assert (answer.street, answer.number, answer.is_confident) == (name, number, True)


@pytest.mark.parametrize(("street", "is_sure"), [("Hauptstraße, 3. OG", True), ("Hauptstraße, Eck 40 Nord", False)])
def test_a_street_without_a_number_is_sure_only_where_no_figure_was_left_out(street: str, is_sure: bool) -> None:
    answer = asked(street)
    assert (answer.street, answer.number, answer.is_confident) == ("Hauptstraße", "", is_sure)


@pytest.mark.parametrize(
    "fields",
    [
        {"city": "Hauptstraße 40, 84032 Heber"},
        {"city": "Hauptstraße 40 84032 Heber"},
        {"city": "Hauptstrase 40, Heber"},
        {"name": "Müller GmbH, Hauptstraße 40", "postcode": "84032", "city": "Heber"},
        {"name": "Müller GmbH Hauptstraße 40", "postcode": "84032", "city": "Heber"},
    ],
)
def test_an_address_in_the_column_of_cities_or_names_is_read(fields: dict[str, str]) -> None:
    answer = TOWN.locate(AddressQuery(**fields))
    assert (answer.street, answer.number, answer.is_confident) == ("Hauptstraße", "40", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"city": "84032 Heber"},
        {"city": "Heber, 84032"},
        {"city": "Heber 3"},
        {"name": "Studio 54", "city": "Heber"},
        {"name": "Müller GmbH", "city": "Heber", "postcode": "84032"},
    ],
)
def test_figures_of_a_place_or_company_are_no_address(fields: dict[str, str]) -> None:
    answer = TOWN.locate(AddressQuery(**fields))
    assert (answer.reason, answer.city, answer.is_confident) == (Reason.PLACE_ONLY, "Heber", True)


def test_a_street_in_the_column_of_cities_that_is_nowhere_is_no_place_for_sure() -> None:
    assert not TOWN.locate(AddressQuery(city="Xyzzyweg 40, 84032 Heber")).is_confident


def test_a_letter_behind_a_number_is_a_figure_where_only_that_house_exists() -> None:
    town = world({("Ring", "1", "Heber"): [*row(1, 30), "9a", "91"]}, "US")
    said = {
        n: town.locate(AddressQuery(street=f"Ring {n}", postcode="1", city="Heber")) for n in ("2O", "2l", "9l", "4l")
    }
    assert [said[n].number for n in said] == ["20", "21", "9", "4"]
    assert [said[n].is_confident for n in said] == [True, True, False, False]
    assert said["2O"].reason is Reason.CORRECTED


def test_the_flat_of_another_house_says_nothing_of_a_missing_number() -> None:
    known = [str(n) for n in range(1, 60) if n not in (2, 44)]
    answer = world({("Ring", "1", "Heber"): ["2/1", *known]}, "US").locate(
        AddressQuery(street="Ring 44/1", postcode="1", city="Heber")
    )
    assert (answer.number, answer.reason) == ("44-1", Reason.NEARBY_NUMBER)
    assert answer.point is not None
    assert abs(answer.point.lat - 50 - 42.5 * 0.00018) < 0.0002


def test_entities_of_a_web_page_are_letters() -> None:
    assert asked("Hauptstra&szlig;e 4").street == asked("Hauptstra&#223;e 4").street == "Hauptstraße"


@pytest.mark.parametrize("street", ["Hetastrasse 57", "Heastraße 57", "Hestrasse 57"])
def test_the_answer_is_the_likeliest_candidate_and_no_other_says_to_be_surer(street: str) -> None:
    town = world({("Heitastrasse", "9497", "Heber"): row(1, 60), ("Hegastrasse", "9497", "Heber"): row(1, 60)}, "LI")
    answer = town.locate(AddressQuery(street=street, postcode="9497", city="Heber"))
    shares = [one.confidence for one in answer.candidates]
    assert not answer.is_confident
    assert len(shares) == 2
    assert (answer.candidates[0].street, shares[0]) == (answer.street, answer.confidence)
    assert shares == sorted(shares, reverse=True)
