"""Which column holds what: told by its title, else by its values."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from rapidfuzz import fuzz, process

from server.imports.targets import Column, Missing, Target

ALIKE = 85.0
SURE_SHARE = 0.6
"""Share of filled cells that must look like a field."""


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
    for place, title in enumerate(titles):
        if len(title) >= 4:
            nearest = process.extractOne(title, list(known), scorer=fuzz.ratio, score_cutoff=ALIKE)
            take(place, known[nearest[0]] if nearest else None)
    for column in columns:
        if column.looks_like is None or column.name in found.values():
            continue
        shares = {place: share(column, [row[place] for row in samples]) for place in range(len(header))}
        open_places = {place: value for place, value in shares.items() if place not in found and value >= SURE_SHARE}
        if open_places:
            take(max(open_places, key=lambda place: open_places[place]), column.name)
    return {str(place): field for place, field in sorted(found.items())}


def share(column: Column, cells: Iterable[str]) -> float:
    """Which share of the filled cells looks like the field."""
    filled = [cell for cell in cells if cell]
    if column.looks_like is None or not filled:
        return 0.0
    return sum(column.looks_like(cell) for cell in filled) / len(filled)
