"""About how many rows a long list has, by a sample of its table's pages instead of reading them all."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tablesample
from sqlalchemy.orm import Session

ENOUGH = 50
"""So many rows of a sample must fit: "about" is then right within some fifteen percent."""
MOST_SHARE = 0.5


def about(session: Session, rows: Select[Any], share: float, *conditions: ColumnElement[bool]) -> int | None:
    """About how many rows fit; None where too few of the sample do. The sample of a table is always the same.

    The first column of `rows` is the key of the sampled table.
    """
    share = min(share, MOST_SHARE)
    key: Any = rows.selected_columns[0]
    some = tablesample(key.table, func.system(share * 100), seed=literal(1))
    drawn = rows.where(key.in_(select(some.c[key.key])), *conditions).order_by(None)
    hits = session.scalar(select(func.count()).select_from(drawn.subquery())) or 0
    return rounded(hits / share) if hits >= ENOUGH else None


def rounded(count: float) -> int:
    """Two digits are all that a sample knows."""
    return int(round(count, 2 - len(str(int(count)))))
