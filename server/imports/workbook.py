"""Workbooks (XLSX): one sheet with data, read at once after checking that it is no bomb."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from server.imports.delimited import Record
from server.imports.errors import BadFile, ChooseLayer, FileTooLarge

MAX_CELLS = 30_000_000
MAX_MEMBERS = 10_000
CELL = re.compile(rb"""<(?:\w+:)?c\s[^<>]{0,200}?\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
"""A cell's place, however its tag is written."""

type Range = tuple[tuple[int, int], tuple[int, int]]
"""Cells from (row, column) to (row, column), both from 0 and included."""

LONGEST_TAG = 300
CHUNK = 1_000_000


def check_archive(path: Path, max_unpacked: int) -> None:
    """Refuse what unpacks to more than allowed, or claims more cells than memory holds; reads every byte to be sure."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_unpacked:
                raise too_large(max_unpacked)
            if any(member.filename == "xl/workbook.bin" for member in members):
                raise BadFile("The file is a binary workbook (XLSB).", help="Save it as XLSX or CSV.")
            if not any(member.filename.startswith("xl/") for member in members):
                raise BadFile("The file is an archive, not a workbook.", help="Upload the XLSX or CSV file inside it.")
            left = max_unpacked
            for member in members:
                left -= checked_member(archive, member, left, max_unpacked)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadFile(f"The workbook is damaged: {error}.", help="Save it again as XLSX, or as CSV.") from error


def checked_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, limit: int) -> int:
    """Unpack one member to nowhere; returns its size."""
    size, columns, rows, tail = 0, 0, 0, b""
    is_text = not member.filename.startswith(("xl/media/", "xl/sharedStrings"))  # a sheet may have any name
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > left:
                raise too_large(limit)
            if is_text:
                for letters, row in CELL.findall(tail + chunk):
                    columns, rows = max(columns, column_number(letters)), max(rows, int(row))
                tail = chunk[-LONGEST_TAG:]
    if columns * rows > MAX_CELLS:
        raise BadFile(
            f"A sheet of the workbook reaches to column {columns:,} and row {rows:,}.",
            help="Delete the stray cells far away from the table, or save the table as CSV.",
        )
    return size


def too_large(limit: int) -> FileTooLarge:
    """The refusal of a bomb."""
    return FileTooLarge(
        f"The workbook unpacks to more than {limit // 1_000_000:,} MB.",
        help="Split it, or raise WAYMARK_MAX_UNPACKED_MB.",
    )


def column_number(letters: bytes) -> int:
    """`A` -> 1, `AA` -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + (letter & 0xDF) - 64
    return number


def records(path: Path, sheet_name: str | None) -> tuple[str, Iterator[Record]]:
    """The chosen sheet and its rows. Refuses several sheets with data and an unknown sheet."""
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = [sheet_name] if sheet_name else filled_sheets(book)
        if sheet_name and sheet_name not in book.sheet_names:
            raise BadFile(f"There is no sheet “{sheet_name}”.", help="There are: " + ", ".join(book.sheet_names) + ".")
        if not names:
            raise BadFile("The workbook is empty.", help="Upload one with a header row and at least one row.")
        if len(names) > 1:
            raise ChooseLayer(
                f"The workbook has {len(names)} sheets with data: {', '.join(names)}.",
                help="Choose one of them, or delete the others.",
                choices=names,
            )
        sheet = book.get_sheet_by_name(names[0])
        merged = sheet.merged_cell_ranges or []
        rows = sheet.to_python(skip_empty_area=False)
    except CalamineError as error:
        raise BadFile(
            f"The workbook cannot be read: {error}.", help="Remove its password and save it again as XLSX, or as CSV."
        ) from error
    return names[0], unmerged(rows, merged)


def unmerged(rows: list[list[Any]], merged: Sequence[Range]) -> Iterator[Record]:
    """The rows as text. What cells merged over several rows say holds for each of these rows, with a note."""
    notes: dict[int, str] = {}
    for (top, left), (bottom, right) in merged:
        value = rows[top][left] if top < len(rows) and left < len(rows[top]) else ""
        for row in range(top + 1, min(bottom + 1, len(rows))) if written(value) else ():
            rows[row][left] = value
            where = f"{letters_of(left)}{top + 1}:{letters_of(right)}{bottom + 1}"
            notes[row] = f"“{written(value)[:40]}” was taken from the merged cells {where}."
    for place, cells in enumerate(rows):
        yield Record(place + 1, [written(value) for value in cells], note=notes.get(place))


def filled_sheets(book: CalamineWorkbook) -> list[str]:
    """The sheets that hold anything."""
    return [name for name in book.sheet_names if book.get_sheet_by_name(name).end is not None]


def letters_of(column: int) -> str:
    """0 -> `A`, 26 -> `AA`."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def written(value: object) -> str:
    """A cell as text: whole numbers without point, dates as ISO."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 3600:.2f} h"
    return str(value)
