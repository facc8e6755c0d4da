"""JSON API of the global search."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.search import queries

router = APIRouter(prefix="/api/v1/search", tags=["search"])

ReadAccounts = Annotated[Scope, requires("accounts:read")]


class HitRead(BaseModel):
    """Something that was found."""

    kind: str
    id: UUID
    title: str
    detail: str | None
    path: str


@router.get("")
def search(
    scope: ReadAccounts,
    session: Db,
    q: Annotated[
        str, Query(max_length=200, description="Names, numbers, phones, mails, addresses; slips are forgiven.")
    ],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[HitRead]:
    """The best hits among what you may see."""
    found = queries.search(session, scope, q, limit=limit)
    return [HitRead(kind=h.kind.name, id=h.row_id, title=h.title, detail=h.detail, path=h.path) for h in found]
