"""Pages by cursor: an opaque text that holds the sort keys of the last row seen."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from server.kit.errors import BadRequest

Limit = Annotated[int, Query(ge=1, le=500, description="Rows of one page.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next_cursor` of the page before.")]

Exact = Annotated[
    bool, Query(description="Count a very long list to the end, instead of saying about how many; may take seconds.")
]


class Page[T](BaseModel):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = None
    """Hand it in as `cursor` for the next page; null at the end."""
    total: int | None = None
    """How many rows match, where that is cheap to know."""
    total_is_estimated: bool = False
    """Of a very long list the total is about right, not exact."""


def encode_cursor(keys: Sequence[Any]) -> str:
    """The cursor after a row with these sort keys (JSON-able)."""
    text = json.dumps(list(keys), separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, keys: int) -> list[Any] | None:
    """The sort keys inside a cursor; refuses what `encode_cursor` did not write."""
    if not cursor:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadRequest("The cursor is not one of ours.", help="Start again without a cursor.") from error
    if not isinstance(values, list) or len(values) != keys:
        raise BadRequest("The cursor belongs to another list.", help="Start again without a cursor.")
    return values
