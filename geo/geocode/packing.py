"""From the rows of a source to the flat arrays of its part of the address index."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

import numpy as np

from geo.geocode.blocks import pack_blocks
from geo.geocode.content import HouseRow, PlaceRow, PoiRow, StreetRow
from geo.geocode.keys import KeyWriter
from geo.geocode.mapped import Array
from geo.geocode.names import company_keys, glued, place_keys, postcode_key
from geo.geocode.normalise import from_words, street_words
from geo.geocode.numbers import parse_number, second_figure
from geo.geocode.texts import Lists, ListWriter, TextWriter, starts
from geo.geocode.vocabulary import fold
from geo.types import LonLat

UNITS = 10_000_000
"""Points are kept to a ten-millionth of a degree, one centimetre."""
CELLS = 200
"""Houses are found by point in cells of a two-hundredth of a degree."""
PLACE_PIECES = 2
"""Places have short names, and few: pieces of two letters find more of the misspelt ones."""
_MAKERS = (
    "packing.py", "blocks.py", "keys.py", "trigrams.py", "texts.py", "normalise.py", "names.py", "vocabulary.py",
    "numbers.py",
)  # fmt: skip
_NO_TABLE = "confidence.json"
ROW = 1 << 32
_TOGETHER = 100_000
"""So many points are rounded at once."""


@cache
def rules() -> str:
    """Changes whenever the same rows would be written differently: hash of the code and tables that make keys."""
    package = resources.files("geo.geocode")
    tables = (f for f in (package / "data").iterdir() if f.name.endswith((".toml", ".json")) and f.name != _NO_TABLE)
    files = [*(package / name for name in _MAKERS), *tables]
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


class _Points:
    """Points as whole numbers."""

    def __init__(self) -> None:
        self._lons, self._lats = array("i"), array("i")
        self._waiting: list[LonLat] = []

    def extend(self, points: Iterable[LonLat]) -> None:
        self._waiting += points
        if len(self._waiting) > _TOGETHER:
            self._round()

    def _round(self) -> None:
        whole = np.rint(np.array(self._waiting, float).reshape(-1, 2) * UNITS).astype(np.int32)
        self._lons.frombytes(whole[:, 0].tobytes())
        self._lats.frombytes(whole[:, 1].tobytes())
        self._waiting.clear()

    def arrays(self, name: str) -> Iterator[tuple[str, Array]]:
        self._round()
        yield f"{name}.lons", np.frombuffer(self._lons, np.int32)
        yield f"{name}.lats", np.frombuffer(self._lats, np.int32)


class _Numbers:
    """House numbers as texts, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, tuple[str, ...], int] | None] = {}
        self._texts, self._bases, self._seconds = TextWriter(), array("I"), array("i")

    def of(self, text: str) -> tuple[int, tuple[str, ...], int] | None:
        """Leading figure, what follows and the number of the text; None when it is no house number."""
        if text not in self._known:
            number = parse_number(text)
            self._known[text] = None if number is None else (number.base, number.tail, self._texts.id(text))
            if number is not None:
                self._bases.append(number.base)
                self._seconds.append(second_figure(number.tail))
        return self._known[text]

    def arrays(self, name: str) -> Iterator[tuple[str, Array]]:
        yield from self._texts.arrays(name)
        yield f"{name}.bases", np.frombuffer(self._bases, np.uint32)
        yield f"{name}.seconds", np.frombuffer(self._seconds, np.int32)


class Packer:
    """Takes rows one by one, places first, and yields the arrays; no row is kept.

    Streets and businesses name places by their position among the places added.
    """

    def __init__(self) -> None:
        self._texts, self._numbers = TextWriter(), _Numbers()
        self._place_of: dict[str, list[int]] = {}
        self._keys = {"place": KeyWriter(PLACE_PIECES), "street": KeyWriter(), "code": KeyWriter(0), "poi": KeyWriter()}
        self._points = {kind: _Points() for kind in ("place", "street", "house", "poi")}
        self._columns: dict[str, array[int]] = {}
        self._lists: dict[str, ListWriter] = {}
        self._extents = {"place": array("d"), "street": array("d")}
        self._house_counts = array("I")
        self._countries: set[str] = set()

    def place(self, row: PlaceRow) -> None:
        """Add a place."""
        keys = dict.fromkeys(k for name in (row.name, *row.other_names) for k in place_keys(name))
        for key in keys:
            self._place_of.setdefault(key, []).append(len(self._extents["place"]))
        self._keys["place"].add(keys)
        self._write("place", name=row.name, kind=row.kind, country=row.country)
        self._points["place"].extend([row.point])
        self._extents["place"].append(row.extent_m)
        if row.kind == "country" and row.country:
            self._countries.add(row.country)

    def street(self, row: StreetRow) -> None:
        """Add a street with its houses."""
        names = dict.fromkeys(n for n in (row.name, *row.other_names) if n.strip())
        self._keys["street"].add(k for n in names for k in from_words(street_words(fold(n))).keys)
        self._keys["code"].add(postcode_key(code) for code in row.postcodes)
        self._write(
            "street", name=row.name, city=row.city, country=row.country, code=row.postcodes[0] if row.postcodes else ""
        )
        self._list("street.names", [self._texts.id(n) for n in names])
        written = self._place_of.get(glued(row.city), ()) if row.city else ()
        self._list("street.places", row.places)
        self._list("street.own", [p for p in row.places if p in written])
        self._column("street.is_place", "B").append(row.is_place)
        self._points["street"].extend([row.point])
        self._extents["street"].append(row.extent_m)
        if row.country:
            self._countries.add(row.country)
        self._house_counts.append(self._houses(row.houses))

    def _houses(self, rows: Iterable[HouseRow]) -> int:
        """Write the houses of a street in the order of `Houses`."""
        numbered = [(number, row) for row in rows if (number := self._numbers.of(row.number)) is not None]
        numbered.sort(key=_in_order)
        text = self._texts.id
        self._column("house.number").extend([number[2] for number, _ in numbered])
        self._column("house.code").extend([text(row.postcode) for _, row in numbered])
        self._points["house"].extend([row.point for _, row in numbered])
        return len(numbered)

    def poi(self, row: PoiRow) -> None:
        """Add a business or facility."""
        self._keys["poi"].add(k for name in (row.name, *row.other_names) for k in company_keys(name))
        self._write("poi", name=row.name, street=row.street, number=row.number, code=row.postcode, city=row.city)
        self._list("poi.places", row.places)
        self._points["poi"].extend([row.point])

    def _write(self, table: str, **texts: str) -> None:
        for column, text in texts.items():
            self._column(f"{table}.{column}").append(self._texts.id(text))

    def _column(self, name: str, kind: str = "I") -> "array[int]":
        return self._columns.setdefault(name, array(kind))

    def _list(self, name: str, items: Iterable[int]) -> None:
        self._lists.setdefault(name, ListWriter()).add(list(items))

    def arrays(self) -> dict[str, Array]:
        """Everything, as `Segment` reads it."""
        found: dict[str, Array] = {}
        countries = ListWriter()
        countries.add([self._texts.id(country) for country in sorted(self._countries)])
        found.update(countries.arrays("countries"))
        for name in ("street.names", "street.places", "street.own", "poi.places"):
            found.update(self._lists.get(name, ListWriter()).arrays(name))
        for name in COLUMNS:
            column = self._columns.get(name, array("I"))
            found[name] = np.frombuffer(column, column.typecode)
        for kind, points in self._points.items():
            found.update(points.arrays(kind))
        for kind, extents in self._extents.items():
            found[f"{kind}.extent"] = np.frombuffer(extents, np.float64)
        found["house.starts"] = np.concatenate([[0], np.cumsum(np.frombuffer(self._house_counts, np.uint32))]).astype(
            np.uint32
        )
        found.update(_streets_of_places(found, len(self._extents["place"])))
        found.update(_cells(found["house.lons"], found["house.lats"]))
        for kind, keys in self._keys.items():
            found.update(keys.arrays(kind))
        found.update(_places_of_codes(found))
        found.update(self._texts.arrays("text"))
        found.update(self._numbers.arrays("number"))
        for name in ("place.streets", "code.members"):
            found.update(pack_blocks(found, name))
        return found


def _in_order(numbered: tuple[tuple[int, tuple[str, ...], int], HouseRow]) -> tuple[int, tuple[str, ...]]:
    return numbered[0][:2]


COLUMNS = (
    "place.name", "place.kind", "place.country", "street.name", "street.city", "street.country", "street.code",
    "street.is_place", "house.number", "house.code", "poi.name", "poi.street", "poi.number", "poi.code", "poi.city",
)  # fmt: skip


def _streets_of_places(found: dict[str, Array], places: int) -> Iterator[tuple[str, Array]]:
    """The streets of each place, in their order."""
    where, begin = found["street.places.items"], found["street.places.starts"]
    owner = np.repeat(np.arange(len(begin) - 1, dtype=np.uint32), np.diff(begin))
    yield "place.streets.items", owner[np.argsort(where, kind="stable")]
    yield (
        "place.streets.starts",
        np.concatenate([[0], np.cumsum(np.bincount(where, minlength=places))]).astype(np.uint32),
    )


def _places_of_codes(found: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    """The places in which the streets of each postcode lie."""
    codes = np.repeat(np.arange(len(found["code.members.starts"]) - 1), np.diff(found["code.members.starts"]))
    places, sizes = Lists(found, "street.places").of(found["code.members.items"])
    pairs = np.unique((np.repeat(codes, sizes) << 32) | places)
    yield "code.places.items", (pairs & 0xFFFFFFFF).astype(np.uint32)
    yield "code.places.starts", starts(np.bincount(pairs >> 32, minlength=len(found["code.members.starts"]) - 1))


def cell_of(lons: Array, lats: Array) -> tuple[Array, Array]:
    """Row and column of the cells of points in whole units."""
    size = UNITS // CELLS
    return (lats.astype(np.int64) + 90 * UNITS) // size, (lons.astype(np.int64) + 180 * UNITS) // size


def _cells(lons: Array, lats: Array) -> Iterator[tuple[str, Array]]:
    """Houses in the order of their cells, row by row."""
    rows, columns = cell_of(lons, lats)
    code = rows * ROW + columns
    order = np.argsort(code, kind="stable")
    cells, begin = np.unique(code[order], return_index=True)
    yield "cell.houses", order.astype(np.uint32)
    yield "cell.codes", cells
    yield "cell.starts", np.append(begin, len(order)).astype(np.uint32)


def packed(places: Iterable[PlaceRow], streets: Iterable[StreetRow], pois: Iterable[PoiRow]) -> dict[str, Array]:
    """The arrays of a whole source; rows are taken one by one and not kept."""
    packer = Packer()
    for place in places:
        packer.place(place)
    for street in streets:
        packer.street(street)
    for poi in pois:
        packer.poi(poi)
    return packer.arrays()
