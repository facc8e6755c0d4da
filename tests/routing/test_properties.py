"""Random small problems: everything that can be said twice is said twice and must agree."""

from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.budget import Budget
from routing.check import order_is_feasible, verify
from routing.draft import Draft
from routing.insertion import greedy
from routing.pace import UNIT
from routing.plan import Plan
from routing.schedule import Broken, schedule
from routing.solve import DEFAULT_ENGINE, ENGINES, solve
from routing.types import Problem, RepDay, Visit, Window
from tests.routing.checking import faults
from tests.routing.judge import judge
from tests.routing.random_problems import random_problem

few = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
handful = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def problems(most: int = 8, **kinds: bool) -> st.SearchStrategy[Problem]:
    return st.integers(0, 1 << 32).map(lambda number: random_problem(number, most=most, paced=number % 3 == 2, **kinds))


def driven(day: RepDay, leave: int, leg: int, begin: int = 1 << 20, rest: int = 0) -> int:
    """When a leg with a rest is driven, by walking the clock tick by tick through the day's traffic."""
    at, road, rested = leave, leg * UNIT, not rest
    while road > 0 or not rested:
        if not rested and at >= begin:
            at, rested = at + rest, True
        else:
            road -= UNIT if day.pace is None else day.pace.speeds[min(at // day.pace.step_s, len(day.pace.speeds) - 1)]
            at += 1
    return at


def exists_by_trying(problem: Problem, day: RepDay, order: tuple[Visit, ...]) -> bool:
    """Whether the order can be driven, by walking the clock tick by tick through every choice."""
    places = [day.start, *(v.place for v in order), day.end]
    legs = [problem.drive(a, b) for a, b in pairwise(places)]
    if any(leg is None for leg in legs):
        return False
    rest = day.rest if order else None
    ready = {(day.open_s, rest is None)}
    for k, leg in enumerate(legs):
        assert leg is not None
        arrived = {(driven(day, t, leg), taken) for t, taken in ready}
        for t, taken in ready:
            if not taken and rest is not None:
                begins = range(max(t, rest.earliest_s), rest.latest_s + 1)
                arrived |= {
                    (driven(day, t, leg, b, rest.duration_s), True) for b in (begins[:1] if day.pace else begins)
                }
        if k == len(order):
            return any(taken and t <= day.latest_s for t, taken in arrived)
        visit = order[k]
        ready = {
            (start + visit.service_s, taken)
            for t, taken in arrived
            for w in visit.windows_on(day.day)
            for start in range(max(t, w.open_s), w.close_s - visit.service_s + 1)
        }
    raise AssertionError


@few
@given(problems(most=3, layers=False))
def test_schedule_check_and_trying_every_minute_agree_on_every_order(problem: Problem) -> None:
    day = problem.rep_days[0]
    for length in range(1, len(problem.visits) + 1):
        for order in permutations(problem.visits, length):
            answer = schedule(problem, day, order)
            possible = exists_by_trying(problem, day, order)
            assert possible == (not isinstance(answer, Broken))
            assert possible == order_is_feasible(problem, day, order)


def lawful_alone(problem: Problem, day: RepDay, order: tuple[Visit, ...]) -> bool:
    """All rules on one route, by the verifier."""
    route = schedule(problem, day, order)
    if isinstance(route, Broken):
        return False
    report = verify(problem, Plan((route,), ()))
    return not [v for v in report.violations if v.rule not in ("unplanned", "spacing")]


@few
@given(problems(most=4, layers=False))
def test_a_gap_fits_exactly_when_the_verifier_allows_the_longer_route(problem: Problem) -> None:
    draft = greedy(problem)
    for visit, v in enumerate(problem.visits):
        if visit in draft.at:
            continue
        gaps = draft.gaps(visit, cadence=False)
        for k, day in enumerate(problem.rep_days):
            route = [problem.visits[j] for j in draft.routes[k]]
            for p in range(len(route) + 1):
                order = (*route[:p], v, *route[p:])
                assert bool(gaps.fits[k, p]) == lawful_alone(problem, day, order)


@few
@given(problems(most=4, layers=False), st.randoms(use_true_random=False))
def test_a_route_from_outside_is_feasible_exactly_when_the_verifier_says_so(problem: Problem, random: Any) -> None:
    order = list(range(len(problem.visits)))
    random.shuffle(order)
    day = problem.rep_days[0]
    order = [v for v in order if problem.visits[v].allows(day)]
    draft = Draft(problem, {0: order})
    assert draft.feasible(0) == (not order or lawful_alone(problem, day, tuple(problem.visits[v] for v in order)))


@few
@given(problems(most=5, layers=False))
def test_a_draft_is_worth_what_the_verifier_says(problem: Problem) -> None:
    draft = greedy(problem)
    routes = [
        schedule(problem, d, [problem.visits[v] for v in draft.routes[k]]) for k, d in enumerate(problem.rep_days)
    ]
    plan = Plan(tuple(r for r in routes if not isinstance(r, Broken) and r.stops), ())
    assert sum(len(r.stops) for r in plan.routes) == len(draft.at)
    assert draft.value() == verify(problem, plan).value.total


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_every_plan_of_every_engine_passes_both_verifiers_and_leaves_nothing_unexplained(first: int) -> None:
    module = judge()
    found = [
        f"problem {number}, {engine}: {fault}"
        for number in range(first, first + 50)
        for engine in ENGINES
        for fault in faults(random_problem(number, paced=number % 3 == 2), engine, module)
    ]
    assert found == []


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_within_one_run_the_best_plan_never_gets_worse(engine: str) -> None:
    for number in range(30):
        problem, told = random_problem(number, layers=False), []
        plan = solve(problem, engine=engine, seed=1, budget=Budget(steps=400), progress=told.append)
        values = [p.value for p in told if p.value is not None and not any(v.mandatory for v in problem.visits)]
        assert values == sorted(values)
        assert not values or verify(problem, plan).value.total >= values[-1]


def worth(problem: Problem, engine: str, steps: int) -> int:
    """The value of a plan, each promise that is not kept counting like a long drive."""
    report = verify(problem, solve(problem, engine=engine, seed=1, budget=Budget(steps=steps)))
    return report.value.total - 1000 * len(report.missing)


@pytest.mark.parametrize("engine", [e for e in sorted(ENGINES) if e != "insertion"])
def test_over_200_problems_twice_the_budget_is_worth_no_less(engine: str) -> None:
    most = 12 if engine == "ortools" else 40  # its steps are long
    problems = [random_problem(number, most=most, layers=False) for number in range(200)]
    short, long = ([worth(p, engine, steps) for p in problems] for steps in (40, 80))
    assert sum(long) >= sum(short)


def without_a_constraint(problem: Problem, number: int) -> Problem:
    """The problem without one kind of constraint, after its number."""
    kind = number % 6
    if kind == 0:
        return replace(problem, spacings=())
    if kind == 1:
        return replace(problem, visits=tuple(replace(v, reps=None, days=None) for v in problem.visits))
    if kind == 2:
        always = (Window(0, 90),)
        return replace(problem, visits=tuple(replace(v, windows=always, windows_by_day={}) for v in problem.visits))
    free = {
        3: {"max_drive_s": None, "max_visits": None, "capacity": None},
        4: {"rest": None},
        5: {"overtime_s": 30},
    }[kind]
    return replace(problem, rep_days=tuple(replace(d, **free) for d in problem.rep_days))


def test_over_200_problems_a_constraint_less_is_worth_no_less() -> None:
    gained = {kind: 0 for kind in range(6)}
    for number in range(200):
        problem, engine = random_problem(number), DEFAULT_ENGINE
        less = without_a_constraint(problem, number)
        gained[number % 6] += worth(less, engine, 100) - worth(problem, engine, 100)
    assert all(gain >= 0 for gain in gained.values()), gained


def best_by_trying(problem: Problem) -> tuple[int, int]:
    """(mandatory visits missing, -value) of the best plan with at most one rep-day, by trying all orders."""
    nothing = verify(problem, Plan((), ()))
    best = (len(nothing.missing), -nothing.value.total)
    day = problem.rep_days[0]
    for length in range(1, len(problem.visits) + 1):
        for order in permutations(problem.visits, length):
            if lawful_alone(problem, day, order):
                route = schedule(problem, day, order)
                assert not isinstance(route, Broken)
                report = verify(problem, Plan((route,), ()))
                if not any(v.rule == "spacing" for v in report.violations):
                    best = min(best, (len(report.missing), -report.value.total))
    return best


@handful
@given(problems(most=4, islands=False, layers=False))
def test_a_single_day_of_four_visits_is_solved_to_the_optimum_or_nearly(problem: Problem) -> None:
    alone = replace(problem, rep_days=problem.rep_days[:1])
    plan = solve(alone, seed=1, budget=Budget(steps=2_000))
    report = verify(alone, plan)
    missing, cost = best_by_trying(alone)
    assert (len(report.missing), -report.value.total) >= (missing, cost)
    assert len(report.missing) == missing
    assert report.value.total >= -cost - 40


@handful
@given(problems())
def test_the_same_seed_and_number_of_steps_give_the_same_plan(problem: Problem) -> None:
    first, second = (solve(problem, seed=7, budget=Budget(steps=400)) for _ in range(2))
    assert first == second
