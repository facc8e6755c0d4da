"""Reads an OpenStreetMap extract into the records of `geo.osm.records`, streaming, in one pass after a quick survey."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import osmium
import shapely
from osmium import osm
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from geo.osm import basemap
from geo.osm import tags as meaning
from geo.osm.extract import EmptyExtract, Extent, Survey, reading, survey
from geo.osm.records import AddressPoint, MapFeature, Place, Poi, StreetLine
from geo.osm.tags import Tags
from geo.types import BBox, LonLat

Record = AddressPoint | StreetLine | Place | Poi | MapFeature
Progress = Callable[[int, int], None]
"""Called with (objects done, objects in all) every few thousand objects."""

_EVERY = 4096
_ADMIN_KINDS = {2: "country", 3: "state", 4: "state", 5: "county", 6: "county", 7: "municipality", 8: "municipality"}
_SETTLEMENTS = frozenset({"country", "state", "county", "municipality", "borough", *basemap.PLACES})


class ExtractReader:
    """One reading of one extract.

    Iterate over it once; `bbox` is known afterwards, everything of `survey` before.

    Parameters
    ----------
    path
        An `.osm.pbf` file.
    progress
        Called now and then with (done, total).

    Raises
    ------
    ExtractError
        For a missing, foreign, empty or damaged file: on construction where the survey sees it, else while iterating.

    Examples
    --------
    >>> reader = ExtractReader(Path("liechtenstein.osm.pbf"))  # doctest: +SKIP
    >>> addresses = [record for record in reader if isinstance(record, AddressPoint)]  # doctest: +SKIP
    """

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        self.path = path
        self.survey: Survey = survey(path)
        self._progress = progress or (lambda done, total: None)
        self._extent = Extent()
        self._wkb = osmium.geom.WKBFactory()
        self._houses_without_area: dict[int, tuple[Tags, LonLat]] = {}
        self._labels: dict[int, LonLat] = {}
        self._complete: set[int] = set()
        self._untagged = _UntaggedBorders(self.survey.border_ways)
        self._places: list[Place] = []
        self._countries: Counter[str] = Counter()

    @property
    def bbox(self) -> BBox:
        """The box around all addresses and streets read so far.

        Raises
        ------
        EmptyExtract
            When there was neither.
        """
        bbox = self._extent.bbox
        if bbox is None:
            raise EmptyExtract(self.path, "the file holds no street and no address")
        return bbox

    def __iter__(self) -> Iterator[Record]:
        total = self.survey.tagged_objects
        seen = 0
        with reading(self.path):
            tagged = osmium.filter.EmptyTagFilter()
            processor = osmium.FileProcessor(self.path).with_areas().with_filter(tagged)
            for thing in processor.handler_for_filtered(self._untagged):
                if isinstance(thing, osm.Area):
                    yield from self._area(thing)
                    continue
                seen += 1
                if seen % _EVERY == 0:
                    self._progress(seen, total)
                if isinstance(thing, osm.Node):
                    yield from self._node(thing)
                elif isinstance(thing, osm.Way):
                    yield from self._way(thing)
        for way_id, (tags, point) in self._houses_without_area.items():
            yield from self._at_point(f"w{way_id}", ("w", way_id), tags, point)
        for line, level in self._untagged.lines:
            yield from _border(line, level)
        yield from self._all_places()
        self._progress(total, total)

    def _node(self, node: osm.Node) -> Iterator[Record]:
        if not node.location.valid():
            return
        point = LonLat(node.location.lon, node.location.lat)
        tags = dict(node.tags)
        source_id = f"n{node.id}"
        if node.id in self.survey.label_nodes:
            for relation in self.survey.label_nodes[node.id]:
                self._labels[relation] = point
        yield from self._at_point(source_id, ("n", node.id), tags, point)
        if "place" in tags and "name" in tags:
            self._place(source_id, tags, point, None)
            if drawing := basemap.place_drawing(tags):
                yield MapFeature(*drawing[:2], tags["name"], drawing.min_zoom, Point(point))

    def _way(self, way: osm.Way) -> Iterator[Record]:
        tags = dict(way.tags)
        level = self.survey.border_ways.get(way.id)
        named_street = "name" in tags and (tags.get("highway") in basemap.STREETS or tags.get("place") == "square")
        drawing = basemap.line_drawing(tags)
        is_house = way.is_closed() and "addr:housenumber" in tags
        if not (level or named_street or drawing or "addr:housenumber" in tags):
            return
        points = _points(way)
        if not points:
            return
        if is_house or "addr:housenumber" in tags:  # taken back when its area can be built
            self._houses_without_area[way.id] = (tags, _middle(points))
        if len(points) < 2:
            return
        if named_street:
            self._grow(points[0], points[-1])
            yield StreetLine(f"w{way.id}", tags["name"], meaning.other_names(tags), points)
        if drawing:
            yield MapFeature(*drawing[:2], tags.get("name", ""), drawing.min_zoom, LineString(points))
        if level:
            yield from _border(points, level)

    def _area(self, area: osm.Area) -> Iterator[Record]:
        from_way = area.from_way()
        original = area.orig_id()
        key = ("w" if from_way else "r", original)
        if from_way:
            self._houses_without_area.pop(original, None)
        tags = dict(area.tags)
        boundary = None if from_way else self.survey.boundaries.get(original)
        relevant = boundary or "addr:housenumber" in tags or "building" in tags or "name" in tags
        if not relevant and basemap.area_drawing(tags, 1.0) is None:
            return
        geometry = self._geometry(area)
        if geometry is None:
            return
        if boundary:
            self._complete.add(original)
            self._boundary(original, boundary, geometry)
            return
        if "addr:housenumber" in tags or "name" in tags:
            source_id, centre = f"{key[0]}{original}", _inside(geometry)
            yield from self._at_point(source_id, key, tags, centre)
            if "place" in tags and "name" in tags:
                self._place(source_id, tags, centre, geometry)
        if drawing := basemap.area_drawing(tags, geometry.area):
            yield MapFeature(*drawing[:2], tags.get("name", ""), drawing.min_zoom, geometry)

    def _geometry(self, area: osm.Area) -> BaseGeometry | None:
        try:
            return shapely.from_wkb(self._wkb.create_multipolygon(area))
        except (RuntimeError, shapely.GEOSException):
            return None  # single broken geometries are usual in OSM and cost one feature only

    def _at_point(self, source_id: str, key: tuple[str, int], tags: Tags, point: LonLat) -> Iterator[Record]:
        """Yield the addresses and the POI that an object carries."""
        if "addr:housenumber" in tags:
            address = meaning.address_of(tags, self.survey.streets_of_houses.get(key, ""))
            if address:
                self._grow(point)
                self._countries[address.country] += bool(address.country)
                for number in address.numbers:
                    yield AddressPoint(source_id, number, *address[1:5], point, address.is_place)
        if name := tags.get("name"):
            kind = meaning.poi_kind(tags)
            if kind:
                yield Poi(
                    source_id, name, meaning.other_names(tags, "brand", "operator"), kind[0], point, tags, kind[1]
                )

    def _grow(self, *points: LonLat) -> None:
        for point in points:
            self._extent = self._extent.with_point(*point)

    def _place(self, source_id: str, tags: Tags, point: LonLat, area: BaseGeometry | None) -> None:
        kind = tags["place"]
        if kind in _SETTLEMENTS:
            postcode = tags.get("postal_code", "") or tags.get("addr:postcode", "")
            names = meaning.other_names(tags)
            self._places.append(Place(source_id, kind, tags["name"], names, point, "", None, postcode, area))

    def _boundary(self, relation: int, tags: Tags, area: BaseGeometry | None) -> None:
        """Keep a boundary as a place; an incomplete one only where its label is in the extract."""
        point = self._labels.get(relation) or (_inside(area) if area is not None else None)
        level = int(tags.get("admin_level", "0")) if tags.get("admin_level", "").isdigit() else None
        if tags["boundary"] == "postal_code":
            kind, name = "postcode", tags.get("postal_code") or tags.get("ref") or tags.get("name", "")
        else:
            kind, name = _ADMIN_KINDS.get(level or 0, "suburb"), tags.get("name", "")
        if point is None or not name:
            return
        country = tags.get("ISO3166-1:alpha2") or tags.get("ISO3166-1") or "" if level == 2 else ""
        postcode = name if kind == "postcode" else tags.get("postal_code", "")
        names = meaning.other_names(tags)
        self._places.append(Place(f"r{relation}", kind, name, names, point, country, level, postcode, area))

    def _all_places(self) -> Iterator[Place]:
        """Yield all places, now that their countries can be told."""
        for relation, tags in self.survey.boundaries.items():
            if relation not in self._complete:
                self._boundary(relation, tags, None)
        shapely.prepare([p.area for p in self._places if p.area is not None])
        areas = [(p.country, p.area) for p in self._places if p.country and p.area is not None]
        single = self.survey.country or self._usual_country()
        for place in self._places:
            country = place.country
            if not country:
                point = Point(place.point)
                country = next((code for code, area in areas if shapely.contains(area, point)), "" if areas else single)
            yield Place(
                place.source_id, place.kind, place.name, place.names, place.point, country,
                place.admin_level, place.postcode, place.area,
            )  # fmt: skip

    def _usual_country(self) -> str:
        """Return the country that nearly all tagged addresses agree on, else nothing."""
        if not self._countries:
            return ""
        code, count = self._countries.most_common(1)[0]
        return code if count >= 0.95 * self._countries.total() else ""


class _UntaggedBorders:
    """Keeps the ways of boundary relations that carry no tags of their own; pyosmium calls it for all untagged ways."""

    def __init__(self, levels: Mapping[int, int]) -> None:
        self._levels = levels
        self.lines: list[tuple[tuple[LonLat, ...], int]] = []

    def way(self, way: osm.Way) -> None:
        """Take the way when it is a border."""
        level = self._levels.get(way.id)
        if level:
            points = _points(way)
            if len(points) > 1:
                self.lines.append((points, level))


def _border(line: tuple[LonLat, ...], level: int) -> Iterator[MapFeature]:
    if drawing := basemap.boundary_drawing(level):
        yield MapFeature(*drawing[:2], "", drawing.min_zoom, LineString(line))


def _points(way: osm.Way) -> tuple[LonLat, ...]:
    """Return the vertices that the extract holds."""
    return tuple(LonLat(node.lon, node.lat) for node in way.nodes if node.location.valid())


def _middle(points: tuple[LonLat, ...]) -> LonLat:
    """Return a point for a way that has no area: the middle of its vertices."""
    if len(points) > 1 and points[0] == points[-1]:
        points = points[:-1]
    return LonLat(sum(p.lon for p in points) / len(points), sum(p.lat for p in points) / len(points))


def _inside(area: BaseGeometry) -> LonLat:
    """Return the centre of an area where that lies inside, else a point inside."""
    centre = shapely.centroid(area)
    if not shapely.contains(area, centre):
        centre = shapely.point_on_surface(area)
    return LonLat(centre.x, centre.y)
