"""Which places a point belongs to, and what those places are called."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shapely import Point, STRtree
from shapely.geometry.base import BaseGeometry

from geo.distance import haversine_m
from geo.geocode.content import PlaceRow
from geo.geocode.vocabulary import fold, words
from geo.osm.records import Place
from geo.types import LonLat

_REACH_M = {
    "city": 12_000.0, "town": 4_000.0, "village": 2_500.0, "suburb": 2_500.0, "quarter": 1_500.0, "hamlet": 1_500.0,
    "neighbourhood": 1_000.0, "isolated_dwelling": 500.0, "locality": 700.0,
}  # fmt: skip
"""How far from its label a settlement without an outline may reach; only the nearest of a rank counts."""
_RANK = {
    "city": 0, "town": 0, "village": 0, "suburb": 1, "quarter": 1, "neighbourhood": 1,
    "hamlet": 2, "isolated_dwelling": 2, "locality": 3,
}  # fmt: skip
_TOO_LARGE = frozenset({"country", "state", "county", "region", "postcode"})


def glued(text: str) -> str:
    """Folded letters and digits of a place's name, without anything in brackets."""
    return "".join(words(fold(text.split("(")[0] or text)))


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of a point's surroundings."""

    places: tuple[int, ...]
    """Positions of the places it lies in or beside."""
    city: str
    """The name to write in an address; may be empty."""
    country: str
    """Two-letter code; may be empty."""
    postcodes: tuple[str, ...]
    """Of a postcode area, or of the settlement it lies in; may be empty."""


class Settlements:
    """The places of a region, asked by point."""

    def __init__(self, places: Iterable[Place], cities: Mapping[str, Sequence[LonLat]]) -> None:
        self._places = [p for p in places if p.name]
        self.rows: list[PlaceRow] = [_row(p) for p in self._places]
        self._cities: dict[str, list[int]] = {}
        for at, place in enumerate(self._places):
            if place.kind not in _TOO_LARGE:
                for name in {place.name, *_names(place)}:
                    self._cities.setdefault(glued(name), []).append(at)
        for city, points in cities.items():
            if glued(city) not in self._cities:
                self._cities[glued(city)] = [len(self.rows)]
                self.rows.append(_from_addresses(city, points))
        self._known = {glued(c) for c in cities}
        areas = [(at, p.area) for at, p in enumerate(self._places) if p.area is not None]
        self._area_ids = [at for at, _ in areas]
        self._areas: list[BaseGeometry] = [a for _, a in areas]
        self._tree = STRtree(self._areas)
        self._labels = [_Labels(kind, self._places) for kind in _REACH_M]

    def is_junk(self, city: str) -> bool:
        """Whether a city as written in an address is too rare to be one, and no known place either."""
        return bool(city) and glued(city) not in self._known and glued(city) not in self._cities

    def around(self, point: LonLat, city: str) -> Around:
        """Describe a point of an address that writes `city` (or nothing)."""
        inside = [self._area_ids[i] for i in self._tree.query(Point(point), predicate="within")]
        nearest = self._nearest_labels(point)
        written = self._written(city, point) if city else []
        kinds = {at: self._places[at].kind for at in (*inside, *nearest)}
        near = [at for at in (*inside, *nearest) if kinds[at] not in _TOO_LARGE]
        named = next((at for at in nearest if _RANK[kinds[at]] == 0), next(iter(near), None))
        country = next((self._places[at].country for at in (*near, *inside) if self._places[at].country), "")
        codes = [self._places[at].name for at in inside if kinds[at] == "postcode"]
        if not codes and named is not None and self._places[named].postcode:
            codes = [self._places[named].postcode]
        name = city or ("" if named is None else self._places[named].name)
        return Around(tuple(dict.fromkeys((*written, *near))), name, country, tuple(codes))

    def _written(self, city: str, point: LonLat) -> list[int]:
        """The places that the written city may mean; of several of one name those nearest to the point."""
        found = self._cities.get(glued(city), [])
        if len(found) < 2:
            return found
        far = {at: haversine_m(self.rows[at].point, point) for at in found}
        limit = min(far.values()) + 10_000
        return [at for at in found if far[at] <= limit]

    def _nearest_labels(self, point: LonLat) -> list[int]:
        """The nearest label of each rank within its reach, larger ranks first."""
        best: dict[int, tuple[float, int]] = {}
        for labels in self._labels:
            near = labels.nearest(point)
            if near is not None:
                best[labels.rank] = min(best.get(labels.rank, near), near)
        return [best[rank][1] for rank in sorted(best)]


class _Labels:
    """The labels of one kind of settlement without an outline."""

    def __init__(self, kind: str, places: Sequence[Place]) -> None:
        self.rank = _RANK[kind]
        self._reach_m = _REACH_M[kind]
        self._ids = [at for at, p in enumerate(places) if p.kind == kind and p.area is None]
        self._points = [places[at].point for at in self._ids]
        self._squeeze = math.cos(math.radians(self._points[0].lat)) if self._points else 1.0
        self._tree = STRtree([Point(p.lon * self._squeeze, p.lat) for p in self._points])

    def nearest(self, point: LonLat) -> tuple[float, int] | None:
        """Distance and position of the nearest label, if it reaches the point."""
        if not self._ids:
            return None
        at = int(self._tree.nearest(Point(point.lon * self._squeeze, point.lat)))
        far = haversine_m(point, self._points[at])
        return (far, self._ids[at]) if far <= self._reach_m else None


def _names(place: Place) -> list[str]:
    return [n.strip() for value in place.names.values() for n in value.split(";") if n.strip()]


def _row(place: Place) -> PlaceRow:
    extent = _REACH_M.get(place.kind, 3_000.0) / 2
    if place.area is not None:
        west, south, east, north = place.area.bounds
        extent = haversine_m(LonLat(west, south), LonLat(east, north)) / 2
    others = tuple(dict.fromkeys(_names(place)))
    return PlaceRow(place.name, others, place.kind, place.country, place.point, round(extent, 1))


def _from_addresses(name: str, points: Sequence[LonLat]) -> PlaceRow:
    lons, lats = sorted(p.lon for p in points), sorted(p.lat for p in points)
    middle = LonLat(lons[len(lons) // 2], lats[len(lats) // 2])
    across = haversine_m(LonLat(lons[0], lats[0]), LonLat(lons[-1], lats[-1]))
    return PlaceRow(name, (), "postal", "", middle, round(across / 2, 1))
