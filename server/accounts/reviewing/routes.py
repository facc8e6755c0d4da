"""JSON API of the review desk and of bulk repairs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from server.accounts.place_models import RepairRun, SiteChange
from server.accounts.reviewing import claims, repair_rows, repairing, repairs
from server.accounts.reviewing import desk as reviewing
from server.accounts.reviewing import queue as waiting
from server.accounts.reviewing.detectors import DETECTORS
from server.accounts.reviewing.queue import MOST, Wish
from server.accounts.reviewing.schemas import (
    CardRead,
    ChoiceWrite,
    ClaimRead,
    DecidedRead,
    DecisionWrite,
    DetectorRead,
    QueueRead,
    RepairCreate,
    RepairRead,
    RepairRowRead,
)
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Limit, Page

router = APIRouter(prefix="/api/v1", tags=["review"])

PlacePins = Annotated[Scope, requires("pins:place")]
Short = Annotated[str | None, Query(max_length=100)]


def decided(change: SiteChange) -> DecidedRead:
    """A decision as it is answered."""
    return DecidedRead.model_validate(change)


def repair(session: Session, run: RepairRun) -> RepairRead:
    """A repair as it is answered."""
    session.flush()
    session.refresh(run)
    values = {name: getattr(run, name) for name in RepairRead.model_fields if name != "counts"}
    return RepairRead(counts=repair_rows.counts(session, run.id), **values)


@router.get("/review")
def get_queue(
    scope: PlacePins,
    session: Db,
    reason: Short = None,
    grade: Short = None,
    territory: Short = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> QueueRead:
    """The sites whose pin a person should look at, most value at risk first: yearly value x how unsure the pin is."""
    return QueueRead.of(waiting.queue(session, scope, Wish(reason, grade, territory), limit=limit))


@router.get("/review/{site_id}")
def get_card(site_id: UUID, scope: PlacePins, session: Db) -> CardRead:
    """One site: what was understood of its address, and up to three candidates."""
    return CardRead.of(reviewing.card(session, scope, site_id))


@router.post("/review/{site_id}/claim")
def claim(site_id: UUID, scope: PlacePins, session: Db) -> ClaimRead:
    """Say that one looks at a site, at least every two minutes; answers who else does. It hinders nobody."""
    claims.release(session, scope)
    return ClaimRead(by=claims.claim(session, scope, site_id))


@router.post("/review/{site_id}")
def decide(site_id: UUID, body: DecisionWrite, scope: PlacePins, session: Db) -> DecidedRead:
    """Decide a site; 409 when somebody else has decided or changed it since."""
    change = reviewing.decide(session, scope, site_id, body.decision())
    claims.release(session, scope, site_id)
    return decided(change)


@router.post("/review/decisions/{change_id}/undo")
def undo_decision(change_id: UUID, scope: PlacePins, session: Db) -> DecidedRead:
    """Take a decision back; 409 when the place was changed since."""
    return decided(reviewing.undo(session, scope, change_id))


@router.get("/repairs/detectors")
def list_detectors(scope: PlacePins, session: Db) -> Page[DetectorRead]:
    """The kinds of mistakes that are looked for, with how many sites look like it."""
    found = repairs.suspects(session, scope, list(DETECTORS))
    return Page(items=[DetectorRead.of(one, found[one.name]) for one in DETECTORS.values()])


@router.get("/repairs")
def list_repairs(scope: PlacePins, session: Db, limit: Limit = 20) -> Page[RepairRead]:
    """The repairs so far, the latest first."""
    return Page(items=[repair(session, run) for run in repair_rows.runs(session, scope, limit)])


@router.post("/repairs", status_code=201)
def look(body: RepairCreate, scope: PlacePins, session: Db) -> RepairRead:
    """Look for one kind of mistake; nothing is changed yet."""
    return repair(session, repairing.look(session, scope, body.detector))


@router.get("/repairs/{run_id}")
def get_repair(run_id: UUID, scope: PlacePins, session: Db) -> RepairRead:
    """Where a repair stands."""
    return repair(session, repairs.find(session, scope, run_id))


@router.get("/repairs/{run_id}/rows")
def list_rows(
    run_id: UUID, scope: PlacePins, session: Db, first: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100
) -> Page[RepairRowRead]:
    """The sites of a repair, before and after."""
    run = repairs.find(session, scope, run_id)
    found = repair_rows.rows(session, run_id, first=first, limit=limit)
    following = str(first + limit) if len(found) == limit else None
    return Page(items=[RepairRowRead.model_validate(row) for row in found], total=run.found, next_cursor=following)


@router.patch("/repairs/{run_id}/rows")
def choose(run_id: UUID, body: ChoiceWrite, scope: PlacePins, session: Db) -> RepairRead:
    """Choose or leave out rows of a preview."""
    run = repairs.find(session, scope, run_id)
    repairs.choose(session, run, body.site_ids, is_chosen=body.is_chosen)
    return repair(session, run)


@router.post("/repairs/{run_id}/apply")
def apply(run_id: UUID, scope: PlacePins, session: Db) -> RepairRead:
    """Repair the chosen rows, all or nothing; a site that was changed since the preview is passed over."""
    run = repairs.find(session, scope, run_id)
    repairing.apply(session, scope, run)
    return repair(session, run)


@router.post("/repairs/{run_id}/undo")
def undo(run_id: UUID, scope: PlacePins, session: Db) -> RepairRead:
    """Put every place back exactly; those that somebody has changed since stay, and are counted as `kept`."""
    run = repairs.find(session, scope, run_id)
    repairs.undo(session, scope, run)
    return repair(session, run)
