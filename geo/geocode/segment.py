"""One source of the address index: its arrays, read where they lie."""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import numpy as np

from geo.distance import haversine_m
from geo.geocode.blocks import Block, Blocks, SmallBlock
from geo.geocode.index import NOBODY, Named, NamedPoint, Settlement, Street
from geo.geocode.keys import Keys
from geo.geocode.mapped import Array, Arrays
from geo.geocode.nearest import Cells
from geo.geocode.normalise import StreetName, street_name
from geo.geocode.numbers import House, HouseNumber, Houses, parse_number
from geo.geocode.packing import COLUMNS, PLACE_PIECES, UNITS
from geo.geocode.texts import Lists, Texts
from geo.types import LonLat

_MOST_NAMED = 8
"""Of more streets of one name only those that lie where the address says."""
_LOOKED_AT = 32
_NO_BLOCK = SmallBlock((), ())

Scored = list[tuple[float, list[int]]]
"""Likeness of a key, and what is filed under it."""


class Segment:
    """One source behind the `Index` protocol.

    Parameters
    ----------
    arrays : Arrays
        What `packed` made.
    version : str
        Identifies the content.
    streets, places, pois : int
        The numbers by which its streets, places and businesses begin, when it is one source of several.
    """

    def __init__(self, arrays: Arrays, version: str = "", streets: int = 0, places: int = 0, pois: int = 0) -> None:
        self.version = version
        """Changes whenever the content does."""
        self.first = (streets, places, pois)
        """The numbers by which its streets, places and businesses begin."""
        self._first, self._first_place, self._first_poi = self.first
        self._column = {name: memoryview(arrays[name]) for name in COLUMNS}
        self._text = Texts(arrays, "text")
        self._extent = {kind: memoryview(arrays[f"{kind}.extent"]) for kind in ("place", "street")}
        self._lons = {kind: memoryview(arrays[f"{kind}.lons"]) for kind in ("place", "street", "house", "poi")}
        self._lats = {kind: memoryview(arrays[f"{kind}.lats"]) for kind in ("place", "street", "house", "poi")}
        self._house_lons, self._house_lats = arrays["house.lons"], arrays["house.lats"]
        self._names, self._places, self._own, self._poi_places, self._code_places = (
            Lists(arrays, name) for name in ("street.names", "street.places", "street.own", "poi.places", "code.places")
        )
        self._by_name, self._by_code = Keys(arrays, "street"), Keys(arrays, "code", 0)
        self._of_place = Blocks(arrays, "place.streets", self._by_name, streets)
        self._of_code = Blocks(arrays, "code.members", self._by_name, streets)
        self._by_place, self._by_poi = Keys(arrays, "place", PLACE_PIECES), Keys(arrays, "poi")
        self._starts = memoryview(arrays["house.starts"])
        self._cells = Cells(arrays)
        self.countries = frozenset(self._text[at] for at in Lists(arrays, "countries")[0])
        """Two-letter codes of the countries that are covered; empty when unknown."""
        self.street = lru_cache(20_000)(self._street)
        """The street at a position."""
        self.houses = lru_cache(20_000)(self._numbers)
        """Its house numbers."""
        self.names = lru_cache(20_000)(self._read_names)
        """The names of the street at a position."""
        self.knows_street = lru_cache(20_000)(lambda key: len(self._named(key)) > 0)
        """Whether any street is filed under exactly this key."""
        self.streets_begun_with = lru_cache(20_000)(self._by_name.begun_with)
        """Keys of streets, of so many letters or more, that a longer text begins with, the longest first."""
        self._areas_of = lru_cache(20_000)(self._read_areas)
        self.poi = lru_cache(20_000)(self._read_poi)
        """The business at a position."""
        self.places_in = lru_cache(1_000)(self._places_of_code)
        """The places in which the streets of a postcode lie."""
        self._codes = lru_cache(1_000)(self._known_codes)
        self._twin = lru_cache(20_000)(self._place_of_the_same)
        self._named = lru_cache(20_000)(self._filed)
        self._street_name = lru_cache(20_000)(lambda at: street_name(self._text[at]))
        self._house = lru_cache(20_000)(self._read_house)
        self.scored_streets = lru_cache(5_000)(self._scored_streets)
        """Streets by the keys that share most trigrams with one, with the likeness of each key."""
        self._number_text = Texts(arrays, "number")
        self._bases, self._seconds = memoryview(arrays["number.bases"]), memoryview(arrays["number.seconds"])
        self._house_numbers, self._house_codes = self._column["house.number"], self._column["house.code"]
        self._number = lru_cache(20_000)(lambda at: parse_number(self._number_text[at]) or HouseNumber(0))
        self._code = lru_cache(20_000)(self._by_code.texts.__getitem__)
        self._word = lru_cache(20_000)(self._text.__getitem__)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many streets, places and businesses there are."""
        return len(self._column["street.name"]), len(self._column["place.name"]), len(self._column["poi.name"])

    def _string(self, column: str, at: int) -> str:
        return self._word(self._column[column][at])

    def _point(self, kind: str, at: int) -> LonLat:
        return LonLat(self._lons[kind][at] / UNITS, self._lats[kind][at] / UNITS)

    def _street(self, street: int) -> Street:
        at = street - self._first
        codes, places = self._areas_of(at)
        own = frozenset(self._shifted(self._own[at], self._first_place))
        return Street(
            street, frozenset([self._code(c) for c in codes]), places, own or places, self.names(street), self
        )

    def written(self, column: str, street: int) -> str:
        """A text of the street at a position."""
        return self._word(self._column[column][street - self._first])

    def middle(self, street: int) -> LonLat:
        """A point near its middle."""
        return self._point("street", street - self._first)

    def extent_m(self, street: int) -> float:
        """Half its length."""
        return self._extent["street"][street - self._first]

    def is_place(self, street: int) -> bool:
        """Whether it is a village that numbers its houses without streets."""
        return bool(self._column["street.is_place"][street - self._first])

    def _read_areas(self, at: int) -> tuple[list[int], frozenset[int]]:
        """Postcodes of a street as they count here, and its places."""
        return self._by_code.of[at], frozenset(self._shifted(self._places[at], self._first_place))

    def _read_house(self, at: int) -> House:
        number = self._number(self._house_numbers[at])
        return House(number, self._point("house", at), self._word(self._house_codes[at]))

    def _read_names(self, street: int) -> tuple[StreetName, ...]:
        found = self._names[street - self._first]
        if len(found) == 1:
            return (self._street_name(found[0]),)
        return tuple({name.words: name for name in map(self._street_name, found)}.values())

    def _numbers(self, street: int) -> Houses:
        begin, end = self._starts[street - self._first], self._starts[street - self._first + 1]
        numbers = self._house_numbers[begin:end]
        seconds = self._seconds
        return Houses(
            numbers,
            self._bases.__getitem__,
            lambda: [seconds[number] for number in numbers],
            lambda at: self._house(begin + at),
            lambda: ((self._house_lons[begin:end] / UNITS).tolist(), (self._house_lats[begin:end] / UNITS).tolist()),
        )

    def streets_named(self, key: str, postcodes: Sequence[str] = (), places: Collection[int] = ()) -> Named:
        """Streets filed under exactly this key, those in one of the postcodes or places apart from those elsewhere.

        Of very many only those that are there, or a handful when none is.
        """
        found = self._named(key)
        if not len(found):
            return NOBODY
        codes = self._codes(tuple(postcodes))
        if isinstance(found, np.ndarray):
            here = self._common(found, codes, places)
            if here:
                return Named(self._shifted(here, self._first))
            return Named((), self._shifted(found[:_LOOKED_AT].tolist(), self._first))
        there: list[int] = []
        apart: list[int] = []
        for street in found:
            own_codes, own_places = self._areas_of(street)
            is_here = not codes.isdisjoint(own_codes) or not own_places.isdisjoint(places)
            (there if is_here else apart).append(street + self._first)
        return Named(there, apart)

    def _known_codes(self, postcodes: Sequence[str]) -> frozenset[int]:
        return frozenset([at for code in postcodes if (at := self._by_code.find(code)) >= 0])

    def _filed(self, key: str) -> Sequence[int] | Array:
        """The streets of a key as they count here; of very many as they lie in the file."""
        at = self._by_name.look_up(key)
        if at < 0:
            return ()
        found = self._by_name.members.array(at)
        return found if len(found) > _MOST_NAMED else found.tolist()

    def _common(self, streets: Array, codes: Iterable[int], places: Iterable[int]) -> list[int]:
        """Which of some ascending streets lie in a postcode or place, ascending: small ones in one search."""
        first, count, size = self._first_place, len(self._of_place), len(streets)
        areas = [self._of_code.members(code) for code in codes]
        areas += [self._of_place.members(place - first) for place in places if 0 <= place - first < count]
        small = [area for area in areas if len(area) <= size]
        searched = [(streets, np.concatenate(small) if len(small) > 1 else small[0])] if small else []
        searched += [(area, streets) for area in areas if len(area) > size]
        found: set[int] = set()
        for many, few in searched:
            found.update(few[many.take(many.searchsorted(few), mode="clip") == few].tolist())
        return sorted(found)

    def _place_of_the_same(self, code: int) -> int:
        """The place of exactly the streets that have a postcode, as where each town has one; -1 when there is none."""
        streets = self._of_code.members(code)
        places = [at for at in self._code_places[code] if self._of_place.size(at) == len(streets)]
        return next((at for at in places if np.array_equal(streets, self._of_place.members(at))), -1)

    @staticmethod
    def _shifted(items: list[int], by: int) -> list[int]:
        return [item + by for item in items] if by else items

    def streets_like(self, key: str, limit: int) -> Sequence[int]:
        """Streets anywhere whose keys share most trigrams with this one, best first."""
        return spread(self.scored_streets(key, limit), limit)

    def _scored_streets(self, key: str, limit: int) -> Scored:
        return self._scored(self._by_name, self._by_name.like(key, limit), self._first, limit)

    def _scored(self, keys: Keys, found: Iterable[tuple[float, int]], first: int, limit: int) -> Scored:
        return [(score, self._shifted(keys.members.array(at)[:limit].tolist(), first)) for score, at in found]

    def postcode_block(self, postcode: str) -> Block:
        """Streets of a postcode; empty for an unknown one; the very block of the place that has the same."""
        at = self._by_code.find(postcode)
        if at < 0:
            return _NO_BLOCK
        twin = self._twin(at)
        return self._of_code[at] if twin < 0 else self._of_place[twin]

    def place_block(self, place: int) -> Block:
        """Streets of a place."""
        return self._of_place[place - self._first_place]

    def _places_of_code(self, postcode: str) -> frozenset[int]:
        at = self._by_code.find(postcode)
        if at < 0:
            return frozenset()
        return frozenset(self._shifted(self._code_places[at], self._first_place))

    def knows_postcode(self, postcode: str) -> bool:
        """Whether any street has it (letters and digits only, upper case)."""
        return self._by_code.find(postcode) >= 0

    def place(self, place: int) -> Settlement:
        """The place at a position."""
        at = place - self._first_place
        return Settlement(
            place, self._string("place.name", at), self._string("place.kind", at), self._string("place.country", at),
            self._point("place", at), self._extent["place"][at],
        )  # fmt: skip

    def places_named(self, key: str) -> Sequence[int]:
        """Places of exactly this key (folded and glued)."""
        return self._shifted(self._by_place.named(key), self._first_place)

    def places_beginning(self, text: str, limit: int) -> Sequence[int]:
        """Places of the first few keys that begin with a text."""
        return list(dict.fromkeys(p for at in self._by_place.beginning(text, limit) for p in self._of_place_key(at)))

    def places_like(self, key: str, least: float, limit: int, within: float = 1.0) -> Scored:
        """Places of the most similar keys (OSA similarity of `least` or more), best first."""
        return [(score, self._of_place_key(at)) for score, at in self._by_place.similar(key, least, limit, within)]

    def _of_place_key(self, at: int) -> list[int]:
        return self._shifted(self._by_place.members[at], self._first_place)

    def _read_poi(self, poi: int) -> NamedPoint:
        at = poi - self._first_poi
        name, street, number, code, city = (
            self._string(f"poi.{column}", at) for column in ("name", "street", "number", "code", "city")
        )
        places = frozenset(self._shifted(self._poi_places[at], self._first_place))
        return NamedPoint(poi, name, self._point("poi", at), street, number, code, city, places)

    def pois_named(self, key: str) -> Sequence[int]:
        """Businesses of exactly this key."""
        return self._shifted(self._by_poi.named(key), self._first_poi)

    def pois_like(self, key: str, limit: int) -> Sequence[int]:
        """Businesses whose keys share most trigrams with this one, best first."""
        return spread(self.scored_pois(key, limit), limit)

    def scored_pois(self, key: str, limit: int) -> Scored:
        """The same by key, with the likeness of each."""
        return self._scored(self._by_poi, self._by_poi.like(key, limit), self._first_poi, limit)

    def nearest_house(self, point: LonLat) -> tuple[int, int, float] | None:
        """Street, position among its houses and distance in metres of the house nearest to a point."""
        house = self._cells.nearest(point)
        if house is None:
            return None
        street = int(np.searchsorted(self._starts, house, side="right")) - 1
        far = haversine_m(point, self._point("house", house))
        return street + self._first, house - self._starts[street], far


def spread(found: Scored, limit: int) -> list[int]:
    """What is filed under the keys found, each once."""
    members: dict[int, None] = {}
    for _, filed in found:
        members.update(dict.fromkeys(filed))
        if len(members) >= limit:
            break
    return list(members)[:limit]
