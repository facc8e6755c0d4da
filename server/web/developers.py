"""The JSON API as a page: every route with what it takes, from the same description that programs read."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from server.auth.access import Scope, requires
from server.web.pages import render

router = APIRouter(include_in_schema=False)

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    parameters: list[dict[str, Any]]
    has_body: bool


def operations(description: dict[str, Any]) -> dict[str, list[Operation]]:
    """The operations of an OpenAPI description by tag."""
    found: dict[str, list[Operation]] = {}
    for path, item in description["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            one = item[method]
            summary = (one.get("description") or one.get("summary") or "").split("\n\n")[0]
            known = Operation(method.upper(), path, summary, one.get("parameters", []), "requestBody" in one)
            found.setdefault((one.get("tags") or ["other"])[0], []).append(known)
    return dict(sorted(found.items()))


@router.get("/api/docs")
def show_api(request: Request, scope: Annotated[Scope, requires("users:read")]) -> Response:
    """The API's description for people."""
    return render(request, "users/api.html", scope, groups=operations(request.app.openapi()))
