"""Which column holds what: told by its title, else by its values."""

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from rapidfuzz import fuzz, process

from server.imports.targets import Column, Missing, Target
from server.kit.errors import Invalid

ALIKE = 85.0
SURE_SHARE = 0.6
"""Share of filled cells that must look like a field."""

LATITUDES = frozenset("breite geobreite geogrbreite y ycoord ykoordinate szerokosc sirka bredde leveys".split())
LONGITUDES = frozenset("lange laenge geolange geogrlange x xcoord xkoordinate długosc delka lengde pituus".split())
"""Titles that mean a coordinate beside one of the other kind, when the cells are degrees: they mean measures too."""
PRECISE = re.compile(r"[+-]?\d{1,3}[.,]\d{4,}")
"""Degrees to some ten metres; hardly anything else is written so in two columns side by side."""
DEGREES = re.compile(r"[+-]?\d{1,3}([.,]\d+)?")


@lru_cache(maxsize=10_000)
def glued(title: str) -> str:
    """A title reduced to its letters and digits, without accents: `Kunden-Nr.` -> `kundennr`."""
    plain = unicodedata.normalize("NFKD", title.lower().replace("ß", "ss"))
    return "".join(character for character in plain if character.isalnum())


def names_of(columns: Iterable[Column]) -> dict[str, str]:
    """Every known title -> the field it stands for."""
    known: dict[str, str] = {}
    for column in columns:
        for title in (column.name, column.label, *column.synonyms):
            known.setdefault(glued(title), column.name)
    return known


def missing(target: Target, mapping: Mapping[str, str]) -> list[Missing]:
    """What new records cannot be without, and no column means."""
    labels = {column.name: column.label for column in target.columns}
    return [
        Missing(group, labels[group[0]])
        for group in target.needs
        if not any(name in group for name in mapping.values())
    ]


def require_record(target: Target, mapping: Mapping[str, str]) -> None:
    """Refuse columns of which none says which record a row is about."""
    named = {*target.keys, *(name for group in target.needs for name in group)}
    if named.isdisjoint(mapping.values()):
        label = next(column.label for column in target.columns if column.name == target.needs[0][0])
        raise Invalid(
            "No column says which record a row is about.", help=f"Say which column is “{label}”.", field="mapping"
        )


def guess(header: Sequence[str], samples: Sequence[Sequence[str]], columns: Sequence[Column]) -> dict[str, str]:
    """The meaning of a file's columns.

    Parameters
    ----------
    samples
        Some rows of the file.

    Returns
    -------
    dict
        Position of a column, as text -> field; each field at most once, unknown columns left out.
    """
    known = names_of(columns)
    found: dict[int, str] = {}

    def take(place: int, field: str | None) -> None:
        if field is not None and place not in found and field not in found.values():
            found[place] = field

    titles = [glued(title) for title in header]
    for column in (one for one in columns if one.behind):
        before, short = column.behind or ("", ())
        for place, (left, title) in enumerate(pairwise(titles), start=1):
            take(place, column.name if known.get(left) == before and title in short else None)
    for place, title in enumerate(titles):
        take(place, known.get(title))
    if {"lat", "lon"} <= {column.name for column in columns}.difference(found.values()):
        for place, field in coordinates(titles, samples, found).items():
            take(place, field)
    for place, title in enumerate(titles):
        if len(title) >= 4:
            nearest = process.extractOne(title, list(known), scorer=fuzz.ratio, score_cutoff=ALIKE)
            take(place, known[nearest[0]] if nearest else None)
    for column in columns:
        if column.looks_like is None or column.name in found.values():
            continue
        shares = {place: share(column.looks_like, [row[place] for row in samples]) for place in range(len(header))}
        open_places = {place: value for place, value in shares.items() if place not in found and value >= SURE_SHARE}
        if open_places:
            take(max(open_places, key=lambda place: open_places[place]), column.name)
    return {str(place): field for place, field in sorted(found.items())}


def coordinates(
    titles: Sequence[str], samples: Sequence[Sequence[str]], taken: Container[int]
) -> dict[int, Literal["lat", "lon"]]:
    """Two free columns side by side that hold degrees: called so, or written as precisely as only those are."""
    for left, right in pairwise(range(len(titles))):
        if left in taken or right in taken:
            continue
        is_lat_first = titles[left] in LATITUDES and titles[right] in LONGITUDES
        is_lon_first = titles[left] in LONGITUDES and titles[right] in LATITUDES
        cells = [[row[place] for row in samples] for place in (left, right)]
        form = DEGREES if is_lat_first or is_lon_first else PRECISE
        shares = [[share(within(form, most), column) >= SURE_SHARE for most in (90, 180)] for column in cells]
        if not is_lon_first and shares[0][0] and shares[1][1]:
            return {left: "lat", right: "lon"}
        if not is_lat_first and shares[0][1] and shares[1][0]:
            return {left: "lon", right: "lat"}
    return {}


def within(form: re.Pattern[str], most: float) -> Callable[[str], bool]:
    """Tells numbers of a form, as far from 0 as the most at most."""
    return lambda cell: form.fullmatch(cell) is not None and abs(float(cell.replace(",", "."))) <= most


def share(looks_like: Callable[[str], bool], cells: Iterable[str]) -> float:
    """Which share of the filled cells looks like something."""
    filled = [cell for cell in cells if cell]
    return sum(map(looks_like, filled)) / len(filled) if filled else 0.0
