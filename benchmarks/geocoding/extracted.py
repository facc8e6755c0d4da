"""Towns that exist but that nobody tuned for: an extract's own addresses, to be disturbed like the made-up ones."""

import random
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from invented import Country, House, Town
from places import SHARED

from geo.geocode.building import build
from geo.geocode.content import Content
from geo.geocode.numbers import parse_number
from geo.osm import records
from geo.osm.reader import ExtractReader

TABLES = Path(__file__).parent / "extracts" / "tables.toml"
_LEFT_OUT = 0.03
"""Share of the houses that are taken out of the index: questions about gaps."""


class Extract(Country):
    """A country of the judge that holds an extract."""

    def content(self) -> Content:
        """The index without the houses that were taken out."""
        return self.index

    @cached_property
    def index(self) -> Content:
        """See `content`."""
        found = [r for r in ExtractReader(_path(self.table["name"])) if not isinstance(r, records.MapFeature)]
        dice = random.Random(7)
        addresses = [r for r in found if isinstance(r, records.AddressPoint)]
        left_out = {id(a) for a in addresses if dice.random() < _LEFT_OUT}
        lines, places, pois = (
            [r for r in found if isinstance(r, kind)] for kind in (records.StreetLine, records.Place, records.Poi)
        )
        whole = build(addresses, lines, places, pois)
        self.houses += _houses(whole, {(a.street, a.number, a.point) for a in addresses if id(a) in left_out})
        self.towns += {house.town.name: house.town for house in self.houses}.values()
        tagged = [poi for poi in pois if poi.tags.get("addr:city")]
        self.pois += dice.sample(tagged, min(40, len(tagged)))
        return build([a for a in addresses if id(a) not in left_out], lines, places, pois)


def _houses(whole: Content, gone: set[tuple[str, str, tuple[float, float]]]) -> Iterator[House]:
    """The houses of streets with a city; a street's second name is a name of its road in another language."""
    towns: dict[tuple[str, str], Town] = {}
    for street in whole.streets:
        if not street.city or street.is_place:
            continue
        numbers = [h.number for h in street.houses]
        for house in street.houses:
            if parse_number(house.number) is None or numbers.count(house.number) > 1:
                continue
            code = house.postcode or (street.postcodes[0] if street.postcodes else "")
            town = towns.setdefault((street.city, code), Town(street.city, (), code, street.point, "town"))
            known = not any((name, house.number, house.point) in gone for name in (street.name, *street.other_names))
            yield House(street.name, "", house.number, town, "", house.point, known)


def _path(name: str) -> Path:
    return SHARED / "data" / "osm" / f"{name}.osm.pbf"


def extracts() -> Iterator[Extract]:
    """The extracts that are on this machine."""
    for name, table in tomllib.loads(TABLES.read_text("utf-8")).items():
        if _path(name).exists():
            made = Extract(table["code"], {"source": "extract", "pois": [], "hamlets": [], **table, "name": name})
            made.index  # noqa: B018
            yield made
