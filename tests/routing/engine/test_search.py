"""The compiled search against worlds that can be worked out by hand or by trying everything."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, permutations, product
from typing import Any

import numpy as np
import pytest

from routing.budget import Budget
from routing.check import order_is_feasible
from routing.draft import Draft
from routing.engine import anneal, search
from routing.found import Orders, Progress
from routing.pace import UNIT, Pace
from routing.schedule import Broken, schedule
from routing.types import Break, Problem, RepDay, Spacing, Visit, Weights, Window

H = 3600
Tour = tuple[int, ...]


def random_problem(seed: int, *, visits: int = 4, days: int = 2) -> Problem:
    """Everything at once on a clock of 80 ticks: islands, lunches, limits, cadence, overtime, known plans."""
    rng = np.random.default_rng(seed)
    n = visits + 1
    seconds = rng.integers(0, 13, (n, n))
    seconds[rng.random((n, n)) < 0.05] = -1
    np.fill_diagonal(seconds, 0)

    def maybe(low: int, high: int) -> int | None:
        return None if rng.random() < 0.6 else int(rng.integers(low, high))

    def windows() -> tuple[Window, ...]:
        edges = sorted(int(x) for x in rng.choice(80, size=2 * int(rng.integers(1, 4)), replace=False))
        return tuple(Window(o, c) for o, c in zip(edges[::2], edges[1::2], strict=True))

    def rest() -> Break | None:
        begin = int(rng.integers(0, 50))
        return None if rng.random() < 0.4 else Break(int(rng.integers(1, 9)), begin, begin + int(rng.integers(0, 20)))

    rep_days = []
    for d in range(days):
        opens = int(rng.integers(0, 15))
        rep_days.append(
            RepDay(f"d{d}", "ann", d, int(rng.integers(0, n)), int(rng.integers(0, n)), opens,
                   opens + int(rng.integers(10, 65)), rest(), maybe(5, 40), maybe(0, 4), maybe(0, 6),
                   int(rng.integers(0, 6)), int(rng.integers(0, 10)), int(rng.integers(0, 4)))
        )  # fmt: skip
    wanted = [
        Visit(f"v{k}", k + 1, int(rng.integers(0, 9)), windows(), int(rng.integers(0, 40)), bool(rng.random() < 0.2),
              windows_by_day={1: windows()} if rng.random() < 0.3 else {}, demand=int(rng.integers(0, 3)),
              due_day=maybe(0, 2), late_cost=int(rng.integers(0, 9)), change_cost=int(rng.integers(0, 9)),
              keep=None if rng.random() < 0.5 else f"d{int(rng.integers(0, days))}")
        for k in range(visits)
    ]  # fmt: skip
    spacing = Spacing(("v0", "v1", "v2")[:visits], int(rng.integers(0, 2)), None if rng.random() < 0.5 else 1)
    spaced = (spacing,) if rng.random() < 0.5 and visits > 1 else ()
    weights = Weights(travel=int(rng.integers(0, 3)), prize=int(rng.integers(1, 3)))
    return Problem(tuple(rep_days), tuple(wanted), seconds, spacings=spaced, weights=weights)


def worth(problem: Problem, orders: Orders) -> tuple[int, int] | None:
    """(-mandatory visits missing, value), or None when the orders break a rule; shares nothing with the engine."""
    w, total = problem.weights, 0
    day_of = {problem.visits[v].id: problem.rep_days[s].day for s, order in orders.items() for v in order}
    for spacing in problem.spacings:
        days = [day_of[i] for i in spacing.visits if i in day_of]
        if not all(spacing.keeps(a, b) for a, b in pairwise(days)):
            return None
    for s, order in orders.items():
        if not order:
            continue
        rep_day, visits = problem.rep_days[s], [problem.visits[v] for v in order]
        longest = replace(rep_day, close_s=rep_day.latest_s, overtime_s=0)
        drive = drive_of(problem, rep_day, visits)
        if not all(v.allows(rep_day) for v in visits) or not order_is_feasible(problem, longest, visits):
            return None
        for limit, used in (
            (rep_day.max_drive_s, drive),
            (rep_day.max_visits, len(order)),
            (rep_day.capacity, sum(v.demand for v in visits)),
        ):
            if limit is not None and used > limit:
                return None
        route = schedule(problem, longest, visits)
        assert not isinstance(route, Broken)
        total += sum(w.prize * v.prize - w.late * v.late_cost * v.late_days(rep_day.day) for v in visits)
        total -= w.travel * drive + w.fixed * rep_day.fixed_cost
        total -= max(0, route.returns_s - rep_day.close_s) * rep_day.overtime_cost
    where = {v: problem.rep_days[s].id for s, order in orders.items() for v in order}
    total -= sum(v.moved(where.get(k)) for k, v in enumerate(problem.visits))
    return -sum(v.mandatory for k, v in enumerate(problem.visits) if k not in where), total


def drive_of(problem: Problem, rep_day: RepDay, visits: list[Visit]) -> int:
    places = [rep_day.start, *(v.place for v in visits), rep_day.end]
    return int(sum(problem.seconds[a, b] for a, b in pairwise(places)))


def every_plan(visits: int, days: int) -> Iterator[Orders]:
    """Every way to serve some of the visits in some order on some of the days."""
    for where in product(range(-1, days), repeat=visits):
        groups = [[v for v in range(visits) if where[v] == d] for d in range(days)]
        for tours in product(*(permutations(g) for g in groups)):
            yield {d: list(tour) for d, tour in enumerate(tours)}


def plan(problem: Problem, *, steps: int, seed: int = 1, draft: Draft | None = None) -> tuple[Orders, int]:
    """Orders and the value that the engine says they have."""
    heard: list[Progress] = []
    found = search.search(problem, draft, seed=seed, meter=Budget(steps=steps).start(), tell=heard.append)
    value = heard[-1].value
    assert value is not None
    return found.orders, value


def test_three_visits_on_two_days_are_planned_as_well_as_by_trying_everything_with_few_exceptions() -> None:
    missed = 0
    for seed in range(150):
        problem = random_problem(seed, visits=3)
        best = max(w for orders in every_plan(3, 2) if (w := worth(problem, orders)) is not None)
        orders, value = plan(problem, steps=400)
        found = worth(problem, orders)
        assert found is not None
        assert found[1] == value
        assert found <= best
        missed += found < best
    assert missed <= 6


@pytest.mark.parametrize("seed", range(60))
def test_plans_of_everything_at_once_are_lawful_and_worth_what_the_engine_says(seed: int) -> None:
    problem = random_problem(1_000 + seed, visits=14, days=4)
    orders, value = plan(problem, steps=300)
    found = worth(problem, orders)
    assert found is not None
    assert found[1] == value


def straight(n: int, minutes: int = 10) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Places along one road."""
    return np.abs(np.arange(n)[:, None] - np.arange(n)[None]) * 60 * minutes


ALL_DAY = (Window(0, 24 * H),)


def shop(k: int, **changes: object) -> Visit:
    return replace(Visit(f"v{k}", k, H, ALL_DAY, prize=10 * H), **changes)


def test_overtime_is_worked_when_it_pays_and_only_then() -> None:
    day = RepDay("d", "ann", 0, 0, 0, 8 * H, 10 * H, overtime_s=3 * H)
    problem = Problem((replace(day, overtime_cost=1),), (shop(1), shop(2)), straight(3))
    assert sorted(plan(problem, steps=50)[0][0]) == [0, 1]
    dear = Problem((replace(day, overtime_cost=50),), problem.visits, problem.seconds)
    orders, value = plan(dear, steps=50)
    assert len(orders[0]) == 1
    assert value == 10 * H - 1200


def test_a_known_plan_stays_unless_the_gain_outweighs_the_change() -> None:
    days = tuple(RepDay(f"d{d}", "ann", d, 0, 0, 8 * H, 18 * H) for d in range(2))
    visits = tuple(shop(k, keep="d1", change_cost=3 * H) for k in (1, 2))
    assert set(plan(Problem(days, visits, straight(3)), steps=50)[0]) == {1}
    late = tuple(replace(v, due_day=0, late_cost=5 * H) for v in visits)
    assert set(plan(Problem(days, late, straight(3)), steps=50)[0]) == {0}


def test_visits_to_one_customer_keep_the_least_and_the_greatest_distance() -> None:
    days = tuple(RepDay(f"d{d}", "ann", d, 0, 0, 8 * H, 10 * H) for d in range(6))
    visits = tuple(shop(1, id=f"v{k}") for k in range(3))
    problem = Problem(days, visits, straight(2), spacings=(Spacing(("v0", "v1", "v2"), 2, 2),))
    orders, _ = plan(problem, steps=200)
    at = {v: day for day, order in orders.items() for v in order}
    assert [at[1] - at[0], at[2] - at[1]] == [2, 2]


def test_where_no_road_leads_nobody_is_sent_even_when_the_way_opens_only_with_another_stop() -> None:
    seconds = straight(4)
    seconds[0, 3] = seconds[1, 3] = -1  # to the third shop only from the second
    day = RepDay("d", "ann", 0, 0, 0, 8 * H, 18 * H)
    problem = Problem((day,), tuple(shop(k) for k in (1, 2, 3)), seconds)
    assert plan(problem, steps=1_000) == ({0: [0, 1, 2]}, 30 * H - 3600)
    seconds[3, :3] = -1  # and no way back
    problem = replace(problem, seconds=seconds)
    assert plan(problem, steps=300)[1] == 20 * H - 2400


def test_a_day_begins_and_ends_at_different_places_on_roads_with_a_direction() -> None:
    seconds = straight(4)
    seconds[np.tril_indices(4, -1)] *= 3
    day = RepDay("d", "ann", 0, 0, 3, 8 * H, 18 * H)
    problem = Problem((day,), (shop(2), shop(1, id="v1")), seconds)
    assert plan(problem, steps=50)[0] == {0: [1, 0]}


def test_where_driving_costs_nothing_the_shorter_way_still_wins_a_tie() -> None:
    day = RepDay("d", "ann", 0, 0, 0, 8 * H, 18 * H)
    problem = Problem((day,), tuple(shop(k) for k in (1, 2, 3, 4)), straight(5), weights=Weights(travel=0))
    orders, value = plan(problem, steps=300)
    assert value == 40 * H
    assert drive_of(problem, day, [problem.visits[v] for v in orders[0]]) == 8 * 600


def test_a_route_may_grow_beyond_the_room_it_was_given() -> None:
    day = RepDay("d", "ann", 0, 0, 0, 0, 24 * H)
    visits = tuple(Visit(f"v{k}", k, 0, ALL_DAY, prize=H) for k in range(1, 91))
    orders, _ = plan(Problem((day,), visits, straight(91, minutes=1)), steps=50)
    assert len(orders[0]) == 90


def crowd(n: int = 60) -> Problem:
    return random_problem(7, visits=n, days=6)


def test_the_same_seed_and_number_of_steps_give_the_same_plan_and_another_seed_another() -> None:
    problem = crowd()
    assert plan(problem, steps=1_500, seed=3) == plan(problem, steps=1_500, seed=3)
    assert plan(problem, steps=40, seed=3) != plan(problem, steps=40, seed=4)


@pytest.mark.parametrize("budget", [Budget(steps=6_500), Budget(seconds=0.15)])
def test_the_best_plan_never_gets_worse_while_the_search_goes_on(budget: Budget) -> None:
    heard: list[Progress] = []
    search.search(crowd(), None, seed=1, meter=budget.start(), tell=heard.append)
    values = [p.value for p in heard if p.value is not None]
    rounds = [p.iterations for p in heard if p.iterations is not None]
    assert len(values) > 3
    assert values == sorted(values)
    assert rounds == sorted(rounds)
    assert rounds[0] == 0
    if budget.steps is not None:
        assert rounds[-1] == budget.steps


def test_the_kernel_for_changing_traffic_plans_like_the_other_one_where_every_hour_is_usual() -> None:
    for seed in range(40):
        usual = random_problem(seed, visits=12, days=3)
        asked = replace(usual, rep_days=tuple(replace(d, pace=Pace((UNIT,) * 5, 20)) for d in usual.rep_days))
        runs = [search._Run(problem, (), seed) for problem in (usual, asked)]
        for _ in range(3):
            for run in runs:
                anneal.anneal(run.search.model, run.state, 50, 9.0, 1.0, False)
            assert runs[0].found() == runs[1].found()
            assert np.array_equal(runs[0].state.labels, runs[1].state.labels), "round by round"


def test_whoever_listens_can_stop_it() -> None:
    class Enough(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.iterations:
            raise Enough

    with pytest.raises(Enough):
        search.search(crowd(), None, seed=1, meter=Budget(seconds=600).start(), tell=stop)


def test_from_a_known_plan_it_goes_on_and_never_back() -> None:
    problem = crowd()
    orders, value = plan(problem, steps=2_000)
    again, better = plan(problem, steps=20, seed=9, draft=Draft(problem, orders))
    assert better >= value
    assert worth(problem, again) is not None


def test_every_route_of_the_pool_is_lawful_by_itself_and_there_once() -> None:
    problem = replace(crowd(), spacings=())
    found = search.search(problem, None, seed=1, meter=Budget(steps=2_000).start(), tell=lambda _: None)
    assert len(found.pool) > len(found.orders)
    assert len(set(found.pool)) == len(found.pool)
    assert all(worth(problem, {r.rep_day: list(r.visits)}) is not None for r in found.pool)
    assert {(s, tuple(order)) for s, order in found.orders.items()} <= {(r.rep_day, r.visits) for r in found.pool}


@pytest.mark.parametrize("part", ["rep_days", "visits"])
def test_nobody_to_plan_or_nobody_to_visit_needs_no_further_machine_code(part: str) -> None:
    machine_code: tuple[Any, ...] = (anneal.begin, anneal.anneal)
    plan(replace(crowd(5), spacings=()), steps=10)
    known = [made.signatures for made in machine_code]
    problem = replace(crowd(5), spacings=(), **{part: ()})
    if part == "rep_days":
        problem = replace(problem, visits=tuple(replace(v, keep=None) for v in problem.visits))
    assert plan(problem, steps=10)[0] == {}
    assert [made.signatures for made in machine_code] == known
