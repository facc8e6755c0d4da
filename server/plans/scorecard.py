"""How good a plan is, and how it went: every figure is a sum over the plan's own rows."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities.models import Visit, VisitState
from server.auth.access import Scope
from server.plans import board, queries
from server.plans.board_schemas import BoardRead
from server.plans.models import Route, Stop
from server.plans.queries import RouteView

PUNCTUAL_S = 900
"""An arrival this much before or after the planned one counts as punctual."""


class Score(BaseModel):
    """The figures of one rep, or of all."""

    visits: int
    drive_s: int = Field(description="Driving, all legs.")
    service_s: int = Field(description="Time at customers.")
    wait_s: int = Field(description="Time at doors before a visit begins, breaks left out.")
    work_s: int = Field(description="From leaving to coming back, breaks left out.")
    distance_m: int
    value_s: int = Field(description="What the visits are worth, in seconds of driving.")
    drive_share: float | None = Field(description="Driving as a share of the working time.")
    value_per_drive_hour: float | None = Field(description="Worth of the visits, in hours, for each hour of driving.")
    median_slack_s: int | None = Field(description="Half of the visits could begin later by this much or more.")
    tight: int = Field(description="Visits that could begin at most 10 minutes later.")
    arrived: int = Field(description="Visits with a recorded arrival.")
    done: int = Field(description="Visits that were done.")
    missed: int = Field(description="Visits that were missed or cancelled.")
    median_delay_s: int | None = Field(description="Recorded less planned arrival: half came later than this.")
    punctual_share: float | None = Field(description="Arrivals at most 15 minutes from the planned one.")
    dwell_s: int | None = Field(description="Recorded less planned length of visit, the median.")


class RepScore(BaseModel):
    """The figures of one rep."""

    rep_id: UUID
    name: str
    score: Score


class Scorecard(BaseModel):
    """The figures of a plan."""

    total: Score
    reps: list[RepScore]


class _Went(BaseModel):
    """What is known of one stop."""

    planned_at: datetime
    planned_s: int
    state: str | None
    arrived_at: datetime | None
    done_at: datetime | None
    prize_s: int


def of_plan(session: Session, scope: Scope, plan_id: UUID) -> Scorecard:
    """The figures of a plan, of all reps that somebody may see and of each of them."""
    view = queries.plan_view(session, scope, plan_id)
    on_board = board.board_of(session, scope, plan_id)
    slacks = _slacks(on_board)
    went = _went(session, plan_id)
    reps = []
    for rep in on_board.reps:
        routes = [route for route in view.routes if route.rep_id == rep.id]
        if routes:
            reps.append(RepScore(rep_id=rep.id, name=rep.name, score=_score(routes, slacks, went)))
    return Scorecard(total=_score(view.routes, slacks, went), reps=reps)


def _slacks(on_board: BoardRead) -> dict[str, list[int]]:
    return {
        route.rep_day: [stop.slack_s for stop in route.stops if stop.slack_s is not None] for route in on_board.routes
    }


def _went(session: Session, plan_id: UUID) -> dict[UUID, _Went]:
    rows = session.execute(
        select(Stop, Visit.state, Visit.checked_in_at, Visit.done_at)
        .join(Route, Route.id == Stop.route_id)
        .outerjoin(Visit, Visit.id == Stop.visit_id)
        .where(Route.plan_id == plan_id)
    )
    return {
        stop.id: _Went(
            planned_at=stop.arrives_at,
            planned_s=int((stop.ends_at - stop.starts_at).total_seconds()),
            state=state,
            arrived_at=arrived_at,
            done_at=done_at,
            prize_s=stop.prize_s,
        )
        for stop, state, arrived_at, done_at in rows
    }


def _score(routes: Sequence[RouteView], slacks: dict[str, list[int]], went: dict[UUID, _Went]) -> Score:
    stops = [stop for route in routes for stop in route.stops]
    known = [went[stop.id] for stop in stops if stop.id in went]
    drive_s = sum(route.drive_s for route in routes)
    work_s = sum(_span(r.leaves_at, r.returns_at) - (r.break_s or 0 if r.break_starts_at else 0) for r in routes)
    service_s = sum(_span(stop.starts_at, stop.ends_at) for stop in stops)
    value_s = sum(one.prize_s for one in known)
    slack = [s for route in routes for s in slacks.get(board.key_of(route), [])]
    delays = [_span(one.planned_at, one.arrived_at) for one in known if one.arrived_at]
    dwells = [_span(one.arrived_at, one.done_at) - one.planned_s for one in known if one.arrived_at and one.done_at]
    return Score(
        visits=len(stops),
        drive_s=drive_s,
        service_s=service_s,
        wait_s=work_s - drive_s - service_s,
        work_s=work_s,
        distance_m=sum(route.distance_m for route in routes),
        value_s=value_s,
        drive_share=drive_s / work_s if work_s else None,
        value_per_drive_hour=value_s / drive_s if drive_s else None,
        median_slack_s=_median(slack),
        tight=sum(s < 600 for s in slack),
        arrived=len(delays),
        done=sum(one.state == VisitState.DONE for one in known),
        missed=sum(one.state in (VisitState.MISSED, VisitState.CANCELLED) for one in known),
        median_delay_s=_median(delays),
        punctual_share=sum(abs(d) <= PUNCTUAL_S for d in delays) / len(delays) if delays else None,
        dwell_s=_median(dwells),
    )


def _span(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds())


def _median(values: Sequence[int]) -> int | None:
    """The lower of the middle values."""
    return sorted(values)[(len(values) - 1) // 2] if values else None
