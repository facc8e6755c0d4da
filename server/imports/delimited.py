"""Delimited text of any encoding, delimiter and line end; one broken record does not stop the rest."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import multimode
from typing import BinaryIO

import charset_normalizer

from server.imports.errors import BadFile

DELIMITERS = ";,\t|"
HEAD = 262_144
MOST_NULS = 0.02
"""Share of NUL bytes up to which a file is still text; they are left out row by row."""

WIDE_NULS = 0.5
"""Share of NUL bytes in every second place from which a file is UTF-16 (some letters have no NUL byte)."""

LONGEST_RECORD = 200
"""Lines that one record may span before its quote counts as never closed."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UNREAD = "waymark_unread"
"""How bytes that an encoding does not have are kept: each as a sign that nobody writes and everybody sees."""
_KEPT_AT = 0xF700
WESTERN = set("äöüÄÖÜßéèêëàâáãåæçñîïíìôóòõøœùúûýÿÉÈÊËÀÂÁÃÅÆÇÑÎÏÍÌÔÓÒÕØŒÙÚÛÝ€£§°«»‹›„“”‚‘’–—…·•´`¨©®™ªº¿¡×÷±²³µ¶½¼¾\xa0")


@dataclass(frozen=True)
class Record:
    """One record of the file."""

    number: int
    """As a spreadsheet counts, from 1."""
    cells: list[str]
    problem: str | None = None
    """Why it could not be read."""
    note: str | None = None
    """What was mended while it was read."""


@dataclass(frozen=True)
class Dialect:
    """How a file is written."""

    encoding: str
    """Of the lines that are not UTF-8; `utf-8` when all are."""
    delimiter: str


def _unread(error: UnicodeError) -> tuple[str | bytes, int]:
    """Keep bytes that cannot be read as signs for private use, and give them back when these are written."""
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(_KEPT_AT + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        kept = [ord(sign) - _KEPT_AT for sign in error.object[error.start : error.end]]
        if all(0x80 <= byte <= 0xFF for byte in kept):
            return bytes(kept), error.end
    raise error


codecs.register_error(UNREAD, _unread)


def dialect_of(path: Path) -> Dialect:
    """Find out how a file is written.

    Raises
    ------
    BadFile
        When it is empty or not text.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
            raise BadFile("The file is empty.", help="Export it again with a header row and at least one row.")
        encoding = bom_of(head)
        if encoding is None:
            encoding = wide(head)
        if encoding is None:
            if head.count(b"\x00") > len(head) * MOST_NULS:
                raise BadFile("The file is not text.", help="Save it as CSV (UTF-8) or as XLSX.")
            file.seek(0)
            encoding = encoding_of(file)
    sample = [line for line, _ in zip(lines(path, encoding), range(200), strict=False)]
    return Dialect(encoding, delimiter_of(sample))


def bom_of(head: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    return next((name for mark, name in BOMS if head.startswith(mark)), None)


def wide(head: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte is NUL, and hardly any of those between."""
    even, odd = head[::2].count(0) / max(1, len(head) // 2), head[1::2].count(0) / max(1, len(head) // 2)
    if max(even, odd) < WIDE_NULS or min(even, odd) > MOST_NULS:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def encoding_of(file: BinaryIO) -> str:
    """The encoding of the lines that are not UTF-8: a file may mix both."""
    odd = bytearray()
    for line in file:
        try:
            line.decode()
        except UnicodeDecodeError:
            odd += line
            if len(odd) > HEAD:
                break
    if not odd:
        return "utf-8"
    try:
        western = odd.decode("cp1252")
        if all(character in WESTERN for character in western if not character.isascii()):
            return "cp1252"
    except UnicodeDecodeError:
        pass
    best = charset_normalizer.from_bytes(bytes(odd)).best()
    return best.encoding if best else "cp1252"


def lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a file with their ends; a line that is not UTF-8 is read in `encoding`."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(0)
        if encoding.startswith(("utf-16", "utf-32")) or (b"\n" not in head and b"\r" in head):
            yield from io.TextIOWrapper(file, encoding, errors="replace", newline=None)
            return
        if head.startswith(codecs.BOM_UTF8):
            file.seek(len(codecs.BOM_UTF8))
        fallback = "cp1252" if encoding in ("utf-8", "utf-8-sig") else encoding
        for line in file:
            try:
                yield line.decode()
            except UnicodeDecodeError:
                yield line.decode(fallback, errors=UNREAD)


def delimiter_of(sample: list[str]) -> str:
    """The delimiter that cuts the sample into the most regular table."""
    if sample and (named := re.fullmatch(r"sep=(.)", sample[0].strip(), re.IGNORECASE)):
        return named[1]
    filled = [line for line in sample if line.strip()]

    def regularity(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(cells) for cells in csv.reader(filled[:60], delimiter=delimiter)]
        except csv.Error:  # a cell of more than 131,072 characters
            widths = [len(line.split(delimiter)) for line in filled[:60]]
        usual = max(multimode(widths), default=1)
        return (widths.count(usual) / len(widths) if usual > 1 else 0.0, usual)

    return max(DELIMITERS, key=lambda one: (regularity(one)[0] > 0.6, regularity(one)[1], regularity(one)[0]))


def records(path: Path, dialect: Dialect) -> Iterator[Record]:
    """The records of a file, those that cannot be read included; the caller knows the header."""
    waiting: deque[str] = deque()
    source = lines(path, dialect.encoding)
    number = usual = 0
    while (line := next_line(waiting, source)) is not None:
        number += 1
        if number == 1 and re.fullmatch(r"sep=.", line.strip(), re.IGNORECASE):
            continue
        block = [line]
        while is_open("".join(block), dialect.delimiter) and len(block) < LONGEST_RECORD:
            more = next_line(waiting, source)
            if more is None:
                break
            block.append(more)
        record = "".join(block)
        cells = cells_of(record, dialect.delimiter)
        usual = usual or len(cells)
        swallowed = any(is_whole(one, dialect.delimiter, usual) for one in block[1:])
        if is_open(record, dialect.delimiter) or swallowed or (len(block) > 1 and len(cells) != usual):
            # Only the first line is lost: a quotation mark in it must not swallow the rows below.
            waiting.extendleft(reversed(block[1:]))
            cells = line.rstrip("\r\n").split(dialect.delimiter)
            yield Record(number, cells, "a quotation mark is opened and never closed")
        else:
            yield Record(number, cells)


def next_line(waiting: deque[str], source: Iterator[str]) -> str | None:
    """The next line, those that were put back first."""
    return waiting.popleft() if waiting else next(source, None)


def is_open(record: str, delimiter: str) -> bool:
    """Whether a quoted cell is not closed at the end of the text."""
    if record.count('"') % 2 == 0:
        return False
    mark = re.escape(delimiter)
    rest = re.sub(rf'(?:(?<=^)|(?<={mark}))"(?:[^"]|"")*"(?=\s*(?:{mark}|$))', "", record)
    return re.search(rf'(?:^|{mark})"', rest) is not None


def is_whole(line: str, delimiter: str, width: int) -> bool:
    """Whether a line on its own is a record of the table's width."""
    return width > 1 and line.count('"') % 2 == 0 and len(cells_of(line, delimiter)) == width


def cells_of(record: str, delimiter: str) -> list[str]:
    """The cells of one record."""
    try:
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return record.rstrip("\r\n").split(delimiter)


def width_problem(cells: Iterable[str], width: int) -> str | None:
    """Why a record with too many cells cannot be read."""
    count = len([*cells])
    return f"the row has {count} cells, the header {width}" if count > width else None
