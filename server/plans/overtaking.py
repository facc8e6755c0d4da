"""Whether a day has gone on since somebody proposed to change it."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.models import Visit, VisitState
from server.plans.models import Plan, Route, Stop
from server.plans.taking_back import Overtaken

AGAIN = "Refuse this proposal and plan the rest of the day anew."


def need_same_day(session: Session, plan: Plan, before: Sequence[Route]) -> None:
    """Refuse a proposal when another plan has taken the day meanwhile, or a visit has begun that it still plans."""
    made = plan.ready_at or plan.created_at
    since = select(Route.id).where(
        Route.rep_id.in_(plan.rep_ids),
        Route.day == plan.first_day,
        (Route.published_at > made) | (Route.published_at.is_not(None) & (Route.deleted_at > made)),
    )
    if session.scalars(since.limit(1)).first() is not None:
        raise Overtaken("Another plan has taken this day since the proposal was made.", help=AGAIN)
    kept = [stop.visit_id for route in plan.routes for stop in route.stops if stop.visit_id is not None]
    begun = (
        select(Account.name)
        .join(Visit, func.account_surviving(Visit.account_id) == Account.id)
        .join(Stop, Stop.visit_id == Visit.id)
        .where(
            Stop.route_id.in_([route.id for route in before]),
            Visit.state != VisitState.PLANNED,
            Visit.id.not_in(kept),
            Visit.deleted_at.is_(None),
        )
        .order_by(Stop.starts_at)
    )
    name = session.scalars(begun.limit(1)).first()
    if name is not None:
        raise Overtaken(f"The visit at {name} has begun since the proposal was made.", help=AGAIN)
