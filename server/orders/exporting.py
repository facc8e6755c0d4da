"""Documents as files: one row for each line, of what somebody may export, however many there are."""

import csv
import io
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import IO, Any

from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit.filtering.guard import exports_in_time
from server.kit.spreadsheets import harmless
from server.orders import queries
from server.orders.models import Order, OrderLine
from server.orders.schemas import reason_of
from server.products.models import Product
from server.products.money import plain
from server.records.currencies import rounded

IN_MEMORY = 8_000_000
BATCH = 2000

COLUMNS = (
    "waymark_id", "number", "kind", "state", "day", "account", "owner", "reference", "currency", "position", "product",
    "text", "quantity", "unit", "unit_price", "price_reason", "discount_percent", "tax_percent", "amount", "delivered",
    "order_net", "order_tax", "order_gross",
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
    """The cells of each line, the latest document first; a document without lines has one row."""
    chosen = queries.with_names(
        queries.chosen(session, scope, filter=filter, search=search, permission="orders:export")
    )
    statement = (
        chosen.outerjoin(OrderLine, (OrderLine.order_id == Order.id) & OrderLine.deleted_at.is_(None))
        .outerjoin(Product, Product.id == OrderLine.product_id)
        .add_columns(OrderLine, Product.number)
        .order_by(Order.day.desc(), Order.id.desc(), OrderLine.position)
    )
    at = [place for place, name in enumerate(COLUMNS) if scope.asks("order", name)]
    for row in session.execute(statement.execution_options(yield_per=BATCH)):
        order, _account_id, account, owner, line, product = row
        found = cells(order, account, owner, line, product, has_amounts=scope.sees("order", "totals"))
        yield tuple(harmless(found[place]) for place in at)


def cells(
    order: Order, account: str, owner: str | None, line: OrderLine | None, product: str | None, *, has_amounts: bool
) -> tuple[Any, ...]:
    """One row by `COLUMNS`."""

    def much(amount: Decimal) -> Decimal | None:
        return rounded(amount, order.currency) if has_amounts else None

    head = (order.number, order.kind, order.state, order.day, account, owner, order.reference, order.currency)
    foot = tuple(much(amount) for amount in (order.net, order.tax, order.gross))
    if line is None:
        return (None, *head, *[None] * (len(COLUMNS) - 1 - len(head) - len(foot)), *foot)
    percent = plain(line.tax_percent) if line.tax_percent is not None else None
    price = (plain(line.unit_price), reason_of(line), plain(line.discount_percent)) if has_amounts else (None,) * 3
    own = (
        line.position, product, line.text, plain(line.quantity), line.unit, *price, percent, much(line.amount),
        plain(line.delivered),
    )  # fmt: skip
    return (str(line.id), *head, *own, *foot)


@exports_in_time
def export(
    session: Session, scope: Scope, kind: Format, *, filter: str | None = None, search: str | None = None
) -> IO[bytes]:
    """A file of the lines that somebody may export, open at its beginning; large ones lie on disk."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the caller streams and closes it
    columns = tuple(name for name in COLUMNS if scope.asks("order", name))
    write(file, kind, "Orders", columns, rows(session, scope, filter=filter, search=search))
    file.seek(0)
    return file


def write(file: IO[bytes], kind: Format, title: str, columns: tuple[str, ...], found: Iterator[Any]) -> None:
    """Rows as CSV (UTF-8 with a byte order mark) or as a sheet."""
    if kind is Format.XLSX:
        book = Workbook(write_only=True)
        sheet = book.create_sheet(title)
        sheet.append(columns)
        for row in found:
            sheet.append(row)
        book.save(file)
        return
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(found)
    text.flush()
    text.detach()
