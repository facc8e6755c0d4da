"""What lies around the towns: country roads, woods and water, boundaries; and the whole region put together."""

import math
import random
from pathlib import Path

import shapely
from shapely.geometry import MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.madeup.sheet import XY, Sheet
from geo.madeup.town import COUNTRY, WORDS, Settlement, build_streets

NAME = "Little Biscay"
_VILLAGES = ("Wrenford", "Alderby", "Kingsmere", "Thornwick", "Ashholm", "Marlow End", "Stonebeck", "Oakhythe")
_COUNTRY_RADIUS_M = 8_000.0


def write_region(path: Path, seed: int = 1, villages: int = 5) -> None:
    """Write the made-up region; the same arguments always give the same things.

    Parameters
    ----------
    path
        Where to write; must end in `.osm.pbf`. An existing file is replaced.
    seed
        Other seeds give other towns.
    villages
        How many villages stand around the town, 3 to 8.
    """
    if not 3 <= villages <= len(_VILLAGES):
        raise ValueError(f"villages is {villages}; the made-up region has 3 to {len(_VILLAGES)}")
    rng = random.Random(seed)
    sheet = Sheet()
    settlements = _settlements(rng, villages)
    for settlement in settlements:
        build_streets(sheet, settlement, rng)
        place = {"place": settlement.kind, "name": settlement.name, "postal_code": settlement.postcode}
        sheet.node(settlement.centre, place | {"population": str(3 * len(settlement.houses))})
    _country_roads(sheet, settlements, rng)
    _landscape(sheet, settlements, rng)
    _boundaries(sheet, settlements, rng)
    sheet.write(path)


def _settlements(rng: random.Random, villages: int) -> list[Settlement]:
    def build(name: str, kind: str, index: int, centre: XY, size: tuple[int, int]) -> Settlement:
        phase = (rng.uniform(0, 6), rng.uniform(0, 6))
        return Settlement(name, kind, f"{4100 + 10 * index}", centre, *size, rng.uniform(-0.4, 0.4), phase)

    result = [build("Port Meridian", "town", 0, XY(0, 0), (10, 10))]
    names = rng.sample(_VILLAGES, villages)
    for index, name in enumerate(names):
        angle = 2 * math.pi * (index + rng.uniform(-0.08, 0.08)) / villages
        radius = rng.uniform(4_200, 5_200)
        centre = XY(radius * math.cos(angle), radius * math.sin(angle))
        size = (rng.randint(4, 5), rng.randint(4, 5))
        result.append(build(name, "village", index + 1, centre, size))
    return result


def _country_roads(sheet: Sheet, places: list[Settlement], rng: random.Random) -> None:
    """Join the town with every village and every village with the next, in gentle curves."""
    town, *villages = places
    for number, village in enumerate(villages, 1):
        _country_road(sheet, town, village, f"{village.name} Road", f"B{number}", rng)
    for here, there in zip(villages, [*villages[1:], villages[0]], strict=True):
        _country_road(sheet, here, there, "", "", rng)


def _country_road(sheet: Sheet, here: Settlement, there: Settlement, name: str, ref: str, rng: random.Random) -> None:
    gates = [(math.dist(here.at(*a), there.at(*b)), a, b) for a in here.gates for b in there.gates]
    length, a, b = min(gates)
    start, end = here.at(*a), there.at(*b)
    bend = rng.uniform(-0.12, 0.12) * length
    middle = XY(
        (start.x + end.x) / 2 - (end.y - start.y) / length * bend,
        (start.y + end.y) / 2 + (end.x - start.x) / length * bend,
    )
    line = [here.corners[a]]
    steps = max(4, int(length / 150))
    for step in range(1, steps):
        t = step / steps
        u, v, w = (1 - t) ** 2, 2 * t * (1 - t), t**2
        line.append(sheet.node(XY(u * start.x + v * middle.x + w * end.x, u * start.y + v * middle.y + w * end.y)))
    line.append(there.corners[b])
    tags = {"highway": "secondary", "name": name, "ref": ref} if name else {"highway": "tertiary"}
    sheet.way(line, tags | {"maxspeed": "80"})


def _blob(centre: XY, radius: float, rng: random.Random) -> list[XY]:
    """Return a round-ish outline."""
    waves = [(rng.uniform(0.03, 0.14), k, rng.uniform(0, 6)) for k in (2, 3, 5)]

    def reach(angle: float) -> float:
        return radius * (1 + sum(height * math.sin(k * angle + phase) for height, k, phase in waves))

    angles = [2 * math.pi * step / 48 for step in range(48)]
    return [XY(centre.x + reach(a) * math.cos(a), centre.y + reach(a) * math.sin(a)) for a in angles]


def _landscape(sheet: Sheet, places: list[Settlement], rng: random.Random) -> None:
    """Draw what lies between the roads: a lake with its river, woods, fields, a park, an industrial area, a railway."""
    for place in places:
        sheet.polygon(place.outline, {"landuse": "residential"})
    villages = places[1:]
    sectors = [2 * math.pi * (index + 0.5) / len(villages) for index in range(len(villages))]
    for index, angle in enumerate(sectors):
        at = XY(2_900 * math.cos(angle), 2_900 * math.sin(angle))
        if index == 0:
            sheet.ring(_blob(at, 620, rng), {"natural": "water", "water": "lake", "name": "Mirror Lake"})
            outflow = [XY(at.x * (1 + t / 9), at.y * (1 + t / 9) + 150 * math.sin(t)) for t in range(17)]
            sheet.way([sheet.node(point) for point in outflow], {"waterway": "river", "name": "Lune"})
        elif index % 2:
            sheet.ring(_blob(at, 800, rng), {"landuse": "forest", "name": f"{rng.choice(WORDS)} Wood"})
        else:
            sheet.ring(_blob(at, 900, rng), {"landuse": "farmland"})
        far = XY(6_300 * math.cos(angle), 6_300 * math.sin(angle))
        sheet.ring(_blob(far, 700, rng), {"natural": "wood"} if index % 2 == 0 else {"landuse": "meadow"})
    town = places[0]
    sheet.ring([town.at(r, c) for r, c in ((1.2, 1.2), (1.2, 1.8), (1.8, 1.8), (1.8, 1.2))], {"leisure": "park"})
    works = [town.at(r, c) for r, c in ((8.6, 1.0), (8.6, 5.0), (10.6, 5.0), (10.6, 1.0))]
    sheet.ring(works, {"landuse": "industrial", "name": "North Works"})
    track = [sheet.node(XY(x, -620 + 90 * math.sin(x / 1_900))) for x in range(-7_000, 7_001, 200)]
    sheet.way(track, {"railway": "rail", "gauge": "1435"})
    sheet.node(XY(0, -600), {"railway": "station", "public_transport": "station", "name": "Port Meridian Station"})


def _boundaries(sheet: Sheet, places: list[Settlement], rng: random.Random) -> None:
    """Draw the country and its municipalities: the land that is nearer to their centre than to any other."""
    country = Polygon(_blob(XY(0, 0), _COUNTRY_RADIUS_M, rng))
    sheet.boundary(country, {"admin_level": "2", "name": NAME, "ISO3166-1": COUNTRY, "name:fr": "Petite Biscaye"})
    centres = MultiPoint([place.centre for place in places])
    cells: list[BaseGeometry] = list(shapely.voronoi_polygons(centres, extend_to=country).geoms)
    for place in places:
        cell = next(cell for cell in cells if cell.contains(Point(place.centre)))
        outline = cell.intersection(country)
        if isinstance(outline, Polygon):
            sheet.boundary(outline, {"admin_level": "8", "name": place.name, "postal_code": place.postcode})
