"""GeoPackages: one layer with points or areas, or one table without geometry, read row by row with SQLite."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import shapely
from pyproj import Transformer
from shapely import Geometry

from server.imports.delimited import Record
from server.imports.errors import BadFile, ChooseLayer
from server.imports.features import Feature, header_of, rows, to_degrees

MAGIC = b"SQLite format 3\x00"
USABLE = {"POINT", "MULTIPOINT", "POLYGON", "MULTIPOLYGON", "GEOMETRY", "CURVEPOLYGON", "MULTISURFACE", "SURFACE"}
POINT, POLYGON = 1, 3
"""Kinds of geometry in WKB; those above have parts."""
ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the box in front of a geometry, by the kind that its flags name."""

LEAST_ROW = 2
"""Bytes that a row takes at least: a file cannot hold more rows than that, only a view without end can."""

STEPS, SILENCES = 1_000_000, 500
"""Steps of SQLite between two looks, and looks without a row after which it is stopped."""

LONGEST_VALUE = 100_000_000
"""Bytes of a value; what is longer is refused by SQLite."""

LAYERS = """
    select c.table_name, c.data_type, g.column_name, upper(g.geometry_type_name), g.srs_id
    from gpkg_contents c left join gpkg_geometry_columns g on g.table_name = c.table_name
    where c.data_type in ('features', 'attributes') order by c.table_name
"""


class Layer(NamedTuple):
    """A layer of the file."""

    table: str
    data_type: str
    geometry: str | None
    """Name of the column."""
    kind: str | None
    """`POINT`, `LINESTRING`, ..."""
    srs_id: int | None


def records(path: Path, layer_name: str | None) -> tuple[str, list[str], Iterator[Record]]:
    """The chosen layer, its header and its rows. Refuses several layers, and a file that has none to use."""
    try:
        with closing(connected(path)) as database:
            layer = chosen([Layer._make(row) for row in database.execute(LAYERS)], layer_name)
            columns = [row[1] for row in database.execute(f"pragma table_info({quoted(layer.table)})")]
            transformer = transformer_of(database, layer)
    except sqlite3.Error as error:
        raise damaged(error) from error
    names = [name for name in columns if name != layer.geometry]
    if layer.geometry is None:
        return layer.table, names, without_point(features(path, layer, names), names)
    return layer.table, header_of(names), rows(features(path, layer, names), names, transformer)


def connected(path: Path) -> sqlite3.Connection:
    """The file, for reading only; nothing that it defines is run."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    database.execute("pragma trusted_schema = off")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    watched(database)
    database.text_factory = lambda data: data.decode("utf-8", "replace")
    return database


def watched(database: sqlite3.Connection) -> None:
    """Stop the next statement that gives nothing for too long."""
    left = iter(range(SILENCES))
    database.set_progress_handler(lambda: next(left, None) is None, STEPS)


def chosen(layers: list[Layer], name: str | None) -> Layer:
    """The layer by its name, else the only one that can be used."""
    usable = [layer for layer in layers if layer.kind in USABLE]
    usable = usable or [layer for layer in layers if layer.data_type == "attributes"]
    names = [layer.table for layer in usable]
    if name:
        if name not in names:
            raise BadFile(f"There is no layer “{name}” with points or areas.", help=f"There are: {', '.join(names)}.")
        return usable[names.index(name)]
    if not usable:
        there = ", ".join(f"“{layer.table}” ({(layer.kind or 'no geometry').capitalize()})" for layer in layers)
        raise BadFile(
            f"The GeoPackage has no layer with points or areas; there is {there}."
            if there
            else "The GeoPackage has no layer with points or areas.",
            help="Export the places of your customers as points.",
        )
    if len(usable) > 1:
        raise ChooseLayer(
            f"The GeoPackage has {len(names)} layers: {', '.join(names)}.", help="Choose one of them.", choices=names
        )
    return usable[0]


def transformer_of(database: sqlite3.Connection, layer: Layer) -> Transformer | None:
    """How the layer's coordinates become degrees."""
    return None if layer.geometry is None or layer.srs_id in (0, -1) else to_degrees(system_of(database, layer))


def system_of(database: sqlite3.Connection, layer: Layer) -> str:
    """The coordinate system of a layer; refuses one that the file does not define."""
    if layer.srs_id == 4326:
        return "EPSG:4326"
    statement = "select organization, organization_coordsys_id, definition from gpkg_spatial_ref_sys where srs_id = ?"
    found = database.execute(statement, (layer.srs_id,)).fetchone()
    if found is None:
        raise BadFile(
            f"The layer “{layer.table}” names a coordinate system that the file does not define ({layer.srs_id}).",
            help="Export it again in WGS 84 (EPSG:4326).",
        )
    return f"EPSG:{found[1]}" if str(found[0]).upper() == "EPSG" else str(found[2])


def features(path: Path, layer: Layer, names: list[str]) -> Iterator[Feature]:
    """The layer's rows in the order of the file; a file that is damaged further on says so in its last row."""
    most, count = path.stat().st_size // LEAST_ROW, 0
    columns = ", ".join(quoted(name) for name in [*([layer.geometry] if layer.geometry else []), *names])
    try:
        with closing(connected(path)) as database:
            for row in database.execute(f"select {columns} from {quoted(layer.table)}"):  # noqa: S608 -- quoted names
                count += 1
                if count > most:
                    raise BadFile(
                        f"The layer “{layer.table}” gives more rows than the file can hold.",
                        help="It is a view without end: export it as a table.",
                    )
                if count % 1000 == 0:
                    watched(database)
                values = row[1:] if layer.geometry else row
                properties = {
                    name: None if isinstance(value, bytes) else value for name, value in zip(names, values, strict=True)
                }
                yield properties, geometry_of(row[0]) if layer.geometry else None
    except sqlite3.Error as error:
        yield {}, f"the file is damaged here ({error}); what came after is missing"


def without_point(found: Iterator[Feature], names: list[str]) -> Iterator[Record]:
    """Rows of a table without geometry."""
    for record in rows(found, names, None):
        yield Record(record.number, record.cells[2:], record.problem)


def geometry_of(blob: object) -> Geometry | str | None:
    """A geometry in the GeoPackage's own wrapping, or what is wrong with it."""
    if blob is None:
        return None
    wrong = "the geometry cannot be read"
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < 8:
        return wrong
    flags = blob[3]
    envelope = (flags >> 1) & 7
    if flags & 16:
        return None  # empty
    if envelope >= len(ENVELOPES):
        return wrong
    wkb = blob[8 + ENVELOPES[envelope] :]
    try:
        return shapely.from_wkb(wkb) if is_flat(wkb) else wrong
    except (shapely.errors.ShapelyError, struct.error, NotImplementedError):
        return wrong


def is_flat(wkb: bytes) -> bool:
    """Whether no part of a geometry has parts itself: GEOS reads one inside the other until its stack ends."""
    kind, _, order = head_of(wkb, 0)
    if kind <= POLYGON:
        return kind > 0
    (count,) = struct.unpack_from(f"{order}I", wkb, 5)
    at = 9
    for _ in range(count):
        kind, width, order = head_of(wkb, at)
        at += 5
        if not 0 < kind <= POLYGON:
            return False
        lines = 1
        if kind == POLYGON:
            (lines,) = struct.unpack_from(f"{order}I", wkb, at)
            at += 4
        for _ in range(lines):
            (points,) = (1,) if kind == POINT else struct.unpack_from(f"{order}I", wkb, at)
            at += points * width + (0 if kind == POINT else 4)
    return True


def head_of(wkb: bytes, at: int) -> tuple[int, int, str]:
    """The kind of a geometry (0: none that a GeoPackage may hold), the bytes of a corner, and the order of bytes."""
    (mark,) = struct.unpack_from("B", wkb, at)
    if mark > 1:
        return 0, 0, ""
    order = "<" if mark else ">"
    (code,) = struct.unpack_from(f"{order}I", wkb, at + 1)
    dimensions = (2, 3, 3, 4)
    return (code % 1000 if code < 4000 else 0), 8 * dimensions[code // 1000 % 4], order


def quoted(name: str) -> str:
    """A name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def damaged(error: Exception) -> BadFile:
    """The refusal of what SQLite cannot read."""
    return BadFile(f"The GeoPackage cannot be read: {error}.", help="Export it again, or as GeoJSON or CSV.")
