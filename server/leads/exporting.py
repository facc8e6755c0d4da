"""Leads as files: CSV, XLSX and GeoJSON of what somebody may export, however many there are."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.accounts.exporting import BATCH, IN_MEMORY, MEDIA_TYPES, Format
from server.accounts.reasons import in_words
from server.auth.access import Scope
from server.geocoding.queries import attributions
from server.kit.filtering.guard import exports_in_time
from server.kit.spreadsheets import harmless
from server.leads import queries
from server.leads.models import Lead
from server.leads.queries import Row
from server.leads.wording import reasons

__all__ = ["MEDIA_TYPES", "Format", "export"]

OF_LEAD = (
    "number", "company", "person", "website", "street", "postcode", "city", "country", "source", "campaign",
    "referrer", "message", "expected_value", "currency", "note", "state", "reason", "reason_note", "score", "points",
    "chance", "consent_text", "grade", "uncertainty_m",
)  # fmt: skip
COLUMNS = (
    *OF_LEAD[:3], "phones", "emails", *OF_LEAD[3:], "owner", "territory", "score_reasons", "utm", "lon", "lat",
    "pin_reason", "created_at", "consented_at", "decided_at",
)  # fmt: skip


def values(row: Row) -> dict[str, Any]:
    """One lead's values by column."""
    lead = row.lead
    return {name: getattr(lead, name) for name in OF_LEAD} | {
        "phones": ", ".join(lead.phones),
        "emails": ", ".join(lead.emails),
        "owner": row.owner_name,
        "territory": row.territory_name,
        "score_reasons": "; ".join(reasons(lead.score_reasons[:3])),
        "utm": "&".join(f"{name}={value}" for name, value in sorted(lead.utm.items())),
        "lon": row.lon,
        "lat": row.lat,
        "pin_reason": in_words(lead.geocode_reason),
        "created_at": lead.created_at.isoformat(timespec="seconds"),
        "consented_at": lead.consented_at.isoformat(timespec="seconds") if lead.consented_at else None,
        "decided_at": lead.decided_at.isoformat(timespec="seconds") if lead.decided_at else None,
    }


def rows(session: Session, scope: Scope, *, filter: str | None, search: str | None) -> Iterator[Row]:
    """The leads to export, the latest first, read in batches."""
    chosen = queries.chosen(session, scope, filter=filter, search=search, permission="leads:export")
    statement = queries.detailed(chosen).order_by(Lead.created_at.desc(), Lead.id)
    for found in session.execute(statement.execution_options(yield_per=BATCH)):
        yield Row(*found)


@exports_in_time
def export(
    session: Session, scope: Scope, kind: Format, *, filter: str | None = None, search: str | None = None
) -> IO[bytes]:
    """A file of the leads that somebody may export, open at its beginning; large ones lie on disk."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the caller streams and closes it
    found = rows(session, scope, filter=filter, search=search)
    sources = "; ".join(attributions(session))
    writers = {Format.CSV: write_csv, Format.XLSX: write_xlsx, Format.GEOJSON: write_geojson}
    writers[kind](file, found, sources, scope.hidden("lead"))
    file.seek(0)
    return file


def write_csv(file: IO[bytes], found: Iterator[Row], sources: str, hidden: frozenset[str]) -> None:
    """UTF-8 with a byte order mark, so that spreadsheets read accents right; the sources in a column."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    columns = [name for name in COLUMNS if name not in hidden]
    writer.writerow((*columns, "attribution"))
    for row in found:
        cells = values(row)
        writer.writerow((*(harmless(cells[name]) for name in columns), sources if cells["lon"] is not None else None))
    text.flush()
    text.detach()


def write_xlsx(file: IO[bytes], found: Iterator[Row], sources: str, hidden: frozenset[str]) -> None:
    """One sheet of leads, another that names the sources."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leads")
    columns = [name for name in COLUMNS if name not in hidden]
    sheet.append(columns)
    for row in found:
        cells = values(row)
        sheet.append([harmless(cells[name]) for name in columns])
    book.create_sheet("Sources").append(["Positions of the leads:", sources or "set by hand"])
    book.save(file)


def write_geojson(file: IO[bytes], found: Iterator[Row], sources: str, hidden: frozenset[str]) -> None:
    """A feature for each lead; one without a pin has no geometry."""
    file.write(b'{"type":"FeatureCollection","attribution":' + json.dumps(sources).encode() + b',"features":[')
    for place, row in enumerate(found):
        cells = {name: cell for name, cell in values(row).items() if name not in hidden}
        lon, lat = cells.pop("lon"), cells.pop("lat")
        feature = {
            "type": "Feature",
            "id": str(row.lead.id),
            "geometry": None if lon is None else {"type": "Point", "coordinates": [lon, lat]},
            "properties": cells,
        }
        file.write((b",\n" if place else b"\n") + json.dumps(feature, default=str, ensure_ascii=False).encode())
    file.write(b"\n]}\n")
