"""The filters that are offered as chips: each is a term of the filter language, switched on and off in its text."""

from collections.abc import Sequence
from dataclasses import dataclass

from geo.types import LonLat
from server.kit.filtering import FilterError, Reach, parse
from server.kit.filtering.nodes import All, AnyOf, Inside, walk
from server.kit.filtering.writing import bracketed

SEPARATOR = " and "


@dataclass(frozen=True)
class Chip:
    """One chip."""

    label: str
    term: str
    is_on: bool
    toggled: str
    """The filter's text after a click."""


TERMS = (
    ("Class A", "class = A"),
    ("Class B", "class = B"),
    ("Overdue", "overdue > 0"),
    ("Customers", "status = customer"),
    ("Prospects", "status = prospect"),
    ("Never visited", "last_visit is empty"),
    ("Check the pin", "pin in (review, failed)"),
)
"""What a chip says, and the term it stands for."""


def parts_of(filter: str) -> list[str]:
    """The terms of a filter, as long as they are joined by `and` alone."""
    return [part.strip() for part in filter.split(SEPARATOR) if part.strip()]


def chips(filter: str, terms: Sequence[tuple[str, str]] = TERMS) -> list[Chip]:
    """The chips, each a label and a term, as they stand for a filter."""
    parts = parts_of(filter)
    return [
        Chip(label, term, term in parts, SEPARATOR.join(part for part in parts if part != term))
        if term in parts
        else Chip(label, term, False, SEPARATOR.join([*parts, term]))
        for label, term in terms
    ]


def asks_for_drive(filter: str) -> bool:
    """Whether the filter is about a drive somewhere."""
    try:
        return any(isinstance(node, Reach) for node in walk(parse(filter)))
    except FilterError:
        return False


def outline_of(filter: str) -> tuple[LonLat, ...]:
    """The corners of the outline that a filter asks for; nothing where it asks for none, or for several."""
    try:
        found = [node.ring for node in walk(parse(filter)) if isinstance(node, Inside)]
    except FilterError:
        return ()
    return found[0] if len(found) == 1 else ()


def is_outline(filter: str) -> bool:
    """Whether a filter asks for an outline and nothing else."""
    try:
        return isinstance(parse(filter), Inside)
    except FilterError:
        return False


def without_drive(filter: str) -> str:
    """The filter without its drives, where they stand beside other conditions."""
    try:
        tree = parse(filter)
    except FilterError:
        return ""
    parts = tree.children if isinstance(tree, All) else (tree,)
    rest = [part for part in parts if not isinstance(part, Reach)]
    return SEPARATOR.join(bracketed(part, isinstance(part, AnyOf)) for part in rest)
