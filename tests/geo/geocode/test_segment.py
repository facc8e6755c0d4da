"""One suite for the index in memory, in a file, and in two files: the same answers to every question of the matcher."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from worlds import ALESSANDRIA, EVERYWHERE, VADUZ, addresses, place_of

from geo.distance import haversine_m
from geo.geocode import blocks, keys, mapped
from geo.geocode.building import build
from geo.geocode.content import Content, HouseRow, PlaceRow, StreetRow
from geo.geocode.geocoder import Geocoder
from geo.geocode.index import Index
from geo.geocode.joint import joint
from geo.geocode.memory import MemoryIndex
from geo.geocode.packing import packed
from geo.geocode.trigrams import codes
from geo.geocode.types import AddressQuery
from geo.osm.records import Place, Poi
from geo.types import LonLat

Kind = Callable[[Content], Index]
PLACES = [
    Place("n1", "town", "Vaduz", {"name:rm": "Vadutz"}, place_of(0, 3), "LI", postcode="9490"),
    Place("n2", "village", "Schaan", {}, place_of(1, 3), "LI", postcode="9494"),
]
POIS = [Poi("p1", "Bäckerei Meier AG", {"brand": "Meier"}, "shop", place_of(2, 5), {})]
CONTENT = build(addresses(VADUZ, "LI"), places=PLACES, pois=POIS)


@pytest.fixture(params=["memory", "file", "first of two", "last of two", "file of many keys"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    if request.param == "file of many keys":
        monkeypatch.setattr(keys, "_FEW", 0)

    def of(content: Content) -> Index:
        if request.param == "memory":
            return MemoryIndex(content, "v1")
        other = packed([], build(addresses(ALESSANDRIA, "IT")).streets, [])
        sources = [packed(content.places, content.streets, content.pois)]
        if "file" not in request.param:
            sources.insert(1 if request.param == "first of two" else 0, other)
        files = [tmp_path / f"{at}.index" for at in range(len(sources))]
        for file, arrays in zip(files, sources, strict=True):
            mapped.write(file, arrays, "v1")
        return joint([mapped.read(file, "v1") for file in files], "v1")

    return of


def named(index: Index, key: str) -> Sequence[int]:
    """Streets of a key when no place is asked for."""
    found = index.streets_named(key)
    assert not found.here
    return found.elsewhere


def names(index: Index, streets: object) -> list[tuple[str, str]]:
    return [(index.street(s).name, index.street(s).city) for s in streets]  # type: ignore[attr-defined]


def test_streets_are_found_by_key(kind: Kind) -> None:
    index = kind(CONTENT)
    assert sorted(names(index, named(index, "land"))) == [("Landstrasse", "Schaan"), ("Landstrasse", "Vaduz")]
    assert names(index, named(index, "furstfranzjosef")) == [("Fürst-Franz-Josef-Strasse", "Vaduz")]
    assert not named(index, "landstrass")
    assert not named(index, "")
    assert not named(index, "\ud800")


def test_a_street_comes_back_as_it_was_written(kind: Kind) -> None:
    index = kind(CONTENT)
    (row,) = (s for s in CONTENT.streets if s.name == "Hintergass")
    (at,) = named(index, "hintergass")
    street = index.street(at)
    assert (street.id, street.name, street.city, street.country) == (at, row.name, row.city, row.country)
    assert (street.postcodes, street.postcode, street.point) == ({"9490"}, "9490", row.point)
    assert (street.extent_m, street.is_place) == (row.extent_m, False)
    assert {index.place(p).name for p in street.places} == {CONTENT.places[p].name for p in row.places}
    assert {index.place(p).name for p in street.own_places} == {"Vaduz"}
    assert all(at in {s for _, s in index.place_block(p).like("hintergass", 0.9, 5)} for p in street.places)


def test_similar_streets_are_found_anywhere_and_in_a_block(kind: Kind) -> None:
    index = kind(CONTENT)
    assert names(index, index.streets_like("bakcofen", 1)) == [("Backofengasse", "Schaan")]
    found = index.postcode_block("9494").like("bakcofen", 0.5, 5)
    assert names(index, {s for _, s in found}) == [("Backofengasse", "Schaan")]
    assert names(index, index.postcode_block("9494").containing("^im", 5)) == [("Im Gässle", "Schaan")]
    assert len(index.postcode_block("9999")) == 0
    assert index.knows_postcode("9487")
    assert not index.knows_postcode("9999")


def test_houses_are_read_one_by_one_and_in_order(kind: Kind) -> None:
    index = kind(CONTENT)
    (at,) = named(index, "furstfranzjosef")
    houses = index.houses(at)
    assert [houses[n].number.text for n in range(len(houses))][10:16] == ["11", "12", "12a", "12b", "13", "14"]
    assert houses[0].point == place_of(3, 0)
    assert houses[0].postcode == "9490"


def test_places_are_found_exactly_by_their_beginning_and_misspelt(kind: Kind) -> None:
    index = kind(CONTENT)
    (vaduz,) = index.places_named("vaduz")
    assert index.place(vaduz).name == "Vaduz"
    assert list(index.places_named("vadutz")) == [vaduz]
    assert list(index.places_beginning("vad", 5)) == [vaduz]
    assert index.places_beginning("x", 5) == []
    assert index.places_like("vadzu", 0.6, 1)[0] == (pytest.approx(0.8), [vaduz])


def test_businesses_are_found_exactly_and_misspelt(kind: Kind) -> None:
    index = kind(CONTENT)
    (poi,) = index.pois_named("backereimeier")
    assert index.poi(poi).name == "Bäckerei Meier AG"
    assert list(index.pois_like("bakcereimeier", 3)) == [poi]
    assert index.poi(poi).point == place_of(2, 5)


@pytest.mark.parametrize("point", [(10.0, 50.0), (10.031, 50.002), (10.2, 50.1), (-120.0, -33.0), (179.9, 80.0)])
def test_the_nearest_house_is_the_nearest(kind: Kind, point: tuple[float, float]) -> None:
    index, asked = kind(CONTENT), LonLat(*point)
    near = index.nearest_house(asked)
    assert near is not None
    street, house, far = near
    everything = [h.point for s in CONTENT.streets for h in s.houses]
    if isinstance(index, MemoryIndex):
        assert far <= min(haversine_m(asked, p) for p in everything) * 1.02 + 0.1
    assert far == pytest.approx(haversine_m(asked, index.houses(street)[house].point))


def test_an_empty_index_knows_nothing(kind: Kind) -> None:
    index = kind(Content())
    assert not named(index, "land")
    assert not index.places_like("vaduz", 0.5, 3)
    assert not index.pois_like("meier", 3)
    assert index.places_beginning("v", 3) == []


def test_sources_of_all_countries_opened_together_answer_like_each_alone() -> None:
    worlds = [build(addresses(streets, country)) for country, streets in EVERYWHERE.items()]
    alone = [Geocoder(MemoryIndex(world)) for world in worlds]
    sources = [mapped.Arrays(mapped.pack(packed(w.places, w.streets, w.pois)), "") for w in worlds]
    together = Geocoder(joint(sources, "all"))
    for world, town in zip(worlds, alone, strict=True):
        asked = [AddressQuery(street=f"{s.name} 3", postcode=s.postcodes[0], city=s.city) for s in world.streets]
        for one, other in zip(town.locate_many(asked), together.locate_many(asked), strict=True):
            assert (one.street, one.number, one.point) == (other.street, other.number, other.point)


def crowd(count: int) -> Content:
    """A town of many streets, and one name that is everywhere."""
    towns = [PlaceRow(f"Stadt {n}", (), "town", "", LonLat(n / 10, 50), 900.0) for n in range(40)]
    everywhere = [("Hauptstrasse", n) for n in range(40)]
    own = [(f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{'elorina'[n % 5 :]}{n} Weg", 7) for n in range(count)]
    streets = [
        StreetRow(
            name, (), f"Stadt {town}", "DE", (f"{10_000 + town}",), (town,), LonLat(town / 10, 50), 90.0, False,
            (HouseRow("1", LonLat(town / 10, 50), f"{10_000 + town}"),),
        )
        for name, town in (*everywhere, *own)
    ]  # fmt: skip
    return Content(towns, streets, [])


def test_of_a_name_that_is_everywhere_only_the_streets_that_are_meant_are_found(kind: Kind) -> None:
    index = kind(crowd(3))
    (town,) = index.places_named("stadt7")
    found = index.streets_named("haupt", ["10003"], [town])
    assert {index.street(s).city for s in found.here} == {"Stadt 3", "Stadt 7"}
    assert not found.elsewhere
    assert len(named(index, "haupt")) == 32
    assert [len(streets) for streets in index.streets_named("haupt", ["99999"])] == [0, 32]


def test_a_name_is_known_when_some_street_has_it(kind: Kind) -> None:
    index = kind(CONTENT)
    assert [index.knows_street(key) for key in ("land", "lan", "")] == [True, False, False]


def test_a_street_where_the_address_says_is_told_from_one_of_its_name_elsewhere(kind: Kind) -> None:
    index = kind(CONTENT)
    for postcodes, places in ((["9490"], []), ([], index.places_named("vaduz"))):
        here, elsewhere = index.streets_named("land", postcodes, places)
        assert names(index, here) == [("Landstrasse", "Vaduz")]
        assert names(index, elsewhere) == [("Landstrasse", "Schaan")]


def test_a_large_block_finds_what_a_small_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    content = crowd(700)
    large = MemoryIndex(content)
    monkeypatch.setattr(blocks, "_SMALL", 10_000)
    small = MemoryIndex(content)
    asked = ["aaelorina0", "bblorina3", "haupt", "zzz", "cdorina81x"]
    for key in asked:
        one, other = (index.place_block(7).like(key, 0.6, 1) for index in (large, small))
        assert [score for score, _ in one] == [score for score, _ in other]
    for part in ("lorina4", "^ha", "^b", "ina699", "xyz"):
        assert set(large.place_block(7).containing(part, 900)) == set(small.place_block(7).containing(part, 900))
    assert isinstance(large.place_block(7), blocks.LargeBlock)
    assert isinstance(small.place_block(7), blocks.SmallBlock)


def test_a_postcode_and_a_place_of_the_same_streets_share_a_block_and_others_do_not() -> None:
    streets = VADUZ | {("Dorfstrasse", "9495", "Vaduz"): ["1", "2"]}
    index = MemoryIndex(build(addresses(streets, "LI")), "x")
    schaan, vaduz = (index.places_named(name)[0] for name in ("schan", "vaduz"))
    assert index.postcode_block("9494") is index.place_block(schaan)
    assert index.postcode_block("9490") is not index.place_block(vaduz), "Vaduz has a street of another postcode"
    assert not index.postcode_block("9490").like("dorf", 0.9, 5)
    assert index.place_block(vaduz).like("dorf", 0.9, 5)


def test_pieces_of_letters_are_the_same_for_every_script() -> None:
    text = "^öж漢🏠$"
    assert codes(text, 2).tolist() == [(ord(a) << 21) | ord(b) for a, b in pairwise(text)]
    assert codes("", 3).tolist() == []
    assert codes("ab", 3).dtype == np.uint64
