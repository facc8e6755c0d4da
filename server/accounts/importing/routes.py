"""JSON API of imports: upload, meaning of the columns, dry run, preview, report, apply."""

import tempfile
from collections.abc import Iterator
from typing import IO, Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from server.accounts.importing.target import TARGET, target
from server.accounts.jobs import apply_import, check_import, undo_import
from server.auth.access import Scope, requires
from server.auth.roles import Level
from server.imports import profiles, queries, service
from server.imports.models import Action, ImportRun, State
from server.imports.schemas import (
    ColumnRead,
    ImportCreated,
    ImportRead,
    KeptRead,
    KindRead,
    MappingWrite,
    OutcomeRead,
    ProfileRead,
)
from server.imports.uploads import Received, SizeChecked
from server.jobs import defer
from server.kit.database import Db
from server.kit.paging import Limit, Page

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])

ImportAccounts = Annotated[Scope, requires("accounts:import")]
IN_MEMORY = 8_000_000
PIECE = 64 * 1024
INLINE_ROWS = 2000
"""Files up to this size are checked and applied at once, larger ones in the background."""

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}, "sheet": {"type": "string"}},
                }
            }
        },
    }
}


def whose(scope: Scope) -> UUID | None:
    """Whose imports somebody may see and undo: their own, or everybody's (None)."""
    return None if scope.level("accounts:import") >= Level.ALL else scope.user_id


def find(session: Session, scope: Scope, run_id: UUID) -> ImportRun:
    """An import that somebody may see."""
    return service.find(session, TARGET.kind, run_id, actor=whose(scope))


def created(session: Session, run: ImportRun) -> ImportCreated:
    """A received file with what its columns probably mean."""
    return ImportCreated(
        **ImportRead.model_validate(run).model_dump(),
        sample=queries.sample(session, run.id, 10),
        fields=[ColumnRead(name=column.name, label=column.label) for column in target(session).columns],
        keys=dict(TARGET.keys),
    )


@router.post("", status_code=201, dependencies=[SizeChecked], openapi_extra=FORM)
def upload(scope: ImportAccounts, upload: Received, session: Db) -> ImportCreated:
    """Receive a CSV, XLSX, GeoJSON or GeoPackage file. Nothing is changed yet; the columns' meaning is guessed."""
    sheet = upload.options.get("sheet") or None
    run = service.receive(
        session, target(session), upload.path, file_name=upload.name, actor=scope.user_id, sheet=sheet
    )
    return created(session, run)


@router.get("")
def list_imports(scope: ImportAccounts, session: Db, limit: Limit = 50) -> Page[ImportRead]:
    """The imports so far, the latest first: one's own; admins see everybody's."""
    rows = session.scalars(queries.runs(TARGET.kind, actor=whose(scope)).limit(limit))
    return Page(items=[ImportRead.model_validate(row) for row in rows])


@router.get("/profiles")
def list_profiles(scope: ImportAccounts, session: Db) -> Page[ProfileRead]:
    """The meanings of columns that people have saved under a name."""
    return Page(items=[ProfileRead.model_validate(profile) for profile in profiles.named(session, TARGET.kind)])


@router.delete("/profiles/{profile_id}", status_code=204)
def forget_profile(profile_id: UUID, scope: ImportAccounts, session: Db) -> None:
    """Delete a saved profile; imports that used it keep their columns."""
    profiles.forget(session, TARGET.kind, profile_id)


@router.get("/{run_id}")
def get(run_id: UUID, scope: ImportAccounts, session: Db) -> ImportCreated:
    """Where an import stands."""
    return created(session, find(session, scope, run_id))


@router.post("/{run_id}/mapping")
def set_mapping(run_id: UUID, body: MappingWrite, scope: ImportAccounts, session: Db) -> ImportRead:
    """Say what the columns mean and start the dry run; it changes nothing."""
    run = find(session, scope, run_id)
    scope.need_changes("account", body.mapping.values())
    options = body.model_dump(exclude={"mapping", "save_as"}, exclude_none=True, mode="json")
    service.configure(session, target(session), run, body.mapping, options, save_as=body.save_as)
    if run.row_count <= INLINE_ROWS:
        service.check(session, target(session), run)
    else:
        run.state, run.done_rows = State.CHECKING, 0
        defer(session, check_import, key=f"check_import:{run.id}", run_id=str(run.id))
    return ImportRead.model_validate(run)


@router.post("/{run_id}/apply")
def apply(run_id: UUID, scope: ImportAccounts, session: Db) -> ImportRead:
    """Apply a checked import: all of it or nothing. Large files are applied in the background."""
    run = find(session, scope, run_id)
    scope.need_changes("account", run.mapping.values())
    service.require_checked(run)
    if run.state in (State.APPLYING, State.DONE, State.UNDOING, State.UNDONE):
        return ImportRead.model_validate(run)
    if run.row_count <= INLINE_ROWS:
        service.apply(session, target(session), run)
    else:
        run.state, run.done_rows = State.APPLYING, 0
        defer(session, apply_import, key=f"apply_import:{run.id}", run_id=str(run.id))
    return ImportRead.model_validate(run)


@router.post("/{run_id}/undo")
def undo(run_id: UUID, scope: ImportAccounts, session: Db) -> ImportRead:
    """Undo an applied import, updates included. What somebody has changed since stays and is listed under `kept`."""
    run = find(session, scope, run_id)
    service.require_undoable(run)
    if run.row_count <= INLINE_ROWS:
        service.undo(session, target(session), run, scope.user_id)
    elif run.state != State.UNDOING:
        run.state, run.done_rows = State.UNDOING, 0
        defer(session, undo_import, key=f"undo_import:{run.id}", run_id=str(run.id), actor=str(scope.user_id))
    return ImportRead.model_validate(run)


@router.get("/{run_id}/kept")
def list_kept(
    run_id: UUID,
    scope: ImportAccounts,
    session: Db,
    after: Annotated[int, Query(ge=0, description="Entries after this id.")] = 0,
    limit: Limit = 100,
) -> Page[KeptRead]:
    """What the undo of an import has left as it is, and who had changed it."""
    find(session, scope, run_id)
    rows = queries.kept(session, run_id, after=after, limit=limit)
    last = str(rows[-1].id) if len(rows) == limit else None
    return Page(items=[KeptRead.model_validate(row) for row in rows], next_cursor=last)


@router.get("/{run_id}/problems")
def list_problems(run_id: UUID, scope: ImportAccounts, session: Db) -> Page[KindRead]:
    """What is wrong with the file, counted by kind."""
    find(session, scope, run_id)
    return Page(items=[KindRead.model_validate(kind) for kind in queries.kinds(session, run_id)])


@router.get("/{run_id}/rows")
def preview(
    run_id: UUID,
    scope: ImportAccounts,
    session: Db,
    action: Annotated[Action | None, Query(description="Only rows of which this becomes.")] = None,
    problems: Annotated[bool, Query(description="Only rows with a problem.")] = False,
    code: Annotated[str | None, Query(max_length=50, description="Only rows with a problem of this kind.")] = None,
    after: Annotated[int, Query(ge=0, description="Rows after this row number.")] = 0,
    limit: Limit = 100,
) -> Page[OutcomeRead]:
    """What becomes of the rows, with before and after of every changed field."""
    find(session, scope, run_id)
    rows = queries.outcomes(session, run_id, action=action, problems_only=problems, code=code, after=after, limit=limit)
    last = str(rows[-1].row_no) if len(rows) == limit else None
    return Page(items=[OutcomeRead.model_validate(row) for row in rows], next_cursor=last)


@router.get("/{run_id}/errors.csv")
def report(
    run_id: UUID,
    scope: ImportAccounts,
    session: Db,
    warnings: Annotated[bool, Query(description="Also rows that are taken with a warning.")] = True,
) -> StreamingResponse:
    """The rows with problems as CSV, to be mended and uploaded again."""
    run = find(session, scope, run_id)
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- closed when it is sent
    file.write(b"\xef\xbb\xbf")  # by which spreadsheets know UTF-8
    for line in queries.report(session, run, errors_only=not warnings):
        file.write(line.encode())
    file.seek(0)
    name = f"{run.file_name.rpartition('.')[0] or run.file_name}-problems.csv".encode("ascii", "replace").decode()
    headers = {"Content-Disposition": f'attachment; filename="{name.replace(chr(34), "_")}"'}
    return StreamingResponse(chunks(file), media_type="text/csv; charset=utf-8", headers=headers)


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece, closed at the end."""
    with file:
        while piece := file.read(PIECE):
            yield piece
