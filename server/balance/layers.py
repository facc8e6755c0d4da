"""Uploaded files of areas as features. Only Shapefiles reach GDAL: it opens whatever else a file says it is."""

import lzma
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

import geopandas
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj.exceptions import CRSError

from server.imports import geojson, geopackage
from server.imports.delimited import dialect_of
from server.imports.errors import BadFile
from server.imports.features import Feature
from server.kit.errors import Invalid

MAX_UNPACKED = 100_000_000
MAX_MEMBERS = 1_000
MAX_AREAS = 10_000
CHUNK = 1_000_000
DEGREES = "EPSG:4326"
SHAPEFILE = b"\x00\x00\x27\x0a"
"""What a .shp and a .shx begin with."""
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
POLYGONAL = {"POLYGON", "MULTIPOLYGON", "GEOMETRY", "GEOMETRYCOLLECTION"}


@dataclass(frozen=True)
class Layer:
    """The features of a file, as they stand there."""

    features: Sequence[Feature]
    system: str | None
    """Their coordinate system, as a code or WKT; None: the file does not say."""
    notes: tuple[str, ...] = ()
    """What should be known of how the file was read, in words."""


def layer_of(content: bytes, file_name: str, folder: Path, wanted: Sequence[str]) -> Layer:
    """The features of a file; of a Shapefile only with the wanted columns, in lower case. Refuses what is no areas."""
    if Path(file_name).suffix.lower() in (".shp", ".dbf", ".shx"):
        raise Invalid(
            f"{file_name} is only one part of a Shapefile.", help="Zip its .shp, .shx, .dbf and .prj and send the zip."
        )
    if content[:4] == b"PK\x03\x04":
        return of_shapefile(unzipped(content, file_name, folder), file_name, wanted)
    path = folder / "areas"
    path.write_bytes(content)
    if content.startswith(geopackage.MAGIC):
        return of_geopackage(path, file_name)
    if not geojson.looks_like(content[: geojson.HEAD]):
        raise no_areas(file_name)
    return of_geojson(path, file_name)


def no_areas(file_name: str) -> Invalid:
    """The refusal of what is something else, or damaged."""
    return Invalid(
        f"{file_name} is not GeoJSON, GeoPackage or a zipped Shapefile.", help="Export the areas as one of these."
    )


def some(features: Iterable[Feature], file_name: str) -> list[Feature]:
    """Features, if they are not too many."""
    found = list(islice(features, MAX_AREAS + 1))
    if len(found) > MAX_AREAS:
        raise Invalid(f"{file_name} holds more than {MAX_AREAS:,} areas.", help="Send the areas that people work.")
    return found


def of_geojson(path: Path, file_name: str) -> Layer:
    """A collection, a feature, or one feature a line."""
    try:
        found = some(geojson.features(path, dialect_of(path).encoding), file_name)
    except BadFile as error:
        raise no_areas(file_name) from error
    code = geojson.crs_of(path)
    return Layer(found, DEGREES if code is None or code.endswith(("CRS84", "CRS:84")) else code)


def of_geopackage(path: Path, file_name: str) -> Layer:
    """The first layer of areas. Only what is stored is read: a view could compute without end."""
    try:
        with closing(geopackage.connected(path)) as database:
            tables = tables_of(database)
            if not {"gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"} <= tables:
                raise no_areas(file_name)
            layers = [geopackage.Layer._make(row) for row in database.execute(geopackage.LAYERS)]
            layers = [one for one in layers if one.geometry is not None and one.table in tables]
            if not layers:
                raise Invalid(f"{file_name} has no geometry.", help="Export the areas with their outlines.")
            layer, notes = chosen(layers, file_name)
            titles = database.execute(f"pragma table_info({geopackage.quoted(layer.table)})")
            names = [str(row[1]) for row in titles if row[1] != layer.geometry]
            system = None if layer.srs_id in (None, -1) else DEGREES
            if system is not None and layer.srs_id != 0:
                system = geopackage.system_of(database, layer)
    except (sqlite3.Error, IndexError) as error:
        raise no_areas(file_name) from error
    return Layer(some(geopackage.features(path, layer, names), file_name), system, notes)


def tables_of(database: sqlite3.Connection) -> set[str]:
    """The tables that a file stores, without views and without virtual tables."""
    rows = database.execute("select name, sql from sqlite_master where type = 'table'")
    return {str(name) for name, sql in rows if not str(sql).lower().startswith("create virtual")}


def chosen(layers: Sequence[geopackage.Layer], file_name: str) -> tuple[geopackage.Layer, tuple[str, ...]]:
    """The first layer that may hold areas, and what to say when it is one of several."""
    usable = [layer for layer in layers if layer.kind in POLYGONAL] or layers
    if len(usable) == 1:
        return usable[0], ()
    names = ", ".join(layer.table for layer in usable)
    note = f"{file_name} holds {len(usable)} layers with areas ({names}); “{usable[0].table}” was read."
    return usable[0], (note,)


def unzipped(content: bytes, file_name: str, folder: Path) -> Path:
    """The Shapefile of a zip on the disk; refuses one that lacks parts, is locked, damaged, or unpacks to too much."""
    damaged = Invalid(f"{file_name} is a damaged zip.", help="Zip the files again.")
    if content.count(b"PK\x01\x02") > MAX_MEMBERS:
        raise Invalid(f"{file_name} holds more than {MAX_MEMBERS:,} files.", help="Zip only the Shapefile.")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            stem, members = parts_of(archive, file_name)
            left = MAX_UNPACKED
            for part, member in members.items():
                left -= unpacked(archive, member, folder / f"areas{part}", left, file_name)
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError
    ) as error:  # fmt: skip
        raise damaged from error
    for part in (".shx", ".dbf"):
        if part not in members:
            raise Invalid(f"{file_name} lacks {Path(stem).name}{part}.", help="Zip all parts of the Shapefile.")
    return folder / "areas.shp"


def parts_of(archive: zipfile.ZipFile, file_name: str) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The files of the only Shapefile in a zip, by their ending."""
    found = [one for one in archive.infolist() if not one.filename.startswith("__MACOSX") and not one.is_dir()]
    stems = [one.filename[:-4] for one in found if one.filename.lower().endswith(".shp")]
    if not stems:
        raise Invalid(f"{file_name} holds no Shapefile.", help="Zip its .shp, .shx, .dbf and .prj.")
    if len(stems) > 1:
        raise Invalid(f"{file_name} holds {len(stems)} Shapefiles.", help="Send them one by one.")
    parts = {one.filename[-4:].lower(): one for one in found if one.filename[:-4] == stems[0]}
    members = {part: parts[part] for part in PARTS if part in parts}
    if any(one.flag_bits & 1 for one in members.values()):
        raise Invalid(f"{file_name} is locked with a password.", help="Zip the files without one.")
    return stems[0], members


def unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, limit: int, file_name: str) -> int:
    """Unpack a member piece by piece, until it is too much; returns its size."""
    size = 0
    with archive.open(member) as stream, path.open("wb") as file:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise Invalid(
                    f"{file_name} unpacks to more than {MAX_UNPACKED // 1_000_000} MB.", help="Simplify the outlines."
                )
            file.write(chunk)
    return size


def of_shapefile(path: Path, file_name: str, wanted: Sequence[str]) -> Layer:
    """The features of a Shapefile. What only calls itself one never reaches GDAL."""
    for part in (path, path.with_suffix(".shx")):
        with part.open("rb") as file:
            if file.read(len(SHAPEFILE)) != SHAPEFILE:
                raise no_areas(file_name)
    try:
        about = pyogrio.read_info(path)
        if about["features"] > MAX_AREAS:
            raise Invalid(f"{file_name} holds more than {MAX_AREAS:,} areas.", help="Send the areas that people work.")
        columns = [str(name) for name in about["fields"] if str(name).lower() in wanted]
        frame = geopandas.read_file(path, columns=columns, engine="pyogrio")
    except (DataSourceError, DataLayerError, CRSError, ValueError, IndexError) as error:
        raise no_areas(file_name) from error
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise Invalid(f"{file_name} has no geometry.", help="Export the areas with their outlines.")
    rows = frame[columns].to_dict("records")
    return Layer(list(zip(rows, frame.geometry, strict=True)), about["crs"])
