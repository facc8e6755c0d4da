"""An address index in memory, compact enough for a country and quick enough for batches."""

import copy
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from shapely import Point, STRtree, points

from geo.distance import haversine_m
from geo.geocode.blocks import Block
from geo.geocode.content import Content, HouseRow, PlaceRow, PoiRow, StreetRow
from geo.geocode.index import NamedPoint, Settlement, Street
from geo.geocode.names import company_keys, glued, place_keys, postcode_key
from geo.geocode.normalise import street_name
from geo.geocode.numbers import House, Houses, parse_number
from geo.geocode.trigrams import Trigrams
from geo.types import LonLat

_KEPT_STREETS = 50_000
_NO_BLOCK = Block((), ())

HouseLoader = Callable[[Sequence[int]], Mapping[int, Sequence[HouseRow]]]
"""Loads the houses of many streets at once."""


class MemoryIndex:
    """The `Index` protocol over rows held in memory; house numbers may come from elsewhere.

    Parameters
    ----------
    content : Content
        The rows; streets may come without houses when `load_houses` is given.
    version : str
        Identifies the content.
    load_houses : callable, optional
        Set-based loader of house numbers by street position; loaded streets are kept while they are
        among the 50,000 most recently used.
    """

    def __init__(self, content: Content, version: str = "", load_houses: HouseLoader | None = None) -> None:
        self._version = version
        self._load = load_houses or (lambda ids: {i: content.streets[i].houses for i in ids})
        self._houses: OrderedDict[int, Houses] = OrderedDict()
        self._houses_lock = threading.Lock()
        self._places = [_settlement(i, row) for i, row in enumerate(content.places)]
        self._by_place_key = _filed((i, k) for i, r in enumerate(content.places) for k in _all_place_keys(r))
        self._streets = [self._street(i, row) for i, row in enumerate(content.streets)]
        self._pois = [_poi(i, row) for i, row in enumerate(content.pois)]
        self._by_key = _filed(((i, k) for i, s in enumerate(self._streets) for n in s.names for k in n.keys))
        self._place_keys = list(self._by_place_key)
        self._by_poi_key = _filed((i, k) for i, r in enumerate(content.pois) for k in _all_poi_keys(r))
        self._keys, self._poi_keys = list(self._by_key), list(self._by_poi_key)
        self._in_postcode = _filed((i, postcode_key(c)) for i, s in enumerate(self._streets) for c in s.postcodes)
        self._in_place: dict[int, list[int]] = defaultdict(list)
        for i, s in enumerate(self._streets):
            for place in s.places:
                self._in_place[place].append(i)
        self._blocks: dict[str | int, Block] = {}
        self._countries = frozenset(c for s in self._streets if (c := s.country)) | {
            p.country for p in self._places if p.country and p.kind == "country"
        }
        self._grams: dict[str, Trigrams] = {}
        self._nearest: tuple[STRtree, NDArray[np.int32], float] | None = None

    def _street(self, at: int, row: StreetRow) -> Street:
        names = tuple(dict.fromkeys(street_name(n) for n in (row.name, *row.other_names) if n.strip()))
        places = frozenset(row.places)
        written = places.intersection(self._by_place_key.get(glued(row.city), ())) if row.city else places
        codes = frozenset(postcode_key(c) for c in row.postcodes)
        one = row.postcodes[0] if row.postcodes else ""
        return Street(
            at, row.name, row.city, row.country, codes, places, names, row.point, row.extent_m, row.is_place,
            written or places, one,
        )  # fmt: skip

    def with_houses(self, load: HouseLoader) -> "MemoryIndex":
        """The same index, sharing everything it holds or will hold, that loads house numbers in another way."""
        other = copy.copy(self)
        vars(other)["_load"] = load
        return other

    def __len__(self) -> int:
        return len(self._streets)

    @property
    def version(self) -> str:
        """Identifies the content."""
        return self._version

    @property
    def countries(self) -> frozenset[str]:
        """Countries of the streets."""
        return self._countries

    def prepare(self, streets: Iterable[int]) -> None:
        """Load house numbers of many streets in one go."""
        missing = [s for s in dict.fromkeys(streets) if s not in self._houses]
        if not missing:
            return
        loaded = {street: Houses(_houses(rows)) for street, rows in self._load(missing).items()}
        with self._houses_lock:
            self._houses.update(loaded)
            while len(self._houses) > max(_KEPT_STREETS, len(missing)):
                self._houses.popitem(last=False)

    def street(self, street: int) -> Street:
        """The street at a position."""
        return self._streets[street]

    def houses(self, street: int) -> Houses:
        """House numbers of a street; loads them when they are not at hand."""
        found = self._houses.get(street)
        if found is None:
            self.prepare([street])
            found = self._houses.setdefault(street, Houses(()))
        return found

    def streets_named(self, key: str) -> Sequence[int]:
        """Streets filed under exactly this key."""
        return self._by_key.get(key, ())

    def streets_like(self, key: str, limit: int) -> Sequence[int]:
        """Streets anywhere whose keys share most trigrams with this one."""
        if "street" not in self._grams:
            self._grams["street"] = Trigrams(self._keys)
        return _spread(self._grams["street"].like(key, limit), self._keys, self._by_key, limit)

    def postcode_block(self, postcode: str) -> Block:
        """Streets of a postcode."""
        return self._block(postcode, self._in_postcode.get(postcode, ()))

    def place_block(self, place: int) -> Block:
        """Streets of a place."""
        return self._block(place, self._in_place.get(place, ()))

    def _block(self, name: str | int, streets: Sequence[int]) -> Block:
        if not streets:
            return _NO_BLOCK
        block = self._blocks.get(name)
        if block is None:
            keys = [(k, i) for i in streets for k in dict.fromkeys(k for n in self._streets[i].names for k in n.keys)]
            block = self._blocks[name] = Block([k for k, _ in keys], [i for _, i in keys])
        return block

    def knows_postcode(self, postcode: str) -> bool:
        """Whether any street has it."""
        return postcode in self._in_postcode

    def place(self, place: int) -> Settlement:
        """The place at a position."""
        return self._places[place]

    def places_named(self, key: str) -> Sequence[int]:
        """Places of exactly this key."""
        return self._by_place_key.get(key, ())

    def place_keys(self) -> Sequence[str]:
        """All place keys."""
        return self._place_keys

    def poi(self, poi: int) -> NamedPoint:
        """The business at a position."""
        return self._pois[poi]

    def pois_named(self, key: str) -> Sequence[int]:
        """Businesses of exactly this key."""
        return self._by_poi_key.get(key, ())

    def pois_like(self, key: str, limit: int) -> Sequence[int]:
        """Businesses whose keys share most trigrams with this one."""
        if "poi" not in self._grams:
            self._grams["poi"] = Trigrams(self._poi_keys)
        return _spread(self._grams["poi"].like(key, limit), self._poi_keys, self._by_poi_key, limit)

    def nearest_house(self, point: LonLat) -> tuple[int, int, float] | None:
        """The house nearest to a point, by a tree over locally squeezed degrees."""
        if self._nearest is None:
            self._nearest = self._build_nearest()
        tree, owner, squeeze = self._nearest
        if not owner.size:
            return None
        at = tree.nearest(Point(point.lon * squeeze, point.lat))
        street, house = (int(i) for i in owner[int(at)])
        return street, house, haversine_m(point, self.houses(street).all[house].point)

    def _build_nearest(self) -> tuple[STRtree, NDArray[np.int32], float]:
        self.prepare(range(len(self._streets)))
        owner = [(s, h) for s in range(len(self._streets)) for h in range(len(self.houses(s).all))]
        spots = np.array([self.houses(s).all[h].point for s, h in owner], dtype=float).reshape(-1, 2)
        squeeze = float(np.cos(np.radians(np.median(spots[:, 1])))) if len(spots) else 1.0
        spots[:, 0] *= squeeze
        return STRtree(np.asarray(points(spots))), np.array(owner, dtype=np.int32).reshape(-1, 2), squeeze


def _filed(pairs: Iterable[tuple[int, str]]) -> dict[str, Sequence[int]]:
    """Positions by key, each once per key."""
    found: dict[str, list[int]] = {}
    for i, key in pairs:
        ids = found.setdefault(key, [])
        if not ids or ids[-1] != i:
            ids.append(i)
    return {key: tuple(ids) for key, ids in found.items()}


def _spread(found: Iterable[int], keys: Sequence[str], filed: Mapping[str, Sequence[int]], limit: int) -> list[int]:
    """What is filed under the keys found, each once."""
    members: dict[int, None] = {}
    for at in found:
        members.update(dict.fromkeys(filed[keys[at]]))
        if len(members) >= limit:
            break
    return list(members)[:limit]


def _settlement(at: int, row: PlaceRow) -> Settlement:
    return Settlement(at, row.name, row.kind, row.country, row.point, row.extent_m)


def _poi(at: int, row: PoiRow) -> NamedPoint:
    return NamedPoint(at, row.name, row.point, row.street, row.number, row.postcode, row.city, frozenset(row.places))


def _houses(rows: Sequence[HouseRow]) -> Iterable[House]:
    for row in rows:
        number = parse_number(row.number)
        if number is not None:
            yield House(number, row.point, row.postcode)


def _all_place_keys(row: PlaceRow) -> Iterable[str]:
    return dict.fromkeys(k for name in (row.name, *row.other_names) for k in place_keys(name))


def _all_poi_keys(row: PoiRow) -> Iterable[str]:
    return dict.fromkeys(k for name in (row.name, *row.other_names) for k in company_keys(name))
