"""JSON API of the plan board: looking, trying, changing, going back, planning the rest anew, comparing."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from routing.adjusting import Effect
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.plans import adjusting, board, comparing, copies, scorecard
from server.plans.adjusting import Open
from server.plans.board_schemas import (
    AgainWish,
    BackWish,
    BoardRead,
    Changed,
    ChangeWish,
    EffectRead,
    OfferRead,
    Preview,
    RouteLines,
    VersionRead,
)
from server.plans.comparing import Comparison
from server.plans.schemas import PlanRead, plan_read
from server.plans.scorecard import Scorecard

router = APIRouter(prefix="/api/v1/plans", tags=["plan board"])

ReadPlans = Annotated[Scope, requires("plans:read")]
WritePlans = Annotated[Scope, requires("plans:write")]


@router.get("/{plan_id}/board")
def get_board(plan_id: UUID, scope: ReadPlans, session: Db, response: Response) -> BoardRead:
    """A plan as a board; `ETag` is its version."""
    found = board.board_of(session, scope, plan_id)
    response.headers["ETag"] = f'"{found.version or 0}"'
    return found


@router.get("/{plan_id}/board/lines")
def get_lines(plan_id: UUID, scope: ReadPlans, session: Db, day: date) -> Page[RouteLines]:
    """The drives of one day, for a map."""
    return Page(items=board.lines_of(session, scope, plan_id, day))


@router.get("/{plan_id}/board/offers")
def get_offers(
    plan_id: UUID, scope: ReadPlans, session: Db, visit: Annotated[str, Query(description="Key of a visit.")]
) -> Page[OfferRead]:
    """Where a visit could go: the best place on each rep-day, the shortest detour first."""
    found = adjusting.offers(session, scope, plan_id, visit)
    return Page(items=[OfferRead(rep_day=o.rep_day, start_s=o.start_s, drive_s=o.drive_s) for o in found])


@router.post("/{plan_id}/board/preview")
def preview_change(plan_id: UUID, body: Preview, scope: WritePlans, session: Db) -> EffectRead:
    """What a change would do, exactly: driving, times, who becomes tight; or why it cannot be. Stores nothing."""
    there, effect = adjusting.preview(session, scope, plan_id, body.change)
    return board.effect_read(there.desk, there.version.number, effect)


@router.post("/{plan_id}/board/changes")
def make_change(plan_id: UUID, body: ChangeWish, scope: WritePlans, session: Db) -> Changed:
    """Make a change. 409 `board_changed` when somebody was faster, 409 `change_not_possible` with the reason."""
    there, effect = adjusting.change(session, scope, plan_id, body)
    return changed(session, scope, there, effect)


@router.post("/{plan_id}/board/back")
def go_back(plan_id: UUID, body: BackWish, scope: WritePlans, session: Db) -> Changed:
    """Make an earlier version the plan again; undo and redo are steps back to `undo_to` and `redo_to`."""
    there, effect = adjusting.go_back(session, scope, plan_id, body.base, body.to)
    return changed(session, scope, there, effect)


def changed(session: Db, scope: Scope, there: Open, effect: Effect) -> Changed:
    """The changed part of a board."""
    return Changed(
        effect=board.effect_read(there.desk, there.version.number, effect),
        board=board.board_of(session, scope, there.plan.id, only=set(effect.after)),
    )


@router.get("/{plan_id}/board/versions")
def list_versions(plan_id: UUID, scope: ReadPlans, session: Db) -> Page[VersionRead]:
    """The history of a plan, the latest state first."""
    return Page(items=board.history(session, scope, plan_id))


@router.post("/{plan_id}/again", status_code=202)
def plan_again(plan_id: UUID, body: AgainWish, scope: WritePlans, session: Db) -> PlanRead:
    """Plan the rest anew into a new plan: pins and locked routes stay, and what stands is preferred."""
    return plan_read(copies.request(session, scope, plan_id, seconds=body.seconds, steps=body.steps))


@router.post("/{plan_id}/copy", status_code=201)
def copy_plan(plan_id: UUID, scope: WritePlans, session: Db) -> PlanRead:
    """A copy that can be changed while the plan itself stays as it is, for instance in the calendar."""
    return plan_read(copies.copy(session, scope, plan_id))


@router.get("/{plan_id}/compare/{other_id}")
def compare_plans(plan_id: UUID, other_id: UUID, scope: ReadPlans, session: Db) -> Comparison:
    """Two plans side by side: figures, and which visits moved, came or left."""
    return comparing.compare(session, scope, plan_id, other_id)


@router.get("/{plan_id}/scorecard")
def get_scorecard(plan_id: UUID, scope: ReadPlans, session: Db) -> Scorecard:
    """How good a plan is, and how it went."""
    return scorecard.of_plan(session, scope, plan_id)
