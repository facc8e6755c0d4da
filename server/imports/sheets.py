"""A program that reads one sheet of a workbook and writes it down: `python sheets.py FILE MEMORY SECONDS [SHEET]`.

It is a process of its own because a few bytes in a workbook can ask for any amount of memory or time; it gets so much
and no more, and when it dies, only one upload is refused. Standard library and calamine alone; `workbook` starts it.
"""

import json
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

LONGEST_CELL = 1_000_000
"""Signs of a cell; a spreadsheet itself ends at 32,767."""

type Range = tuple[tuple[int, int], tuple[int, int]]
"""Cells from (row, column) to (row, column), both from 0 and included."""

type Row = tuple[int, list[str], str | None]
"""A row's number from 1, its cells as text, and what was mended in it."""


class Refused(Exception):
    """A workbook that is not read: what is wrong, how to mend it, and the sheets that could be chosen."""

    def __init__(self, message: str, help: str, choices: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.answer = {"message": message, "help": help, "choices": list(choices)}


def rows_of(path: str, sheet_name: str | None) -> tuple[str, Iterator[Row]]:
    """The chosen sheet and its rows. Refuses several sheets with data and an unknown sheet."""
    try:
        book = CalamineWorkbook.from_path(path)
        if sheet_name and sheet_name not in book.sheet_names:
            raise Refused(f"There is no sheet “{sheet_name}”.", "There are: " + ", ".join(book.sheet_names) + ".")
        names = [sheet_name] if sheet_name else filled_sheets(book)
        if not names:
            raise Refused("The workbook is empty.", "Upload one with a header row and at least one row.")
        if len(names) > 1:
            said = f"The workbook has {len(names)} sheets with data: {', '.join(names)}."
            raise Refused(said, "Choose one of them, or delete the others.", names)
        sheet = book.get_sheet_by_name(names[0])
        merged = sheet.merged_cell_ranges or []
        rows = sheet.to_python(skip_empty_area=False)
    except CalamineError as error:
        said = f"The workbook cannot be read: {error}."
        raise Refused(said, "Remove its password and save it again as XLSX, or as CSV.") from error
    return names[0], unmerged(rows, merged)


def filled_sheets(book: CalamineWorkbook) -> list[str]:
    """The sheets that hold anything."""
    return [name for name in book.sheet_names if book.get_sheet_by_name(name).end is not None]


def unmerged(rows: list[list[Any]], merged: Sequence[Range]) -> Iterator[Row]:
    """The rows as text. What cells merged over several rows say holds for each of these rows, with a note."""
    notes: dict[int, str] = {}
    for (top, left), (bottom, right) in merged:
        value = rows[top][left] if top < len(rows) and left < len(rows[top]) else ""
        for row in range(top + 1, min(bottom + 1, len(rows))) if written(value) else ():
            rows[row][left] = value
            where = f"{letters_of(left)}{top + 1}:{letters_of(right)}{bottom + 1}"
            notes[row] = f"“{written(value)[:40]}” was taken from the merged cells {where}."
    for place, cells in enumerate(rows):
        texts = [written(value) for value in cells]
        for column, cell in enumerate(texts):
            if len(cell) > LONGEST_CELL:
                raise Refused(
                    f"The cell {letters_of(column)}{place + 1} of the workbook holds more than {LONGEST_CELL:,} signs.",
                    "Empty it, or save the table as CSV.",
                )
        yield place + 1, texts, notes.get(place)


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


def main(path: str, memory: str, seconds: str, sheet_name: str | None = None) -> None:
    """Write the sheet's name, then its rows, then `null`, each on a line as JSON; a refusal is a line of its own."""
    with suppress(ValueError):  # a stricter limit holds already, or the system (macOS) knows none
        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        name, rows = rows_of(path, sheet_name)
        for line in chain([name], rows):
            sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.write("null\n")
    except Refused as refused:
        sys.stdout.write(json.dumps(refused.answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
