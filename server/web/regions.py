"""The regions that everything is built from."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.regions import queries
from server.web.pages import render

router = APIRouter(prefix="/regions", include_in_schema=False)


@router.get("")
def show_regions(request: Request, scope: Annotated[Scope, requires("regions:write")], session: Db) -> Response:
    """All regions with what they hold, from when, and whom to thank."""
    return render(request, "regions/list.html", scope, regions=queries.all_regions(session))
