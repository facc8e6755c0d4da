"""Deals as files: CSV and XLSX of what somebody may export, however many there are."""

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import IO, Any

from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.auth.access import Scope
from server.kit.filtering.guard import exports_in_time
from server.kit.settings import settings
from server.kit.spreadsheets import harmless
from server.opportunities import queries
from server.opportunities.models import Opportunity
from server.opportunities.queries import Row

BATCH = 2000
IN_MEMORY = 8_000_000
COLUMNS = (
    "waymark_id", "number", "name", "account", "city", "owner", "territory", "stage", "state", "amount", "currency",
    "amount_in_company_currency", "company_currency", "probability", "category", "close_on", "closed_at", "next_step",
    "next_step_on", "competitors", "source", "reason", "days_in_stage", "rotten", "note",
)  # fmt: skip
OF_DEAL = (
    "number", "name", "state", "amount", "currency", "close_on", "next_step", "next_step_on", "source", "reason",
    "note",
)  # fmt: skip


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def values(row: Row, columns: Sequence[str] = COLUMNS) -> list[Any]:
    """One deal's cells in the order of the columns."""
    deal = row.deal
    cells = {name: getattr(deal, name) for name in OF_DEAL} | {
        "waymark_id": str(deal.id),
        "account": row.account_name,
        "city": row.city,
        "owner": row.owner_name,
        "territory": row.territory_name,
        "stage": row.stage.name,
        "amount_in_company_currency": None if row.in_base is None else round(row.in_base, 2),
        "company_currency": settings().currency,
        "probability": row.probability,
        "category": deal.category or row.stage.category,
        "closed_at": deal.closed_at.isoformat() if deal.closed_at else None,
        "competitors": ", ".join(deal.competitors),
        "days_in_stage": row.days_in_stage,
        "rotten": "yes" if row.is_rotten else "no",
    }
    return [harmless(cells[name]) for name in columns]


def rows(session: Session, scope: Scope, *, filter: str | None, search: str | None) -> Iterator[Row]:
    """The deals to export by expected close, read in batches."""
    statement = queries.chosen(session, scope, filter=filter, search=search, permission="opportunities:export")
    detailed = queries.with_details(statement, accounts.today_of(scope))
    ordered = detailed.order_by(Opportunity.close_on, Opportunity.id).execution_options(yield_per=BATCH)
    for found in session.execute(ordered):
        yield Row(*found)


@exports_in_time
def export(
    session: Session, scope: Scope, kind: Format, *, filter: str | None = None, search: str | None = None
) -> IO[bytes]:
    """A file of the deals that somebody may export, open at its beginning; large ones lie on disk."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the caller streams and closes it
    found = rows(session, scope, filter=filter, search=search)
    columns = [name for name in COLUMNS if scope.asks("opportunity", name)]
    if kind is Format.CSV:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(values(row, columns) for row in found)
        text.flush()
        text.detach()
    else:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Deals")
        sheet.append(columns)
        for row in found:
            sheet.append(values(row, columns))
        book.save(file)
    file.seek(0)
    return file
