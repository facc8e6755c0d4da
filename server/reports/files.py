"""A report as a table in a file."""

import csv
import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from openpyxl import Workbook

from server.kit.settings import settings
from server.kit.spreadsheets import harmless
from server.reports.figures import Report
from server.reports.measures import Unit


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PDF: "application/pdf",
}
COLUMNS = (
    "measure", "by", "group", "first_day", "last_day", "value", "unit", "counted", "of",
    "compared_first_day", "compared_last_day", "compared_value", "compared_counted", "compared_of",
)  # fmt: skip


def rows(report: Report) -> Iterator[tuple[Any, ...]]:
    """One row for each measure and group; the group of everything is empty and comes first."""
    for measure in report.measures:
        if not report.shows(measure):
            continue
        unit = settings().currency if measure.unit is Unit.MONEY else str(measure.unit)
        for group in (report.total, *report.groups):
            name = "" if group is report.total else group.name or "none"
            cells: list[Any] = [measure.key, str(report.by), name, report.period.first, report.period.last]
            cells += [_rounded(measure.value(group.now)), unit, *_parts(measure.upper, measure.lower, group.now)]
            cells += [report.compared.first, report.compared.last, _rounded(measure.value(group.then))]
            cells += _parts(measure.upper, measure.lower, group.then)
            yield tuple(harmless(cell) for cell in cells)


def _parts(upper: str, lower: str | None, sums: Any) -> list[float | None]:
    return [_rounded(float(getattr(sums, upper))), _rounded(float(getattr(sums, lower))) if lower else None]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def written(report: Report, format: Format) -> bytes:
    """The table as CSV or XLSX."""
    if format is Format.CSV:
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(COLUMNS)
        table.writerows(rows(report))
        return text.getvalue().encode("utf-8-sig")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("report")
    sheet.append(COLUMNS)
    for row in rows(report):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
