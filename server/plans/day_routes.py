"""JSON API of the running day: warnings, the rest planned anew, a sick rep's visits given to others."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from geo.types import LonLat
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.plans import alarms, queries, replanning
from server.plans.day_schemas import AbsenceRequest, DayWarnings, Proposal, ReplanRequest

router = APIRouter(prefix="/api/v1", tags=["plans"])

ReadPlans = Annotated[Scope, requires("plans:read")]
WritePlans = Annotated[Scope, requires("plans:write")]


@router.get("/days/{day}/reps/{rep_id}/warnings")
def get_warnings(day: date, rep_id: UUID, scope: WritePlans, session: Db) -> DayWarnings:
    """When the rep has to leave, and who will be reached late or missed, by the reports so far and the clock."""
    return alarms.day_warnings(session, replanning.day_of(session, scope, [rep_id], day))


@router.post("/days/{day}/reps/{rep_id}/replan", status_code=201)
def replan_day(day: date, rep_id: UUID, body: ReplanRequest, scope: WritePlans, session: Db) -> Proposal:
    """Propose the rest of the day anew. Nothing changes until the plan is published."""
    position = LonLat(body.position.lon, body.position.lat) if body.position else None
    plan = replanning.replan_day(session, scope, rep_id, day, position=position, pinned=body.pinned, fill=body.fill)
    return Proposal.of(plan)


@router.post("/days/{day}/reps/{rep_id}/absence", status_code=201)
def report_absence(day: date, rep_id: UUID, body: AbsenceRequest, scope: WritePlans, session: Db) -> Proposal:
    """Propose who takes over what the rep must do. Nothing changes until the plan is published."""
    return Proposal.of(replanning.absence(session, scope, rep_id, day, neighbour_ids=body.neighbour_ids))


@router.get("/plans/{plan_id}/changes")
def get_changes(plan_id: UUID, scope: ReadPlans, session: Db) -> Proposal:
    """What a proposal changes of the day that people know."""
    return Proposal.of(queries.find(session, scope, plan_id))
