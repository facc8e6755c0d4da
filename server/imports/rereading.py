"""A received text file read in another encoding: the letters that were taken wrongly are taken anew."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.imports.checking import begin_anew
from server.imports.delimited import UNREAD
from server.imports.errors import NotReady
from server.imports.models import WORKING, ImportRow, ImportRun, State
from server.imports.reading import titles
from server.kit.database import copy_rows
from server.kit.errors import Invalid

ENCODINGS = {
    "cp1252": "Western Europe (Windows-1252)",
    "cp1250": "Central Europe (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1257": "Baltic (Windows-1257)",
    "iso8859_2": "Central Europe (ISO 8859-2)",
    "iso8859_15": "Western Europe (ISO 8859-15)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "cp850": "Western Europe (DOS 850)",
    "cp852": "Central Europe (DOS 852)",
    "mac_roman": "Western Europe (Macintosh)",
}
"""What a text file can be read in, with the name that people choose by."""

WRITE = text(
    """
    update import_row r set cells = n.cells from reread_row n where r.run_id = :run and r.row_no = n.row_no
    """
)


def can_be_reread(run: ImportRun) -> bool:
    """Whether it is text that is not Unicode and was not imported: Unicode tells itself, its letters are certain."""
    unicode = (run.encoding or "utf-8").startswith("utf")
    return run.format == "csv" and not unicode and run.state not in (*WORKING, State.DONE, State.UNDONE)


def reread(session: Session, run: ImportRun, encoding: str) -> None:
    """Read titles and rows in another encoding.

    Lines that are UTF-8 stay as they are where they hold letters that the former encoding does not have. Refuses
    encodings that are not offered, files that have none to choose, and imports that are done.
    """
    if encoding not in ENCODINGS:
        raise Invalid(
            f"“{encoding[:40]}” is no encoding that can be chosen.",
            help="One of: " + ", ".join(ENCODINGS) + ".",
            field="encoding",
        )
    if not can_be_reread(run) or run.encoding is None:
        raise NotReady(
            "This file cannot be read in another encoding.",
            help="Only text that is not Unicode has one to choose, and only before it is imported.",
        )
    former = run.encoding
    session.execute(text("create temporary table reread_row (row_no int primary key, cells text[]) on commit drop"))
    copy_rows(session, "reread_row", ("row_no", "cells"), [*changed(session, run.id, former, encoding)])
    session.execute(WRITE, {"run": run.id})
    session.execute(text("drop table reread_row"))
    session.expire_all()
    run.header = titles([taken_anew(title, former, encoding) for title in run.header])
    run.encoding, run.state, run.message, run.checked_at = encoding, State.RECEIVED, None, None
    begin_anew(session, run)
    session.flush()


def changed(session: Session, run_id: UUID, former: str, encoding: str) -> Iterator[tuple[Any, ...]]:
    """The rows that read otherwise."""
    joined = func.array_to_string(ImportRow.cells, "")
    odd = select(ImportRow.row_no, ImportRow.cells).where(
        ImportRow.run_id == run_id, func.octet_length(joined) > func.length(joined)
    )
    for row_no, cells in session.execute(odd.execution_options(yield_per=1000)):
        anew = [taken_anew(cell, former, encoding) for cell in cells]
        if anew != cells:
            yield row_no, anew


def taken_anew(cell: str, former: str, encoding: str) -> str:
    """A text whose bytes are read in another encoding; as it is when it was not read in the former one."""
    if cell.isascii():
        return cell
    try:
        return cell.encode(former, errors=UNREAD).decode(encoding, errors=UNREAD)
    except UnicodeEncodeError:
        return cell
