"""Features of geographic files as rows: their properties, and the point of their geometry in degrees."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely import Geometry, MultiPoint, MultiPolygon, Point, Polygon

from server.imports.delimited import Record
from server.imports.errors import BadFile

LON, LAT = "lon", "lat"
"""Titles of the columns that hold the point."""

AREA = "The geometry is an area; a point inside it was taken."
"""What is noted at the row of an area."""

BATCH = 2000
UNREADABLE = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError,
    shapely.errors.ShapelyError,
)  # fmt: skip
"""What shapely raises on a geometry of GeoJSON that is none."""

Area = Polygon | MultiPolygon
type LonLatText = tuple[str, str]
type Feature = tuple[Mapping[str, Any], Geometry | str | None]
"""Properties; the geometry, what is wrong with it, or None."""


def header_of(names: Iterable[str]) -> list[str]:
    """The titles: the point first; a property that is called like it is told apart."""
    found = [f"{name} (property)" if name.lower() in (LON, LAT) else name for name in dict.fromkeys(names)]
    return [LON, LAT, *found]


def to_degrees(wkt_or_code: str) -> Transformer | None:
    """How to turn coordinates of a system into degrees; None when they are. Refuses what is unknown."""
    try:
        crs = CRS.from_user_input(wkt_or_code)
        if crs.to_epsg() == 4326 or crs.equals(CRS.from_epsg(4326), ignore_axis_order=True):
            return None
        return Transformer.from_crs(crs, 4326, always_xy=True)
    except CRSError as error:
        raise BadFile(
            f"The coordinate system “{wkt_or_code[:60]}” is not known.", help="Export it in WGS 84 (EPSG:4326)."
        ) from error


def rows(features: Iterable[Feature], names: Sequence[str], transformer: Transformer | None) -> Iterator[Record]:
    """The features as rows, counted from 1."""
    number = 0
    for batch in batched(features, BATCH):
        points = [point_of(geometry) for _, geometry in batch]
        if transformer is not None:
            points = reprojected(points, transformer)
        for (properties, geometry), point in zip(batch, points, strict=True):
            number += 1
            written = [text_of(properties.get(name)) for name in names]
            if isinstance(point, str):
                yield Record(number, ["", "", *written], point)
            else:
                yield Record(number, [*point, *written], note=AREA if point[0] and isinstance(geometry, Area) else None)


def point_of(geometry: Geometry | str | None) -> LonLatText | str:
    """The point of a geometry as texts, inside it when it is an area; or what is wrong with it."""
    if geometry is None or isinstance(geometry, str):
        return geometry or ("", "")
    if shapely.is_empty(geometry):
        return "", ""
    if isinstance(geometry, MultiPoint) and len(geometry.geoms) == 1:
        geometry = geometry.geoms[0]
    point = geometry.representative_point() if isinstance(geometry, Area) else geometry
    if not isinstance(point, Point):
        return f"the geometry is a {type(geometry).__name__}; a point or an area is needed"
    return repr(point.x), repr(point.y)


def reprojected(points: Sequence[LonLatText | str], transformer: Transformer) -> list[LonLatText | str]:
    """The points in degrees, all in one call."""
    places = [place for place, point in enumerate(points) if not isinstance(point, str) and point[0]]
    found = list(points)
    xs, ys = ([float(points[place][axis]) for place in places] for axis in (0, 1))
    for place, lon, lat in zip(places, *transformer.transform(xs, ys), strict=True):
        inside = abs(lon) <= 180 and abs(lat) <= 90
        found[place] = (repr(round(lon, 7)), repr(round(lat, 7))) if inside else "the point lies outside the world"
    return found


def geometry_of(document: Any) -> Geometry | str | None:
    """A geometry of GeoJSON, or what is wrong with it."""
    if document is None:
        return None
    try:
        return shapely.geometry.shape(document)
    except UNREADABLE:
        return "the geometry cannot be read"


def text_of(value: object) -> str:
    """A property as a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(text_of, value))
    return str(value)
