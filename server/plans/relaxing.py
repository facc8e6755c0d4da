"""Rules bent so that a visit is planned: what a plan offers, and the problem with what somebody chose of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from routing.explain import sentence
from routing.plan import Plan as Answer
from routing.relaxation import Relaxation, apply, start_with
from routing.relaxing import relaxations
from routing.types import InvalidProblem, Problem
from server.plans.models import Plan

MOST_EXPLAINED = 200
"""So many of the visits left out say what would let them in: promises first, then the most valuable."""
MOST_OFFERED = 4
"""Ways out of each."""
STEADY_COST = 900
"""What moving another customer must save, in seconds of driving, when a plan is made again."""


def ways_out(problem: Problem, answer: Answer) -> dict[str, list[dict[str, Any]]]:
    """By visit: what would let it into this answer, as it is stored."""
    left_out = sorted((problem.visit(u.visit) for u in answer.unplanned), key=lambda v: (not v.mandatory, -v.prize))
    found = relaxations(problem, answer.orders(), [v.id for v in left_out[:MOST_EXPLAINED]])
    return {visit: [_stored(problem, one) for one in offered[:MOST_OFFERED]] for visit, offered in found.items()}


def _stored(problem: Problem, one: Relaxation) -> dict[str, Any]:
    label, day = problem.rep_day(one.rep_day).label, one.rep_day.rsplit("/", 1)[-1]
    data = one.data() | {"text": sentence(problem, one), "rep_name": label.rsplit(",", 1)[0], "day": day}
    for change in data["changes"]:
        change["other_name"] = problem.visit(change["other"]).label if change["other"] else None
    return data


def adjusted(plan: Plan, problem: Problem) -> tuple[Problem, Mapping[str, Sequence[str]] | None]:
    """The problem with the rules that somebody bent for this plan, and the routes to begin with.

    What a bent rule speaks of may be gone by now (a customer visited meanwhile): then it counts no more.
    """
    if plan.adjustments is None:
        return problem, None
    start: Mapping[str, Sequence[str]] = plan.adjustments["start"]
    problem, done = _bent(problem, plan.adjustments["relaxations"])
    for relaxation in done:
        start = start_with(start, relaxation)
    known = {
        day: [visit for visit in visits if visit in problem.visit_index]
        for day, visits in start.items()
        if day in problem.rep_day_index
    }
    day_of = {visit: day for day, visits in known.items() for visit in visits}
    steady = [replace(v, keep=day_of[v.id], change_cost=STEADY_COST) if v.id in day_of else v for v in problem.visits]
    return replace(problem, visits=tuple(steady)), known


def with_bent_rules(problem: Problem, adjustments: Mapping[str, Any] | None) -> Problem:
    """The problem with the rules that somebody bent for a plan."""
    return problem if adjustments is None else _bent(problem, adjustments["relaxations"])[0]


def _bent(problem: Problem, stored: Sequence[Mapping[str, Any]]) -> tuple[Problem, list[Relaxation]]:
    """The problem with what can be bent of it, and which relaxations that were."""
    done = []
    for data in stored:
        relaxation = Relaxation.of_data(data)
        try:
            problem = apply(problem, relaxation)
        except InvalidProblem:
            continue
        done.append(relaxation)
    return problem, done


def bent(plan: Plan) -> list[dict[str, Any]]:
    """The rules that were bent for a plan, as they are stored."""
    return list(plan.adjustments["relaxations"]) if plan.adjustments else []
