"""Planning the same days again with a rule bent."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.jobs import defer
from server.kit.errors import Invalid, NotFound
from server.plans import queries
from server.plans.jobs import compute
from server.plans.models import Plan, PlanOccasion, PlanState, Route, Stop, Unplanned


def plan_again(session: Session, scope: Scope, plan_id: UUID, unplanned_id: UUID, choice: int) -> Plan:
    """Bend the rule that was offered for a visit and plan the same days again, from the plan as it stands.

    Refuses a plan that is not computed, and a visit or an offer that it does not have.
    """
    plan = queries.find(session, scope, plan_id, "plans:write")
    left_out = session.get(Unplanned, unplanned_id)
    if left_out is None or left_out.plan_id != plan.id:
        raise NotFound("There is no such visit in this plan.", field="unplanned_id")
    if not 0 <= choice < len(left_out.relaxations):
        raise Invalid("Nothing of this kind was offered for the visit.", help="Look at the plan again.", field="choice")
    before = plan.adjustments or {"relaxations": []}
    again = Plan(
        rep_ids=plan.rep_ids,
        first_day=plan.first_day,
        days=plan.days,
        engine=plan.engine,
        seed=plan.seed,
        seconds=plan.seconds,
        steps=plan.steps,
        requested_by=scope.user_id,
        state=PlanState.QUEUED,
        occasion=PlanOccasion.RELAXED,
        based_on=plan.id,
        adjustments={
            "relaxations": [*before["relaxations"], left_out.relaxations[choice]],
            "start": _routes_of(session, plan.id),
        },
    )
    session.add(again)
    session.flush()
    defer(session, compute, key=f"plan:{again.id}", lock=f"plan:{again.id}", plan_id=str(again.id))
    return again


def _routes_of(session: Session, plan_id: UUID) -> dict[str, list[str]]:
    """The plan as it stands, in the planner's keys."""
    rows = session.execute(
        select(Route.rep_id, Route.day, Stop.demand)
        .join(Stop, Stop.route_id == Route.id)
        .where(Route.plan_id == plan_id, Stop.demand.is_not(None))
        .order_by(Route.day, Route.rep_id, Stop.position)
    )
    routes: dict[str, list[str]] = {}
    for rep_id, day, demand in rows:
        routes.setdefault(f"{rep_id}/{day}", []).append(str(demand))
    return routes
