"""The index in memory and how sources are put together."""

from worlds import ALESSANDRIA, VADUZ, addresses, place_of, row, world

from geo.geocode.building import build
from geo.geocode.geocoder import Geocoder
from geo.geocode.memory import MemoryIndex
from geo.geocode.types import AddressQuery
from geo.osm.records import AddressPoint, Place, StreetLine
from geo.types import LonLat


def test_one_street_with_two_postcodes_is_one_street() -> None:
    known = [
        AddressPoint(str(n), str(n), "Unioninkatu", "00170" if n > 10 else "00100", "Helsinki", "FI", place_of(0, n))
        for n in range(1, 21)
    ]
    content = build(known)
    assert [set(s.postcodes) for s in content.streets] == [{"00100", "00170"}]
    town = Geocoder(MemoryIndex(content))
    assert town.locate(AddressQuery(query="Unioninkatu 15, 00170 Helsinki")).postcode == "00170"
    assert town.locate(AddressQuery(query="Unioninkatu 15, 00100 Helsinki")).is_confident


def test_the_same_name_in_two_towns_is_two_streets() -> None:
    content = build(addresses(VADUZ, "LI"))
    assert sorted(s.city for s in content.streets if s.name == "Landstrasse") == ["Schaan", "Vaduz"]


def test_a_city_written_once_is_a_mistake_and_a_stray_postcode_is_too() -> None:
    known = addresses({("Rheinstrasse", "9495", "Triesen"): row(1, 40)}, "LI")
    known.append(AddressPoint("x", "41", "Rheinstrasse", "9494", "7", "LI", place_of(0, 41)))
    (street,) = build(known).streets
    assert (street.city, street.postcodes, len(street.houses)) == ("Triesen", ("9495",), 41)


def test_addresses_without_a_city_take_that_of_the_settlement_around_them() -> None:
    known = [AddressPoint(str(n), str(n), "Dorfweg", "", "", "", place_of(0, n)) for n in range(1, 9)]
    village = Place("n1", "village", "Planken", {"name:rm": "Planca"}, place_of(0, 4), "LI", postcode="9498")
    content = build(known, places=[village])
    assert (content.streets[0].city, content.streets[0].country, content.streets[0].postcodes) == (
        "Planken", "LI", ("9498",),
    )  # fmt: skip
    assert Geocoder(MemoryIndex(content)).locate(AddressQuery(query="Dorfweg 3, 9498 Planca")).is_confident


def test_a_road_without_houses_is_known_with_the_postcode_of_its_neighbours() -> None:
    road = StreetLine("w1", "Zollweg", {}, tuple(place_of(0, n) for n in range(5)))
    content = build(addresses(ALESSANDRIA, "IT"), [road])
    (zollweg,) = (s for s in content.streets if s.name == "Zollweg")
    assert (zollweg.city, zollweg.postcodes, zollweg.houses) == ("Alessandria", ("15121",), ())


def test_streets_that_a_longer_text_begins_with_are_known_in_any_script() -> None:
    streets = {(name, "1", "Ort"): row(1, 3) for name in ("Brühl", "Brühlhof", "Київ", "Київська", "Ab")}
    index = MemoryIndex(build(addresses(streets, "")))
    for text in ("bruhlhofga", "київськагасс", "abc", "xyzzy", ""):
        for shortest in (2, 5):
            known = [text[:n] for n in range(len(text) - 1, shortest - 1, -1) if index.knows_street(text[:n])]
            assert index.streets_begun_with(text, shortest) == known
    assert index.streets_begun_with("bruhlhofga", 2) == ["bruhlhof", "bruhl"]


def test_an_empty_index_finds_nothing() -> None:
    town = world({}, "LI")
    assert town.locate(AddressQuery(query="Landstrasse 1, 9490 Vaduz")).point is None
    assert town.reverse(LonLat(9, 47)).point is None
