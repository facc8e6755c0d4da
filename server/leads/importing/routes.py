"""JSON API of importing leads: upload, say what the columns mean (the dry run), apply, undo."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.auth.roles import Level
from server.imports import queries, service
from server.imports.models import Action, ImportRun
from server.imports.schemas import ColumnRead, ImportCreated, ImportRead, MappingWrite, OutcomeRead
from server.imports.uploads import Received, SizeChecked
from server.kit.database import Db
from server.kit.paging import Limit, Page
from server.leads.importing.target import TARGET

router = APIRouter(prefix="/api/v1/lead-imports", tags=["leads"])

ImportLeads = Annotated[Scope, requires("leads:import")]
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
    return None if scope.level("leads:import") >= Level.ALL else scope.user_id


def find(session: Session, scope: Scope, run_id: UUID) -> ImportRun:
    """An import that somebody may see."""
    return service.find(session, TARGET.kind, run_id, actor=whose(scope))


def created(session: Session, run: ImportRun) -> ImportCreated:
    """A received file with what its columns probably mean."""
    return ImportCreated(
        **ImportRead.model_validate(run).model_dump(),
        sample=queries.sample(session, run.id, 10),
        fields=[ColumnRead(name=column.name, label=column.label) for column in TARGET.columns],
        keys=dict(TARGET.keys),
    )


@router.post("", status_code=201, dependencies=[SizeChecked], openapi_extra=FORM)
def upload(scope: ImportLeads, upload: Received, session: Db) -> ImportCreated:
    """Receive a CSV, XLSX, GeoJSON or GeoPackage file. Nothing is changed yet; the columns' meaning is guessed."""
    sheet = upload.options.get("sheet") or None
    run = service.receive(session, TARGET, upload.path, file_name=upload.name, actor=scope.user_id, sheet=sheet)
    return created(session, run)


@router.get("")
def list_imports(scope: ImportLeads, session: Db, limit: Limit = 50) -> Page[ImportRead]:
    """The imports so far, the latest first."""
    rows = session.scalars(queries.runs(TARGET.kind, actor=whose(scope)).limit(limit))
    return Page(items=[ImportRead.model_validate(row) for row in rows])


@router.get("/{run_id}")
def get(run_id: UUID, scope: ImportLeads, session: Db) -> ImportCreated:
    """Where an import stands."""
    return created(session, find(session, scope, run_id))


@router.post("/{run_id}/mapping")
def set_mapping(run_id: UUID, body: MappingWrite, scope: ImportLeads, session: Db) -> ImportRead:
    """Say what the columns mean, and see what would become of every row; it changes nothing."""
    run = find(session, scope, run_id)
    scope.need_changes("lead", body.mapping.values())
    options = body.model_dump(exclude={"mapping", "save_as"}, exclude_none=True, mode="json")
    service.configure(session, TARGET, run, body.mapping, options, save_as=body.save_as)
    service.check(session, TARGET, run)
    return ImportRead.model_validate(run)


@router.get("/{run_id}/rows")
def preview(
    run_id: UUID,
    scope: ImportLeads,
    session: Db,
    action: Annotated[Action | None, Query(description="Only rows of which this becomes.")] = None,
    problems: Annotated[bool, Query(description="Only rows with a problem.")] = False,
    after: Annotated[int, Query(ge=0, description="Rows after this row number.")] = 0,
    limit: Limit = 100,
) -> Page[OutcomeRead]:
    """What becomes of the rows, with before and after of every changed field."""
    find(session, scope, run_id)
    rows = queries.outcomes(session, run_id, action=action, problems_only=problems, after=after, limit=limit)
    last = str(rows[-1].row_no) if len(rows) == limit else None
    return Page(items=[OutcomeRead.model_validate(row) for row in rows], next_cursor=last)


@router.post("/{run_id}/apply")
def apply(run_id: UUID, scope: ImportLeads, session: Db) -> ImportRead:
    """Apply a checked import: all of it or nothing; its leads are placed, given away and scored in the background."""
    run = find(session, scope, run_id)
    scope.need_changes("lead", run.mapping.values())
    service.apply(session, TARGET, run)
    return ImportRead.model_validate(run)


@router.post("/{run_id}/undo")
def undo(run_id: UUID, scope: ImportLeads, session: Db) -> ImportRead:
    """Undo an applied import, updates included. What somebody has changed since stays."""
    run = find(session, scope, run_id)
    service.require_undoable(run)
    service.undo(session, TARGET, run, scope.user_id)
    return ImportRead.model_validate(run)
