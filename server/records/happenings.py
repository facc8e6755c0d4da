"""What a timeline is made of: each room tells in the same columns what happened to some accounts."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, cast, func, literal, null
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Boolean, Text, Uuid

KINDS = (
    "visit", "call", "mail", "meeting", "task", "note", "file", "ticket", "order", "quote", "stage", "lead", "edit",
    "plan", "campaign", "consent", "handover",
)  # fmt: skip
"""What can happen; a kind of a room that does not exist yet has its place already."""


def happening(
    *,
    at: SQLColumnExpression[Any],
    kind: SQLColumnExpression[Any] | str,
    entity: str,
    id: SQLColumnExpression[Any],
    account_id: SQLColumnExpression[Any],
    actor_id: SQLColumnExpression[Any] | None = None,
    title: SQLColumnExpression[Any] | None = None,
    body: SQLColumnExpression[Any] | None = None,
    is_internal: SQLColumnExpression[Any] | None = None,
    facts: SQLColumnExpression[Any] | None = None,
) -> list[ColumnElement[Any]]:
    """The columns of one source of a timeline, for `select(*happening(...))`; sources are put together by union.

    A room offers `queries.happenings(scope, accounts)`, where `accounts` selects the ids of the accounts: rows that the
    person may not see are left out there. Its table needs an index on the account and the time, so that a page of a
    long timeline is read from the index of each source.

    Parameters
    ----------
    at
        When it happened, timestamptz; what is planned lies in the future.
    kind
        One of `KINDS`.
    entity
        The room's word for the row, such as `ticket`; with `id` the page finds its link and its picture.
    title, body
        What is read on the line and below it; both are searched.
    is_internal
        True for what must never be handed to the customer; null is false.
    facts
        A small JSON object with what a template shows besides, e.g. `{"state": "done"}`; amounts as text.
    """
    return [
        at.label("at"),
        (cast(literal(kind), Text) if isinstance(kind, str) else kind).label("kind"),
        cast(literal(entity), Text).label("entity"),
        id.label("id"),
        account_id.label("account_id"),
        (cast(null(), Uuid) if actor_id is None else actor_id).label("actor_id"),
        cast(null() if title is None else title, Text).label("title"),
        cast(null() if body is None else body, Text).label("body"),
        (cast(literal(False), Boolean) if is_internal is None else func.coalesce(is_internal, False)).label(
            "is_internal"
        ),
        cast(null() if facts is None else facts, JSONB).label("facts"),
    ]
