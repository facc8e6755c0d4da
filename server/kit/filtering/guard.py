"""Keeps a filter from scanning everything while somebody waits: the planner's estimate is asked first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, Executable, Select, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from server.kit.errors import Invalid
from server.kit.filtering.nodes import All, Node
from server.kit.filtering.writing import write

MOST_COST = 3_000_000.0
"""In the planner's units; a scan of a million accounts with their sites costs some 200,000."""
EXACT_UP_TO = 20_000
"""Counts are exact up to here; beyond, a large list says "about"."""


class TooExpensive(Invalid):
    """The filter would keep the database busy for too long while somebody waits."""

    code = "filter_too_expensive"


@dataclass(frozen=True)
class Total:
    """How many rows a list has."""

    count: int
    is_estimated: bool = False


@dataclass(frozen=True)
class Estimate:
    """What the planner expects."""

    cost: float
    rows: int


class Explained(Executable, ClauseElement):
    """A statement that is only planned."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(Explained, "postgresql")
def explained(element: Explained, compiler: Any, **options: Any) -> str:
    """The text of an EXPLAIN."""
    return "EXPLAIN (FORMAT JSON) " + str(compiler.process(element.statement, **options))


def estimate(session: Session, statement: Select[Any]) -> Estimate:
    """The planner's estimate for a statement; nothing is run."""
    plan = session.execute(Explained(statement)).scalar_one()[0]["Plan"]
    return Estimate(float(plan["Total Cost"]), int(plan["Plan Rows"]))


def check(
    session: Session,
    statement: Select[Any],
    tree: Node,
    condition: Callable[[Node], ColumnElement[bool]],
    *,
    everything: Select[Any],
    most: float | None = None,
) -> None:
    """Refuse a filter whose statement is too expensive, naming the part that is.

    `condition` compiles a part of the filter, `everything` is the list without it.
    """
    limit = MOST_COST if most is None else most
    if estimate(session, statement).cost <= limit:
        return
    parts = tree.children if isinstance(tree, All) else (tree,)
    worst = max(parts, key=lambda part: estimate(session, everything.where(condition(part))).cost)
    raise TooExpensive(
        f"The filter would search too much; its most expensive part is “{write(worst)}”.",
        help="Narrow it with a condition on a field of the list itself.",
        part=write(worst),
    )


def total(session: Session, statement: Select[Any]) -> Total:
    """How many rows a statement finds: exact up to a bound, beyond it what the planner expects."""
    rows = statement.order_by(None)
    counted = session.scalar(select(func.count()).select_from(rows.limit(EXACT_UP_TO + 1).subquery())) or 0
    if counted <= EXACT_UP_TO:
        return Total(counted)
    return Total(max(counted, estimate(session, rows).rows), is_estimated=True)
