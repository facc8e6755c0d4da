"""From the records of an extract or an address file to the rows of an address index."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from geo.distance import haversine_m
from geo.geocode.content import Content, HouseRow, PoiRow, StreetRow
from geo.geocode.neighbours import Neighbours
from geo.geocode.normalise import street_name
from geo.geocode.numbers import parse_number
from geo.geocode.settlements import Settlements, glued
from geo.osm.records import AddressPoint, Place, Poi, StreetLine
from geo.types import LonLat

_SAME_STREET_DEG = 0.004
"""Houses of one name and city whose boxes come this close (about 400 m) stand on one street."""
_BETWEEN = re.compile(r" [-–/] |(?<=\w{4})/(?=\w{4})")
_SHORTEST_HALF = 5
_CODE_SHARE = 20
"""A postcode written in less than one in so many houses of a street is taken for a mistake."""
_CITY_MIN_ADDRESSES = 3
"""A city written in fewer addresses than this is taken for a mistake."""


@dataclass(slots=True)
class _Group:
    """Addresses or ways of one street while it is put together."""

    spelling: Counter[str]
    city: str
    postcode: str
    country: str
    box: tuple[float, float, float, float]
    is_place: bool = False
    houses: list[HouseRow] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    points: list[LonLat] = field(default_factory=list)

    def touches(self, other: "_Group") -> bool:
        a, b, by = self.box, other.box, _SAME_STREET_DEG
        return a[0] - by <= b[2] and b[0] - by <= a[2] and a[1] - by <= b[3] and b[1] - by <= a[3]

    def take(self, other: "_Group") -> None:
        self.spelling.update(other.spelling)
        self.city = self.city or other.city
        self.country = self.country or other.country
        self.houses += other.houses
        self.others |= other.others
        self.points += other.points
        self.box = _joined(self.box, other.box)


def _joined(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


_Key = tuple[str, frozenset[str]]


def _key(name: str) -> _Key:
    parts = street_name(name)
    return parts.core, parts.types


def build(
    addresses: Iterable[AddressPoint],
    streets: Iterable[StreetLine] = (),
    places: Iterable[Place] = (),
    pois: Iterable[Poi] = (),
) -> Content:
    """Put an address index together.

    Parameters
    ----------
    addresses, streets, places, pois
        Records of one or several sources; order does not matter for the result's meaning.

    Returns
    -------
    Content
        Streets are one per name and town: addresses of one name whose boxes come within 400 m and
        whose cities do not disagree are one street, whatever their postcodes. Cities written in fewer
        than three addresses are ignored.
    """
    key_of = _remembered()
    groups = _address_groups(addresses, key_of)
    settlements = Settlements(places, _cities(groups))
    for per_name in groups.values():
        for group in per_name:
            if settlements.is_junk(group.city):
                group.city = ""
    merged = {key: _merge(per_name) for key, per_name in groups.items()}
    _add_lines(merged, streets, key_of)
    everything = [group for per_name in merged.values() for group in per_name]
    rows = [_row(group, settlements) for group in everything if group.houses]
    neighbours = Neighbours(rows)
    for group in everything:
        if not group.houses:
            near = neighbours.of(group.points[0])
            group.city, group.postcode = group.city or near.city, near.postcode
            rows.append(_row(group, settlements))
    return Content(settlements.rows, rows, [_poi(p, settlements, neighbours) for p in pois])


def _remembered() -> Callable[[str], _Key]:
    known: dict[str, _Key] = {}

    def key_of(name: str) -> _Key:
        found = known.get(name)
        if found is None:
            found = known[name] = _key(name)
        return found

    return key_of


def _address_groups(addresses: Iterable[AddressPoint], key_of: Callable[[str], _Key]) -> dict[_Key, list[_Group]]:
    found: dict[tuple[_Key, str, str], _Group] = {}
    for a in addresses:
        if not a.street.strip() or parse_number(a.number) is None:
            continue
        key = (key_of(a.street), a.city, a.postcode)
        group = found.get(key)
        if group is None:
            lon, lat = a.point
            group = _Group(Counter(), a.city, a.postcode, a.country, (lon, lat, lon, lat), a.is_place)
            found[key] = group
        group.spelling[a.street] += 1
        group.country = group.country or a.country
        group.box = _joined(group.box, (*a.point, *a.point))
        group.houses.append(HouseRow(a.number, a.point, a.postcode))
    per_name: dict[_Key, list[_Group]] = defaultdict(list)
    for (name, city, _), group in found.items():
        per_name[name] += [group] if city else _apart(group)
    return dict(per_name)


def _apart(group: _Group) -> list[_Group]:
    """Split addresses that name no city where they stand far apart: every village has its High Street."""
    west, south, east, north = group.box
    if max(east - west, north - south) <= _SAME_STREET_DEG:
        return [group]
    cells: dict[tuple[int, int], list[HouseRow]] = defaultdict(list)
    for house in group.houses:
        cells[int(house.point.lon / _SAME_STREET_DEG), int(house.point.lat / _SAME_STREET_DEG)].append(house)
    parts = []
    while cells:
        start, houses = cells.popitem()
        edge = [start]
        while edge:
            x, y = edge.pop()
            for near in ((x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
                if near in cells:
                    houses += cells.pop(near)
                    edge.append(near)
        lons, lats = [h.point.lon for h in houses], [h.point.lat for h in houses]
        box = (min(lons), min(lats), max(lons), max(lats))
        parts.append(replace(group, spelling=Counter(group.spelling), box=box, houses=houses, others=set(), points=[]))
    return parts


def _cities(groups: dict[_Key, list[_Group]]) -> dict[str, list[LonLat]]:
    """Points of the addresses of every city as written, junk left out."""
    points: dict[str, list[LonLat]] = defaultdict(list)
    for per_name in groups.values():
        for group in per_name:
            if group.city:
                points[group.city].extend(h.point for h in group.houses)
    return {city: found for city, found in points.items() if len(found) >= _CITY_MIN_ADDRESSES}


def _merge(groups: list[_Group]) -> list[_Group]:
    """Join the groups of one name that are one street; those with a city first, so that bare ones join them."""
    done: list[_Group] = []
    for group in sorted(groups, key=lambda g: (not g.city, -len(g.houses))):
        home = next((d for d in done if d.touches(group) and _agree(d.city, group.city)), None)
        if home is None:
            done.append(group)
        else:
            home.take(group)
    return done


def _agree(a: str, b: str) -> bool:
    return not a or not b or glued(a) == glued(b)


def _add_lines(merged: dict[_Key, list[_Group]], lines: Iterable[StreetLine], key_of: Callable[[str], _Key]) -> None:
    """Give streets the other names of their road, and add roads without a house number."""
    bare: dict[_Key, list[_Group]] = defaultdict(list)
    for line in lines:
        lons, lats = [p.lon for p in line.line], [p.lat for p in line.line]
        way = _Group(Counter([line.name]), "", "", "", (min(lons), min(lats), max(lons), max(lats)))
        way.others.update(n for names in line.names.values() for n in names.split(";"))
        way.points.append(line.line[len(line.line) // 2])
        key = key_of(line.name)
        homes = [g for g in merged.get(key, ()) if g.houses and g.touches(way)]
        for home in homes:
            home.others |= way.others
        if not homes:
            bare[key].append(way)
    for key, ways in bare.items():
        merged.setdefault(key, []).extend(_merge(ways))


def halves(name: str) -> list[str]:
    """The names that a bilingual source writes as one: `Rue Neuve - Nieuwstraat`; nothing for other names."""
    parts = [part.strip() for part in _BETWEEN.split(name)]
    return parts if len(parts) == 2 and all(len(part) >= _SHORTEST_HALF for part in parts) else []


def _row(group: _Group, settlements: Settlements) -> StreetRow:
    points = [h.point for h in group.houses] or group.points
    west, south, east, north = group.box
    lon, lat = (sorted(axis)[len(points) // 2] for axis in zip(*points, strict=True))
    point = min(points, key=lambda p: (p.lon - lon) ** 2 + (p.lat - lat) ** 2)
    around = settlements.around(point, group.city)
    name = group.spelling.most_common(1)[0][0]
    spelt = group.others | set(group.spelling)
    others = tuple(sorted((spelt | {half for n in spelt for half in halves(n)}) - {name, ""}))
    codes = Counter(h.postcode for h in group.houses if h.postcode)
    postcodes = tuple(code for code, count in codes.most_common() if count * _CODE_SHARE >= len(group.houses))
    extent = haversine_m(LonLat(west, south), LonLat(east, north)) / 2
    return StreetRow(
        name,
        others,
        group.city or around.city,
        group.country or around.country,
        postcodes or ((group.postcode,) if group.postcode and not group.houses else around.postcodes),
        around.places,
        point,
        round(extent, 1),
        group.is_place,
        tuple(group.houses),
    )


_POI_NAMES = ("name:", "alt_name", "short_name", "official_name", "old_name", "brand", "operator")


def _poi(poi: Poi, settlements: Settlements, neighbours: Neighbours) -> PoiRow:
    city = poi.tags.get("addr:city", "") or neighbours.of(poi.point).city
    around = settlements.around(poi.point, city)
    others: Sequence[str] = [n for tag, n in poi.names.items() if tag.startswith(_POI_NAMES)]
    return PoiRow(
        poi.name,
        tuple(sorted({*others} - {poi.name})),
        poi.point,
        poi.tags.get("addr:street", "") or poi.tags.get("addr:place", ""),
        poi.tags.get("addr:housenumber", ""),
        poi.tags.get("addr:postcode", ""),
        city or around.city,
        around.places,
    )
