"""JSON API of imports of every kind: upload, meaning of the columns, dry run, preview, report, apply, undo."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.exchange.jobs import apply_import, check_import, undo_import
from server.exchange.kinds import KINDS, kind_of, kinds_for, sees_all
from server.imports import guessing, profiles, queries, service
from server.imports.models import Action, ImportProfile, ImportRun, State
from server.imports.schemas import (
    ColumnRead,
    ImportCreated,
    ImportRead,
    KeptRead,
    KindRead,
    KindTold,
    MappingWrite,
    MixedRead,
    OutcomeRead,
    ProfileRead,
    WayOfReading,
)
from server.imports.targets import Target
from server.imports.uploads import Received, SizeChecked
from server.jobs import defer
from server.kit.database import Db
from server.kit.paging import Limit, Page

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])

Importing = Annotated[Scope, requires("imports:read")]
KindName = Annotated[str, Query(alias="kind", max_length=40, description="What is imported: " + ", ".join(KINDS) + ".")]
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
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "kind": {"type": "string", "enum": list(KINDS), "default": "accounts"},
                        "sheet": {"type": "string", "description": "Sheet of a workbook, layer of a GeoPackage."},
                    },
                }
            }
        },
    }
}


def find(session: Session, scope: Scope, run_id: UUID) -> ImportRun:
    """An import that somebody may see: their own, or everybody's when they import for all."""
    run = session.get(ImportRun, run_id)
    kind = KINDS.get(run.kind) if run is not None else None
    if run is None or kind is None or not scope.may(kind.permission):
        raise queries.no_such_import()
    if run.actor != scope.user_id and not sees_all(scope, kind):
        raise queries.no_such_import()
    return run


def target(session: Session, run: ImportRun) -> Target:
    """What the engine needs to know of what an import brings."""
    return KINDS[run.kind].target(session)


def seen(scope: Scope, name: str | None = None) -> Select[ImportRun]:
    """The imports that somebody may see, of one kind or of all, the latest first."""
    chosen = kinds_for(scope) if name is None else {name: kind_of(scope, name)}
    theirs = [
        ImportRun.kind == key if sees_all(scope, kind) else (ImportRun.kind == key) & (ImportRun.actor == scope.user_id)
        for key, kind in chosen.items()
    ]
    return select(ImportRun).where(or_(false(), *theirs)).order_by(ImportRun.created_at.desc(), ImportRun.id)


def created(session: Session, run: ImportRun) -> ImportCreated:
    """A received file with what its columns probably mean."""
    told, mixed = target(session, run), queries.mixed(session, run)
    return ImportCreated(
        **ImportRead.model_validate(run).model_dump(),
        sample=queries.sample(session, run.id, 10),
        fields=[ColumnRead(name=column.name, label=column.label) for column in told.columns],
        keys=dict(told.keys),
        mixed=mixed and MixedRead.model_validate(mixed),
        left_out=queries.left_out(session, run),
        areas=queries.areas(session, run),
        missing=[list(one.fields) for one in guessing.missing(told, run.mapping)],
    )


@router.post("", status_code=201, dependencies=[SizeChecked], openapi_extra=FORM)
def upload(scope: Importing, upload: Received, session: Db) -> ImportCreated:
    """Receive a CSV, XLSX, GeoJSON or GeoPackage file. Nothing is changed yet; the columns' meaning is guessed."""
    kind = kind_of(scope, upload.options.get("kind") or "accounts")
    run = service.receive(
        session,
        kind.target(session),
        upload.path,
        file_name=upload.name,
        actor=scope.user_id,
        sheet=upload.options.get("sheet") or None,
    )
    return created(session, run)


@router.get("")
def list_imports(scope: Importing, session: Db, name: KindName | None = None, limit: Limit = 50) -> Page[ImportRead]:
    """The imports so far, the latest first: one's own; who imports for all sees everybody's."""
    rows = session.scalars(seen(scope, name).limit(limit))
    return Page(items=[ImportRead.model_validate(row) for row in rows])


@router.get("/kinds")
def list_kinds(scope: Importing, session: Db) -> Page[KindTold]:
    """What you may import: its columns with the titles by which they are known, and what records are recognised by."""
    told = {name: (kind, kind.target(session)) for name, kind in kinds_for(scope).items()}
    return Page(
        items=[
            KindTold(
                name=name,
                label=kind.label,
                fields=[ColumnRead(name=column.name, label=column.label) for column in one.columns],
                keys=dict(one.keys),
                options=list(kind.options),
            )
            for name, (kind, one) in told.items()
        ]
    )


@router.get("/profiles")
def list_profiles(scope: Importing, session: Db, name: KindName = "accounts") -> Page[ProfileRead]:
    """The meanings of columns that people have saved under a name."""
    kind_of(scope, name)
    return Page(items=[ProfileRead.model_validate(profile) for profile in profiles.named(session, name)])


@router.delete("/profiles/{profile_id}", status_code=204)
def forget_profile(profile_id: UUID, scope: Importing, session: Db) -> None:
    """Delete a saved profile; imports that used it keep their columns."""
    profile = session.get(ImportProfile, profile_id)
    if profile is None or profile.kind not in kinds_for(scope):
        raise profiles.no_such_profile()
    profiles.forget(session, profile.kind, profile_id)


@router.get("/{run_id}")
def get(run_id: UUID, scope: Importing, session: Db) -> ImportCreated:
    """Where an import stands."""
    return created(session, find(session, scope, run_id))


@router.post("/{run_id}/reading")
def read_anew(run_id: UUID, body: WayOfReading, scope: Importing, session: Db) -> ImportCreated:
    """Read a received text file in another encoding or with another delimiter; the sample shows what comes of it.

    What was chosen is kept with the columns: in a profile, and for the next file with this header once it is applied.
    """
    run = find(session, scope, run_id)
    service.read_in(session, target(session, run), run, encoding=body.encoding, delimiter=body.delimiter)
    return created(session, run)


def need_fields(scope: Scope, run: ImportRun, mapping: Mapping[str, str], session: Session) -> None:
    """Refuse columns whose fields the person's role may not change."""
    columns = [column for column in target(session, run).columns if column.name in mapping.values()]
    names = {name for column in columns for name in (column.name, *column.values)}
    scope.need_changes(KINDS[run.kind].object, names)


@router.post("/{run_id}/mapping")
def set_mapping(run_id: UUID, body: MappingWrite, scope: Importing, session: Db) -> ImportRead:
    """Say what the columns mean and start the dry run; it changes nothing."""
    run = find(session, scope, run_id)
    need_fields(scope, run, body.mapping, session)
    options = body.model_dump(exclude={"mapping", "save_as"}, exclude_none=True, mode="json")
    service.configure(session, target(session, run), run, body.mapping, options, save_as=body.save_as)
    if run.row_count <= INLINE_ROWS:
        service.check(session, target(session, run), run)
    else:
        run.state, run.done_rows = State.CHECKING, 0
        defer(session, check_import, key=f"check_import:{run.id}", run_id=str(run.id))
    return ImportRead.model_validate(run)


@router.post("/{run_id}/apply")
def apply(run_id: UUID, scope: Importing, session: Db) -> ImportRead:
    """Apply a checked import: all of it or nothing. Large files are applied in the background."""
    run = find(session, scope, run_id)
    need_fields(scope, run, run.mapping, session)
    service.require_checked(run)
    if run.state in (State.APPLYING, State.DONE, State.UNDOING, State.UNDONE):
        return ImportRead.model_validate(run)
    if run.row_count <= INLINE_ROWS:
        service.apply(session, target(session, run), run)
    else:
        run.state, run.done_rows = State.APPLYING, 0
        defer(session, apply_import, key=f"apply_import:{run.id}", run_id=str(run.id))
    return ImportRead.model_validate(run)


@router.post("/{run_id}/undo")
def undo(run_id: UUID, scope: Importing, session: Db) -> ImportRead:
    """Undo an applied import, updates included. What somebody has changed since, or hung something on, stays and is
    listed under `kept`; once nothing rests on it any more, another undo takes it back.
    """
    run = find(session, scope, run_id)
    service.require_undoable(run)
    if run.row_count <= INLINE_ROWS:
        service.undo(session, target(session, run), run, scope.user_id)
    elif run.state != State.UNDOING:
        run.state, run.done_rows = State.UNDOING, 0
        defer(session, undo_import, key=f"undo_import:{run.id}", run_id=str(run.id), actor=str(scope.user_id))
    return ImportRead.model_validate(run)


@router.get("/{run_id}/kept")
def list_kept(
    run_id: UUID,
    scope: Importing,
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
def list_problems(run_id: UUID, scope: Importing, session: Db) -> Page[KindRead]:
    """What is wrong with the file, counted by kind."""
    find(session, scope, run_id)
    return Page(items=[KindRead.model_validate(kind) for kind in queries.kinds(session, run_id)])


@router.get("/{run_id}/rows")
def preview(
    run_id: UUID,
    scope: Importing,
    session: Db,
    action: Annotated[Action | None, Query(description="Only rows of which this becomes.")] = None,
    problems: Annotated[bool, Query(description="Only rows with a problem.")] = False,
    code: Annotated[str | None, Query(max_length=50, description="Only rows with a problem of this kind.")] = None,
    field: Annotated[str | None, Query(max_length=100, description="Only rows with a problem of this field.")] = None,
    after: Annotated[int, Query(ge=0, description="Rows after this row number.")] = 0,
    limit: Limit = 100,
) -> Page[OutcomeRead]:
    """What becomes of the rows, with before and after of every changed field."""
    find(session, scope, run_id)
    rows = queries.outcomes(
        session, run_id, action=action, problems_only=problems, code=code, field=field, after=after, limit=limit
    )
    last = str(rows[-1].row_no) if len(rows) == limit else None
    return Page(items=[OutcomeRead.model_validate(row) for row in rows], next_cursor=last)


@router.get("/{run_id}/errors.csv")
def report(
    run_id: UUID,
    scope: Importing,
    session: Db,
    warnings: Annotated[bool, Query(description="Also rows that are taken with a warning.")] = True,
) -> StreamingResponse:
    """The rows with problems as CSV, to be mended and uploaded again."""
    return problems_file(session, find(session, scope, run_id), errors_only=not warnings)


def problems_file(
    session: Session, run: ImportRun, *, errors_only: bool = False, said: Callable[[str], str] = str
) -> StreamingResponse:
    """The rows with problems as a file; `said` puts our words into the reader's language."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- closed when it is sent
    file.write(b"\xef\xbb\xbf")  # by which spreadsheets know UTF-8
    for line in queries.report(session, run, errors_only=errors_only, said=said):
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
