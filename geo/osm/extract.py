"""An extract as a file: is it one, how much is in it, of when is it. Everything is checked before anything is built."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import osmium
from osmium import osm

from geo.types import BBox

LICENCE = "ODbL 1.0"
ATTRIBUTION = "© OpenStreetMap contributors"
_MAGIC = b"OSMHeader"
_REMEDY = "download the extract again, for example from https://download.geofabrik.de"


class ExtractError(ValueError):
    """A file that cannot be read as an OpenStreetMap extract; the message names the file and what is wrong."""

    def __init__(self, path: Path, what: str, remedy: str = _REMEDY) -> None:
        super().__init__(f"{path.name}: {what}")
        self.help = remedy
        """What the user can do about it."""


class NotAnExtract(ExtractError):
    """The file is something else, or not there."""


class BrokenExtract(ExtractError):
    """The file begins like an extract and then ends or goes wrong."""


class EmptyExtract(ExtractError):
    """A valid file without anything in it that a region can be built from."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one quick pass over an extract finds out before it is read."""

    tagged_objects: int
    """Nodes, ways and relations that carry tags: the total of the progress bar."""
    data_date: date
    """Day of the data: the header's replication time, else the latest edit in it, else the file's own date."""
    border_ways: Mapping[int, int] = field(repr=False)
    """Lowest `admin_level` of every way that is part of an administrative boundary."""
    label_nodes: Mapping[int, tuple[int, ...]] = field(repr=False)
    """For every node that labels boundary relations, those relations."""
    boundaries: Mapping[int, Mapping[str, str]] = field(repr=False)
    """Tags of all administrative and postal boundary relations, complete or not."""
    streets_of_houses: Mapping[tuple[str, int], str] = field(repr=False)
    """Street name from `associatedStreet` and `street` relations by (`n`|`w`|`r`, id) of the house."""
    country: str
    """Code of the one country that the file's boundaries speak of, else empty."""
    generator: str = ""
    """The program that wrote the file."""


def check(path: Path) -> None:
    """Refuse a file that does not begin like an OSM PBF.

    Raises
    ------
    NotAnExtract
        When it is missing, a folder, or in another format.
    EmptyExtract
        When it has no bytes.
    """
    if not path.is_file():
        raise NotAnExtract(path, "there is no such file", f"check the path: {path}")
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise EmptyExtract(path, "the file is empty")
    if _MAGIC not in start:
        raise NotAnExtract(
            path, "not an OpenStreetMap PBF file (no OSMHeader at its beginning)", "give a file that ends in .osm.pbf"
        )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what pyosmium says about a damaged file into `BrokenExtract`."""
    try:
        yield
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise BrokenExtract(path, f"the file is damaged or cut off ({error})") from error


def survey(path: Path) -> Survey:
    """Look over a whole extract once: counts, date, and how relations tie ways, nodes and houses together.

    Raises
    ------
    ExtractError
        Its subclasses for a missing, foreign, empty or damaged file.
    """
    check(path)
    with reading(path):
        return _Surveyor(path).run()


@dataclass(frozen=True, slots=True)
class Extent:
    """The box of everything seen so far; grows by points."""

    west: float = 180.0
    south: float = 90.0
    east: float = -180.0
    north: float = -90.0

    def with_point(self, lon: float, lat: float) -> "Extent":
        """Return a box that also holds the point; the same object when it already does."""
        if self.west <= lon <= self.east and self.south <= lat <= self.north:
            return self
        return Extent(min(self.west, lon), min(self.south, lat), max(self.east, lon), max(self.north, lat))

    @property
    def bbox(self) -> BBox | None:
        """The box, None when no point was seen."""
        return None if self.west > self.east else BBox(self.west, self.south, self.east, self.north)


class _Surveyor:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._latest = datetime(1970, 1, 1, tzinfo=UTC)
        self._border_ways: dict[int, int] = {}
        self._label_nodes: dict[int, tuple[int, ...]] = {}
        self._boundaries: dict[int, dict[str, str]] = {}
        self._streets: dict[tuple[str, int], str] = {}

    def run(self) -> Survey:
        processor = osmium.FileProcessor(self._path).with_filter(osmium.filter.EmptyTagFilter())
        for thing in processor:
            if isinstance(thing, osm.Changeset):
                continue
            self._count += 1
            self._latest = max(self._latest, thing.timestamp)
            if isinstance(thing, osm.Relation):
                self._relation(thing)
        if not self._count:
            raise EmptyExtract(self._path, "the file holds no named or tagged thing")
        countries = {
            code.upper()
            for tags in self._boundaries.values()
            if tags.get("admin_level") == "2" and (code := tags.get("ISO3166-1:alpha2") or tags.get("ISO3166-1"))
        }
        header = osmium.io.Reader(self._path, osm.NOTHING).header()
        return Survey(
            tagged_objects=self._count,
            data_date=self._date(header),
            border_ways=self._border_ways,
            label_nodes=self._label_nodes,
            boundaries=self._boundaries,
            streets_of_houses=self._streets,
            country=countries.pop() if len(countries) == 1 else "",
            generator=header.get("generator"),
        )

    def _date(self, header: osmium.io.Header) -> date:
        stamp = header.get("osmosis_replication_timestamp") or header.get("timestamp")
        if stamp:
            try:
                return datetime.fromisoformat(stamp).date()
            except ValueError:
                pass  # an odd header is no reason to refuse the data: fall back to what is in it
        if self._latest.year > 2000:
            return self._latest.date()
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC).date()

    def _relation(self, relation: osm.Relation) -> None:
        tags = relation.tags
        kind = tags.get("type")
        if kind == "boundary" and tags.get("boundary") in ("administrative", "postal_code"):
            self._boundary(relation)
        elif kind in ("associatedStreet", "street"):
            name = tags.get("name") or tags.get("addr:street")
            if name:
                for member in relation.members:
                    if member.role in ("house", "address"):
                        self._streets[(member.type, member.ref)] = name

    def _boundary(self, relation: osm.Relation) -> None:
        tags = dict(relation.tags)
        self._boundaries[relation.id] = tags
        level = tags.get("admin_level", "")
        for member in relation.members:
            if member.type == "n" and member.role in ("label", "admin_centre"):
                self._label_nodes[member.ref] = (*self._label_nodes.get(member.ref, ()), relation.id)
            elif member.type == "w" and level.isdigit() and tags.get("boundary") == "administrative":
                self._border_ways[member.ref] = min(int(level), self._border_ways.get(member.ref, 99))
