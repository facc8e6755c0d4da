"""GeoJSON, read piece by piece; a file that is cut off gives the features before the cut."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from server.imports.delimited import Record, dialect_of
from server.imports.errors import BadFile
from server.imports.features import Feature, geometry_of, header_of, rows, to_degrees

CHUNK = 1_000_000
LONGEST_FEATURE = 20_000_000
LONGEST_NUMBER = 400
"""Figures of a number; longer ones stay texts."""
HEAD = 4096
LOOKS = re.compile(r"\s*(?:\x1e\s*)?\{")
FEATURES = re.compile(r'"features"\s*:\s*\[')
GAP = re.compile(r"[\s,\x1e]*")
CRS_NAME = re.compile(r'"crs"\s*:\s*\{[^{}]*\{[^{}]*"name"\s*:\s*"([^"]{1,200})"')
CUT_OFF = "the file is cut off or damaged in this feature; what came after it is missing"


class Piece(NamedTuple):
    """A feature, or where the reading broke off."""

    feature: dict[str, Any] | None
    begins_at: int = 0
    """Letters of the file before a feature that cannot be read."""


def looks_like(head: bytes) -> bool:
    """Whether the first bytes are those of GeoJSON."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return LOOKS.match(text) is not None and ('"Feature' in text or '"type"' in text)


def records(path: Path) -> tuple[list[str], Iterator[Record]]:
    """The header and the rows. Refuses what holds no features, and what is damaged in its first one."""
    encoding = dialect_of(path).encoding
    names: dict[str, None] = {}
    count = 0
    for piece in pieces(path, encoding):
        count += 1
        if piece.feature is not None:
            names.update(dict.fromkeys(properties_of(piece.feature)))
        elif count == 1:
            line, column = place_of(path, encoding, piece.begins_at)
            raise BadFile(
                f"The file is cut off or damaged in its first feature (line {line}, column {column}).",
                help="Export it again.",
            )
    if not count:
        raise BadFile("The file holds no features.", help="Export it as a GeoJSON FeatureCollection of points.")
    code = crs_of(path)
    transformer = None if code is None or code.endswith(("CRS84", "CRS:84")) else to_degrees(code)
    titles = list(names)
    return header_of(titles), rows(features(path, encoding), titles, transformer)


def features(path: Path, encoding: str) -> Iterator[Feature]:
    """Each feature with its geometry; the last one says so when the file is cut off."""
    for piece in pieces(path, encoding):
        if piece.feature is None:
            yield {}, CUT_OFF
        elif not isinstance(piece.feature.get("geometry"), dict | None):
            yield properties_of(piece.feature), "the geometry cannot be read"
        else:
            yield properties_of(piece.feature), geometry_of(piece.feature.get("geometry"))


def properties_of(feature: dict[str, Any]) -> dict[str, Any]:
    """A feature's properties; nested ones as JSON."""
    found = feature.get("properties")
    given = found if isinstance(found, dict) else {}
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in given.items()}


def crs_of(path: Path) -> str | None:
    """The coordinate system that the file names at its beginning or its end, when it names one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(max(0, size - HEAD))
        tail = file.read()
    for part in (head.partition(b'"features"')[0], tail.rpartition(b"]")[2]):
        if found := CRS_NAME.search(part.decode("utf-8", "replace")):
            return found[1]
    return None


def place_of(path: Path, encoding: str, letters: int) -> tuple[int, int]:
    """Line and column, from 1, of what stands after so many letters of a file."""
    with opened(path, encoding) as file:
        before = file.read(letters)
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def opened(path: Path, encoding: str) -> TextIO:
    """The file as text."""
    return path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")


def pieces(path: Path, encoding: str) -> Iterator[Piece]:
    """The features of a collection, of a single feature, or of one feature a line, without reading the whole file."""
    decoder = json.JSONDecoder(parse_int=lambda figures: int(figures) if len(figures) < LONGEST_NUMBER else figures)
    with opened(path, encoding) as file:
        text, passed = file.read(CHUNK), 0
        start = FEATURES.search(text)
        at, in_list, ended = (start.end(), True, False) if start else (0, False, False)
        while True:
            at = gap_end(text, at)
            if in_list and text[at : at + 1] == "]":
                return
            try:
                found, at = decoder.raw_decode(text, at)
            except RecursionError:
                yield Piece(None, passed + at)
                return
            except json.JSONDecodeError:
                rest = text[at:]
                if not ended and len(rest) < LONGEST_FEATURE:
                    more = file.read(max(CHUNK, len(rest)))
                    text, at, ended, passed = rest + more, 0, not more, passed + at
                    continue
                if rest.strip() or in_list:
                    yield Piece(None, passed + at)
                return
            if len(text) - at < CHUNK // 10 and not ended:
                more = file.read(CHUNK)
                text, at, ended, passed = text[at:] + more, 0, not more, passed + at
            if isinstance(found, dict) and (in_list or found.get("type") == "Feature"):
                yield Piece(found)


def gap_end(text: str, at: int) -> int:
    """Where the next thing begins."""
    match = GAP.match(text, at)
    return match.end() if match else at
