"""Keeps a filter from scanning everything while somebody waits: the planner's estimate is asked first, and what it
did not foresee is stopped after some seconds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate

from psycopg.errors import QueryCanceled
from sqlalchemy import ClauseElement, ColumnElement, Executable, Select, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import InternalTraversal

from server.kit.errors import Invalid
from server.kit.filtering import sampling
from server.kit.filtering.nodes import All, AnyOf, Comparison, Node, Not
from server.kit.filtering.writing import write
from server.kit.settings import settings

MOST_COST = 3_000_000.0
"""In the planner's units; a scan of a million accounts with their sites costs some 200,000."""
DEAR_COST = 30_000.0
"""What costs less is counted as it is."""
SAMPLE = 500
"""Rows that a sample should find to say about how many there are."""
EXACT_UP_TO = 10_000
"""Counts are exact up to here; beyond, a large list says "about"."""


class TooExpensive(Invalid):
    """The filter would keep the database busy for too long while somebody waits."""

    code = "filter_too_expensive"


class TooSlow(Invalid):
    """The list was stopped: it took the database longer than somebody should wait."""

    code = "filter_too_slow"

    def __init__(self, wished: str, wait_s: float) -> None:
        wait = f"{wait_s:g} s"
        super().__init__(
            f"“{wished}” was still searching after {wait} and was stopped."
            if wished
            else f"The list was still searching after {wait} and was stopped.",
            help="Narrow it with a condition on a field of the list itself: a name, a number, an owner or a day.",
            **({"part": wished} if wished else {}),
        )


@dataclass(frozen=True)
class Total:
    """How many rows a list has."""

    count: int
    is_estimated: bool = False
    is_bound: bool = False
    """There are more than that, nobody has counted how many."""


@dataclass(frozen=True)
class Estimate:
    """What the planner expects."""

    cost: float
    rows: int


class Explained(Executable, ClauseElement):
    """A statement that is only planned; kept compiled as the statement itself would be."""

    inherit_cache = True
    _traverse_internals = [("statement", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 (as SQLAlchemy wants it)
    _all_selected_columns = ()

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
) -> Estimate:
    """Refuse a filter whose statement is too expensive, naming the part that is; else say what the planner expects.

    `condition` compiles a part of the filter, `everything` is the list without it.
    """
    limit = MOST_COST if most is None else most
    expected = estimate(session, statement)
    if expected.cost <= limit:
        return expected
    parts = tree.children if isinstance(tree, All) else (tree,)
    worst = max(parts, key=lambda part: estimate(session, everything.where(condition(part))).cost)
    raise TooExpensive(
        f"The filter would search too much; its most expensive part is “{write(worst)}”.",
        help="Narrow it with a condition on a field of the list itself.",
        part=write(worst),
    )


def counted(session: Session, statement: Select[Any]) -> Total:
    """How many rows a statement finds, counted to the end."""
    return Total(session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0)


def total(session: Session, statement: Select[Any], expected: Estimate | None = None) -> Total:
    """How many rows a statement finds: exact up to a bound, beyond it about; `expected` where the planner was asked."""
    rows = statement.order_by(None)
    expected = expected or estimate(session, rows)
    if expected.cost >= DEAR_COST and expected.rows >= 2 * EXACT_UP_TO:
        found = sampling.about(session, rows, SAMPLE / expected.rows)
        if found is not None and found >= 2 * EXACT_UP_TO:
            return Total(found, is_estimated=True)
    counted = session.scalar(select(func.count()).select_from(rows.limit(EXACT_UP_TO + 1).subquery())) or 0
    if counted <= EXACT_UP_TO:
        return Total(counted)
    return Total(max(EXACT_UP_TO, expected.rows), is_estimated=True, is_bound=expected.rows <= counted)


def asks_for_text(tree: Node) -> bool:
    """Whether a filter asks what contains a text or begins with it."""
    match tree:
        case All(children) | AnyOf(children):
            return any(map(asks_for_text, children))
        case Not(child):
            return asks_for_text(child)
        case Comparison(operator="~" | "^"):
            return True
    return False


LIMIT = text("select current_setting('statement_timeout'), set_config('statement_timeout', :time, true)")


@contextmanager
def in_time(session: Session, wished: str = "", wait_s: float | None = None) -> Iterator[None]:
    """Stop every statement of the block that takes longer than that, a list's time when none is given; `wished` is
    the filter that is named."""
    most_s = settings().list_timeout_s if wait_s is None else wait_s
    before = session.execute(LIMIT, {"time": f"{round(most_s * 1000)}ms"}).one()[0]
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise TooSlow(wished, most_s) from error
        raise
    session.execute(LIMIT, {"time": before})


def answers_in_time[**P, T](listing: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[Session, P], T]:
    """Decorate a list: it is stopped when it takes too long, and its filter or search is named."""

    @wraps(listing)
    def page(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
        wished = kwargs.get("filter") or kwargs.get("search") or ""
        with in_time(session, str(wished)):
            return listing(session, *args, **kwargs)

    return page


def exports_in_time[**P, T](export: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[Session, P], T]:
    """Decorate an export: it may take longer than a list, not for ever."""

    @wraps(export)
    def file(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
        wished = kwargs.get("filter") or kwargs.get("search") or ""
        with in_time(session, str(wished), settings().export_timeout_s):
            return export(session, *args, **kwargs)

    return file
