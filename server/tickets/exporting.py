"""Tickets as files: CSV and XLSX of what somebody may export, however many there are."""

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import IO, Any

from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit import clock
from server.kit.filtering.guard import exports_in_time
from server.kit.spreadsheets import harmless
from server.tickets import queries
from server.tickets.models import Ticket
from server.tickets.queries import TicketRow

BATCH = 2000
IN_MEMORY = 8_000_000
OF_TICKET = (
    "number", "subject", "state", "priority", "source", "requester_name", "requester_email", "requester_phone",
    "opened_at", "answered_at", "solved_at", "answer_due_at", "solve_due_at", "rating",
)  # fmt: skip
COLUMNS = (
    "waymark_id", "number", "subject", "queue", "state", "priority", "account", "assignee", "requester_name",
    "requester_email", "requester_phone", "source", "tags", "opened_at", "answered_at", "solved_at", "answer_due_at",
    "solve_due_at", "answered_minutes", "solved_minutes", "breached", "rating",
)  # fmt: skip


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@exports_in_time
def export(
    session: Session, scope: Scope, kind: Format, *, filter: str | None = None, search: str | None = None
) -> IO[bytes]:
    """A file of the tickets that somebody may export, open at its beginning; large ones lie on disk."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the caller streams and closes it
    found = rows(session, scope, filter=filter, search=search)
    columns = [name for name in COLUMNS if scope.asks("ticket", name)]
    (write_csv if kind is Format.CSV else write_xlsx)(file, found, columns)
    file.seek(0)
    return file


def rows(session: Session, scope: Scope, *, filter: str | None, search: str | None) -> Iterator[TicketRow]:
    """The tickets to export by number, read in batches."""
    now = clock.now()
    statement = queries.chosen(session, scope, now, filter=filter, search=search, permission="tickets:export")
    detailed = queries.with_names(statement, now).order_by(Ticket.number)
    for found in session.execute(detailed.execution_options(yield_per=BATCH)):
        yield TicketRow(*found)


def values(row: TicketRow) -> dict[str, Any]:
    """The cells of a ticket; moments in UTC as ISO 8601."""
    ticket = row.ticket
    cells = {name: getattr(ticket, name) for name in OF_TICKET}
    cells = {n: v.isoformat(timespec="seconds") if hasattr(v, "isoformat") else v for n, v in cells.items()}
    return cells | {
        "waymark_id": str(ticket.id),
        "queue": row.queue,
        "account": row.account,
        "assignee": row.assignee,
        "tags": ", ".join(ticket.tags),
        "answered_minutes": None if ticket.answered_in_s is None else ticket.answered_in_s // 60,
        "solved_minutes": None if ticket.solved_in_s is None else ticket.solved_in_s // 60,
        "breached": "yes" if row.is_breached else "no",
    }


def write_csv(file: IO[bytes], found: Iterator[TicketRow], columns: Sequence[str]) -> None:
    """UTF-8 with a byte order mark, so that spreadsheets read accents right."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in found:
        cells = values(row)
        writer.writerow(harmless(cells[name]) for name in columns)
    text.flush()
    text.detach()


def write_xlsx(file: IO[bytes], found: Iterator[TicketRow], columns: Sequence[str]) -> None:
    """One sheet of tickets."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Tickets")
    sheet.append(columns)
    for row in found:
        cells = values(row)
        sheet.append([harmless(cells[name]) for name in columns])
    book.save(file)
