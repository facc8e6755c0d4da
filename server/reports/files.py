"""A report as a table in a file."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from openpyxl import Workbook

from server.kit.settings import settings
from server.kit.spreadsheets import harmless
from server.reports.figures import Moment, Report
from server.reports.measures import Measure, Unit


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
        for group in (report.total, *report.groups):
            name = "" if group is report.total else group.name or "none"
            cells: list[Any] = [measure.key, str(report.by), name, report.period.first, report.period.last]
            cells += [_rounded(measure.value(group.now)), _unit(measure)]
            cells += _parts(measure.upper, measure.lower, group.now)
            before = report.compared_for(measure)
            cells += [before.first, before.last, _rounded(measure.value(group.then))]
            cells += _parts(measure.upper, measure.lower, group.then)
            yield tuple(harmless(cell) for cell in cells)


def _parts(upper: str, lower: str | None, sums: Any) -> list[float | None]:
    return [_rounded(float(getattr(sums, upper))), _rounded(float(getattr(sums, lower))) if lower else None]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


TREND_COLUMNS = ("measure", "first_day", "last_day", "value", "unit", "counted", "of", "filter")


def trend_rows(moments: Sequence[Moment], measure: Measure, filter: str | None) -> Iterator[tuple[Any, ...]]:
    """One row for each period, the oldest first."""
    for one in moments:
        cells: list[Any] = [measure.key, one.period.first, one.period.last, _rounded(measure.value(one.sums))]
        cells += [_unit(measure), *_parts(measure.upper, measure.lower, one.sums), filter or ""]
        yield tuple(harmless(cell) for cell in cells)


def _unit(measure: Measure) -> str:
    return settings().currency if measure.unit is Unit.MONEY else str(measure.unit)


def written(columns: Sequence[str], rows: Iterable[tuple[Any, ...]], format: Format) -> bytes:
    """A table as CSV or XLSX."""
    if format is Format.CSV:
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(columns)
        table.writerows(rows)
        return text.getvalue().encode("utf-8-sig")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("report")
    sheet.append(columns)
    for row in rows:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
