"""Bringing leads in from a file: upload, meaning of the columns with its dry run, apply, undo."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.imports import queries, service
from server.imports.models import ImportRun, State
from server.imports.uploads import Received, SizeChecked
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.leads.importing import routes as api
from server.leads.importing.target import TARGET
from server.web.forms import Sent, text
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/leads/import", include_in_schema=False)

ImportLeads = Annotated[Scope, requires("leads:import")]


@router.get("")
def show_imports(request: Request, scope: ImportLeads, session: Db) -> Response:
    """The upload, and the imports so far."""
    return page(request, scope, session)


def page(
    request: Request, scope: Scope, session: Session, run: ImportRun | None = None, error: WaymarkError | None = None
) -> Response:
    """The page, with what was refused."""
    runs = session.scalars(queries.runs(TARGET.kind, actor=api.whose(scope)).limit(20)).all()
    shown: dict[str, Any] = {"runs": runs, "run": run, "error": error}
    if run is not None:
        sample = queries.sample(session, run.id, 4)
        shown |= {
            "columns": [
                (str(at), title, run.mapping.get(str(at), ""), [row[at] for row in sample if at < len(row)])
                for at, title in enumerate(run.header)
            ],
            "fields": [(column.name, column.label) for column in TARGET.columns],
            "keys": TARGET.keys,
            "problems": queries.outcomes(session, run.id, problems_only=True, limit=50),
        }
    return render(request, "leads/import.html", scope, status=int(error.status) if error else 200, **shown)


@router.post("", dependencies=[SizeChecked])
def upload(request: Request, scope: ImportLeads, session: Db, upload: Received) -> Response:
    """Receive a file; nothing is changed yet."""
    try:
        with attempt(session):
            run = service.receive(session, TARGET, upload.path, file_name=upload.name, actor=scope.user_id)
    except WaymarkError as error:
        return page(request, scope, session, error=error)
    return go(f"/leads/import/{run.id}")


@router.get("/{run_id}")
def show_import(request: Request, run_id: UUID, scope: ImportLeads, session: Db) -> Response:
    """Where an import stands."""
    return page(request, scope, session, api.find(session, scope, run_id))


@router.post("/{run_id}")
def act(request: Request, run_id: UUID, scope: ImportLeads, session: Db, sent: Sent) -> Response:
    """Check the rows with these columns, apply them, or undo."""
    run = api.find(session, scope, run_id)
    try:
        with attempt(session):
            if sent.get("do") == "apply":
                scope.need_changes("lead", run.mapping.values())
                service.apply(session, TARGET, run)
            elif sent.get("do") == "undo":
                service.require_undoable(run)
                service.undo(session, TARGET, run, scope.user_id)
            elif run.state not in (State.DONE, State.UNDONE):
                mapping = {str(at): found for at in range(len(run.header)) if (found := text(sent, f"column-{at}"))}
                scope.need_changes("lead", mapping.values())
                service.configure(session, TARGET, run, mapping, {"key": text(sent, "key"), "mode": text(sent, "mode")})
                service.check(session, TARGET, run)
    except WaymarkError as error:
        session.refresh(run)
        return page(request, scope, session, run, error)
    return go(f"/leads/import/{run_id}")
