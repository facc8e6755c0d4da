"""JSON API of the bin."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Cursor, Limit, Page
from server.recycling import queries, service

router = APIRouter(prefix="/api/v1/bin", tags=["bin"])

WriteAccounts = Annotated[Scope, requires("accounts:write")]


class SinceRead(BaseModel):
    """A visit that a phone reported at an account when that lay in the bin already."""

    model_config = ConfigDict(from_attributes=True)

    day: date
    rep_name: str
    state: str
    outcome: str | None
    note: str | None


class DeletedRead(BaseModel):
    """One thing in the bin."""

    model_config = ConfigDict(from_attributes=True)

    entity: str
    id: UUID
    title: str
    deleted_at: datetime
    account_id: UUID | None
    account: str | None
    who: str | None
    visits: list[SinceRead]
    """Of an account: what was reported there since. It is in no list of visits until the account comes back."""


@router.get("")
def list_deleted(
    scope: WriteAccounts,
    session: Db,
    entity: Annotated[list[str], Query(description="account, site, note, merge, …; left out: all.")] = [],  # noqa: B006
    search: Annotated[str | None, Query(alias="q", max_length=200)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DeletedRead]:
    """What was deleted and you may bring back, the latest first."""
    found = queries.page(session, scope, entities=entity, search=search, cursor=cursor, limit=limit)
    return Page(items=[DeletedRead.model_validate(row) for row in found.rows], next_cursor=found.next_cursor)


@router.post("/{entity}/{row_id}/restore", status_code=204)
def restore(entity: str, row_id: UUID, scope: WriteAccounts, session: Db) -> Response:
    """Bring something back with what hung on it; of a merge: take it back."""
    service.restore(session, scope, entity, row_id)
    return Response(status_code=204)
