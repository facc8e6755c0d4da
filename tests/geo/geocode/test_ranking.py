"""The order of the streets that may be meant: lazy, and yet the same as when all are looked at."""

import pytest
from worlds import VADUZ, addresses, place_of

from geo.geocode.building import build
from geo.geocode.confidence import shipped
from geo.geocode.content import Content, HouseRow, PlaceRow, StreetRow
from geo.geocode.geocoder import Geocoder
from geo.geocode.matching import Matcher, Where
from geo.geocode.memory import MemoryIndex
from geo.geocode.parsing import Parsed, parse
from geo.geocode.ranking import Ranking
from geo.geocode.types import AddressQuery
from geo.types import LonLat

INDEX = MemoryIndex(build(addresses(VADUZ, "LI")))
QUESTIONS = ("Landstrasse 5", "Landstrase 77", "Landstrasse", "Hintergass 9 Landstrasse 2", "Xyzzystrasse 4")


def found(street: str, city: str = "", postcode: str = "") -> tuple[Parsed, Where, Matcher]:
    parsed = parse(AddressQuery(street=street, city=city, postcode=postcode), INDEX)
    places = dict.fromkeys(INDEX.places_named(city.lower()), 1.0)
    return parsed, Where(parsed.postcodes, postcode, places, bool(city), False), Matcher(INDEX)


def ranking(street: str, city: str = "", postcode: str = "") -> Ranking:
    parsed, where, matcher = found(street, city, postcode)
    return Ranking(matcher.candidates(parsed, where), where, matcher, shipped())


@pytest.mark.parametrize("street", QUESTIONS)
@pytest.mark.parametrize("place", [("Vaduz", "9490"), ("Schaan", "9490"), ("", "")])
def test_streets_come_in_the_order_that_they_have_when_every_number_was_looked_up(
    street: str, place: tuple[str, str]
) -> None:
    ranked = list(ranking(street, *place))
    for match in ranked:
        assert match.is_placed
        assert match.score == shipped().score(match.features)
    assert [round(m.score, 6) for m in ranked] == sorted((round(m.score, 6) for m in ranked), reverse=True)


@pytest.mark.parametrize("street", QUESTIONS)
def test_those_above_a_score_are_the_first_of_all(street: str) -> None:
    everything = [(m.street.id, m.score) for m in ranking(street, "Vaduz", "9490")]
    for least in (-30.0, -5.0, 0.0, 5.0):
        above = [(m.street.id, m.score) for m in ranking(street, "Vaduz", "9490").above(least)]
        assert above == [pair for pair in everything if pair[1] > least]


def test_a_street_of_the_name_elsewhere_is_compared_only_when_somebody_wants_to_see_it() -> None:
    parsed, where, matcher = found("Landstrasse 5", "Vaduz", "9490")
    streets = matcher.candidates(parsed, where)
    ranked = Ranking(streets, where, matcher, shipped())
    assert ranked.best.street.city == "Vaduz"
    assert streets.elsewhere
    assert [m.street.city for m in ranked] == ["Vaduz", "Schaan"]
    assert not streets.elsewhere


def test_of_many_places_of_one_name_the_one_in_the_postcode_is_meant() -> None:
    towns = [PlaceRow("Neustadt", (), "town", "", place_of(n, 0), 900.0) for n in range(9)]
    streets = [
        StreetRow(
            "Hauptstrasse", (), "Neustadt", "DE", (f"{10_000 + n}",), (n,), place_of(n, 0), 90.0, False,
            tuple(HouseRow(str(number), place_of(n, number), f"{10_000 + n}") for number in range(1, 20)),
        )
        for n in range(9)
    ]  # fmt: skip
    geocoder = Geocoder(MemoryIndex(Content(towns, streets, [])))
    answer = geocoder.locate(AddressQuery(street="Haupstrasse 3", postcode="10004", city="Neustadt"))
    assert (answer.point, answer.is_confident) == (place_of(4, 3), True)
    only = geocoder.locate(AddressQuery(query="Xyzzyweg 3, 10004 Neustadt"))
    assert only.point == LonLat(*place_of(4, 0))
