"""JSON API of exports: which there are, and their files."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from routing.export.types import MEDIA_TYPES
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.plans.exporting import folders, jobs, service, whole
from server.plans.exporting.schemas import ExportDaysRead, ExportRead, ExportsAsked

router = APIRouter(prefix="/api/v1/exports", tags=["exports"])
of_plans = APIRouter(prefix="/api/v1/plans", tags=["exports"])

Read = Annotated[Scope, requires("exports:read")]
Write = Annotated[Scope, requires("exports:write")]


@router.get("")
def list_spans(scope: Read, session: Db) -> Page[ExportDaysRead]:
    """The days and weeks that have exports, latest first."""
    logins = service.visible_logins(session, scope)
    counts = {span: sum(export.login in logins for export in folders.exports_of(span)) for span in folders.spans()}
    return Page(items=[ExportDaysRead.of(span, reps) for span, reps in counts.items() if reps])


@router.get("/{span}")
def list_exports(span: str, scope: Read, session: Db) -> Page[ExportRead]:
    """The exports of a day, or of some days, one per rep, with their files and hashes."""
    logins, found = service.visible_logins(session, scope), folders.exports_of(service.span_of(span))
    return Page(items=[ExportRead.of(export) for export in found if export.login in logins])


@router.post("/{span}", status_code=202)
def ask(span: str, scope: Write, session: Db) -> ExportsAsked:
    """Write the exports of a day, or of some days, anew, in the background; targets get them when they differ."""
    return ExportsAsked(span=span, reps=jobs.defer_span(session, service.span_of(span)))


@router.get("/{span}/{login}/files/{name}")
def download(span: str, login: str, name: str, request: Request, scope: Read, session: Db) -> Response:
    """One file of an export."""
    export = service.visible_export(session, scope, service.span_of(span), login)
    path = export.file(name)
    headers = _headers(f"{export.etag}-{Path(name).suffix[1:]}")
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, filename=name, media_type=MEDIA_TYPES[path.suffix[1:]], headers=headers)


@router.get("/{span}/{login}/zip")
def download_zip(span: str, login: str, request: Request, scope: Read, session: Db) -> Response:
    """All files of an export in one archive."""
    export = service.visible_export(session, scope, service.span_of(span), login)
    headers = _headers(f"{export.etag}-zip")
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{span}-{export.folder.name}.zip"'
    return Response(export.zipped(), media_type="application/zip", headers=headers)


@of_plans.get("/{plan_id}/zip")
def download_plan(plan_id: UUID, request: Request, scope: Read, session: Db) -> Response:
    """The files of all reps and days of a published plan in one archive, with a manifest; 409 while any is missing."""
    span, found = whole.exports_of_plan(session, scope, plan_id)
    headers = _headers(f"{whole.revision(found)[:32]}-zip")
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="plan-{span}.zip"'
    made = whole.archive(span, found)
    return StreamingResponse(whole.pieces(made), media_type="application/zip", headers=headers)


def _headers(version: str) -> dict[str, str]:
    """Files hold what people wrote: they are saved, never run in our own pages."""
    return {"ETag": f'"{version}"', "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
