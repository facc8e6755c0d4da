"""Copies of a plan, and planning the rest of one anew: both leave the plan itself as it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.adjusting import Desk
from routing.board import Board
from routing.check import verify
from server.activities.models import Visit, VisitState
from server.auth.access import Scope
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Invalid
from server.plans import adjusting, basis, computing, queries, relaxing, versions
from server.plans.adjusting import Open
from server.plans.computing import Computed, Journey
from server.plans.jobs import plan_rest
from server.plans.models import Plan, PlanOccasion, PlanState, Route, Stop
from server.plans.versions import Kind
from server.roads import service as roads

DEFAULT_SECONDS = 10.0


def request(
    session: Session,
    scope: Scope,
    plan_id: UUID,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    way: Mapping[str, Any] | None = None,
) -> Plan:
    """Ask for a plan of the rest, with one more rule bent when a way out is given; a job computes it.

    Refuses plans without a board and those of others.
    """
    there, board = _open(session, scope, plan_id)
    limit = seconds or (None if steps else DEFAULT_SECONDS)
    plan = _twin(session, scope, there, state=PlanState.QUEUED, seconds=limit, steps=steps)
    basis.copy(session, there.plan.id, plan.id)
    board = _begun_fixed(session, there, plan, board)
    if way is not None:
        plan.occasion, plan.adjustments = PlanOccasion.RELAXED, {"relaxations": [*relaxing.bent(there.plan), way]}
        board = _room_for(there, board, way)
    versions.add(session, plan, Kind.COPIED, board, made_by=scope.user_id, detail={"version": there.version.number})
    defer(session, plan_rest, key=f"plan:{plan.id}", lock=f"plan:{plan.id}", plan_id=str(plan.id))
    return plan


def copy(session: Session, scope: Scope, plan_id: UUID) -> Plan:
    """A plan that can be changed while the other one stays in the calendar; visits that began are pinned."""
    there, board = _open(session, scope, plan_id)
    plan = _twin(session, scope, there, state=PlanState.READY, seconds=there.plan.seconds, steps=there.plan.steps)
    plan.ready_at = clock.now()
    basis.copy(session, there.plan.id, plan.id)
    board = _begun_fixed(session, there, plan, board)
    found = basis.load(session, plan.id)
    assert found is not None
    desk = Desk(adjusting.problem_of(found, board), board)
    answer = adjusting.explained(desk, board.routes)
    journey = Journey(roads.engine(session, found.blueprint.points), found.matrix)
    report = verify(desk.bound, answer)
    computing.rewrite(session, plan, Computed(found.blueprint, desk.bound, answer, report, journey), set(board.routes))
    versions.add(session, plan, Kind.COPIED, board, made_by=scope.user_id, detail={"version": there.version.number})
    return plan


def _open(session: Session, scope: Scope, plan_id: UUID) -> tuple[Open, Board]:
    there = adjusting.look(session, scope, plan_id)
    queries.find(session, scope, plan_id, "plans:write")
    return there, there.desk.board


def _twin(
    session: Session, scope: Scope, there: Open, *, state: PlanState, seconds: float | None, steps: int | None
) -> Plan:
    old = there.plan
    plan = Plan(
        rep_ids=old.rep_ids, first_day=old.first_day, days=old.days, engine=old.engine, seed=old.seed,
        seconds=seconds, steps=steps, requested_by=scope.user_id, state=state, based_on=old.id,
        adjustments=old.adjustments, segment_id=old.segment_id, filter=old.filter,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    return plan


def _room_for(there: Open, board: Board, way: Mapping[str, Any]) -> Board:
    """The board without the visit that is left out instead. Refuses what people have fixed."""
    problem, help_ = there.basis.problem, "Choose another way out, or free it first."
    if way["rep_day"] in board.locks:
        raise Invalid(f"{problem.rep_day(way['rep_day']).label} is locked.", help=help_, field="choice")
    for other in filter(None, (change["other"] for change in way["changes"])):
        if other in board.pins:
            raise Invalid(f"{problem.visit(other).label} is pinned.", help=help_, field="choice")
        board = board.without(other)
    return board


def _begun_fixed(session: Session, there: Open, plan: Plan, board: Board) -> Board:
    """Visits that have begun keep their place and their row in the calendar; days that are over are locked."""
    over = frozenset(s.key for s in there.basis.blueprint.shifts if there.over(s.key))
    rows = session.execute(
        select(Route.rep_id, Route.day, Stop.position, Visit.id)
        .join(Stop, Stop.route_id == Route.id)
        .join(Visit, Visit.id == Stop.visit_id)
        .where(Route.plan_id == there.plan.id, Visit.state != VisitState.PLANNED, Visit.deleted_at.is_(None))
    )
    begun = {board.routes[f"{rep}/{day}"][position - 1]: visit for rep, day, position, visit in rows}
    if begun:
        found = there.basis.blueprint.candidates
        placeable = tuple(replace(c, visit_id=begun.get(c.key, c.visit_id)) for c in found.placeable)
        basis.rewrite(session, plan.id, replace(there.basis.blueprint, candidates=replace(found, placeable=placeable)))
    starts = {s.visit: s.starts_s for route in there.desk.routes.values() for s in route.stops if s.visit in begun}
    return replace(
        board, starts={**board.starts, **starts}, pins=board.pins | frozenset(begun), locks=board.locks | over
    )
