"""Rules bent so that a visit is planned: what a plan offers, and the problem with what somebody chose of it."""

from collections.abc import Mapping
from typing import Any

from routing.explain import sentence
from routing.plan import Plan as Answer
from routing.plan import ReasonCode
from routing.relaxation import Relaxation, apply
from routing.relaxing import relaxations
from routing.types import InvalidProblem, Problem
from server.plans.models import Plan

MOST_EXPLAINED = 200
"""So many of the visits left out say what would let them in: promises first, then the most valuable."""
MOST_OFFERED = 4
"""Ways out of each."""


def ways_out(problem: Problem, answer: Answer) -> dict[str, list[dict[str, Any]]]:
    """By visit: what would let it into this answer, as it is stored; nothing for what people took out themselves."""
    waiting = [u.visit for u in answer.unplanned if u.reasons[0].code is not ReasonCode.TAKEN_OUT]
    left_out = sorted(map(problem.visit, waiting), key=lambda v: (not v.mandatory, -v.prize))
    found = relaxations(problem, answer.orders(), [v.id for v in left_out[:MOST_EXPLAINED]])
    return {visit: [_stored(problem, one) for one in offered[:MOST_OFFERED]] for visit, offered in found.items()}


def _stored(problem: Problem, one: Relaxation) -> dict[str, Any]:
    label, day = problem.rep_day(one.rep_day).label, one.rep_day.rsplit("/", 1)[-1]
    data = one.data() | {"text": sentence(problem, one), "rep_name": label.rsplit(",", 1)[0], "day": day}
    for change in data["changes"]:
        change["other_name"] = problem.visit(change["other"]).label if change["other"] else None
    return data


def with_bent_rules(problem: Problem, adjustments: Mapping[str, Any] | None) -> Problem:
    """The problem with the rules that somebody bent for a plan.

    What a bent rule speaks of may be gone by now (a wish forgotten): then it counts no more.
    """
    for data in adjustments["relaxations"] if adjustments else ():
        try:
            problem = apply(problem, Relaxation.of_data(data))
        except InvalidProblem:
            continue
    return problem


def bent(plan: Plan) -> list[dict[str, Any]]:
    """The rules that were bent for a plan, as they are stored."""
    return list(plan.adjustments["relaxations"]) if plan.adjustments else []
