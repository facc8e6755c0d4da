"""JSON API of exports: which there are, and their files."""

from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from routing.export.types import MEDIA_TYPES
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.plans.exporting import folders, jobs, service
from server.plans.exporting.schemas import ExportDayRead, ExportRead, ExportsAsked

router = APIRouter(prefix="/api/v1/exports", tags=["exports"])

Read = Annotated[Scope, requires("exports:read")]
Write = Annotated[Scope, requires("exports:write")]


@router.get("")
def list_days(scope: Read, session: Db) -> Page[ExportDayRead]:
    """The days that have exports, latest first."""
    logins = service.visible_logins(session, scope)
    counts = {day: sum(export.login in logins for export in folders.exports_of(day)) for day in folders.days()}
    return Page(items=[ExportDayRead(day=day, reps=reps) for day, reps in counts.items() if reps])


@router.get("/{day}")
def list_exports(day: date, scope: Read, session: Db) -> Page[ExportRead]:
    """The exports of a day, one per rep, with their files and hashes."""
    logins = service.visible_logins(session, scope)
    return Page(items=[ExportRead.of(export) for export in folders.exports_of(day) if export.login in logins])


@router.post("/{day}", status_code=202)
def ask(day: date, scope: Write, session: Db) -> ExportsAsked:
    """Write the exports of a day anew, in the background."""
    return ExportsAsked(day=day, reps=jobs.defer_day(session, day))


@router.get("/{day}/{login}/files/{name}")
def download(day: date, login: str, name: str, request: Request, scope: Read, session: Db) -> Response:
    """One file of an export."""
    export = service.visible_export(session, scope, day, login)
    path = export.file(name)
    headers = _headers(f"{export.etag}-{Path(name).suffix[1:]}")
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, filename=name, media_type=MEDIA_TYPES[path.suffix[1:]], headers=headers)


@router.get("/{day}/{login}/zip")
def download_zip(day: date, login: str, request: Request, scope: Read, session: Db) -> Response:
    """All files of an export in one archive."""
    export = service.visible_export(session, scope, day, login)
    headers = _headers(f"{export.etag}-zip")
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{day}-{export.folder.name}.zip"'
    return Response(export.zipped(), media_type="application/zip", headers=headers)


def _headers(version: str) -> dict[str, str]:
    """Files hold what people wrote: they are saved, never run in our own pages."""
    return {"ETag": f'"{version}"', "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
