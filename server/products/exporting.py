"""The catalogue as a file, with today's usual price and what was in stock: what an import reads back."""

import csv
import io
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from typing import IO, Any

from fastapi import Response
from fastapi.responses import StreamingResponse
from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit.spreadsheets import harmless
from server.products import queries
from server.products.models import Product
from server.products.money import plain

COLUMNS = (
    "number", "name", "description", "category", "unit", "pack_size", "min_quantity", "quantity_step", "tax_class",
    "active", "ean", "stock",
)  # fmt: skip


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def rows(session: Session, scope: Scope, *, filter: str | None, search: str | None) -> Iterator[tuple[Any, ...]]:
    """The cells of each product, by number."""
    paths = dict(queries.categories(session))
    statement = queries.with_details(queries.chosen(session, scope, filter=filter, search=search)).order_by(
        Product.number
    )
    for product, _category, tax, stock, _as_of in session.execute(statement.execution_options(yield_per=2000)):
        path = paths.get(product.category_id) if product.category_id else None
        cells = (
            product.number, product.name, product.description, path, product.unit,
            plain(product.pack_size) if product.pack_size is not None else None, plain(product.min_quantity),
            plain(product.quantity_step), tax, "yes" if product.is_active else "no", product.ean,
            plain(stock) if stock is not None else None,
        )  # fmt: skip
        yield tuple(harmless(cell) for cell in cells)


def answer(session: Session, scope: Scope, kind: Format, *, filter: str | None, search: str | None) -> Response:
    """The file as an answer; large ones lie on disk."""
    file = tempfile.SpooledTemporaryFile(max_size=8_000_000)  # noqa: SIM115 -- closed when it is sent
    write(file, kind, rows(session, scope, filter=filter, search=search))
    file.seek(0)
    headers = {"Content-Disposition": f'attachment; filename="products.{kind}"'}
    return StreamingResponse(pieces(file), media_type=MEDIA_TYPES[kind], headers=headers)


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece; closed at the end."""
    with file:
        while piece := file.read(65_536):
            yield piece


def write(file: IO[bytes], kind: Format, found: Iterator[tuple[Any, ...]]) -> None:
    """Rows as CSV (UTF-8 with a byte order mark) or as a sheet."""
    if kind is Format.XLSX:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Products")
        sheet.append(COLUMNS)
        for row in found:
            sheet.append(row)
        book.save(file)
        return
    lines = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    writer.writerows(found)
    lines.flush()
    lines.detach()
