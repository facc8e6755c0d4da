"""JSON API of the catalogue's imports: upload with a dry run, report, apply, undo."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.imports import queries, service
from server.imports.models import ImportRun
from server.imports.schemas import ImportRead, OutcomeRead
from server.imports.uploads import Received, SizeChecked
from server.kit.database import Db
from server.kit.paging import Limit, Page
from server.products.importing.target import TARGET

router = APIRouter(prefix="/api/v1/product-imports", tags=["products"])

WriteProducts = Annotated[Scope, requires("products:write")]


def find(session: Session, run_id: UUID) -> ImportRun:
    """An import of products."""
    return service.find(session, TARGET.kind, run_id)


def receive(session: Session, scope: Scope, upload: Received) -> ImportRun:
    """Take a file in, guess its columns, and say what would become of every row."""
    run = service.receive(session, TARGET, upload.path, file_name=upload.name, actor=scope.user_id)
    options = {"mode": upload.options.get("mode") or "both", "price_list": upload.options.get("price_list") or None}
    service.configure(session, TARGET, run, dict(run.mapping), options)
    service.check(session, TARGET, run)
    return run


@router.post("", status_code=201, dependencies=[SizeChecked])
def upload(scope: WriteProducts, upload: Received, session: Db, request: Request) -> ImportRead:
    """Receive a CSV or XLSX file and try it; nothing is changed yet. `price_list` says where prices go."""
    del request
    return ImportRead.model_validate(receive(session, scope, upload))


@router.get("/{run_id}")
def get(run_id: UUID, _scope: WriteProducts, session: Db) -> ImportRead:
    """Where an import stands."""
    return ImportRead.model_validate(find(session, run_id))


@router.get("/{run_id}/rows")
def rows(
    run_id: UUID, _scope: WriteProducts, session: Db, problems: bool = False, after: int = 0, limit: Limit = 100
) -> Page[OutcomeRead]:
    """What becomes of each row."""
    run = find(session, run_id)
    found = queries.outcomes(session, run.id, problems_only=problems, after=after, limit=limit)
    return Page(items=[OutcomeRead.model_validate(one) for one in found])


@router.post("/{run_id}/apply")
def apply(run_id: UUID, _scope: WriteProducts, session: Db) -> ImportRead:
    """Do what the dry run promised, all of it or nothing."""
    run = find(session, run_id)
    service.apply(session, TARGET, run)
    return ImportRead.model_validate(run)


@router.post("/{run_id}/undo")
def undo(run_id: UUID, scope: WriteProducts, session: Db) -> ImportRead:
    """Take an import back, updates included; what somebody has changed since stays."""
    run = find(session, run_id)
    service.undo(session, TARGET, run, scope.user_id)
    return ImportRead.model_validate(run)
