"""The days as a table: CSV for programs, XLSX for people."""

import csv
import io
import re
import zipfile
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from routing.export import navigation, wording
from routing.export.tour import Tour
from routing.export.types import DaySheet, DayStop

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WIDTHS: Mapping[str, int] = {
    **{"day": 12, "account": 28, "site": 18, "address": 34, "phone": 17, "objective": 34, "why": 34},
    **{"reason": 60, "remedy": 40, "fact": 28, "value": 80, "source": 90},
}


def csv_file(tour: Tour) -> bytes:
    """One row per stop, UTF-8 with a byte order mark so that spreadsheets read accents right.

    A text that a spreadsheet would take for a formula gets an apostrophe in front (CWE-1236). The last column names
    the sources of the places.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    sources = " · ".join(tour.attribution)
    writer.writerow([*_row_names(), "sources"])
    writer.writerows([_harmless(value) for value in [*row, sources]] for row in _rows(tour))
    return text.getvalue().encode("utf-8-sig")


def xlsx_file(tour: Tour) -> bytes:
    """A workbook with the stops, what was left out, and the days' facts. Texts stay texts, never formulas."""
    book = Workbook()
    stops = book.active
    if not isinstance(stops, Worksheet):
        raise TypeError("a new workbook has no sheet")
    stops.title = "Stops"
    _fill(stops, _row_names(), _rows(tour))
    missed = [
        [day.day.isoformat(), item.account, item.address, item.reason, item.remedy]
        for day in tour.days
        for item in day.left_out
    ]
    _fill(book.create_sheet("Not planned"), ["day", "account", "address", "reason", "remedy"], missed)
    _fill(book.create_sheet("Days"), ["day", "fact", "value"], [row for day in tour.days for row in _facts(day)])
    _fill(book.create_sheet("Sources"), ["source"], [[line] for line in tour.attribution])
    book.properties.creator = "Waymark"
    book.properties.created = datetime.combine(tour.span.first, time())
    file = io.BytesIO()
    book.save(file)
    return _same_bytes(file.getvalue(), f"{tour.span.first}T00:00:00Z")


def _row_names() -> list[str]:
    return [
        "day",
        "position",
        "account",
        "account_number",
        "class",
        "site",
        "address",
        "phone",
        "appointment",
        "objective",
        "why",
        "arrive",
        "start",
        "end",
        "drive_min",
        "distance_km",
        "estimated",
        "lon",
        "lat",
        "navigate",
        "navigate_web",
    ]


def _rows(tour: Tour) -> list[list[Any]]:
    return [_row(day, position, stop) for day in tour.days for position, stop in enumerate(day.stops, 1)]


def _row(sheet: DaySheet, position: int, stop: DayStop) -> list[Any]:
    any_app, google, *_others = navigation.to_place(stop.point, stop.account)
    return [
        sheet.day.isoformat(),
        position,
        stop.account,
        stop.account_number,
        stop.account_class,
        stop.site,
        stop.address,
        stop.phone,
        stop.appointment,
        stop.objective,
        stop.why,
        wording.clock(sheet, stop.arrives_at),
        wording.clock(sheet, stop.starts_at),
        wording.clock(sheet, stop.ends_at),
        round(stop.leg.seconds / 60),
        round(stop.leg.metres / 1000, 1),
        "yes" if stop.leg.estimated else "no",
        round(stop.point.lon, 6),
        round(stop.point.lat, 6),
        any_app.url,
        google.url,
    ]


def _facts(sheet: DaySheet) -> list[list[Any]]:
    facts: list[tuple[str, Any]] = [
        ("Rep", sheet.rep),
        ("Day", wording.day(sheet.day)),
        ("Time zone", sheet.zone),
        ("Leaves", f"{wording.clock(sheet, sheet.leaves_at)} {sheet.start.name}"),
        ("Returns", f"{wording.clock(sheet, sheet.returns_at)} {sheet.end.name}"),
        ("Break", " ".join(wording.rest(sheet)).replace("Break ", "")),
        ("Stops", len(sheet.stops)),
        ("Driving", wording.duration(sheet.drive_s)),
        ("Distance", wording.distance(sheet.metres)),
        ("At customers", wording.duration(sheet.service_s)),
        ("Estimated drives", sum(leg.estimated for leg in sheet.legs)),
        *((f"Navigate, {link.app}, stops {link.part}", link.url) for link in navigation.along_day(sheet)),
    ]
    return [[sheet.day.isoformat(), label, value] for label, value in facts if value not in ("", " ")]


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_DANGEROUS) else value


def _fill(page: Worksheet, names: list[str], rows: list[list[Any]]) -> None:
    page.append(names)
    for cell in page[1]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="0F6B4F")
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            cell = page.cell(number, column, wording.printable(value) if isinstance(value, str) else value)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if isinstance(value, str):
                cell.data_type = "s"
    for column, name in enumerate(names, 1):
        page.column_dimensions[get_column_letter(column)].width = _WIDTHS.get(name, 14)
    page.freeze_panes = "A2"


def _same_bytes(workbook: bytes, modified: str) -> bytes:
    """The same workbook without the time of writing: in its properties and in its zip entries."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + modified.encode(), content)
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return result.getvalue()
