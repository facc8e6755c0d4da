"""The towns of the made-up region: bent grids of named streets with houses and firms along them."""

import math
import random
from dataclasses import dataclass, field
from itertools import pairwise

from shapely.geometry import Polygon

from geo.madeup.sheet import XY, Sheet

COUNTRY = "XM"
"""A code that ISO 3166 leaves to users: no real country has it."""

_WORDS = """
Alder Amber Anchor Apple Baker Barley Beacon Birch Bramble Brook Castle Cherry Clover Cooper Copper Dairy Damson
Elder Elm Falcon Farrier Fern Garden Glover Granary Hazel Heron Holly Juniper Kestrel Lark Linden Maple Market
Meadow Mercer Mint Orchard Osprey Pear Plover Poplar Quarry Quince Robin Rowan Saddler Sorrel Sparrow Spring
Swallow Tanner Thistle Weaver Wharf Willow Windmill Wren Yarrow Yew
"""
WORDS = _WORDS.split()
"""What streets and firms are named after."""
_TYPES = ("Street", "Street", "Road", "Lane", "Avenue", "Way", "Close")
_TRADES = (
    ("shop=bakery", "{} Bakery", "Mo-Sa 06:30-18:00"),
    ("shop=supermarket", "{} Market", "Mo-Sa 08:00-20:00"),
    ("shop=hardware", "{} Tools", "Mo-Fr 08:00-12:00,13:30-18:00"),
    ("shop=car_repair", "Garage {}", "Mo-Fr 07:30-12:00,13:00-17:30"),
    ("shop=florist", "{} Flowers", "Tu-Sa 09:00-18:00"),
    ("shop=hairdresser", "Salon {}", "Tu-Sa 09:00-18:30"),
    ("shop=books", "{} Books", "Mo-Sa 10:00-18:00"),
    ("office=company", "{} Ltd", "Mo-Fr 08:00-17:00"),
    ("office=architect", "{} Architects", ""),
    ("office=insurance", "{} Insurance", "Mo-Fr 09:00-12:00,14:00-17:00"),
    ("craft=carpenter", "{} Joinery", "Mo-Fr 07:00-16:00"),
    ("craft=electrician", "{} Electric", ""),
    ("amenity=restaurant", "The {}", "We-Su 11:30-14:00,18:00-22:00"),
    ("amenity=cafe", "Café {}", "Mo-Su 08:00-18:00"),
    ("amenity=pharmacy", "{} Pharmacy", "Mo-Fr 08:00-18:30; Sa 08:00-16:00"),
    ("amenity=doctors", "Dr {}", "Mo-Fr 08:00-11:30"),
    ("tourism=hotel", "Hotel {}", "24/7"),
    ("healthcare=physiotherapist", "{} Physiotherapy", "Mo-Fr 08:00-18:00"),
)
_HOUSE_EVERY_M = 20.0
_HOUSE_OFFSET_M = 15.0
_CORNER_FREE_M = 22.0


@dataclass
class _House:
    number: str
    street: str
    at: XY
    bearing: float
    """Of the street, radians from east."""


@dataclass
class Settlement:
    """A place with a bent grid of streets."""

    name: str
    kind: str
    postcode: str
    centre: XY
    rows: int
    columns: int
    turn: float
    """Of the grid, radians."""
    phase: tuple[float, float]
    corners: dict[tuple[int, int], int] = field(default_factory=dict)
    """Node of every crossing by (row, column)."""
    houses: list[_House] = field(default_factory=list)

    def at(self, row: float, column: float) -> XY:
        """Return where a grid coordinate lies, in metres; the grid is bent by two waves and turned."""
        x = (column - (self.columns - 1) / 2) * 112.0
        y = (row - (self.rows - 1) / 2) * 84.0
        x, y = x + 16 * math.sin(y / 130 + self.phase[0]), y + 18 * math.sin(x / 170 + self.phase[1])
        c, s = math.cos(self.turn), math.sin(self.turn)
        return XY(self.centre.x + c * x - s * y, self.centre.y + s * x + c * y)

    @property
    def gates(self) -> list[tuple[int, int]]:
        """The four ends of its two main streets, where country roads come in."""
        middle_row, middle_column = self.rows // 2, self.columns // 2
        return [
            (middle_row, 0),
            (middle_row, self.columns - 1),
            (0, middle_column),
            (self.rows - 1, middle_column),
        ]

    @property
    def outline(self) -> Polygon:
        """The built-up area."""
        last_row, last_column = self.rows - 1, self.columns - 1
        edge = [self.at(-0.4, c / 2 - 0.2) for c in range(2 * last_column + 2)]
        edge += [self.at(r / 2 - 0.2, last_column + 0.4) for r in range(2 * last_row + 2)]
        edge += [self.at(last_row + 0.4, last_column + 0.2 - c / 2) for c in range(2 * last_column + 2)]
        edge += [self.at(last_row + 0.2 - r / 2, -0.4) for r in range(2 * last_row + 2)]
        return Polygon(edge)


def build_streets(sheet: Sheet, place: Settlement, rng: random.Random) -> None:
    """Draw the streets of a settlement, its houses, and the firms in them."""
    _streets(sheet, place, rng)
    _buildings(sheet, place, rng)
    _firms(sheet, place, rng)


def _streets(sheet: Sheet, place: Settlement, rng: random.Random) -> None:
    """Draw every row and column of the grid as a street and put houses along it."""
    names = rng.sample(WORDS, place.rows + place.columns)
    for row in range(place.rows):
        for column in range(place.columns):
            place.corners[(row, column)] = sheet.node(place.at(row, column))
    for row in range(place.rows):
        main = row == place.rows // 2
        name = "Main Street" if main else f"{names.pop()} {rng.choice(_TYPES)}"
        _street(sheet, place, name, [(row, c) for c in range(place.columns)], main, rng)
    for column in range(place.columns):
        main = column == place.columns // 2
        name = "Church Street" if main else f"{names.pop()} {rng.choice(_TYPES)}"
        first, last = (0, place.rows) if main else (rng.randint(0, 1), place.rows - rng.randint(0, 1))
        one_way = place.kind == "town" and column in (2, 3)
        corners = [(r, column) for r in range(first, last)]
        _street(sheet, place, name, corners[::-1] if column == 3 else corners, main, rng, one_way)


def _street(
    sheet: Sheet,
    place: Settlement,
    name: str,
    corners: list[tuple[int, int]],
    main: bool,
    rng: random.Random,
    one_way: bool = False,
) -> None:
    line = [place.corners[corners[0]]]
    along = 0.0
    for (r1, c1), (r2, c2) in pairwise(corners):
        steps = [place.at(r1 + (r2 - r1) * t / 4, c1 + (c2 - c1) * t / 4) for t in range(5)]
        line += [sheet.node(step) for step in steps[1:-1]] + [place.corners[(r2, c2)]]
        length = sum(math.dist(a, b) for a, b in pairwise(steps))
        _houses(place, name, steps, length, along, rng)
        along += length
    tags = {"highway": "tertiary" if main else "residential", "name": name, "maxspeed": "50" if main else "30"}
    sheet.way(line, tags | ({"oneway": "yes"} if one_way else {}))


def _houses(place: Settlement, street: str, steps: list[XY], length: float, before: float, rng: random.Random) -> None:
    """Put houses on both sides of one block; odd numbers left, even right, some plots stay empty."""
    first = math.ceil(before / _HOUSE_EVERY_M)
    last = math.floor((before + length) / _HOUSE_EVERY_M)
    for plot in range(first, last + 1):
        along = plot * _HOUSE_EVERY_M - before
        if not _CORNER_FREE_M < along < length - _CORNER_FREE_M:
            continue
        t = along / length * 4
        a, b = steps[min(3, int(t))], steps[min(3, int(t)) + 1]
        bearing = math.atan2(b.y - a.y, b.x - a.x)
        share = t - min(3, int(t))
        for side in (0, 1):
            if rng.random() < 0.14:
                continue
            sign = _HOUSE_OFFSET_M if side == 0 else -_HOUSE_OFFSET_M
            at = XY(
                a.x + (b.x - a.x) * share - sign * math.sin(bearing),
                a.y + (b.y - a.y) * share + sign * math.cos(bearing),
            )
            number = f"{2 * plot + 1 + side}"
            if rng.random() < 0.04:
                number += rng.choice("ab")
            elif rng.random() < 0.01:
                number = f"{number};{int(number) + 2}"
            place.houses.append(_House(number, street, at, bearing))


def _address(place: Settlement, house: _House) -> dict[str, str]:
    return {
        "addr:housenumber": house.number,
        "addr:street": house.street,
        "addr:postcode": place.postcode,
        "addr:city": place.name,
        "addr:country": COUNTRY,
    }


def _buildings(sheet: Sheet, place: Settlement, rng: random.Random) -> None:
    """Draw a building for every house; most carry the address, for some a node inside does."""
    for house in place.houses:
        half_w, half_d = rng.uniform(4, 7), rng.uniform(4, 6)
        c, s = math.cos(house.bearing), math.sin(house.bearing)
        corners = [(-half_w, -half_d), (half_w, -half_d), (half_w, half_d), (-half_w, half_d)]
        ring = [XY(house.at.x + c * u - s * v, house.at.y + s * u + c * v) for u, v in corners]
        address = _address(place, house)
        on_node = rng.random() < 0.3
        sheet.ring(ring, {"building": "house"} | ({} if on_node else address))
        if on_node:
            sheet.node(house.at, address)


def _firms(sheet: Sheet, place: Settlement, rng: random.Random) -> None:
    """Open shops, offices and crafts in some houses; a third tells its phone, most their opening hours."""
    for house in rng.sample(place.houses, max(8, len(place.houses) // 12)):
        kind, name, hours = rng.choice(_TRADES)
        key, value = kind.split("=")
        owner = rng.choice(WORDS)
        tags = {key: value, "name": name.format(owner)} | _address(place, house)
        if hours:
            tags["opening_hours"] = hours
        if rng.random() < 0.4:
            tags["phone"] = f"+999 55 {rng.randint(1000, 9999)}"
        if rng.random() < 0.3:
            tags["website"] = f"https://{owner.lower()}-{value}.example"
        sheet.node(XY(house.at.x + 2, house.at.y + 2), tags)
