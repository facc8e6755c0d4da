"""Territories as files: GeoJSON, GeoPackage and zipped Shapefile, read and written by geopandas."""

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from server.balance.drafts import area_of
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.territories import queries

MAX_UNPACKED = 500_000_000
NAMES = ("name", "territory", "title", "bezeichnung", "gebiet", "nom", "nombre", "nome")
"""Columns that may hold a territory's name, whatever their case."""
COLOURS = ("colour", "color", "farbe")


class Format(StrEnum):
    """A kind of file."""

    GEOJSON = "geojson"
    GPKG = "gpkg"
    SHP = "shp"
    """A zip with the parts of a Shapefile."""

    @property
    def file_name(self) -> str:
        """What the browser calls it."""
        return f"territories.{'shp.zip' if self == Format.SHP else self}"

    @property
    def media_type(self) -> str:
        """What it is."""
        types = {"geojson": "application/geo+json", "gpkg": "application/geopackage+sqlite3", "shp": "application/zip"}
        return types[self]


@dataclass(frozen=True)
class Outline:
    """One area of a file."""

    name: str
    colour: str | None
    parent: str | None
    """Name of the sales region above it."""
    geometry: BaseGeometry
    """In degrees; not checked."""


def read(content: bytes, file_name: str, *, epsg: int | None = None) -> list[Outline]:
    """The areas of a file. Refuses what cannot be read, has no coordinate system, or lacks names; names file and row.

    Parameters
    ----------
    epsg
        The coordinate system, for files that do not say it themselves.
    """
    with tempfile.TemporaryDirectory(prefix="waymark-areas-") as folder:
        frame = frame_of(laid_out(content, file_name, Path(folder)), file_name)
    if frame.empty:
        raise Invalid(f"{file_name} has no features.", help="Export the areas, each with a name.")
    return outlines_of(in_degrees(frame, file_name, epsg), file_name)


def laid_out(content: bytes, file_name: str, folder: Path) -> Path:
    """The file on the disk, so that geopandas can read it; a zip is looked through first."""
    if content[:4] == b"PK\x03\x04":
        return unzipped(content, file_name, folder)
    suffix = ".gpkg" if content[:15] == b"SQLite format 3" else ".geojson"
    if Path(file_name).suffix.lower() in (".shp", ".dbf", ".shx"):
        raise Invalid(
            f"{file_name} is only one part of a Shapefile.", help="Zip its .shp, .shx, .dbf and .prj and send the zip."
        )
    path = folder / f"areas{suffix}"
    path.write_bytes(content)
    return path


def unzipped(content: bytes, file_name: str, folder: Path) -> Path:
    """The Shapefile of a zip; refuses one that lacks parts."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if not name.startswith("__MACOSX") and not name.endswith("/")]
            if sum(archive.getinfo(name).file_size for name in names) > MAX_UNPACKED:
                raise Invalid(f"{file_name} unpacks to more than {MAX_UNPACKED // 1_000_000} MB.")
            stems = [name[:-4] for name in names if name.lower().endswith(".shp")]
            if not stems:
                raise Invalid(f"{file_name} holds no Shapefile.", help="Zip its .shp, .shx, .dbf and .prj.")
            if len(stems) > 1:
                raise Invalid(f"{file_name} holds {len(stems)} Shapefiles.", help="Send them one by one.")
            for name in names:
                if name[:-4] == stems[0] or name.startswith(stems[0] + "."):
                    (folder / f"areas{Path(name).suffix.lower()}").write_bytes(archive.read(name))
    except zipfile.BadZipFile as error:
        raise Invalid(f"{file_name} is a damaged zip.", help="Zip the files again.") from error
    for part in (".shx", ".dbf"):
        if not (folder / f"areas{part}").exists():
            raise Invalid(f"{file_name} lacks {Path(stems[0]).name}{part}.", help="Zip all parts of the Shapefile.")
    return folder / "areas.shp"


def frame_of(path: Path, file_name: str) -> geopandas.GeoDataFrame:
    """The first layer of areas in a file."""
    try:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is None or "Polygon" in kind]
        if not layers:
            layers = [name for name, _ in pyogrio.list_layers(path)]
        frame = geopandas.read_file(path, layer=layers[0], engine="pyogrio")
    except (DataSourceError, DataLayerError, CRSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{file_name} is not GeoJSON, GeoPackage or a zipped Shapefile.", help="Export the areas as one of these."
        ) from error
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise Invalid(f"{file_name} has no geometry.", help="Export the areas with their outlines.")
    return frame


def in_degrees(frame: geopandas.GeoDataFrame, file_name: str, epsg: int | None) -> geopandas.GeoDataFrame:
    """The areas in longitude and latitude; refuses a file that does not say what its coordinates are."""
    if frame.crs is None and epsg is None:
        raise Invalid(
            f"{file_name} does not say which coordinate system it is in: it has no .prj.",
            help="Add the .prj to the zip, or choose the coordinate system (EPSG).",
            field="epsg",
        )
    try:
        known = frame.set_crs(epsg=epsg) if frame.crs is None else frame
        return known.to_crs(epsg=4326)
    except CRSError as error:
        raise Invalid(f"EPSG:{epsg} is not a coordinate system.", help="4326 is degrees.", field="epsg") from error


def outlines_of(frame: geopandas.GeoDataFrame, file_name: str) -> list[Outline]:
    """Name, colour and outline of each row; refuses rows that lack one."""
    columns = {str(column).lower(): column for column in frame.columns}
    title = next((columns[name] for name in NAMES if name in columns), None)
    colour = next((columns[name] for name in COLOURS if name in columns), None)
    found = []
    for number, (_, row) in enumerate(frame.iterrows(), 1):
        name = text_of(row[title]) if title is not None else None
        if name is None:
            raise Invalid(f"{file_name}, feature {number}: there is no property “name”.", help="Name every area.")
        if row.geometry is None:
            raise Invalid(
                f"{file_name}, feature {number} (“{name}”): there is no geometry.", help="Give every area one."
            )
        parent = text_of(row[columns["parent"]]) if "parent" in columns else None
        found.append(Outline(name, text_of(row[colour]) if colour is not None else None, parent, row.geometry))
    return found


def text_of(value: object) -> str | None:
    """A cell's text, if there is one."""
    return value.strip() or None if isinstance(value, str) else None


def frame(session: Session) -> geopandas.GeoDataFrame:
    """All territories as a table: name, colour, parent, who works there, outline."""
    rows = queries.active(session)
    names = {row.id: row.name for row in rows}
    people: dict[Any, list[str]] = {}
    for member in queries.members_on(session, clock.today(settings().zone)):
        people.setdefault(member.territory_id, []).append(member.name)
    columns = {
        "name": [row.name for row in rows],
        "colour": [row.colour for row in rows],
        "parent": [names.get(row.parent_id) if row.parent_id else None for row in rows],
        "members": [", ".join(people.get(row.id, [])) for row in rows],
    }
    return geopandas.GeoDataFrame(columns, geometry=[area_of(row) for row in rows], crs="EPSG:4326")


def write(session: Session, format: Format) -> bytes:
    """All territories as a file. Refuses when there is none."""
    table = frame(session)
    if table.empty:
        raise Invalid("There are no territories to export.", help="Draw one first.")
    with tempfile.TemporaryDirectory(prefix="waymark-areas-") as folder:
        path = Path(folder) / f"territories.{format}"
        if format == Format.SHP:
            table.to_file(path, driver="ESRI Shapefile", engine="pyogrio", encoding="UTF-8")
            return zipped(sorted(Path(folder).iterdir()))
        options = {"RFC7946": "NO", "COORDINATE_PRECISION": "15"} if format == Format.GEOJSON else {}
        driver = "GeoJSON" if format == Format.GEOJSON else "GPKG"
        table.to_file(path, driver=driver, engine="pyogrio", **options)
        return path.read_bytes()


def zipped(paths: Sequence[Path]) -> bytes:
    """Some files in one."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, path.name)
    return packed.getvalue()
