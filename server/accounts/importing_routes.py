"""JSON API of imports: upload, meaning of the columns, dry run, preview, report, apply."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from server.accounts.importing import TARGET
from server.accounts.jobs import apply_import, check_import
from server.auth.access import Scope, requires
from server.imports import queries, service
from server.imports.models import Action, ImportRun, State
from server.imports.schemas import ColumnRead, ImportCreated, ImportRead, MappingWrite, OutcomeRead
from server.imports.uploads import Received, SizeChecked
from server.jobs import defer
from server.kit.database import Db
from server.kit.paging import Limit, Page

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])

ImportAccounts = Annotated[Scope, requires("accounts:import")]
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


def created(session: Session, run: ImportRun) -> ImportCreated:
    """A received file with what its columns probably mean."""
    return ImportCreated(
        **ImportRead.model_validate(run).model_dump(),
        sample=queries.sample(session, run.id, 10),
        fields=[ColumnRead(name=column.name, label=column.label) for column in TARGET.columns],
        keys=dict(TARGET.keys),
    )


@router.post("", status_code=201, dependencies=[SizeChecked], openapi_extra=FORM)
def upload(scope: ImportAccounts, upload: Received, session: Db) -> ImportCreated:
    """Receive a CSV or XLSX file of accounts. Nothing is changed yet; the columns' meaning is guessed."""
    sheet = upload.options.get("sheet") or None
    run = service.receive(session, TARGET, upload.path, file_name=upload.name, actor=scope.user_id, sheet=sheet)
    return created(session, run)


@router.get("")
def list_imports(scope: ImportAccounts, session: Db, limit: Limit = 50) -> Page[ImportRead]:
    """The imports so far, the latest first."""
    rows = session.scalars(queries.runs(TARGET.kind).limit(limit))
    return Page(items=[ImportRead.model_validate(row) for row in rows])


@router.get("/{run_id}")
def get(run_id: UUID, scope: ImportAccounts, session: Db) -> ImportCreated:
    """Where an import stands."""
    return created(session, service.find(session, TARGET.kind, run_id))


@router.post("/{run_id}/mapping")
def set_mapping(run_id: UUID, body: MappingWrite, scope: ImportAccounts, session: Db) -> ImportRead:
    """Say what the columns mean and start the dry run; it changes nothing."""
    run = service.find(session, TARGET.kind, run_id)
    options = body.model_dump(exclude={"mapping"}, exclude_none=True, mode="json")
    service.configure(session, TARGET, run, body.mapping, options)
    if run.row_count <= INLINE_ROWS:
        service.check(session, TARGET, run)
    else:
        run.state, run.done_rows = State.CHECKING, 0
        defer(session, check_import, key=f"check_import:{run.id}", run_id=str(run.id))
    return ImportRead.model_validate(run)


@router.post("/{run_id}/apply")
def apply(run_id: UUID, scope: ImportAccounts, session: Db) -> ImportRead:
    """Apply a checked import: all of it or nothing. Large files are applied in the background."""
    run = service.find(session, TARGET.kind, run_id)
    service.require_checked(run)
    if run.state in (State.APPLYING, State.DONE):
        return ImportRead.model_validate(run)
    if run.row_count <= INLINE_ROWS:
        service.apply(session, TARGET, run)
    else:
        run.state, run.done_rows = State.APPLYING, 0
        defer(session, apply_import, key=f"apply_import:{run.id}", run_id=str(run.id))
    return ImportRead.model_validate(run)


@router.get("/{run_id}/rows")
def preview(
    run_id: UUID,
    scope: ImportAccounts,
    session: Db,
    action: Annotated[Action | None, Query(description="Only rows of which this becomes.")] = None,
    problems: Annotated[bool, Query(description="Only rows with a problem.")] = False,
    after: Annotated[int, Query(ge=0, description="Rows after this row number.")] = 0,
    limit: Limit = 100,
) -> Page[OutcomeRead]:
    """What becomes of the rows, with before and after of every changed field."""
    service.find(session, TARGET.kind, run_id)
    rows = queries.outcomes(session, run_id, action=action, problems_only=problems, after=after, limit=limit)
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
    run = service.find(session, TARGET.kind, run_id)
    lines = list(queries.report(session, run, errors_only=not warnings))
    name = f"{run.file_name.rpartition('.')[0] or run.file_name}-problems.csv".encode("ascii", "replace").decode()
    headers = {"Content-Disposition": f'attachment; filename="{name.replace(chr(34), "_")}"'}
    return StreamingResponse(encoded(lines), media_type="text/csv; charset=utf-8", headers=headers)


def encoded(lines: list[str]) -> Iterator[bytes]:
    """Lines as bytes, with the mark by which spreadsheets know UTF-8."""
    yield b"\xef\xbb\xbf"
    yield from (line.encode() for line in lines)
