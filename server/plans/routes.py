"""JSON API of plans and of the routes that count."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import Date, Uuid, cast, tuple_

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid
from server.kit.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from server.plans import again, queries, service
from server.plans.models import Plan, PlanState
from server.plans.schemas import PlanDetail, PlanRead, PlanRequest, RelaxRequest, RouteRead, plan_read

router = APIRouter(tags=["plans"])

ReadPlans = Annotated[Scope, requires("plans:read")]
WritePlans = Annotated[Scope, requires("plans:write")]


@router.post("/api/v1/plans", status_code=202)
def request_plan(body: PlanRequest, scope: WritePlans, session: Db) -> PlanRead:
    """Ask for a plan; look at it again until it is `ready` or `failed`."""
    return plan_read(service.request(session, scope, body))


@router.get("/api/v1/plans")
def list_plans(
    scope: ReadPlans,
    session: Db,
    state: PlanState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PlanRead]:
    """Plans, the latest days first."""
    statement = queries.visible_to(scope)
    if state is not None:
        statement = statement.where(Plan.state == state)
    after = decode_cursor(cursor, 2)
    if after is not None:
        there = tuple_(cast(str(after[0]), Date), cast(str(after[1]), Uuid))
        statement = statement.where(tuple_(Plan.first_day, Plan.id) < there)
    found = session.scalars(statement.order_by(Plan.first_day.desc(), Plan.id.desc()).limit(limit + 1)).all()
    page = found[:limit]
    following = encode_cursor([page[-1].first_day, page[-1].id]) if len(found) > limit else None
    return Page(items=[plan_read(plan) for plan in page], next_cursor=following)


@router.get("/api/v1/plans/{plan_id}")
def get_plan(plan_id: UUID, scope: ReadPlans, session: Db) -> PlanDetail:
    """A plan with its routes, and what was left out and why."""
    return PlanDetail.of(queries.plan_view(session, scope, plan_id))


@router.post("/api/v1/plans/{plan_id}/relaxations", status_code=202)
def relax_plan(plan_id: UUID, body: RelaxRequest, scope: WritePlans, session: Db) -> PlanRead:
    """Bend a rule for a visit that was left out and plan again; the answer is a new plan."""
    return plan_read(again.plan_again(session, scope, plan_id, body.unplanned_id, body.choice))


@router.post("/api/v1/plans/{plan_id}/publish")
def publish_plan(plan_id: UUID, scope: WritePlans, session: Db) -> PlanRead:
    """Put a plan into the calendar and on the reps' phones."""
    return plan_read(service.publish(session, scope, plan_id))


@router.delete("/api/v1/plans/{plan_id}", status_code=204)
def delete_plan(plan_id: UUID, scope: WritePlans, session: Db) -> None:
    """Cancel a plan that is computed, or take a published one out of the calendar."""
    service.delete(session, scope, plan_id)


@router.get("/api/v1/routes")
def list_routes(
    scope: ReadPlans,
    session: Db,
    first_day: date,
    last_day: Annotated[date | None, Query(description="Left out: the first day.")] = None,
) -> Page[RouteRead]:
    """The published routes of some days."""
    last = last_day or first_day
    if not timedelta(0) <= last - first_day <= timedelta(days=31):
        raise Invalid("last_day lies before first_day, or more than a month after it.", field="last_day")
    return Page(items=[RouteRead.of(route) for route in queries.routes_between(session, scope, first_day, last)])
