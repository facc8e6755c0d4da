"""JSON API of timelines."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound
from server.kit.paging import Cursor, Page
from server.records.happenings import KINDS
from server.timeline import exporting, queries
from server.timeline.queries import Wish
from server.timeline.schemas import EntryRead

router = APIRouter(prefix="/api/v1/accounts/{account_id}/timeline", tags=["timeline"])

ReadAccounts = Annotated[Scope, requires("accounts:read")]
ExportAccounts = Annotated[Scope, requires("accounts:export")]


def wished(
    kinds: Annotated[str, Query(max_length=200, description="With commas, e.g. visit,note. Left out: all.")] = "",
    people: Annotated[list[UUID], Query(description="Only what these people did.", max_length=50)] = [],  # noqa: B006
    first_day: date | None = None,
    last_day: date | None = None,
    shareable: Annotated[bool, Query(description="Only what the customer may read.")] = False,
    search: Annotated[str | None, Query(alias="q", max_length=200, description="Words in any order.")] = None,
) -> Wish:
    """What of a timeline is asked for. Refuses a kind that does not exist."""
    chosen = frozenset(kind.strip() for kind in kinds.split(",") if kind.strip())
    unknown = chosen - set(KINDS)
    if unknown:
        raise Invalid(f"There is no kind “{min(unknown)}”.", help=f"There are: {', '.join(KINDS)}.", field="kinds")
    if first_day and last_day and last_day < first_day:
        raise Invalid("The last day lies before the first.", help="Swap them.", field="last_day")
    return Wish(chosen, frozenset(people), first_day, last_day, shareable, search)


Wished = Annotated[Wish, Depends(wished)]
"""A handler's wish: `def handler(wish: Wished)`."""


@router.get("")
def get_timeline(
    account_id: UUID,
    scope: ReadAccounts,
    session: Db,
    wish: Wished,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[EntryRead]:
    """What happened at an account and at those merged into it, the latest first; planned visits lie in the future."""
    found = queries.page(session, scope, account_id, wish, cursor=cursor, limit=limit)
    return Page(items=[EntryRead.model_validate(one) for one in found.entries], next_cursor=found.next_cursor)


@router.get("/export.{kind}")
def export(account_id: UUID, kind: exporting.Format, scope: ExportAccounts, session: Db, wish: Wished) -> Response:
    """The same as CSV or PDF; with `shareable=true` nothing of ours is in it."""
    row = accounts.detail(session, scope, account_id, "accounts:export")
    if row is None:
        raise NotFound("There is no such account.", id=str(account_id))
    name = f"timeline-{accounts.today_of(scope).isoformat()}.{kind}"
    content = exporting.export(session, scope, row.account, wish, kind)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=exporting.MEDIA_TYPES[kind], headers=headers)
