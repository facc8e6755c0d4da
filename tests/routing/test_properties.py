"""Random small problems: everything that can be said twice is said twice and must agree."""

from itertools import pairwise, permutations
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.budget import Budget
from routing.check import order_is_feasible, verify
from routing.draft import Draft
from routing.insertion import greedy
from routing.plan import Plan
from routing.schedule import Broken, schedule
from routing.solve import solve
from routing.types import Break, Problem, RepDay, Spacing, Visit, Weights, Window

few = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
handful = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def windows(draw: Any) -> tuple[Window, ...]:
    edges = sorted(draw(st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True)))
    return tuple(Window(o, c) for o, c in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def problems(draw: Any, most: int = 5, *, islands: bool = True) -> Problem:
    """Up to two reps, two days and `most` visits on a clock of 60 ticks; islands, lunches, limits, cadence."""
    n = draw(st.integers(1, most))
    places = n + 1
    cells = draw(st.lists(st.integers(-1 if islands else 0, 12), min_size=places**2, max_size=places**2))
    seconds = np.array(cells).reshape(places, places)
    np.fill_diagonal(seconds, 0)
    if not islands:  # a road network: no drive is longer than a detour over a third place
        for via in range(places):
            seconds = np.minimum(seconds, seconds[:, via, None] + seconds[via, None, :])
    rests = st.one_of(
        st.none(),
        st.builds(
            lambda d, e, slack: Break(d, e, e + slack), st.integers(1, 8), st.integers(0, 50), st.integers(0, 20)
        ),
    )
    maybe = st.one_of(st.none(), st.integers(0, 30))
    days = tuple(
        RepDay(
            id=f"{rep}{day}",
            rep=rep,
            day=day,
            start=draw(st.integers(0, n)),
            end=draw(st.integers(0, n)),
            open_s=(opens := draw(st.integers(0, 20))),
            close_s=opens + draw(st.integers(1, 60)),
            rest=draw(rests),
            max_drive_s=draw(maybe),
            max_visits=draw(st.one_of(st.none(), st.integers(0, 3))),
            capacity=draw(st.one_of(st.none(), st.integers(0, 5))),
            fixed_cost=draw(st.integers(0, 5)),
        )
        for rep in draw(st.sampled_from([("ann",), ("ann", "bob")]))
        for day in range(draw(st.integers(1, 2)))
    )
    subsets = st.one_of(st.none(), st.frozensets(st.integers(0, 1)))
    visits = tuple(
        Visit(
            id=f"v{k}",
            place=k + 1,
            service_s=draw(st.integers(0, 10)),
            windows=draw(windows()),
            prize=draw(st.integers(0, 60)),
            mandatory=draw(st.integers(0, 5)) == 0,
            days=draw(subsets),
            reps=draw(st.sampled_from([None, None, frozenset({"ann"}), frozenset({"bob"})])),
            windows_by_day={1: draw(windows())} if draw(st.booleans()) else {},
            demand=draw(st.integers(0, 2)),
            due_day=draw(st.sampled_from([None, 0])),
            late_cost=draw(st.integers(0, 9)),
        )
        for k in range(n)
    )
    spaced = (Spacing(("v0", "v1"), draw(st.integers(0, 1)), draw(st.sampled_from([None, 1]))),) if n > 1 else ()
    return Problem(days, visits, seconds, spacings=spaced, weights=Weights(travel=draw(st.integers(0, 1))))


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
        arrived = {(t + leg, taken) for t, taken in ready}
        for t, taken in ready:
            if not taken and rest is not None:
                arrived |= {
                    (max(t + leg, b) + rest.duration_s, True) for b in range(max(t, rest.earliest_s), rest.latest_s + 1)
                }
        if k == len(order):
            return any(taken and t <= day.close_s for t, taken in arrived)
        visit = order[k]
        ready = {
            (start + visit.service_s, taken)
            for t, taken in arrived
            for w in visit.windows_on(day.day)
            for start in range(max(t, w.open_s), w.close_s - visit.service_s + 1)
        }
    raise AssertionError


@few
@given(problems(most=3))
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
@given(problems(most=4))
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
@given(problems(most=4), st.randoms(use_true_random=False))
def test_a_route_from_outside_is_feasible_exactly_when_the_verifier_says_so(problem: Problem, random: Any) -> None:
    order = list(range(len(problem.visits)))
    random.shuffle(order)
    day = problem.rep_days[0]
    order = [v for v in order if problem.visits[v].allows(day)]
    draft = Draft(problem, {0: order})
    assert draft.feasible(0) == (not order or lawful_alone(problem, day, tuple(problem.visits[v] for v in order)))


@handful
@given(problems(), st.sampled_from(["ortools", "insertion"]))
def test_every_plan_of_every_engine_is_lawful_and_leaves_nothing_unexplained(problem: Problem, engine: str) -> None:
    plan = solve(problem, engine=engine, seed=3, budget=Budget(steps=300))
    report = verify(problem, plan)
    assert report.lawful, [str(v) for v in report.violations]
    assert {u.visit for u in plan.unplanned} | {s.visit for r in plan.routes for s in r.stops} == {
        v.id for v in problem.visits
    }
    assert all(s.why for r in plan.routes for s in r.stops)


def best_by_trying(problem: Problem) -> tuple[int, int]:
    """(mandatory visits missing, -value) of the best plan with at most one rep-day, by trying all orders."""
    best = (sum(v.mandatory for v in problem.visits), 0)
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
@given(problems(most=4, islands=False))
def test_a_single_day_of_four_visits_is_solved_to_the_optimum_or_nearly(problem: Problem) -> None:
    alone = Problem(problem.rep_days[:1], problem.visits, problem.seconds, spacings=problem.spacings)
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
