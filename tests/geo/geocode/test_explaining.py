"""What became of each word of an address, and what is said of the candidates."""

from dataclasses import replace
from unittest.mock import patch

from geo.geocode.explaining import Role, explain
from geo.geocode.types import AddressQuery, Reason
from tests.geo.geocode.worlds import VADUZ, world

GEOCODER = world(VADUZ, "LI")


def roles(query: AddressQuery) -> list[tuple[str, str]]:
    return [(token.text, str(token.role)) for token in explain(GEOCODER, query).tokens]


def test_every_word_of_an_address_in_fields_has_its_role() -> None:
    query = AddressQuery(street="Müller AG, Landstrasse 12", postcode="FL-9490", city="Vaduz", country="Liechtenstein")
    assert roles(query) == [
        ("Müller", "dropped"),
        ("AG", "dropped"),
        ("Landstrasse", "street"),
        ("12", "number"),
        ("FL-9490", "postcode"),
        ("Vaduz", "city"),
        ("Liechtenstein", "country"),
    ]


def test_every_word_of_a_line_has_its_role() -> None:
    found = roles(AddressQuery(query="Hintergass 3, 9490 Vaduz"))
    assert found == [("Hintergass", "street"), ("3", "number"), ("9490", "postcode"), ("Vaduz", "city")]


def test_postcode_and_city_that_contradict_the_street_are_named_and_marked() -> None:
    found = explain(GEOCODER, AddressQuery(street="Backofengasse 4", postcode="9490", city="Vaduz"))
    assert found.answer.reason is Reason.PLACE_CONTRADICTS
    assert {token.text for token in found.tokens if token.contradicts} == {"9490", "Vaduz"}
    said = [(one.code, one.value, one.is_doubt) for one in found.options[0].differences]
    assert said == [
        ("street_same", "Backofengasse", False),
        ("number_same", "4", False),
        ("postcode_other", "9494", True),
        ("city_other", "Schaan", True),
    ]


def test_a_sure_answer_is_one_option_without_doubt() -> None:
    found = explain(GEOCODER, AddressQuery(street="Landstrasse 12", postcode="9494", city="Schaan"))
    assert found.answer.is_confident
    assert len(found.options) == 1
    assert not any(one.is_doubt for one in found.options[0].differences)


def test_a_number_beyond_the_known_ones_is_said_so() -> None:
    found = explain(GEOCODER, AddressQuery(street="Hintergass 400", postcode="9490", city="Vaduz"))
    assert "number_beyond" in {one.code for one in found.options[0].differences}
    assert next(token for token in found.tokens if token.text == "400").role is Role.NUMBER


def test_there_are_at_most_three_options_and_none_for_nonsense() -> None:
    unsure = explain(GEOCODER, AddressQuery(street="Landstrasse 7"))
    assert 1 <= len(unsure.options) <= 3
    nothing = explain(GEOCODER, AddressQuery(street="Qwxyzzq 99", postcode="00000", city="Xyz", country="Japan"))
    assert nothing.options == ()
    assert all(token.role is not Role.STREET for token in nothing.tokens)
    assert explain(GEOCODER, AddressQuery()).tokens == ()


def test_options_are_in_the_order_of_the_confidence_that_is_shown_beside_them() -> None:
    query = AddressQuery(street="Landstrasse 7")
    _, parsed, matches, answer = GEOCODER.reading(query)
    one = explain(GEOCODER, query).options[0].candidate
    unsure = replace(answer, candidates=tuple(replace(one, confidence=share) for share in (0.42, 0.98, 0.01)))
    with patch.object(type(GEOCODER), "reading", return_value=(query, parsed, matches, unsure)):
        assert [option.candidate.confidence for option in explain(GEOCODER, query).options] == [0.98, 0.42, 0.01]
