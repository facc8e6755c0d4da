"""Accounts as files: CSV, XLSX, GeoJSON and GeoPackage of what somebody may export, however many there are."""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import batched, chain
from math import ceil
from pathlib import Path
from typing import IO, Any

import geopandas
import pandas
import pyogrio
import shapely
from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.models import Account
from server.accounts.queries import Row
from server.accounts.reaching import Reaching
from server.accounts.reasons import in_words
from server.auth.access import Scope
from server.fields.queries import fields_of
from server.fields.values import Shape, shape_of
from server.fields.values import in_words as own_in_words
from server.geocoding.queries import attributions
from server.kit.filtering.guard import exports_in_time
from server.kit.spreadsheets import harmless

BATCH = 2000
IN_MEMORY = 8_000_000

COLUMNS = (
    "number",
    "name",
    "class",
    "status",
    "kind",
    "owner",
    "territory",
    "interval_days",
    "last_visit_on",
    "overdue_days",
    "yearly_value",
    "yearly_potential",
    "currency",
    "phone",
    "email",
    "website",
    "tags",
    "street",
    "postcode",
    "city",
    "country",
    "lon",
    "lat",
    "grade",
    "uncertainty_m",
    "pin_state",
    "pin_confidence",
    "pin_reason",
    "pin_provider",
    "opening_hours",
    "service_minutes",
    "note",
)
OF_ACCOUNT = (
    "number",
    "name",
    "status",
    "last_visit_on",
    "yearly_value",
    "yearly_potential",
    "currency",
    "phone",
    "email",
    "website",
    "note",
)
OF_SITE = ("street", "postcode", "city", "country", "grade", "pin_state", "opening_hours")


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"
    GEOJSON = "geojson"
    GPKG = "gpkg"
    """A GeoPackage."""


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.GEOJSON: "application/geo+json",
    Format.GPKG: "application/geopackage+sqlite3",
}
NUMBERS = {
    "Int64": ("interval_days", "overdue_days", "uncertainty_m", "service_minutes"),
    "Float64": ("yearly_value", "yearly_potential", "pin_confidence"),
}
"""The columns that are numbers, by what pandas calls them; all others are text, days in ISO 8601."""


type Own = Mapping[str, Shape]
"""The fields that the company has added, by key."""


def own_of(session: Session) -> Own:
    """The company's own fields of accounts."""
    return {one.key: shape_of(one) for one in fields_of(session, "account")}


def titles(own: Own, hidden: frozenset[str] = frozenset()) -> list[str]:
    """The columns of a table; an import knows its own export again."""
    return [*(name for name in COLUMNS if name not in hidden), *(shape.label for shape in own.values())]


def heads(own: Own, hidden: frozenset[str] = frozenset()) -> list[str]:
    """The titles as cells: what an admin has called a field computes nothing."""
    return [str(harmless(title)) for title in titles(own, hidden)]


def values(row: Row, own: Own) -> dict[str, Any]:
    """One account's values by column."""
    account, site = row.account, row.site
    return (
        {shape.label: own_in_words(shape, account.custom.get(key)) for key, shape in own.items()}
        | {name: getattr(account, name) for name in OF_ACCOUNT}
        | {name: getattr(site, name, None) for name in OF_SITE}
        | {
            "class": account.account_class,
            "kind": row.kind,
            "owner": row.owner_name,
            "territory": row.territory_name,
            "interval_days": row.interval_days,
            "overdue_days": row.overdue_days,
            "tags": ", ".join(account.tags),
            "lon": row.lon,
            "lat": row.lat,
            "uncertainty_m": whole(site.uncertainty_m) if site else None,
            "pin_confidence": round(site.confidence, 2) if site and site.confidence is not None else None,
            "pin_reason": in_words(site.geocode_reason) if site else None,
            "pin_provider": site.provider if site else None,
            "service_minutes": site.service_s // 60 if site else None,
        }
    )


def whole(metres: float | None) -> int | None:
    """Whole metres, never less than it is."""
    return None if metres is None else ceil(metres)


def rows(session: Session, scope: Scope, *, filter: str | None, search: str | None) -> Iterator[Row]:
    """The accounts to export by name, read in batches."""
    today = queries.today_of(scope)
    statement = queries.chosen(Reaching(session), scope, filter=filter, search=search, permission="accounts:export")
    detailed = queries.with_details(statement, today).order_by(queries.sort_keys(today)["name"], Account.id)
    for found in session.execute(detailed.execution_options(yield_per=BATCH)):
        yield Row(*found)


@exports_in_time
def export(
    session: Session, scope: Scope, kind: Format, *, filter: str | None = None, search: str | None = None
) -> IO[bytes]:
    """A file of the accounts that somebody may export, open at its beginning; large ones lie on disk."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the caller streams and closes it
    found = rows(session, scope, filter=filter, search=search)
    sources = "; ".join(attributions(session))
    writers = {
        Format.CSV: write_csv,
        Format.XLSX: write_xlsx,
        Format.GEOJSON: write_geojson,
        Format.GPKG: write_geopackage,
    }
    writers[kind](file, found, sources, own_of(session), scope.hidden("account"))
    file.seek(0)
    return file


def write_csv(file: IO[bytes], found: Iterator[Row], sources: str, own: Own, hidden: frozenset[str]) -> None:
    """UTF-8 with a byte order mark, so that spreadsheets read accents right; the sources in a column."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow((*heads(own, hidden), "attribution"))
    for row in found:
        cells = values(row, own)
        writer.writerow(
            (*(harmless(cells[name]) for name in titles(own, hidden)), sources if cells["lon"] is not None else None)
        )
    text.flush()
    text.detach()


def write_xlsx(file: IO[bytes], found: Iterator[Row], sources: str, own: Own, hidden: frozenset[str]) -> None:
    """One sheet of accounts, another that names the sources."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Accounts")
    sheet.append(heads(own, hidden))
    for row in found:
        cells = values(row, own)
        sheet.append([harmless(cells[name]) for name in titles(own, hidden)])
    about = book.create_sheet("Sources")
    about.append(["Positions of the accounts:", sources or "set by hand"])
    book.save(file)


def write_geojson(file: IO[bytes], found: Iterator[Row], sources: str, own: Own, hidden: frozenset[str]) -> None:
    """A feature for each account; one without a pin has no geometry."""
    file.write(b'{"type":"FeatureCollection","attribution":' + json.dumps(sources).encode() + b',"features":[')
    for place, row in enumerate(found):
        cells = {name: cell for name, cell in values(row, own).items() if name not in hidden}
        lon, lat = cells.pop("lon"), cells.pop("lat")
        feature = {
            "type": "Feature",
            "id": str(row.account.id),
            "geometry": None if lon is None else {"type": "Point", "coordinates": [lon, lat]},
            "properties": cells,
        }
        file.write((b",\n" if place else b"\n") + json.dumps(feature, default=str, ensure_ascii=False).encode())
    file.write(b"\n]}\n")


def write_geopackage(file: IO[bytes], found: Iterator[Row], sources: str, own: Own, hidden: frozenset[str]) -> None:
    """A layer of accounts as points in degrees, empty without a pin; the sources in its description and in a table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "accounts.gpkg"
        described = {"DESCRIPTION": sources or "set by hand"}
        for at, rows in enumerate(chain([()], batched(found, BATCH))):  # first the columns, then what is in them
            frame, more = framed(rows, own, hidden), {"append": True} if at else {"layer_options": described}
            pyogrio.write_dataframe(frame, path, layer="accounts", driver="GPKG", geometry_type="Point", **more)
        about = pandas.DataFrame({"what": ["source"], "meaning": [sources or "set by hand"]})
        pyogrio.write_dataframe(about, path, layer="about", driver="GPKG")
        with path.open("rb") as made:
            shutil.copyfileobj(made, file)


def framed(rows: Sequence[Row], own: Own, hidden: frozenset[str]) -> geopandas.GeoDataFrame:
    """Some accounts as a table with points; SQLite tells no capitals apart, so a title that comes again is numbered."""
    cells = [values(row, own) for row in rows]
    columns: dict[str, pandas.Series] = {}
    for title in titles(own, hidden):
        if title in ("lon", "lat"):
            continue
        name, again = title, 2
        while name.casefold() in {"fid", "geom", *map(str.casefold, columns)}:
            name, again = f"{title} ({again})", again + 1
        kind = next((kind for kind, numbers in NUMBERS.items() if title in numbers), "object")
        known = [one[title] for one in cells]
        if kind == "object":
            known = [None if one is None else str(one) for one in known]
        columns[name] = pandas.Series(known, dtype=kind)
    points = [None if one["lon"] is None else shapely.Point(one["lon"], one["lat"]) for one in cells]
    return geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(points, crs="EPSG:4326"))
