"""The five places with questions and answers, and where their addresses come from."""

import csv
import gzip
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geo.geocode.building import build
from geo.geocode.content import Content
from geo.geocode.geocoder import Geocoder
from geo.geocode.memory import MemoryIndex
from geo.osm import records
from geo.osm.reader import ExtractReader
from geo.types import LonLat

SHARED = Path(__file__).resolve().parents[3] / "shared"
QUESTIONS = SHARED / "data" / "geocode"
SCORER = SHARED / "bench" / "score_geocoding.py"
INPUT_COLUMNS = ("name", "street", "postcode", "city", "country", "query")
"""All that the code under test may see of a question, beside its id."""


@dataclass(frozen=True)
class Place:
    """A place: an extract, or an address file with what its licence wants printed."""

    key: str
    """Name of its question file."""
    source: Path
    """Extract or address file."""
    country: str = ""
    """For a file."""
    credit: str = ""
    """For a file."""
    licence: str = ""
    """For a file."""

    @property
    def is_extract(self) -> bool:
        """Whether the source is an OpenStreetMap extract."""
        return self.source.suffix == ".pbf"

    @property
    def questions(self) -> Path:
        """The questions with their truth."""
        return QUESTIONS / f"{self.key}.csv"


_OSM, _FILES = SHARED / "data" / "osm", SHARED / "data" / "addresses"
PLACES = (
    Place("li", _OSM / "liechtenstein.osm.pbf"),
    Place("bc", _FILES / "baltimore-county.csv.gz", "US", "Baltimore County, MD", "public domain"),
    Place(
        "es",
        _FILES / "essen.csv.gz",
        "DE",
        "Stadt Essen, Amt für Geoinformation, Vermessung und Kataster, dl-de/by-2-0, Daten bearbeitet",
        "dl-de/by-2-0",
    ),
    Place("alessandria", _FILES / "alessandria.csv.gz", "IT", "Comune di Alessandria, dati modificati", "CC BY 4.0"),
    Place("helsinki", _OSM / "helsinki.osm.pbf"),
)
HELD_OUT = (
    "alessandria",
    "helsinki",
    "EE",
    "TR",
    "PT",
    "BE",
    "HR",
    "NO",
    "SK",
    "LT",
    "IT",
    "UA",
    "GR",
    "BG",
    "BR",
    "IE",
    "CA",
)
"""Left out of every fit."""


def chosen(names: list[str]) -> list[Place]:
    """The places asked for that are on this machine."""
    found = [p for p in PLACES if (not names or p.key in names) and p.source.exists() and p.questions.exists()]
    if not found:
        sys.exit(f"no questions found under {QUESTIONS}")
    return found


def truth(place: Place) -> Iterator[dict[str, str]]:
    """The rows of a question file, truth included."""
    with place.questions.open(newline="") as file:
        yield from csv.DictReader(file)


def rows_of_file(place: Place) -> Iterator[dict[str, str]]:
    """The rows of an address file."""
    with gzip.open(place.source, "rt", newline="") as file:
        yield from csv.DictReader(file)


def content(place: Place) -> Content:
    """The address index of the place alone, as rows."""
    if not place.is_extract:
        points = (
            records.AddressPoint(
                r["ID"], r["NUMBER"], r["STREET"], r["POSTCODE"], r["CITY"], place.country,
                LonLat(float(r["LON"]), float(r["LAT"])),
            )
            for r in rows_of_file(place)
        )  # fmt: skip
        return build(points)
    found = [r for r in ExtractReader(place.source) if not isinstance(r, records.MapFeature)]
    return build(
        [r for r in found if isinstance(r, records.AddressPoint)],
        [r for r in found if isinstance(r, records.StreetLine)],
        [r for r in found if isinstance(r, records.Place)],
        [r for r in found if isinstance(r, records.Poi)],
    )


def geocoder(place: Place) -> Geocoder:
    """The place alone in an index in memory."""
    return Geocoder(MemoryIndex(content(place)))
