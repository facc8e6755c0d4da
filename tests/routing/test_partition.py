from dataclasses import replace

import numpy as np
import pytest

from routing.check import verify
from routing.draft import Draft
from routing.found import GoodRoute
from routing.insertion import greedy
from routing.partition import recombine
from routing.plan import Plan
from routing.schedule import Broken, schedule
from routing.types import Meeting, Problem, RepDay, Spacing, Visit, Window
from tests.routing.random_problems import random_problem

H = 3600


@pytest.fixture
def problem() -> Problem:
    """Two reps, two days, six doors ten minutes apart, each day has time for two."""
    seconds = np.full((7, 7), 600) - 600 * np.eye(7, dtype=int)
    days = tuple(RepDay(f"{r}{d}", r, d, 0, 0, 8 * H, 11 * H) for r in ("ann", "bob") for d in (0, 1))
    visits = tuple(Visit(f"v{k}", k + 1, H, (Window(8 * H, 12 * H),), prize=(k + 1) * H) for k in range(6))
    return Problem(days, visits, seconds)


def combined(problem: Problem, *pool: tuple[int, tuple[int, ...]], start: dict[int, list[int]] | None = None) -> Draft:
    draft = recombine(Draft(problem, start or {}), [GoodRoute(k, visits) for k, visits in pool], effort=1.0)
    routes = [
        schedule(problem, day, [problem.visits[v] for v in route])
        for day, route in zip(problem.rep_days, draft.routes, strict=True)
        if route
    ]
    lawful = Plan(tuple(r for r in routes if not isinstance(r, Broken)), ())
    assert {v.rule for v in verify(problem, lawful).violations} <= {"unplanned"}
    return draft


def test_routes_of_two_plans_are_put_together_to_a_better_third(problem: Problem) -> None:
    start = {0: [0, 1], 1: [2, 3]}
    found = combined(problem, (0, (4, 5)), (1, (0, 1)), (1, (2, 3)), (0, (0, 5)), start=start)
    assert found.routes == [[4, 5], [2, 3], [], []]


def test_nothing_better_in_the_pool_leaves_the_plan_as_it_is(problem: Problem) -> None:
    draft = Draft(problem, {0: [4, 5]})
    assert recombine(draft, [], effort=1.0) is draft
    assert recombine(draft, [GoodRoute(0, (0, 1))], effort=1.0) is draft


def test_routes_that_break_a_rule_are_passed_over(problem: Problem) -> None:
    closed = replace(problem.visits[5], days=frozenset({1}))
    changed = replace(problem, visits=(*problem.visits[:5], closed))
    assert combined(changed, (0, (4, 5)), (0, (3, 4)), (0, (1, 2, 3, 4))).routes[0] == [3, 4]


def test_a_promise_is_never_given_up_for_value(problem: Problem) -> None:
    promise = replace(problem.visits[0], mandatory=True)
    changed = replace(problem, visits=(promise, *problem.visits[1:]))
    assert combined(changed, (0, (4, 5)), start={0: [0, 1]}).routes[0] == [0, 1]
    assert combined(changed, (0, (0, 1)), start={0: [4, 5]}).routes[0] == [0, 1]


def test_visits_to_one_customer_keep_both_distances(problem: Problem) -> None:
    apart = replace(problem, spacings=(Spacing(("v4", "v5"), 1),))
    assert combined(apart, (0, (4, 0)), (2, (5, 1)), (3, (5, 2))).routes == [[4, 0], [], [], [5, 2]]
    near = replace(problem, spacings=(Spacing(("v4", "v5"), 0, 0),))
    assert combined(near, (0, (4, 0)), (2, (5, 1)), (3, (5, 2))).routes == [[4, 0], [], [5, 1], []]


def test_the_greatest_gap_counts_between_neighbours_that_are_served(problem: Problem) -> None:
    days = (replace(problem.rep_days[0], id="ann2", day=2), *problem.rep_days)
    chain = replace(problem, rep_days=days, spacings=(Spacing(("v3", "v4", "v5"), 1, 1),))
    first, second, third = (1, (3,)), (2, (4,)), (0, (5,))
    assert len(combined(chain, first, second, third).at) == 3
    assert len(combined(chain, first, third).at) == 1


def test_people_who_meet_come_together_or_not_at_all(problem: Problem) -> None:
    meeting = replace(problem, meetings=(Meeting(("v4", "v5")),))
    assert combined(meeting, (0, (4, 0)), (2, (5, 1))).routes == [[4, 0], [], [5, 1], []]
    assert combined(meeting, (0, (4, 0)), (3, (5, 1))).at == {}
    assert combined(meeting, (0, (4, 0)), (2, (1, 5))).at == {}  # there, but not at the same moment


def test_a_route_that_leaves_a_known_day_must_be_worth_the_change(problem: Problem) -> None:
    steady = replace(problem.visits[5], keep="ann0", change_cost=9 * H)
    changed = replace(problem, visits=(*problem.visits[:5], steady))
    assert combined(changed, (2, (5, 4)), (0, (5, 3))).routes[0] == [5, 3]


@pytest.mark.parametrize("seed", range(25))
def test_a_combination_is_lawful_never_worse_and_the_same_again(seed: int) -> None:
    problem = random_problem(seed, layers=False)
    draft = greedy(problem)
    pool = [(k, (v,)) for v in range(len(problem.visits)) for k in range(len(problem.rep_days))]
    pool += [(k, (v, w)) for k, v in pool for (v,) in [v] for w in range(v)]
    first = combined(problem, *pool, start=dict(enumerate(draft.routes)))
    assert first.rank() >= draft.rank()
    assert first.routes == combined(problem, *pool, start=dict(enumerate(draft.routes))).routes
