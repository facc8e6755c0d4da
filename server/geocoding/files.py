"""CSV files of addresses: reading them whatever their encoding and separator, and writing results in one piece."""

import csv
import gzip
import hashlib
import io
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, BinaryIO

from charset_normalizer import from_bytes

from geo.geocode.types import AddressQuery, Answer
from server.geocoding.errors import BadFile

QUESTION_COLUMNS = ("name", "street", "postcode", "city", "country", "query")
RESULT_COLUMNS = (
    "id", "lat", "lon", "street", "number", "postcode", "city", "grade", "uncertainty_m", "confidence", "reason",
)  # fmt: skip
_SAMPLE = 1 << 18
_NAMED = 7
"""Columns that a message names."""
_FIELD_LIMIT = 1 << 20
_FORMULA = ("=", "+", "@", "\t", "\r")

Row = Mapping[str, str]


def sha256_of(path: Path) -> str:
    """The content's hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def lines(path: Path, name: str = "") -> Iterator[IO[str]]:
    """Open a text file, packed or not, whatever its encoding; refuses a missing, empty, binary or damaged one."""
    called = name or path.name
    if not path.is_file():
        raise BadFile(f"{path}: there is no such file.")
    encoding = ""
    try:
        with _opened(path) as raw:
            encoding = _encoding(called, raw.read(_SAMPLE))
        with _opened(path) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        raise BadFile(
            f"{called}: not readable as {encoding} from byte {error.start} on.", help="Save it as UTF-8."
        ) from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadFile(f"{called}: the packed file is damaged ({error}).", help="Get it again.") from error
    except csv.Error as error:
        raise BadFile(f"{called}: {error}.") from error


@contextmanager
def table(
    path: Path, wanted: Sequence[str], required: Sequence[str] = (), name: str = ""
) -> Iterator[Iterator[tuple[int, Row]]]:
    """Open a CSV file, packed or not, and yield its rows with their line numbers.

    Refuses a missing, empty or binary file, one without a header of known columns, and rows that do not fit the
    header; the error names file and row.
    """
    with lines(path, name) as text:
        yield _rows(name or path.name, text, wanted, required)


def begins_with(path: Path) -> bytes:
    """The first letter of a file, packed or not; empty when it has none."""
    try:
        with _opened(path) as raw:
            return raw.read(200).removeprefix(b"\xef\xbb\xbf").strip()[:1]
    except (gzip.BadGzipFile, zlib.error, EOFError, OSError):
        return b""


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return io.BufferedReader(gzip.GzipFile(path)) if packed else path.open("rb")


def _encoding(name: str, sample: bytes) -> str:
    if not sample.strip():
        raise BadFile(f"{name}: the file is empty.")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in sample:
        raise BadFile(f"{name}: not a text file.", help="Export the list as CSV.")
    cut = sample[: sample.rfind(b"\n") + 1] or sample
    try:
        cut.decode("utf-8")
    except UnicodeDecodeError:
        best = from_bytes(cut[:20_000]).best()
        return best.encoding if best is not None else "cp1252"
    return "utf-8-sig"


def _rows(name: str, text: IO[str], wanted: Sequence[str], required: Sequence[str]) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(_FIELD_LIMIT)
    first = text.readline()
    separator = max((",", ";", "\t", "|"), key=first.count)
    reader = csv.reader(chain([first], text), delimiter=separator)
    header = [cell.strip().lower() for cell in next(reader, [])]
    missing = [column for column in required if column not in header]
    if missing or not set(wanted) & set(header):
        names = ", ".join(missing or wanted[:_NAMED]) + (" …" if not missing and len(wanted) > _NAMED else "")
        raise BadFile(f"{name}: the first line must name the columns; {names} not found.")
    for cells in reader:
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            raise BadFile(
                f"{name}, line {reader.line_num}: {len(cells)} cells, but the first line names {len(header)}.",
                help="Put cells that hold the separator in quotes.",
            )
        if any(cell.strip() for cell in cells):
            yield reader.line_num, dict(zip(header, cells, strict=False))


def questions(rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[str, AddressQuery]]:
    """Rows as questions with their ids; a row without an id is named by its line."""
    for line, row in rows:
        fields = {column: (row.get(column) or "").strip() for column in QUESTION_COLUMNS}
        yield row.get("id") or str(line), AddressQuery(**fields)


def result(identity: str, answer: Answer) -> list[str]:
    """An answer as cells; texts from sources never become a formula."""
    point = answer.point
    texts = (_plain(t) for t in (answer.street, answer.number, answer.postcode, answer.city))
    return [
        identity,
        f"{point.lat:.7f}" if point else "",
        f"{point.lon:.7f}" if point else "",
        *texts,
        answer.grade or "",
        f"{answer.uncertainty_m:.0f}" if answer.uncertainty_m is not None else "",
        f"{answer.confidence:.4f}",
        answer.reason,
    ]


def _plain(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text


@contextmanager
def written(path: Path) -> Iterator[IO[str]]:
    """A file that appears under its name only when it is complete."""
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise BadFile(f"{path}: cannot be written ({error.strerror}).") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask)
        os.replace(part, path)
    except OSError as error:
        raise BadFile(f"{path}: cannot be written ({error.strerror}).") from error
    finally:
        Path(part).unlink(missing_ok=True)
