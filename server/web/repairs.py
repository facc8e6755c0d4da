"""Bulk repairs: the kinds of mistakes, a preview of each, applying and undoing it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from server.accounts import site_changes
from server.accounts.place_models import RepairRun, RepairState
from server.accounts.reviewing import repair_rows, repairing, repairs
from server.accounts.reviewing.detectors import DETECTORS
from server.accounts.values import ADDRESS
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/review/repairs", include_in_schema=False)

PlacePins = Annotated[Scope, requires("pins:place")]
ROWS = 100
WORKING = (RepairState.LOOKING, RepairState.APPLYING)


@router.get("")
def show_repairs(request: Request, scope: PlacePins, session: Db) -> Response:
    """The kinds of mistakes, and the repairs so far."""
    runs = [(run, repair_rows.counts(session, run.id)) for run in repair_rows.runs(session, scope)]
    return render(request, "review/repairs.html", scope, detectors=DETECTORS, runs=runs, error=None)


@router.get("/suspects")
def show_suspects(request: Request, scope: PlacePins, session: Db) -> Response:
    """A fragment: the kinds of mistakes with how many sites look like each."""
    found = repairs.suspects(session, scope, list(DETECTORS))
    return render(request, "review/suspects.html", scope, detectors=DETECTORS, found=found)


@router.post("")
def look(scope: PlacePins, session: Db, detector: Annotated[str, Form(max_length=50)]) -> Response:
    """Look for a mistake; nothing is changed yet."""
    return go(f"/review/repairs/{repairing.look(session, scope, detector).id}")


@router.get("/{run_id}")
def show_repair(
    request: Request, run_id: UUID, scope: PlacePins, session: Db, first: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """The preview of a repair, or what became of it."""
    return repair_page(request, scope, session, repairs.find(session, scope, run_id), first=first)


def repair_page(
    request: Request,
    scope: Scope,
    session: Session,
    run: RepairRun,
    *,
    first: int = 0,
    error: WaymarkError | None = None,
) -> Response:
    """One repair: rows before and after, and its map."""
    rows = repair_rows.rows(session, run.id, first=first, limit=ROWS)
    later = site_changes.changed_later(session, "c.run_id = :run", {"run": run.id}) if run.undone_at else []
    return render(
        request,
        "review/repair.html",
        scope,
        status=int(error.status) if error else 200,
        run=run,
        detector=DETECTORS[run.detector],
        rows=rows,
        points=[point_of(row) for row in rows if row.lon is not None or row.to_lon is not None],
        counts=repair_rows.counts(session, run.id),
        verbs=repair_rows.verbs(session, run.id),
        later=later,
        forgotten=site_changes.forgotten(session, run.id),
        first=first,
        is_working=run.state in WORKING,
        address=ADDRESS,
        error=error,
    )


def point_of(row: repair_rows.RepairRow) -> dict[str, Any]:
    """A row as the map shows it."""
    return {
        "name": row.name,
        "site": str(row.site_id),
        "before": [row.lon, row.lat] if row.lon is not None else None,
        "after": [row.to_lon, row.to_lat] if row.to_lon is not None else None,
    }


@router.get("/{run_id}/progress")
def show_progress(request: Request, run_id: UUID, scope: PlacePins, session: Db) -> Response:
    """A fragment: the work goes on; sends the browser on when it is done."""
    run = repairs.find(session, scope, run_id)
    if run.state not in WORKING:
        return Response(status_code=204, headers={"HX-Redirect": f"/review/repairs/{run_id}"})
    return render(request, "review/working.html", scope, run=run)


@router.post("/{run_id}/apply")
def apply(request: Request, run_id: UUID, scope: PlacePins, session: Db) -> Response:
    """Repair the chosen rows."""
    return step(request, run_id, scope, session, repairing.apply)


@router.post("/{run_id}/undo")
def undo(request: Request, run_id: UUID, scope: PlacePins, session: Db) -> Response:
    """Put everything back."""
    return step(request, run_id, scope, session, repairs.undo)


def step(request: Request, run_id: UUID, scope: Scope, session: Session, work: Any) -> Response:
    """Do something with a repair; a refusal is shown on its page."""
    run = repairs.find(session, scope, run_id)
    try:
        with attempt(session):
            work(session, scope, run)
    except WaymarkError as error:
        session.expire_all()
        return repair_page(request, scope, session, repairs.find(session, scope, run_id), error=error)
    return go(f"/review/repairs/{run_id}")
