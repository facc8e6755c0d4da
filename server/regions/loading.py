"""From the records of an extract into the tables of a region, by COPY in chunks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import pack
from typing import Any
from uuid import UUID, uuid5

import h3
import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg.types.json import Jsonb
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.osm.reader import ExtractReader, Progress, Record
from geo.osm.records import AddressPoint, MapFeature, Place, Poi, StreetLine
from geo.osm.tags import address_of
from geo.types import LonLat
from server.kit.database import copy_rows

PROSPECTS = UUID("6f1d2c5e-3f0b-5a53-9d0e-0f7a3c1e7b11")
"""Namespace of prospect ids, so that a firm keeps its id from one extract to the next."""

CELL_RESOLUTION = 10
CHUNK = 20_000
_EWKB_POINT = pack("<BII", 1, 0x20000001, 4326).hex()
_MERCATOR_M = 20_037_508.342789244

Row = Sequence[Any]

COLUMNS: dict[str, tuple[str, ...]] = {
    "region_address": (
        "region_id", "source_id", "number", "street", "postcode", "city", "country", "is_place", "point",
    ),
    "region_street": ("region_id", "source_id", "name", "names", "line"),
    "region_place": (
        "region_id", "source_id", "kind", "name", "names", "country", "admin_level", "postcode", "point", "area",
    ),
    "region_poi": (
        "region_id", "source_id", "name", "names", "kind", "street", "number", "postcode", "city", "point",
    ),
    "prospect": ("region_id", "id", "source_id", "name", "kind", "tags", "cell", "pin"),
    "basemap_feature": ("region_id", "layer", "kind", "name", "min_zoom", "geom"),
}  # fmt: skip
"""The tables of a region and what is copied into them."""

_PROSPECTS_READ = (
    text("drop table if exists pg_temp.prospect_read"),
    text("create temporary table prospect_read (like prospect) on commit drop"),
)
_PROSPECTS = (text("insert into prospect select * from prospect_read order by cell, id"), _PROSPECTS_READ[0])
"""Prospects are written hexagon by hexagon: whoever asks for the firms around a place reads few pages."""


class Loader:
    """Writes records into the tables inside the session's transaction."""

    def __init__(self, session: Session, region_id: UUID) -> None:
        self._session = session
        self._region_id = region_id
        self._rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        self._features: list[MapFeature] = []
        self._prospects: set[str] = set()
        self.counts: Counter[str] = Counter()
        """Rows written, by table."""
        for statement in _PROSPECTS_READ:
            session.execute(statement)

    def add(self, record: Record) -> None:
        """Take one record; written when a chunk is full."""
        if isinstance(record, MapFeature):
            self._features.append(record)
            if len(self._features) >= CHUNK:
                self._write_features()
            return
        for table, row in _rows_of(record):
            if table == "prospect":
                if record.source_id in self._prospects:
                    continue
                self._prospects.add(record.source_id)
            rows = self._rows[table]
            rows.append((self._region_id, *row))
            if len(rows) >= CHUNK:
                self._write(table)

    def finish(self) -> None:
        """Write what is left."""
        self._write_features()
        for table in COLUMNS:
            self._write(table)
        for statement in _PROSPECTS:
            self._session.execute(statement)

    def _write(self, table: str) -> None:
        rows, into = self._rows[table], "prospect_read" if table == "prospect" else table
        self.counts[table] += copy_rows(self._session, into, COLUMNS[table], rows)
        rows.clear()

    def _write_features(self) -> None:
        features = self._features
        if not features:
            return
        shapes = np.array([feature.geometry for feature in features], dtype=object)
        projected = shapely.set_srid(shapely.transform(shapes, to_mercator), 3857)
        texts = shapely.to_wkb(projected, hex=True, include_srid=True)
        rows = (
            (self._region_id, feature.layer, feature.kind, feature.name, feature.min_zoom, text)
            for feature, text in zip(features, texts, strict=True)
        )
        table = "basemap_feature"
        self.counts[table] += copy_rows(self._session, table, COLUMNS[table], rows)
        features.clear()


def load(
    session: Session, region_id: UUID, path: Path, progress: Progress | None = None
) -> tuple[ExtractReader, Counter[str]]:
    """Read an extract into the tables; returns the finished reader (for its date and box) and the rows per table."""
    reader = ExtractReader(path, progress)
    loader = Loader(session, region_id)
    for record in reader:
        loader.add(record)
    loader.finish()
    return reader, loader.counts


def prospect_id(source_id: str) -> UUID:
    """The id of the firm that OpenStreetMap knows as `n123`, `w123` or `r123`."""
    return uuid5(PROSPECTS, source_id)


def to_mercator(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project degrees, shape (n, 2), into Web Mercator metres (EPSG:3857); the poles are cut at 85.06 degrees."""
    lat = np.radians(np.clip(lonlat[:, 1], -85.06, 85.06))
    y = np.log(np.tan(np.pi / 4 + lat / 2)) * _MERCATOR_M / np.pi
    return np.column_stack([lonlat[:, 0] * _MERCATOR_M / 180, y])


def _rows_of(record: AddressPoint | StreetLine | Place | Poi) -> Iterator[tuple[str, Row]]:
    """Yield the table and the row, without the region's id, of everything that a record becomes."""
    match record:
        case AddressPoint():
            a = record
            point = _point(a.point)
            yield (
                "region_address",
                (a.source_id, a.number, a.street, a.postcode, a.city, a.country, a.is_place, point),
            )
        case StreetLine():
            line = _wkb(LineString(record.line))
            yield "region_street", (record.source_id, record.name, Jsonb(dict(record.names)), line)
        case Place():
            p = record
            names = Jsonb(dict(p.names))
            area = None if p.area is None else _wkb(_multi(p.area))
            point = _point(p.point)
            yield (
                "region_place",
                (p.source_id, p.kind, p.name, names, p.country, p.admin_level, p.postcode, point, area),
            )
        case Poi():
            yield from _rows_of_poi(record)


def _rows_of_poi(poi: Poi) -> Iterator[tuple[str, Row]]:
    point = _point(poi.point)
    names = Jsonb(dict(poi.names))
    address = address_of(poi.tags)
    street, number = (address.street, ";".join(address.numbers)) if address else (poi.tags.get("addr:street", ""), "")
    postcode, city = poi.tags.get("addr:postcode", ""), poi.tags.get("addr:city", "")
    yield "region_poi", (poi.source_id, poi.name, names, poi.kind, street, number, postcode, city, point)
    if poi.is_prospect:
        cell = h3.str_to_int(h3.latlng_to_cell(poi.point.lat, poi.point.lon, CELL_RESOLUTION))
        tags = Jsonb(dict(poi.tags))
        yield "prospect", (prospect_id(poi.source_id), poi.source_id, poi.name, poi.kind, tags, cell, point)


def _point(point: LonLat) -> str:
    """A point as PostGIS reads it (EWKB: little-endian, type 1 with SRID 4326); shapely is slow at single points."""
    return _EWKB_POINT + pack("<dd", point.lon, point.lat).hex()


def _wkb(shape: BaseGeometry) -> str:
    text: str = shapely.to_wkb(shapely.set_srid(shape, 4326), hex=True, include_srid=True)
    return text


def _multi(area: BaseGeometry) -> BaseGeometry:
    return MultiPolygon([area]) if isinstance(area, Polygon) else area
