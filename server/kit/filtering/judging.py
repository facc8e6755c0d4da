"""Filters that ask of other rooms' rows, in large lists: how many fit, without reading all those rows twice.

Few candidates are judged one by one. Of many a sample of the table's pages is judged: where enough of it fits, the list
says about how many, and the page asks only until it is full. What is rare is gathered once, and its ids are kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import Session

from server.kit.filtering import guard
from server.kit.filtering.fields import Vocabulary
from server.kit.filtering.guard import Total, estimate
from server.kit.filtering.nodes import Aggregate, All, Between, Comparison, Emptiness, Membership, Node, Related, walk
from server.kit.filtering.sampling import about

FEW_CANDIDATES = 15_000
"""So many objects are judged one by one."""
SAMPLE = 3_000
"""Candidates that are judged to say about how many fit."""


@dataclass(frozen=True)
class Judged:
    """What is known before the page is read."""

    total: Total | None = None
    """None: it costs little, and is counted with the page."""
    ids: list[UUID] | None = None
    """All that fit, where they are few enough to be kept."""
    one_by_one: bool = False
    """Many fit: the page is soon full when each is asked in the page's order."""


def asks_of_rows(tree: Node, vocabulary: Vocabulary) -> bool:
    """Whether a filter asks anything of rows that hang on its objects."""
    return any(of_rows(node, vocabulary) for node in walk(tree))


def of_rows(node: Node, vocabulary: Vocabulary) -> bool:
    """Whether this very node does."""
    match node:
        case Related() | Aggregate():
            return True
        case Comparison(field=name) | Between(field=name) | Membership(field=name) | Emptiness(field=name):
            return name not in vocabulary.fields and name.partition(".")[0] in vocabulary.relations
    return False


def judged(
    session: Session,
    tree: Node,
    vocabulary: Vocabulary,
    compiled: Callable[[Node, bool], ColumnElement[bool]],
    *,
    gathered: Select[Any],
    everything: Select[Any],
    cost: float,
    exact: bool = False,
) -> Judged:
    """How many of the objects a filter finds, in the way that costs least.

    `compiled` makes a condition of a part of the filter, its flag says one by one or all at once; `gathered` selects
    the ids that the filter finds, all at once, and `everything` those of the list without it; `cost` is what the
    planner expects of `gathered`.
    """
    if cost < guard.DEAR_COST or not asks_of_rows(tree, vocabulary):
        return Judged()
    parts = tree.children if isinstance(tree, All) else (tree,)
    cheap = [compiled(part, False) for part in parts if not asks_of_rows(part, vocabulary)]
    candidates = estimate(session, everything.where(*cheap)).rows
    each = everything.where(compiled(tree, True))
    if candidates > FEW_CANDIDATES:
        found = None if exact else about(session, everything, SAMPLE / candidates, compiled(tree, True))
        if found is not None:
            return Judged(Total(found, is_estimated=True), one_by_one=True)
        each = gathered
    ids = kept(session, each)
    if len(ids) <= guard.EXACT_UP_TO:
        return Judged(Total(len(ids)), ids)
    counted = guard.counted(session, gathered) if exact else guard.total(session, gathered)
    return Judged(counted, one_by_one=True)


def kept(session: Session, rows: Select[Any]) -> list[UUID]:
    """The ids that a statement finds, up to the bound of exact counts."""
    return list(session.scalars(rows.order_by(None).limit(guard.EXACT_UP_TO + 1)))
