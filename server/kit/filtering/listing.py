"""One page of a list of things, the same in every room: its order, its cursor, and how many there are in all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, cast, func, literal, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.kit.errors import BadRequest
from server.kit.filtering import guard
from server.kit.filtering.guard import Total
from server.kit.paging import decode_cursor, encode_cursor

FEW = 2_000
"""Rows that are put in order themselves; of more, the order of an index soon meets fifty."""
MOST_GATHERED = 200_000
"""The same of rows that contain a text."""
DEARER = 4
"""So many times the cost of counting may gathering take that is done instead; where an index has all that is asked but
what a list is sorted by, it is counted alone."""


@dataclass(frozen=True)
class Listing[R]:
    """One page of a list."""

    rows: list[R]
    next_cursor: str | None = None
    total: int = 0
    is_estimated: bool = False
    """Whether the total is about right rather than exact: of very long lists."""
    is_bound: bool = False
    """Whether there are more than the total says."""


@dataclass(frozen=True)
class Found:
    """What is on a page."""

    ids: list[UUID]
    """In their order."""
    next_cursor: str | None
    total: Total

    def among(self, id_: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        """Whether a row is on the page."""
        return id_ == any_(literal(self.ids, ARRAY(Uuid)))

    def in_order(self, rows: Iterable[Any]) -> list[Any]:
        """Rows whose first column is a thing of the page, as the page has them; what has gone meanwhile is left out."""
        by_id = {row[0].id: row for row in rows}
        return [by_id[one] for one in self.ids if one in by_id]

    def listing[R](self, rows: list[R]) -> Listing[R]:
        """The page with its rows."""
        return Listing(rows, self.next_cursor, self.total.count, self.total.is_estimated, self.total.is_bound)


def key_of[K](keys: Mapping[str, K], sort: str) -> K:
    """What a list is sorted by; `-` in front is the other way round. Refuses an unknown name."""
    key = keys.get(sort.removeprefix("-"))
    if key is None:
        raise BadRequest(f"A list cannot be sorted by “{sort}”.", help="One of: " + ", ".join(keys) + ".")
    return key


def page_of(
    session: Session,
    statement: Select[Any],
    id_: InstrumentedAttribute[UUID],
    key: ColumnElement[Any],
    *,
    sort: str,
    cursor: str | None,
    limit: int,
    total: Total | None = None,
    expected: guard.Estimate | None = None,
    exact: bool = False,
    by_text: bool = False,
) -> Found:
    """The ids of one page of what a statement selects, by `key` and then `id_`; `limit` rows at most.

    Where the planner expects few, they are gathered once, for the page and for its count, unless an index counts them
    much faster; others are counted first, unless the total is known; `expected` is given where the planner was asked.
    `exact` counts to the end, `by_text` says that a
    text is looked for in each. Refuses the cursor of another order.
    """
    after, down = decode_cursor(cursor, 3), sort.startswith("-")
    if after is not None and after[0] != sort:
        raise BadRequest("The cursor belongs to another order.", help="Start again without a cursor.")
    keyed = statement.with_only_columns(id_.label("id"), key.label("key"))
    ids, found = statement.with_only_columns(id_), None
    if total is None and exact:
        total = guard.counted(session, ids)
    if total is None:
        expected = expected or guard.estimate(session, ids)
        if expected.rows < 2 * guard.EXACT_UP_TO and guard.estimate(session, keyed).cost < DEARER * expected.cost:
            found, total = gathered(session, keyed, after, limit, down=down)
        if total is None:
            total = guard.total(session, ids, expected)
    if found is None:
        rows = first_of(keyed, total, (id_, key), after, limit, down=down, by_text=by_text)
        found = [(row_id, value) for row_id, value in session.execute(rows)]
    more = len(found) > limit
    cursor_on = encode_cursor((sort, str(found[limit - 1][1]), str(found[limit - 1][0]))) if more else None
    return Found([row_id for row_id, _ in found[:limit]], cursor_on, total)


type Keyed = list[tuple[UUID, Any]]


def gathered(
    session: Session, keyed: Select[Any], after: list[Any] | None, limit: int, *, down: bool
) -> tuple[Keyed | None, Total | None]:
    """The ids and keys of a page and how many there are in all, from one gathering; neither when the planner was wrong
    and there are many.
    """
    all_ = (
        keyed.order_by(None)
        .limit(guard.EXACT_UP_TO + 1)
        .cte("gathered")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    page = ordered(select(all_.c.id, all_.c.key), (all_.c.id, all_.c.key), after, limit, down=down).subquery("page")
    count = select(func.count().label("count")).select_from(all_).subquery("counted")
    both = select(count.c.count, page.c.id, page.c.key).select_from(count).outerjoin(page, true())
    order = (page.c.key.desc(), page.c.id.desc()) if down else (page.c.key, page.c.id)
    told = session.execute(both.order_by(*order)).all()
    if told[0][0] > guard.EXACT_UP_TO:
        return None, None
    return [(row_id, key) for _, row_id, key in told if row_id is not None], Total(told[0][0])


def first_of(
    keyed: Select[Any],
    total: Total,
    columns: tuple[Any, Any],
    after: list[Any] | None,
    limit: int,
    *,
    down: bool,
    by_text: bool,
) -> Select[Any]:
    """The same of many.

    The planner likes to walk along the order until enough rows fit. Where few fit, or where those that contain a text
    stand together far down ("Hotel ..." in a list of names), that reads everything: such rows are gathered first.
    """
    if total.count <= FEW or (by_text and total.count <= MOST_GATHERED):
        all_ = keyed.order_by(None).cte("gathered").prefix_with("MATERIALIZED", dialect="postgresql")
        keyed, columns = select(all_.c.id, all_.c.key), (all_.c.id, all_.c.key)
    return ordered(keyed, columns, after, limit, down=down)


def ordered(
    keyed: Select[Any],
    columns: tuple[Any, Any],
    after: list[Any] | None,
    limit: int,
    *,
    down: bool,
) -> Select[Any]:
    """The rows behind a cursor's place, one more than a page has."""
    id_, key = columns
    if after is not None:
        here = tuple_(key, id_)
        there = tuple_(cast(literal(str(after[1])), key.type), cast(literal(str(after[2])), id_.type))
        keyed = keyed.where(here < there if down else here > there)
    return keyed.order_by(*((key.desc(), id_.desc()) if down else (key, id_))).limit(limit + 1)
