"""Address files: OpenAddresses' columns as CSV or as lines of GeoJSON, packed or not, alone or a folder of them.

A row that cannot be used is left out and counted by reason, with the lines where that was first seen; a file in which
most rows are wrong is the wrong file and is refused.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from geo.countries import may_lie_in
from geo.osm.records import AddressPoint
from geo.types import LonLat
from server.geocoding import files
from server.geocoding.errors import BadFile

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "lon": ("lon", "longitude", "lng", "long", "x"),
    "lat": ("lat", "latitude", "y"),
    "number": ("number", "housenumber", "house_number", "house number", "addr:housenumber", "hausnummer", "hnr"),
    "street": ("street", "street_name", "street name", "streetname", "addr:street", "strasse", "straße"),
    "city": ("city", "town", "municipality", "addr:city", "ort"),
    "postcode": ("postcode", "postal_code", "postalcode", "zip", "zipcode", "zip_code", "addr:postcode", "plz"),
    "id": ("id", "hash"),
}
"""What we read, and what it may be called; the first name is OpenAddresses'. Case and order do not matter."""
NEEDED = ("lon", "lat", "number", "street")
ENDINGS = (".csv", ".tsv", ".txt", ".geojson", ".geojsonl", ".geojsons", ".ndjson", ".jsonl")
_SHOWN = 5
_TELL_EVERY = 10_000
_LEFT_OUT: Mapping[str, str] = {
    "no_street": "without a street",
    "no_number": "without a house number",
    "no_point": "without a point",
    "bad_point": "with a point that is no place on Earth",
    "swapped": "with latitude and longitude swapped",
    "outside": "outside the country",
}
"""Reasons for leaving a row out, in the order in which they are looked for."""

type Cells = Mapping[str, str]
type Tell = Callable[[int], None]


@dataclass
class Tally:
    """What became of the rows."""

    taken: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    """Rows by reason."""
    first: dict[str, list[str]] = field(default_factory=dict)
    """Where each reason was first seen: `file.csv, line 3`."""
    exchanged: int = 0
    """Rows taken whose postcode is a word and whose city has a figure."""

    @property
    def read(self) -> int:
        """All rows."""
        return self.taken + sum(self.left_out.values())

    def leave_out(self, reason: str, where: str) -> None:
        """Count a row that is not used."""
        self.left_out[reason] = self.left_out.get(reason, 0) + 1
        seen = self.first.setdefault(reason, [])
        if len(seen) < _SHOWN:
            seen.append(where)

    def look_at(self, postcode: str, city: str, where: str) -> None:
        """Count a row whose postcode and city look swapped; it is taken all the same."""
        if postcode and not any(map(str.isdigit, postcode)) and any(map(str.isdigit, city)):
            self.exchanged += 1
            self.first.setdefault("exchanged", [where])

    def lines(self) -> list[str]:
        """Each reason as a sentence with its first rows."""
        return [
            f"{self.left_out[reason]:,} rows {words} are left out: {'; '.join(self.first[reason])}"
            + (" …" if self.left_out[reason] > len(self.first[reason]) else "")
            for reason, words in _LEFT_OUT.items()
            if reason in self.left_out
        ]

    def record(self) -> dict[str, Any]:
        """For the database."""
        return {reason: {"rows": count, "first": self.first[reason]} for reason, count in self.left_out.items()}

    def judge(self, country: str) -> None:
        """Refuse a file that is not what it was said to be."""
        wrong = {reason: self.left_out.get(reason, 0) for reason in ("swapped", "outside")}
        if wrong["swapped"] > self.taken:
            raise BadFile(
                f"{wrong['swapped']:,} of {self.read:,} rows have latitude and longitude swapped,"
                f" first {self.first['swapped'][0]}.",
                help="Swap the names LON and LAT in the first line and add the file again.",
            )
        if self.exchanged > self.taken / 2:
            raise BadFile(
                f"{self.exchanged:,} of {self.read:,} rows have city and postcode swapped,"
                f" first {self.first['exchanged'][0]}.",
                help="Swap the names CITY and POSTCODE in the first line and add the file again.",
            )
        if wrong["outside"] > self.taken:
            raise BadFile(
                f"{wrong['outside']:,} of {self.read:,} points lie outside {country},"
                f" first {self.first['outside'][0]}.",
                help="Give the country of the addresses with --country; points must be degrees (EPSG:4326).",
            )
        if not self.taken:
            why = self.lines() or ["There are no rows below the header."]
            raise BadFile("\n".join(["There is no row with a street, a house number and a point.", *why]))


def found(paths: Iterable[Path]) -> list[Path]:
    """The address files that are meant: files as they are, of a folder those whose name ends like an address file."""
    chosen: list[Path] = []
    for path in paths:
        if not path.is_dir():
            chosen.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.is_file() and _ending(p) in ENDINGS)
        if not inside:
            raise BadFile(f"{path}: no address file in this folder.", help=f"Looked for {', '.join(ENDINGS)}, or .gz.")
        chosen += inside
    missing = next((path for path in chosen if not path.is_file()), None)
    if missing is not None:
        raise BadFile(f"{missing}: there is no such file.")
    return chosen


def fingerprint(paths: Sequence[Path], country: str) -> str:
    """The same for the same files, whatever they are called."""
    digest = hashlib.sha256(country.encode())
    for one in sorted(files.sha256_of(path) for path in paths):
        digest.update(one.encode())
    return digest.hexdigest()


def addresses(
    paths: Sequence[Path], country: str, tally: Tally, tell: Tell | None = None, names: Sequence[str] = ()
) -> Iterator[AddressPoint]:
    """The usable rows of some files; refuses the lot at its end when it is the wrong one.

    Parameters
    ----------
    country
        Two-letter code of the country that the points must lie in.
    tally
        Counts what becomes of the rows.
    tell
        Told how many rows are read, now and then.
    names
        What the files are called in messages; their own names by default.
    """
    for path, name in zip(paths, names or [path.name for path in paths], strict=True):
        for line, cells in _cells(path, name):
            point = _address(cells, country, tally, f"{name}, line {line}")
            if tell is not None and tally.read % _TELL_EVERY == 0:
                tell(tally.read)
            if point is not None:
                yield point
    tally.judge(country)


def _ending(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _address(cells: Cells, country: str, tally: Tally, where: str) -> AddressPoint | None:
    cells = {name: cell.replace("\0", "").encode("utf-8", "replace").decode() for name, cell in cells.items()}
    street, number = cells["street"].strip(), cells["number"].strip()
    reason = "no_street" if not street else "no_number" if not number else ""
    lon, lat = _degrees(cells["lon"]), _degrees(cells["lat"])
    if not reason:
        reason = _trouble(lon, lat, cells, country)
    if reason:
        tally.leave_out(reason, where)
        return None
    tally.taken += 1
    identity, postcode, city = cells["id"].strip() or where, cells["postcode"].strip(), cells["city"].strip()
    tally.look_at(postcode, city, where)
    return AddressPoint(identity, number, street, postcode, city, country, LonLat(lon, lat))


def _trouble(lon: float, lat: float, cells: Cells, country: str) -> str:
    """What is wrong with a point; empty when it may be right."""
    if not cells["lon"].strip() or not cells["lat"].strip():
        return "no_point"
    inside = abs(lon) <= 180 and abs(lat) <= 90
    if inside and (lon, lat) != (0.0, 0.0) and may_lie_in(LonLat(lon, lat), country):
        return ""
    if abs(lat) <= 180 and abs(lon) <= 90 and may_lie_in(LonLat(lat, lon), country):
        return "swapped" if (lon, lat) != (0.0, 0.0) else "bad_point"
    return "outside" if inside and (lon, lat) != (0.0, 0.0) else "bad_point"


def _degrees(text: str) -> float:
    written = text.strip()
    try:
        return float(written.replace(",", ".") if "." not in written else written)
    except ValueError:
        return math.nan


def _cells(path: Path, name: str) -> Iterator[tuple[int, Cells]]:
    """Rows of a file with their line numbers; every column that we read is there, empty where the file has none."""
    if files.begins_with(path) == b"{":
        yield from _features(path, name)
        return
    wanted = [*COLUMNS, *(alias for aliases in COLUMNS.values() for alias in aliases)]
    with files.table(path, wanted, name=name) as rows:
        titles: dict[str, str] | None = None
        for line, row in rows:
            if titles is None:
                titles = _titles(row, name)
            yield line, {column: row.get(title) or "" for column, title in titles.items()}


def _titles(row: Cells, name: str) -> dict[str, str]:
    """What the file calls each column that we read."""
    titles = {column: next((a for a in aliases if a in row), "") for column, aliases in COLUMNS.items()}
    missing = [column.upper() for column in NEEDED if not titles[column]]
    if missing:
        raise BadFile(
            f"{name}: the first line must name the columns; {', '.join(missing)} not found among {', '.join(row)}.",
            help="Rename the columns as OpenAddresses does: LON,LAT,NUMBER,STREET,CITY,POSTCODE,ID.",
        )
    return titles


def _features(path: Path, name: str) -> Iterator[tuple[int, Cells]]:
    """Features of GeoJSON, one on each line or all in one collection."""
    with files.lines(path, name) as text:
        for line, written in enumerate(_documents(text), start=1):
            try:
                document = json.loads(written)
            except (ValueError, RecursionError) as error:
                raise BadFile(f"{name}, line {line}: not JSON ({error}).", help="One feature on each line.") from error
            if isinstance(document, dict) and isinstance(document.get("features"), list):
                for number, feature in enumerate(document["features"], start=1):
                    yield number, _feature(feature, name, number)
            else:
                yield line, _feature(document, name, line)


def _documents(text: IO[str]) -> Iterator[str]:
    """The lines of a file, or the whole of it when its first line is only the beginning of a document."""
    first = text.readline()
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        yield first + text.read()
        return
    yield first
    yield from (line for line in text if line.strip())


def _feature(document: Any, name: str, line: int) -> Cells:
    if not isinstance(document, dict) or document.get("type") != "Feature":
        raise BadFile(f"{name}, line {line}: not a GeoJSON feature.", help="OpenAddresses has one on each line.")
    given = document.get("properties")
    properties = {str(k).lower(): v for k, v in given.items()} if isinstance(given, dict) else {}
    cells = {
        column: next((str(properties[a]) for a in aliases if properties.get(a) not in (None, "")), "")
        for column, aliases in COLUMNS.items()
    }
    geometry = document.get("geometry")
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        at = geometry.get("coordinates")
        if isinstance(at, list) and len(at) >= 2:
            cells["lon"], cells["lat"] = str(at[0]), str(at[1])
    return cells
