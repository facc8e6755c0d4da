"""Planning the same days again with a rule bent."""

from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit.errors import Invalid, NotFound
from server.plans import copies, queries
from server.plans.models import Plan, Unplanned


def plan_again(session: Session, scope: Scope, plan_id: UUID, unplanned_id: UUID, choice: int) -> Plan:
    """Bend the rule that was offered for a visit and plan the same days again, from the board as it stands.

    Refuses a plan that is not computed, a visit or an offer that it does not have, and what people have fixed.
    """
    plan = queries.find(session, scope, plan_id, "plans:write")
    left_out = session.get(Unplanned, unplanned_id)
    if left_out is None or left_out.plan_id != plan.id:
        raise NotFound("There is no such visit in this plan.", field="unplanned_id")
    if not 0 <= choice < len(left_out.relaxations):
        raise Invalid("Nothing of this kind was offered for the visit.", help="Look at the plan again.", field="choice")
    way = left_out.relaxations[choice]
    return copies.request(session, scope, plan_id, seconds=plan.seconds, steps=plan.steps, way=way)
