"""Delimited text of any encoding, delimiter and line end; one broken record does not stop the rest."""

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from statistics import multimode
from typing import BinaryIO, NamedTuple

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

SEPARATOR = re.compile("sep=([^\\w\"'])", re.IGNORECASE)
"""How a spreadsheet says in the first line what separates its cells."""
MARKED = "utf-8-sig"
BOMS = (
    (codecs.BOM_UTF8, MARKED),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UNREAD = "waymark_unread"
"""How bytes that an encoding does not have are shown: each as a sign that nobody writes and everybody sees."""
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
    encoding: str | None = None
    """In what it is written, in a file most lines of which are written otherwise."""


class Line(NamedTuple):
    """One line of the file, its end included."""

    text: str
    encoding: str | None = None
    """As of a record."""


@dataclass(frozen=True)
class Dialect:
    """How a file is written."""

    encoding: str
    """Of the lines that are not UTF-8; `utf-8` when all are."""
    delimiter: str
    fewer: str | None = None
    """The encoding of the fewer lines, of a file that mixes UTF-8 and another one."""


def _unread(error: UnicodeError) -> tuple[str | bytes, int]:
    """Show bytes that cannot be read as signs for private use."""
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(_KEPT_AT + byte) for byte in error.object[error.start : error.end]), error.end
    raise error


codecs.register_error(UNREAD, _unread)


def dialect_of(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Dialect:
    """Find out how a file is written.

    Parameters
    ----------
    encoding
        In what the lines that are not UTF-8 are read, when somebody has chosen it. A Unicode file tells itself.
    delimiter
        What separates cells, when somebody has chosen it.

    Raises
    ------
    BadFile
        When it is empty or not text.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
            raise BadFile("The file is empty.", help="Export it again with a header row and at least one row.")
        found, fewer = bom_of(head) or wide(head), None
        if found is None and head.count(b"\x00") > len(head) * MOST_NULS:
            raise BadFile("The file is not text.", help="Save it as CSV (UTF-8) or as XLSX.")
        if found in (None, MARKED):
            file.seek(0)
            count = Counter[bool]()
            guessed = encoding_of(raw_lines(file, head), count)
            if guessed != "utf-8":
                found = encoding or guessed
                fewer = (found if count[False] <= count[True] else "utf-8") if count[True] else None
    known = Dialect(found or "utf-8", delimiter or "", fewer)
    return known if delimiter else replace(known, delimiter=delimiter_of([*islice(texts(path, known), 200)]))


def bom_of(head: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    return next((name for mark, name in BOMS if head.startswith(mark)), None)


def wide(head: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte is NUL, and hardly any of those between."""
    even, odd = head[::2].count(0) / max(1, len(head) // 2), head[1::2].count(0) / max(1, len(head) // 2)
    if max(even, odd) < WIDE_NULS or min(even, odd) > MOST_NULS:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def encoding_of(source: Iterable[bytes], count: Counter[bool]) -> str:
    """The encoding of the lines that are not UTF-8: a file may mix both. Counts lines with letters that are not ASCII,
    by whether they are UTF-8.
    """
    odd = bytearray()
    for line in source:
        if line.isascii():
            continue
        is_utf8 = is_unicode(line)
        count[is_utf8] += 1
        if not is_utf8 and len(odd) <= HEAD:
            odd += line
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


def is_unicode(line: bytes) -> bool:
    """Whether a line is UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def raw_lines(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    """The lines of a file as bytes, those of old Macintoshes too, which end with a carriage return alone. Where such a
    one stands in a file with other line ends, it stays at the end of its part; see `at_returns`.
    """
    if b"\n" in head or b"\r" not in head:
        for line in file:
            inner = line.rstrip(b"\r\n")
            *parts, last = inner.split(b"\r") if b"\r" in inner else [inner]
            yield from (part + b"\r" for part in parts)
            yield last + line[len(inner) :]
        return
    rest = b""
    while piece := file.read(HEAD):
        *whole, rest = (rest + piece.replace(b"\n", b"\r")).split(b"\r")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def lines(path: Path, dialect: Dialect) -> Iterator[Line]:
    """The lines of a file with their ends; a line that is not UTF-8 is read in the dialect's encoding."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
        if dialect.encoding.startswith(("utf-16", "utf-32")):
            is_old = "\n" not in head.decode(dialect.encoding, errors="ignore")
            text = io.TextIOWrapper(file, dialect.encoding, errors="replace", newline=None if is_old else "")
            yield from map(Line, text)
            return
        unicode = "utf-8" if dialect.fewer == "utf-8" else None
        for line in raw_lines(file, head):
            try:
                yield Line(line.decode(), None if unicode is None or line.isascii() else unicode)
            except UnicodeDecodeError:
                yield Line(line.decode(dialect.encoding, errors=UNREAD), None if unicode else dialect.fewer)


def texts(path: Path, dialect: Dialect) -> Iterator[str]:
    """The lines alone."""
    return (line.text for line in lines(path, dialect))


def delimiter_of(sample: list[str]) -> str:
    """The delimiter that cuts the sample into the most regular table."""
    if sample and (named := SEPARATOR.fullmatch(sample[0].strip())):
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
    group: list[Record] = []
    usual = number = 0
    for record, is_cut in chain(parts(path, dialect), [(None, False)]):
        if record is not None:
            usual = usual or len(record.cells)
            group.append(record)
        if not is_cut:
            for one in at_returns(group, usual):
                number += 1
                yield one if one.number == number else replace(one, number=number)
            group = []


def at_returns(group: list[Record], usual: int) -> list[Record]:
    """The rows of a line that carriage returns cut: each part where it is as wide as the table, or the parts are one
    row with a line break in a cell. What is neither is named.
    """
    if len(group) > 1:
        group = [one for one in group if one.problem or any(one.cells)] or group[:1]
    widths = [len(one.cells) for one in group]
    if len(group) < 2 or all(width == usual for width in widths):
        return group
    if sum(widths) - len(widths) + 1 <= usual and not any(one.problem for one in group):
        cells = list(group[0].cells)
        for one in group[1:]:
            cells = [*cells[:-1], f"{cells[-1]} {one.cells[0]}", *one.cells[1:]]
        said = "A carriage return in a cell was taken as a space."
        return [
            replace(group[0], cells=cells, note=said, encoding=next((o.encoding for o in group if o.encoding), None))
        ]
    full = usual if usual in widths else max(widths, key=widths.count)
    cut = "a carriage return cuts it from the row beside it; put a text with line breaks into quotation marks"
    return [one if one.problem or len(one.cells) == full else replace(one, problem=cut) for one in group]


def parts(path: Path, dialect: Dialect) -> Iterator[tuple[Record, bool]]:
    """The records of a file, and whether each ends at a carriage return where others end otherwise."""
    waiting: deque[Line] = deque()
    source = lines(path, dialect)
    number = usual = 0
    while (line := next_line(waiting, source)) is not None:
        number += 1
        if number == 1 and SEPARATOR.fullmatch(line.text.strip()):
            yield Record(number, []), False
            continue
        block = [line]
        while is_open(joined(block), dialect.delimiter) and len(block) < LONGEST_RECORD:
            more = next_line(waiting, source)
            if more is None:
                break
            block.append(more)
        record = joined(block)
        cells = cells_of(record, dialect.delimiter)
        usual = usual or len(cells)
        swallowed = any(is_whole(one.text, dialect.delimiter, usual) for one in block[1:])
        if (
            is_open(record, dialect.delimiter)
            or swallowed
            or (len(block) > 1 and is_broken(record, cells, usual, dialect))
        ):
            # Only the first line is lost: a quotation mark in it must not swallow the rows below.
            waiting.extendleft(reversed(block[1:]))
            cells = line.text.rstrip("\r\n").split(dialect.delimiter)
            problem = "a quotation mark is opened and never closed"
            yield Record(number, cells, problem, encoding=line.encoding), line.text.endswith("\r")
        else:
            encoding = next((one.encoding for one in block if one.encoding), None)
            yield Record(number, cells, encoding=encoding), record.endswith("\r")


def joined(block: Iterable[Line]) -> str:
    """The text of several lines."""
    return "".join(line.text for line in block)


def next_line(waiting: deque[Line], source: Iterator[Line]) -> Line | None:
    """The next line, those that were put back first."""
    return waiting.popleft() if waiting else next(source, None)


def is_open(record: str, delimiter: str) -> bool:
    """Whether a quoted cell is not closed at the end of the text."""
    if record.count('"') % 2 == 0:
        return False
    mark = re.escape(delimiter)
    rest = re.sub(rf'(?:(?<=^)|(?<={mark}))"(?:[^"]|"")*"(?=\s*(?:{mark}|$))', "", record)
    return re.search(rf'(?:^|{mark})"', rest) is not None


def is_broken(record: str, cells: list[str], width: int, dialect: Dialect) -> bool:
    """Whether several lines are no record: another width, or a text goes on behind a closing quotation mark."""
    try:
        next(csv.reader(io.StringIO(record, newline=""), delimiter=dialect.delimiter, strict=True), None)
    except csv.Error:
        return True
    return len(cells) != width


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
