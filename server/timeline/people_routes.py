"""JSON API of what happened with a person."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Cursor, Page
from server.timeline import people
from server.timeline.schemas import EntryRead

router = APIRouter(prefix="/api/v1/contacts/{contact_id}/timeline", tags=["timeline"])


@router.get("")
def get_timeline(
    contact_id: UUID,
    scope: Annotated[Scope, requires("contacts:read")],
    session: Db,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[EntryRead]:
    """What happened with a person at any account that you may see, the latest first."""
    found = people.page(session, scope, contact_id, cursor=cursor, limit=limit)
    return Page(items=[EntryRead.model_validate(one) for one in found.entries], next_cursor=found.next_cursor)
