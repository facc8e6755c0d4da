"""The search at the top of every page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from server.accounts import queries
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.web.pages import render

router = APIRouter(include_in_schema=False)


@router.get("/search")
def search(
    request: Request,
    scope: Annotated[Scope, requires("accounts:read")],
    session: Db,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """A fragment: the first accounts that fit."""
    found = queries.page(session, scope, search=q, limit=8) if q.strip() else None
    return render(request, "parts/found.html", scope, found=found, q=q)
