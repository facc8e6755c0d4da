"""Activities as files: CSV and XLSX of what somebody sees."""

import csv
import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from fastapi import Response
from openpyxl import Workbook
from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.activities.agenda import queries
from server.activities.agenda.models import Activity
from server.kit.spreadsheets import harmless

BATCH = 2000
COLUMNS = (
    "waymark_id", "kind", "subject", "account", "owner", "starts_at", "ends_at", "due_on", "state", "priority",
    "outcome", "direction", "place", "sender", "note",
)  # fmt: skip


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def lines(session: Session, statement: Select[Activity]) -> Iterator[list[Any]]:
    """The cells of every row, batch by batch; text that a spreadsheet would compute is made harmless."""
    cursor = None
    while True:
        found = queries.page(session, statement, cursor=cursor, limit=BATCH)
        for row in found.rows:
            named = {"waymark_id": row.activity.id, "account": row.account_name, "owner": row.owner_name}
            cells = [named[name] if name in named else getattr(row.activity, name) for name in COLUMNS]
            yield [harmless(_cell(cell)) for cell in cells]
        cursor = found.next_cursor
        if cursor is None:
            return


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else str(value)


def answer(session: Session, statement: Select[Activity], format: Format) -> Response:
    """The file."""
    content = _csv(session, statement) if format is Format.CSV else _xlsx(session, statement)
    named = {"Content-Disposition": f'attachment; filename="activities.{format}"'}
    return Response(content, media_type=MEDIA[format], headers=named)


def _csv(session: Session, statement: Select[Activity]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows(lines(session, statement))
    return ("\ufeff" + file.getvalue()).encode()


def _xlsx(session: Session, statement: Select[Activity]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Activities")
    sheet.append(list(COLUMNS))
    for cells in lines(session, statement):
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
