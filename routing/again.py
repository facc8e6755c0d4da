"""Planning the rest anew: what people fixed stays, what stands is preferred, and nothing gets worse."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from routing.adjusting import Desk
from routing.board import Board, bound
from routing.check import verify
from routing.plan import Plan, Reason, ReasonCode, Unplanned
from routing.types import Problem, Spacing, Visit

CHANGE_COST = 900
"""Another day or rep for a visit must bring more than this, in seconds of driving."""

type Solve = Callable[[Problem], Plan]


def plan_rest(problem: Problem, board: Board, solve: Solve, *, change_cost: int = CHANGE_COST) -> Plan:
    """Plan everything but locked routes and pinned stops anew.

    Parameters
    ----------
    problem : Problem
        Without what people decided by hand.
    board : Board
        What stands; its routes can be scheduled.
    solve : callable
        Plans a problem; is given the free part.
    change_cost : int
        Cost of moving a visit to another rep-day, in seconds of driving.

    Returns
    -------
    Plan
        Lawful, with every pin and locked route as it is; never worth less than what stands.
    """
    fixed = replace(board, starts={v: s for v, s in board.starts.items() if _is_fixed(board, v)})
    desk = Desk(problem, fixed)
    free = free_part(problem, fixed, change_cost)
    answer = solve(free) if free.rep_days and free.visits else Plan((), ())
    locked = [route for rep_day, route in desk.routes.items() if rep_day in board.locks]
    found = _whole(desk.bound, Plan((*locked, *answer.routes), answer.unplanned, answer.engine, answer.seed))
    stands = _whole(desk.bound, Plan(tuple(desk.routes.values()), (), answer.engine, answer.seed))
    at = {stop.visit: route.rep_day for route in found.routes for stop in route.stops}
    keeps = all(at.get(visit) == board.at[visit] for visit in board.pins if visit in board.at)
    report = verify(desk.bound, found)
    if not (keeps and report.lawful):
        return stands
    standing = verify(desk.bound, stands)
    better = (-len(report.missing), report.value.total) >= (-len(standing.missing), standing.value.total)
    return found if better else stands


def free_part(problem: Problem, board: Board, change_cost: int) -> Problem:
    """The problem without locked rep-days and their visits; visits that stand are loath to move."""
    now = bound(problem, board)
    held = {visit: rep_day for visit, rep_day in board.at.items() if rep_day in board.locks}
    visits = [_steady(v, board, change_cost) for v in now.visits if v.id not in held]
    days = sorted({d.day for d in now.rep_days})
    spacings = []
    for spacing in now.spacings:
        anchored = {i: now.rep_day(held[i]).day for i in spacing.visits if i in held}
        if anchored:
            visits = [_apart(v, spacing, anchored, days) for v in visits]
        spacings.append(replace(spacing, visits=tuple(i for i in spacing.visits if i not in held)))
    return replace(
        now,
        rep_days=tuple(d for d in now.rep_days if d.id not in board.locks),
        visits=tuple(visits),
        spacings=tuple(spacings),
        meetings=tuple(m for m in now.meetings if not held.keys() & set(m.visits)),
        nights=tuple(n for n in now.nights if n.evening not in board.locks and n.morning not in board.locks),
    )


def _is_fixed(board: Board, visit: str) -> bool:
    return visit in board.pins or board.at.get(visit) in board.locks


def _steady(v: Visit, board: Board, change_cost: int) -> Visit:
    where = board.at.get(v.id)
    return v if where is None else replace(v, keep=where, change_cost=change_cost)


def _apart(v: Visit, spacing: Spacing, anchored: dict[str, int], days: Sequence[int]) -> Visit:
    """The days of a visit that keep their distance to the fixed visits of the same customer."""
    if v.id not in spacing.visits:
        return v
    place = spacing.visits.index(v.id)

    def fits(day: int) -> bool:
        return all(
            spacing.keeps(*((there, day) if spacing.visits.index(i) < place else (day, there)))
            for i, there in anchored.items()
        )

    return replace(v, days=frozenset(d for d in days if (v.days is None or d in v.days) and fits(d)))


def _whole(problem: Problem, plan: Plan) -> Plan:
    """The plan with every visit either planned or named as left out."""
    served = {stop.visit for route in plan.routes for stop in route.stops}
    told = {u.visit: u for u in plan.unplanned}
    unknown = (Reason(ReasonCode.NOT_PLACED, "It did not stand in the plan before."),)
    left_out = tuple(told.get(v.id, Unplanned(v.id, unknown)) for v in problem.visits if v.id not in served)
    return replace(plan, unplanned=left_out)
