"""Taking back what an action on white space made; what somebody has worked on since stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity
from server.activities.agenda.models import State as ActivityState
from server.auth.access import Scope
from server.demands import queries as demand_queries
from server.demands import service as demands
from server.demands.models import DemandState, VisitDemand
from server.density import reach
from server.density.models import WhiteSpaceAction, WhiteSpaceItem
from server.density.turning import Into
from server.kit import clock
from server.kit.errors import Conflict, NotFound
from server.leads import queries as lead_queries
from server.leads import service as leads
from server.leads.models import Lead, LeadSignal, LeadState, SignalKind
from server.records.models import FieldHistory

NOBODYS_WORK = ("score", "points", "chance", "score_reasons")
"""Fields that are worked out, in whoever's request it happens."""


class NothingLeft(Conflict):
    """An action that was taken back already."""

    code: ClassVar[str] = "taken_back"


def find(session: Session, scope: Scope, action_id: UUID) -> WhiteSpaceAction:
    """An action of one's own, locked; anybody's for who sees everything."""
    action = session.get(WhiteSpaceAction, action_id, with_for_update=True)
    if action is None or (action.by != scope.user_id and not reach.of(session, scope).everywhere):
        raise NotFound("There is no such action.", id=str(action_id))
    return action


def undo(session: Session, scope: Scope, action_id: UUID) -> dict[str, int]:
    """Take back what an action made; what somebody has begun to work stays and is counted.

    Refuses an action of somebody else's, and one that was taken back already.
    """
    action = find(session, scope, action_id)
    if action.undone_at is not None:
        raise NothingLeft("This was taken back already.", help="Make it again from the map.")
    session.flush()
    ids = list(session.scalars(select(WhiteSpaceItem.row_id).where(WhiteSpaceItem.action_id == action.id)))
    left = sorted(set(ids) - _worked_on(session, ids, action.at))
    taken = {Into.LEADS: _undo_leads, Into.TASKS: _undo_tasks, Into.VISITS: _undo_visits}[Into(action.kind)](
        session, scope, left
    )
    action.undone_at = clock.now()
    session.flush()
    return {"taken_back": taken, "kept": len(ids) - taken}


def _worked_on(session: Session, ids: Sequence[UUID], since: datetime) -> set[UUID]:
    """Rows that a person has changed since a moment, and leads of which something was heard or done."""
    changed = select(FieldHistory.row_id).where(
        FieldHistory.row_id.in_(ids),
        FieldHistory.at > since,
        FieldHistory.actor.is_not(None),
        FieldHistory.field.not_in(NOBODYS_WORK),
    )
    heard = select(LeadSignal.lead_id).where(LeadSignal.lead_id.in_(ids), LeadSignal.kind != SignalKind.MAP)
    planned = select(Activity.lead_id).where(Activity.lead_id.in_(ids), Activity.deleted_at.is_(None))
    return {
        row_id for statement in (changed, heard, planned) for row_id in session.scalars(statement) if row_id is not None
    }


def _undo_leads(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    rows = lead_queries.visible_to(scope, "leads:write").where(Lead.id.in_(ids), Lead.state == LeadState.NEW)
    found = session.scalars(rows).all()
    for lead in found:
        leads.delete(session, scope, lead.id)
    return len(found)


def _undo_tasks(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    scope.need("activities:write")
    rows = session.scalars(
        select(Activity).where(
            Activity.id.in_(ids), Activity.state == ActivityState.OPEN, Activity.deleted_at.is_(None)
        )
    ).all()
    for row in rows:
        agenda.remove(session, row)
    return len(rows)


def _undo_visits(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    statement = demand_queries.visible_to(scope, "demands:write").where(
        VisitDemand.id.in_(ids), VisitDemand.state == DemandState.OPEN
    )
    rows = session.scalars(statement).all()
    for row in rows:
        demands.take_back(session, scope, row.id)
    return len(rows)
