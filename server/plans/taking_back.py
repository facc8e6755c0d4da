"""Undoing an accepted change of a running day: the routes and visits that it replaced come back."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.activities import service as activities
from server.activities.models import Visit, VisitState
from server.kit import clock
from server.kit.errors import Conflict
from server.plans.models import Plan, Route, Stop


class Overtaken(Conflict):
    """A later plan has taken the place of what should be undone."""

    code: ClassVar[str] = "plan_overtaken"


def snapshot(session: Session, routes: Sequence[Route]) -> dict[str, Any]:
    """What must be known of some routes to bring them back."""
    ids = [route.id for route in routes]
    visits = session.scalars(
        select(Visit)
        .join(Stop, Stop.visit_id == Visit.id)
        .where(Stop.route_id.in_(ids), Visit.state == VisitState.PLANNED, Visit.deleted_at.is_(None))
        .order_by(Visit.id)
    )
    return {
        "routes": [{"id": str(route.id), "published_at": _text(route.published_at)} for route in routes],
        "visits": [
            {
                "id": str(visit.id),
                "rep_id": str(visit.rep_id),
                "day": visit.day.isoformat(),
                "starts_at": _text(visit.planned_start_at),
                "ends_at": _text(visit.planned_end_at),
            }
            for visit in visits
        ],
    }


def undo(session: Session, plan: Plan) -> None:
    """Bring back what the plan replaced. Refuses when a later plan has replaced the plan itself.

    Visits that have begun or are over meanwhile keep what was reported of them.
    """
    assert plan.replaced is not None
    if any(route.deleted_at is not None for route in plan.routes):
        raise Overtaken("A later plan has taken its place.", help="Take the later one back first.")
    known = {UUID(visit["id"]) for visit in plan.replaced["visits"]}
    new = {stop.visit_id for route in plan.routes for stop in route.stops if stop.visit_id is not None} - known
    activities.withdraw(session, new)
    now = clock.now()
    _change(session, Route.id, [route.id for route in plan.routes], now)
    _change(session, Stop.route_id, [route.id for route in plan.routes], now)
    for visit in plan.replaced["visits"]:
        activities.put_back(
            session,
            UUID(visit["id"]),
            rep_id=UUID(visit["rep_id"]),
            day=date.fromisoformat(visit["day"]),
            starts_at=_moment(visit["starts_at"]),
            ends_at=_moment(visit["ends_at"]),
        )
    session.flush()
    _bring_back(session, [UUID(route["id"]) for route in plan.replaced["routes"]])


def _bring_back(session: Session, route_ids: Sequence[UUID]) -> None:
    """Routes with the stops that went with them; a stop that was taken off before stays off."""
    for route in session.scalars(select(Route).where(Route.id.in_(route_ids))):
        together = Stop.deleted_at == route.deleted_at
        _change(session, Stop.route_id, [route.id], None, together)
        _change(session, Route.id, [route.id], None)


def _change(
    session: Session,
    column: InstrumentedAttribute[UUID],
    ids: Sequence[UUID],
    deleted_at: datetime | None,
    *more: ColumnElement[bool],
) -> None:
    """Take rows off the phones, or bring them back."""
    session.execute(
        update(column.class_).where(column.in_(ids), *more).values(deleted_at=deleted_at),
        execution_options={"synchronize_session": "fetch"},
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
