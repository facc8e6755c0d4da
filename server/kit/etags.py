"""Revisions over HTTP: the ETag of a record is its revision, and a change says which revision it was made on."""

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Response

from server.kit.errors import BadRequest, WaymarkError


class RevisionMissing(WaymarkError):
    """A change that does not say what it was made on."""

    code = "revision_missing"
    status = HTTPStatus.PRECONDITION_REQUIRED


def base_revision(if_match: Annotated[str | None, Header(description='The ETag of a read, e.g. "17".')] = None) -> int:
    """The revision that a change was made on, from `If-Match`. Refuses a change without one."""
    if if_match is None:
        raise RevisionMissing(
            "The change does not say which revision it was made on.",
            help='Send the ETag of your last read as If-Match, e.g. If-Match: "17".',
        )
    match = re.fullmatch(r'\s*(?:W/)?"?(\d{1,18})"?\s*', if_match)
    if match is None:
        raise BadRequest(f"If-Match “{if_match[:60]}” is not the ETag of a record.", help='It looks like "17".')
    return int(match[1])


def known_revision(
    if_match: Annotated[
        str | None, Header(description='The ETag of a read, e.g. "17"; left out: whatever is there.')
    ] = None,
) -> int | None:
    """The revision that a change was made on when `If-Match` tells it."""
    return None if if_match is None else base_revision(if_match)


BaseRevision = Annotated[int, Depends(base_revision)]
"""A handler's base revision: `def handler(base: BaseRevision)`."""

KnownRevision = Annotated[int | None, Depends(known_revision)]
"""A handler's base revision where a change may also make what is not there yet."""


def tag(response: Response, rev: int) -> None:
    """Put a record's revision into the answer's ETag."""
    response.headers["ETag"] = f'"{rev}"'
