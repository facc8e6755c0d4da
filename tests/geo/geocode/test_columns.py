"""Addresses in another column than the street's: found where that is sure, else asked about."""

import pytest
from worlds import Streets, addresses, row, world

from geo.geocode.building import build
from geo.geocode.columns import exchanged
from geo.geocode.explaining import explain
from geo.geocode.memory import MemoryIndex
from geo.geocode.types import AddressQuery, Reason

TOWNS: Streets = {
    ("Hauptstrasse", "69117", "Heidelberg"): row(1, 40),
    ("Hauptstrasse", "69123", "Wieblingen"): row(1, 40),
    ("Bankgasse", "69117", "Heidelberg"): row(1, 40),
    ("Fő u.", "69117", "Heidelberg"): row(1, 40),
    ("Studiostrasse", "69117", "Heidelberg"): row(1, 40),
    ("Via Milano", "00100", "Roma"): row(1, 40),
    ("Via Roma", "20100", "Milano"): row(1, 40),
    ("Rruga Zogu i Zi", "69117", "Heidelberg"): row(1, 40),
    ("Rue Neuve", "W12 8QT", "Acton"): row(1, 40),
}
TOWN = world(TOWNS, "")
HERE = {"postcode": "69117", "city": "Heidelberg"}


@pytest.mark.parametrize(
    ("fields", "street", "number", "city"),
    [
        (HERE | {"name": "Hauptstrasse 12"}, "Hauptstrasse", "12", "Heidelberg"),
        (HERE | {"name": "Hauptstr., 12"}, "Hauptstrasse", "12", "Heidelberg"),
        (HERE | {"name": "Banggasse 12"}, "Bankgasse", "12", "Heidelberg"),
        (HERE | {"name": "Bankgasse 12, 3rd floor"}, "Bankgasse", "12", "Heidelberg"),
        (HERE | {"name": "Fő u. 10/A"}, "Fő u.", "10", "Heidelberg"),
        (HERE | {"name": "Bäckerei Müller, Hauptstr. 12"}, "Hauptstrasse", "12", "Heidelberg"),
        ({"name": "Bäckerei Müller, Hauptstr. 12, 69117 Heidelberg"}, "Hauptstrasse", "12", "Heidelberg"),
        (HERE | {"name": "Bäckerei Müller, Hauptstr. 12, 69117 Heidelberg"}, "Hauptstrasse", "12", "Heidelberg"),
        (HERE | {"name": "Hauptstrasse 12", "street": "Bäckerei Müller"}, "Hauptstrasse", "12", "Heidelberg"),
        (HERE | {"name": "Rruga Zogu i Zi 12"}, "Rruga Zogu i Zi", "12", "Heidelberg"),
        ({"street": "Heidelberg", "city": "Bankgasse 12"}, "Bankgasse", "12", "Heidelberg"),
        ({"street": "Heidelberg", "city": "Banggasse 12", "postcode": "69117"}, "Bankgasse", "12", "Heidelberg"),
        ({"street": "Roma", "city": "Via Milano 12"}, "Via Milano", "12", "Roma"),
        ({"street": "Milano", "city": "Via Roma 12"}, "Via Roma", "12", "Milano"),
        ({"street": "69117", "postcode": "Hauptstrasse 12", "city": "Heidelberg"}, "Hauptstrasse", "12", "Heidelberg"),
        ({"street": "W12 8QT", "postcode": "12 Rue Neuve", "city": "Acton"}, "Rue Neuve", "12", "Acton"),
        ({"postcode": "Hauptstrasse 12", "city": "Heidelberg"}, "Hauptstrasse", "12", "Heidelberg"),
    ],
)
def test_an_address_is_found_in_whatever_column_it_stands(
    fields: dict[str, str], street: str, number: str, city: str
) -> None:
    answer = TOWN.locate(AddressQuery(**fields))
    assert (answer.street, answer.number, answer.city, answer.is_confident) == (street, number, city, True)


@pytest.mark.parametrize(
    "fields",
    [
        HERE | {"name": "Zebragasse 12"},
        HERE | {"name": "Zebragasse, 12"},
        HERE | {"name": "Studio Zebra 12"},
        {"postcode": "Zebragasse 12", "city": "Heidelberg"},
        {"street": "Heidelberg", "city": "Zebragasse 12"},
        {"street": "Heidelberg", "city": "Via Milano 12"},
        {"name": "Hauptstrasse 12"},
        {"street": "Bäckerei Müller", "name": "Zebragasse 12"} | HERE,
    ],
)
def test_what_may_be_a_house_and_is_not_found_is_asked_about(fields: dict[str, str]) -> None:
    assert not TOWN.locate(AddressQuery(**fields)).is_confident


def test_a_company_without_a_word_for_a_street_is_none_but_is_offered() -> None:
    answer = TOWN.locate(AddressQuery(name="Bank 12", **HERE))
    assert not answer.is_confident
    assert [(one.street, one.number) for one in answer.candidates] == [("Bankgasse", "12")]


def test_a_street_that_is_sure_is_not_given_up_for_a_name() -> None:
    answer = TOWN.locate(AddressQuery(name="Bankgasse 12", street="Hauptstrasse", **HERE))
    assert (answer.street, answer.reason) == ("Hauptstrasse", Reason.NO_NUMBER)


@pytest.mark.parametrize(
    "fields",
    [
        HERE | {"name": "Müller GmbH"},
        HERE | {"name": "Müller GmbH, 3rd floor"},
        {"city": "69117 Heidelberg"},
        {"city": "Heidelberg 3"},
        {"postcode": "FL-69117", "city": "Heidelberg"},
    ],
)
def test_a_town_without_a_house_stays_a_town(fields: dict[str, str]) -> None:
    answer = TOWN.locate(AddressQuery(**fields))
    assert (answer.reason, answer.city, answer.is_confident) == (Reason.PLACE_ONLY, "Heidelberg", True)


@pytest.mark.parametrize(
    "query",
    [
        AddressQuery(query="Hauptstrasse 12, Heidelberg"),
        AddressQuery(name="Bankgasse 12", street="Hauptstrasse 5", city="Heidelberg"),
        AddressQuery(name="Müller", street="Hauptstrasse", city="Heidelberg", postcode="69117"),
    ],
)
def test_a_line_and_a_street_with_its_number_are_left_alone(query: AddressQuery, memory: MemoryIndex) -> None:
    assert list(exchanged(query, memory)) == []


@pytest.fixture
def memory() -> MemoryIndex:
    return MemoryIndex(build(addresses(TOWNS, "")))


def test_the_words_of_an_exchanged_address_are_told_in_the_columns_that_they_stand_in() -> None:
    found = explain(TOWN, AddressQuery(street="Heidelberg", city="Bankgasse 12"))
    assert [(token.field, token.text, str(token.role)) for token in found.tokens] == [
        ("city", "Bankgasse", "street"),
        ("city", "12", "number"),
        ("street", "Heidelberg", "city"),
    ]
    named = explain(TOWN, AddressQuery(name="Bankgasse 12", **HERE))
    assert [(token.field, token.text, str(token.role)) for token in named.tokens][:2] == [
        ("name", "Bankgasse", "street"),
        ("name", "12", "number"),
    ]
