"""A file as a table: which kind it is, where its header stands, and its rows."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from server.imports import delimited, geojson, geopackage, sheets, workbook
from server.imports.delimited import Record, width_problem
from server.imports.errors import BadFile, FileTooLarge
from server.kit.settings import settings

HEADER_WITHIN = 10
"""Rows among which the header is looked for; above it may stand titles."""

MAX_COLUMNS = 500
DATA_LIKE = re.compile(r"[\d\s.,:/+()-]*\d[\d\s.,:/+()-]*|[^\s@]+@[^\s@]+\.[^\s@]+")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Signs that nobody sees: control characters, and those that turn the reading order of a text around."""


@dataclass(frozen=True)
class Table:
    """A file that is open for reading."""

    format: str
    header: list[str]
    rows: Iterator[Record]
    """Without the header and without empty rows."""
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


def open_table(
    path: Path,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    knows: Callable[[str], bool],
) -> Table:
    """Open a CSV, XLSX, GeoJSON or GeoPackage file, whatever its name says.

    Parameters
    ----------
    encoding, delimiter
        How a text file is to be read, where that was chosen.
    knows
        Whether a text is the name of a known column; tells the header from titles above it.

    Raises
    ------
    BadFile, FileTooLarge
        When the file as a whole cannot be read; broken rows come as records with a problem instead.
    """
    with path.open("rb") as file:
        magic = file.read(geojson.HEAD)
    if path.stat().st_size > settings().max_upload_mb * 1_000_000:
        raise FileTooLarge(
            f"The file is larger than {settings().max_upload_mb:,} MB.",
            help="Split it, or raise WAYMARK_MAX_UPLOAD_MB.",
        )
    if magic.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        unpacked = workbook.check_archive(path, settings().max_unpacked_mb * 1_000_000)
        name, found = workbook.records(path, sheet, unpacked)
        header, rows = split_header(found, knows)
        return Table("xlsx", header, rows, sheet=name)
    if magic.startswith(geopackage.MAGIC):
        name, names, found = geopackage.records(path, sheet)
        header = titles(names)
        return Table("gpkg", header, filled(found, header), sheet=name)
    if geojson.looks_like(magic):
        names, found = geojson.records(path)
        header = titles(names)
        return Table("geojson", header, filled(found, header))
    if magic.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadFile("The file is an old or protected workbook.", help="Save it as XLSX without a password.")
    if magic.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf")):
        raise BadFile("The file is not a table.", help="Upload CSV or XLSX.")
    dialect = delimited.dialect_of(path, encoding=encoding, delimiter=delimiter)
    header, rows = split_header(delimited.records(path, dialect), knows)
    return Table("csv", header, rows, encoding=dialect.encoding, delimiter=dialect.delimiter)


def split_header(records: Iterator[Record], knows: Callable[[str], bool]) -> tuple[list[str], Iterator[Record]]:
    """The header, and the rows below it. A file without one gets columns by letter."""
    first = [record for record in islice(records, HEADER_WITHIN) if any(cell.strip() for cell in record.cells)]
    if not first:
        raise BadFile("The file has no rows.", help="Export it again with a header row and at least one row.")
    known = [sum(knows(cell) for cell in record.cells) for record in first]
    place = known.index(max(known))
    if not known[place] and any(DATA_LIKE.fullmatch(cell.strip()) for cell in first[0].cells):
        width = max(len(record.cells) for record in first)
        header, below = [f"Column {sheets.letters_of(column)}" for column in range(width)], first
    else:
        header, below = titles(first[place].cells), first[place + 1 :]
    return header, filled(chain(below, records), header)


def filled(records: Iterable[Record], header: list[str]) -> Iterator[Record]:
    """The rows that are not empty, each as wide as the header. Refuses too many columns."""
    if len(header) > MAX_COLUMNS:
        raise BadFile(f"The file has {len(header):,} columns.", help=f"At most {MAX_COLUMNS} can be read.")
    found = (cleaned(record, len(header)) for record in records)
    return (record for record in found if record.problem or any(record.cells))


def titles(cells: list[str]) -> list[str]:
    """The columns' names; those without one are named by letter."""
    names = [" ".join(CONTROL.sub(" ", cell).split())[:200] for cell in cells]
    while names and not names[-1]:
        names.pop()
    return [name or f"Column {sheets.letters_of(place)}" for place, name in enumerate(names)]


def cleaned(record: Record, width: int) -> Record:
    """A record of the header's width, without signs that nobody sees."""
    is_clean = not any(map(CONTROL.search, record.cells))
    cells = [(cell if is_clean else CONTROL.sub("", cell)).strip() for cell in record.cells]
    notes = [record.note, None if is_clean else "Invisible control characters were removed."]
    problem = record.problem or (width_problem(cells, width) if any(cells[width:]) else None)
    fitting = (cells + [""] * width)[:width] if problem is None else cells[: width + 20]
    return Record(record.number, fitting, problem, " ".join(filter(None, notes)) or None, record.encoding)


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
