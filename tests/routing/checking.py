"""One plan of one random problem, judged by everybody who can judge it."""

from collections.abc import Iterator
from types import ModuleType

from routing.budget import Budget
from routing.check import Rule, order_is_feasible, verify
from routing.pace import UNIT
from routing.plan import Plan
from routing.solve import solve
from routing.types import Problem
from tests.routing.judge import complaints

STEPS = 150
"""Budget for one plan of a small problem."""


def faults(problem: Problem, engine: str, judge: ModuleType | None, *, seed: int = 3, steps: int = STEPS) -> list[str]:
    """What is wrong with the plan that an engine makes of a problem; a crash is a fault as well.

    The judge knows no traffic: it has nothing against plans that drive slower than it expects, and is not asked about
    those that drive faster.
    """
    try:
        plan = solve(problem, engine=engine, seed=seed, budget=Budget(steps=steps))
    except Exception as error:  # noqa: BLE001 - whatever it is, the fuzzer goes on and reports it
        return [f"{type(error).__name__}: {error}"]
    if judge is None or any(d.pace and max(d.pace.speeds) > UNIT for d in problem.rep_days):
        return [*_found(problem, plan)]
    return [*_found(problem, plan), *complaints(judge, problem, plan)]


def _found(problem: Problem, plan: Plan) -> Iterator[str]:
    report = verify(problem, plan)
    yield from (f"{v.rule}: {v}" for v in report.violations)
    left_out = {u.visit for u in plan.unplanned}
    yield from (f"{i} is missing without a word" for i in report.missing if i not in left_out)
    booked = problem.with_nights(plan.nights)
    for route in plan.routes:
        if not all(s.why for s in route.stops):
            yield f"{route.rep_day} has a stop without a reason"
        if not order_is_feasible(booked, booked.rep_day(route.rep_day), [booked.visit(s.visit) for s in route.stops]):
            yield f"{Rule.WINDOW}: {route.rep_day} has no lawful times at all"
