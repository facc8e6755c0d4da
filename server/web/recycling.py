"""The bin as a page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.paging import Cursor
from server.kit.settings import settings
from server.recycling import queries, service
from server.recycling.kinds import KINDS
from server.web.forms import Sent, text
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/bin", include_in_schema=False)

WriteAccounts = Annotated[Scope, requires("accounts:write")]


@router.get("")
def show_bin(
    request: Request,
    scope: WriteAccounts,
    session: Db,
    entity: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
) -> Response:
    """What was deleted, the latest first."""
    return bin_page(request, scope, session, entity=entity, q=q, cursor=cursor)


def bin_page(
    request: Request,
    scope: Scope,
    session: Session,
    *,
    entity: str = "",
    q: str = "",
    cursor: str | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    found = queries.page(session, scope, entities=[entity] if entity else (), search=q, cursor=cursor)
    status = int(error.status) if error else 200
    more = {
        "kinds": queries.kinds_for(scope),
        "all_kinds": KINDS,
        "entity": entity,
        "q": q,
        "days": settings().bin_days,
    }
    return render(request, "bin/list.html", scope, status=status, found=found, error=error, **more)


@router.post("/{entity}/{row_id}/restore")
def restore(request: Request, entity: str, row_id: UUID, scope: WriteAccounts, session: Db, sent: Sent) -> Response:
    """Bring something back, and go to where it stands."""
    try:
        with attempt(session):
            service.restore(session, scope, entity, row_id)
    except WaymarkError as error:
        return bin_page(request, scope, session, error=error)
    return go(KINDS[entity].link.format(id=row_id, account_id=text(sent, "account_id") or ""))
