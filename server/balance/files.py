"""Territories as files: GeoJSON, GeoPackage and zipped Shapefile, read, and written by geopandas."""

import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from pyproj import Transformer
from shapely import Geometry
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from server.balance.drafts import area_of
from server.balance.layers import Layer, layer_of
from server.imports.errors import BadFile
from server.imports.features import to_degrees
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.territories import queries

NAMES = ("name", "territory", "title", "bezeichnung", "gebiet", "nom", "nombre", "nome")
"""Columns that may hold a territory's name, whatever their case."""
COLOURS = ("colour", "color", "farbe")
PARENT = "parent"
PEOPLE = ("members", "member", "people", "reps", "rep", "owner", "mitglieder", "vertreter", "betreuer", "zuständig")
"""Columns that may say who works a territory; our own files say `members`."""


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
    notes: tuple[str, ...] = ()
    """What should be known of how the file was read, in words; the first area says it."""
    people: tuple[str, ...] = ()
    """Who works it, as the file calls them."""


def read(content: bytes, file_name: str, *, epsg: int | None = None) -> list[Outline]:
    """The areas of a file. Refuses what cannot be read, has no coordinate system, or lacks names; names file and row.

    Parameters
    ----------
    epsg
        The coordinate system, for files that do not say it themselves.
    """
    with tempfile.TemporaryDirectory(prefix="waymark-areas-") as folder:
        layer = layer_of(content, file_name, Path(folder), (*NAMES, *COLOURS, PARENT, *PEOPLE))
    if not layer.features:
        raise Invalid(f"{file_name} has no features.", help="Export the areas, each with a name.")
    return outlines_of(layer, file_name, transformer_of(layer, file_name, epsg))


def transformer_of(layer: Layer, file_name: str, epsg: int | None) -> Transformer | None:
    """How the coordinates become degrees; refuses a file that does not say what they are."""
    if layer.system is not None:
        return to_degrees(layer.system)
    if epsg is None:
        raise Invalid(
            f"{file_name} does not say which coordinate system it is in: it has no .prj."
            if file_name.lower().endswith(".zip")
            else f"{file_name} does not say which coordinate system it is in.",
            help="Add the .prj to the zip, or choose the coordinate system (EPSG).",
            field="epsg",
        )
    try:
        return to_degrees(f"EPSG:{epsg}")
    except BadFile as error:
        raise Invalid(f"EPSG:{epsg} is not a coordinate system.", help="4326 is degrees.", field="epsg") from error


def outlines_of(layer: Layer, file_name: str, transformer: Transformer | None) -> list[Outline]:
    """Name, colour and outline of each feature; refuses those that lack one."""
    columns: dict[str, str] = {}
    for properties, _ in layer.features:
        for column in properties:
            columns.setdefault(column.lower(), column)
    title = next((columns[name] for name in NAMES if name in columns), "")
    colour = next((columns[name] for name in COLOURS if name in columns), "")
    crew = next((columns[name] for name in PEOPLE if name in columns), "")
    found = []
    for number, (properties, geometry) in enumerate(layer.features, 1):
        if isinstance(geometry, str):
            raise Invalid(f"{file_name}, feature {number}: {geometry}.", help="Export the file again.")
        name = text_of(properties.get(title))
        if name is None:
            raise Invalid(f"{file_name}, feature {number}: there is no property “name”.", help="Name every area.")
        if geometry is None:
            raise Invalid(
                f"{file_name}, feature {number} (“{name}”): there is no geometry.", help="Give every area one."
            )
        parent = text_of(properties.get(columns.get(PARENT, "")))
        notes = layer.notes if number == 1 else ()
        flat, people = in_degrees(geometry, transformer), people_of(properties.get(crew))
        found.append(Outline(name, text_of(properties.get(colour)), parent, flat, notes, people))
    return found


def in_degrees(geometry: Geometry, transformer: Transformer | None) -> BaseGeometry:
    """An outline in longitude and latitude, without heights."""
    flat = shapely.force_2d(np.array([geometry]))
    if transformer is not None:
        degrees = transformer.transform(*shapely.get_coordinates(flat).T)
        flat = shapely.set_coordinates(flat, np.column_stack(degrees))
    found: BaseGeometry = flat[0]
    return found


def text_of(value: object) -> str | None:
    """A cell's text, if there is one."""
    return value.strip() or None if isinstance(value, str) else None


def people_of(value: object) -> tuple[str, ...]:
    """The people of a cell or a list, each once."""
    cells = value if isinstance(value, list) else re.split("[,;]", value) if isinstance(value, str) else ()
    return tuple(dict.fromkeys(name for cell in cells if (name := text_of(cell))))


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
