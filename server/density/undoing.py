"""Taking back what an action on white space made; what somebody has worked on since stays."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity
from server.activities.agenda.models import State as ActivityState
from server.auth.access import Scope
from server.auth.models import User
from server.demands import queries as demand_queries
from server.demands import service as demands
from server.demands.models import DemandState, VisitDemand
from server.density import offering, reach
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


REMEMBERED = 20
"""The history shows so many actions."""


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
    worked = session.execute(_worked_on().where(WhiteSpaceItem.action_id == action.id))
    left = sorted(set(ids) - {row_id for _, row_id in worked})
    taken = {Into.LEADS: _undo_leads, Into.TASKS: _undo_tasks, Into.VISITS: _undo_visits}[Into(action.kind)](
        session, scope, left
    )
    action.undone_at = clock.now()
    offering.pick_again(session)
    session.flush()
    return {"taken_back": taken, "kept": len(ids) - taken}


def _worked_on() -> Select[UUID, UUID]:
    """Action and row of what a person has changed, moved on or taken away since, and of leads that were heard of."""
    changed = select(FieldHistory.row_id).where(
        FieldHistory.row_id == WhiteSpaceItem.row_id,
        FieldHistory.at > WhiteSpaceAction.at,
        FieldHistory.actor.is_not(None),
        FieldHistory.field.not_in(NOBODYS_WORK),
    )
    heard = select(LeadSignal.id).where(LeadSignal.lead_id == WhiteSpaceItem.row_id, LeadSignal.kind != SignalKind.MAP)
    planned = select(Activity.id).where(Activity.lead_id == WhiteSpaceItem.row_id, Activity.deleted_at.is_(None))
    row_id = WhiteSpaceItem.row_id
    moved_on = (
        select(Lead.id).where(Lead.id == row_id, or_(Lead.state != LeadState.NEW, Lead.deleted_at.is_not(None))),
        select(Activity.id).where(
            Activity.id == row_id, or_(Activity.state != ActivityState.OPEN, Activity.deleted_at.is_not(None))
        ),
        select(VisitDemand.id).where(
            VisitDemand.id == row_id, or_(VisitDemand.state != DemandState.OPEN, VisitDemand.deleted_at.is_not(None))
        ),
    )
    return (
        select(WhiteSpaceItem.action_id, WhiteSpaceItem.row_id)
        .join(WhiteSpaceAction, WhiteSpaceAction.id == WhiteSpaceItem.action_id)
        .where(or_(*(one.exists() for one in (changed, heard, planned, *moved_on))))
    )


@dataclass(frozen=True)
class Past:
    """An action as the history tells it."""

    id: UUID
    into: Into
    at: datetime
    who: str | None
    """None: somebody who was erased since."""
    made: int
    worked_on: int
    """So many of them somebody has begun to work since: undo leaves these."""
    undone_at: datetime | None

    @property
    def can_be_undone(self) -> bool:
        """Whether there is anything that undo would take back."""
        return self.undone_at is None and self.made > self.worked_on


def history(session: Session, scope: Scope) -> list[Past]:
    """The last actions of one's own that made something; everybody's for who sees everything."""
    chosen = (
        select(WhiteSpaceAction, User.name)
        .outerjoin(User, User.id == WhiteSpaceAction.by)
        .where(WhiteSpaceAction.counts["made"].as_integer() > 0)
        .order_by(WhiteSpaceAction.at.desc(), WhiteSpaceAction.id)
        .limit(REMEMBERED)
    )
    if not reach.of(session, scope).everywhere:
        chosen = chosen.where(WhiteSpaceAction.by == scope.user_id)
    rows = session.execute(chosen).all()
    ids = [action.id for action, _ in rows]
    worked = Counter(one for one, _ in session.execute(_worked_on().where(WhiteSpaceItem.action_id.in_(ids))))
    return [
        Past(one.id, Into(one.kind), one.at, who, one.counts["made"], worked[one.id], one.undone_at)
        for one, who in rows
    ]


def _undo_leads(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    rows = lead_queries.visible_to(scope, "leads:write").where(Lead.id.in_(ids), Lead.state == LeadState.NEW)
    return leads.delete_many(session, scope, session.scalars(rows.with_only_columns(Lead.id)))


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
