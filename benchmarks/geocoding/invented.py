"""Towns that do not exist: real-looking streets of many languages, always the same for the same table and seed."""

import math
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geo.geocode.building import build
from geo.geocode.content import Content
from geo.osm import records
from geo.types import LonLat

TABLES = Path(__file__).parent / "towns"
_DEG = 111_320.0
_STEP_M = (14.0, 34.0)
_LEFT_OUT = 0.12
"""Share of the houses that are not in the index: questions about gaps."""


@dataclass(frozen=True)
class Town:
    """A town or hamlet."""

    name: str
    others: tuple[str, ...]
    postcode: str
    point: LonLat
    kind: str


@dataclass(frozen=True)
class House:
    """A house that exists; `known` ones are in the index."""

    street: str
    """With `~` behind a given name."""
    other: str
    """The street's name in the second language; may be empty."""
    number: str
    town: Town
    hamlet: str
    point: LonLat
    known: bool

    @property
    def name(self) -> str:
        """The street's name as it is in the index."""
        return plain(self.street)


@dataclass
class Country:
    """Everything that is invented for one country."""

    code: str
    table: dict[str, Any]
    towns: list[Town] = field(default_factory=list)
    hamlets: list[Town] = field(default_factory=list)
    houses: list[House] = field(default_factory=list)
    lines: list[records.StreetLine] = field(default_factory=list)
    pois: list[records.Poi] = field(default_factory=list)

    def content(self) -> Content:
        """The index: what an address file or an extract would give."""
        points = [
            records.AddressPoint(str(at), h.number, h.name, h.town.postcode, h.town.name, self.code, h.point)
            for at, h in enumerate(self.houses)
            if h.known
        ]
        if self.table["source"] == "file":
            return build(points)
        places = [
            records.Place(
                f"n{at}", t.kind, t.name, {f"name:x{i}": n for i, n in enumerate(t.others)}, t.point, self.code
            )
            for at, t in enumerate((*self.towns, *self.hamlets))
        ]
        return build(points, self.lines, places, self.pois)


def plain(street: str) -> str:
    """A street's name without the mark behind a given name."""
    return street.replace("~", " ")


def countries(seed: int = 1) -> Iterator[Country]:
    """All countries of the tables."""
    for path in sorted(TABLES.glob("*.toml")):
        for code, table in tomllib.loads(path.read_text("utf-8")).items():
            yield invent(code, table, seed)


def invent(code: str, table: dict[str, Any], seed: int) -> Country:
    """Lay out the towns of a country: streets are bent lines with houses on both sides."""
    dice = random.Random(f"{code}{seed}")
    made = Country(code, table)
    lon, lat = dice.uniform(1, 25), dice.uniform(38, 60)
    for entry in table["towns"]:
        name, others, postcode = (part.strip() for part in entry.split("|"))
        lon, lat = lon + dice.uniform(0.08, 0.2), lat + dice.uniform(-0.06, 0.06)
        made.towns.append(Town(name, tuple(o for o in others.split(";") if o), postcode, LonLat(lon, lat), "town"))
    for at, name in enumerate(table["hamlets"]):
        home = made.towns[0]
        point = LonLat(home.point.lon + 0.03 * (at + 1), home.point.lat - 0.02)
        made.hamlets.append(Town(name, (), home.postcode, point, "hamlet"))
    for town in made.towns:
        everything = list(table["streets"])
        dice.shuffle(everything)
        for street in everything[: max(15, len(everything) // 2)]:
            _street(made, town, street, dice)
    for at, name in enumerate(table["pois"]):
        town = made.towns[at % len(made.towns)]
        made.pois.append(
            records.Poi(f"p{at}", name, {}, "shop=yes", _near(town.point, 900, dice), {"addr:city": town.name})
        )
    return made


def _street(made: Country, town: Town, street: str, dice: random.Random) -> None:
    name, _, other = street.partition("=")
    hamlet = dice.choice(made.hamlets) if made.hamlets and town is made.towns[0] and dice.random() < 0.2 else None
    at = _near(hamlet.point if hamlet else town.point, 500 if hamlet else 1_800, dice)
    bearing, bend, count = dice.uniform(0, 6.28), dice.uniform(-0.05, 0.05), dice.randint(8, 44)
    line = [at]
    figure = 1
    for _ in range(count):
        at = _moved(at, dice.uniform(*_STEP_M), bearing)
        bearing += bend
        line.append(at)
        for side in (0, 1):
            if dice.random() < 0.12:
                continue
            number = dice.choice(made.table["numbers"]).format(
                n=figure + side, m=figure + side + 2, k=dice.randint(60, 1900)
            )
            point = _moved(at, 9.0, bearing + (1.57 if side else -1.57))
            made.houses.append(
                House(name, other, number, town, hamlet.name if hamlet else "", point, dice.random() > _LEFT_OUT)
            )
        figure += 2
    names = {"name:yy": other} if other else {}
    made.lines.append(records.StreetLine(f"w{len(made.lines)}", plain(name), names, tuple(line)))


def _near(point: LonLat, reach_m: float, dice: random.Random) -> LonLat:
    return _moved(point, reach_m * math.sqrt(dice.random()), dice.uniform(0, 6.28))


def _moved(point: LonLat, by_m: float, bearing: float) -> LonLat:
    lat = point.lat + by_m * math.cos(bearing) / _DEG
    return LonLat(round(point.lon + by_m * math.sin(bearing) / (_DEG * math.cos(math.radians(lat))), 7), round(lat, 7))
