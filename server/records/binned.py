"""What the bin is made of: each room tells in the same columns what of its own was deleted."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, cast, literal, null
from sqlalchemy.types import Text, Uuid


def binned(
    *,
    entity: str,
    id: SQLColumnExpression[Any],
    title: SQLColumnExpression[Any],
    deleted_at: SQLColumnExpression[Any],
    account_id: SQLColumnExpression[Any] | None = None,
) -> list[ColumnElement[Any]]:
    """The columns of one kind of deleted rows, for `select(*binned(...))`; the kinds are put together by union.

    A room offers a function of the scope that selects them: only rows that the person may bring back. Its table needs
    an index on `deleted_at` where that is not null.
    """
    return [
        cast(literal(entity), Text).label("entity"),
        id.label("id"),
        cast(title, Text).label("title"),
        deleted_at.label("deleted_at"),
        (cast(null(), Uuid) if account_id is None else account_id).label("account_id"),
    ]
