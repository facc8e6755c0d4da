from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from routing import layers, nights
from routing.budget import Budget
from routing.check import verify
from routing.plan import Plan
from routing.solve import solve
from routing.types import Meeting, Night, Problem, RepDay, Visit, Window

H = 3600
OPEN = (Window(8 * H, 18 * H),)


def valley(days: int = 2, *, cost: int = H, reps: tuple[str, ...] = ("ann",), doors: int = 6) -> Problem:
    """Home (place 0) is two hours from the valley, where the doors and the hotel (place 1) stand 10 minutes apart."""
    n = doors + 2
    seconds = np.full((n, n), 600) - 600 * np.eye(n, dtype=int)
    seconds[0, 1:] = seconds[1:, 0] = 2 * H
    shifts = tuple(RepDay(f"{rep}{d}", rep, d, 0, 0, 8 * H, 17 * H) for rep in reps for d in range(days))
    visits = tuple(Visit(f"v{k}", k + 2, H, OPEN, prize=2 * H) for k in range(doors))
    hotels = tuple(Night(f"{rep}{d}", f"{rep}{d}", f"{rep}{d + 1}", 1, cost) for rep in reps for d in range(days - 1))
    return Problem(shifts, visits, seconds, nights=hotels)


def planned(problem: Problem, engine: str = "insertion") -> Plan:
    plan = solve(problem, engine=engine, seed=1, budget=Budget(steps=600))
    assert verify(problem, plan).lawful
    return plan


@pytest.mark.parametrize("engine", ["insertion", "ortools"])
def test_a_night_in_the_valley_saves_the_way_home_and_leaves_time_for_more(engine: str) -> None:
    problem = valley(doors=10)
    plan, home = planned(problem, engine), planned(replace(problem, nights=()), engine)
    assert plan.nights == ("ann0",)
    assert sum(len(r.stops) for r in plan.routes) > sum(len(r.stops) for r in home.routes)
    assert verify(problem, plan).value.total > verify(problem, home).value.total


def test_a_hotel_that_costs_more_than_it_saves_is_not_taken() -> None:
    assert planned(valley(cost=20 * H)).nights == ()


def test_days_without_visits_are_not_slept_away() -> None:
    assert planned(valley(days=3, doors=3)).nights == ()


def test_a_week_with_many_hotels_is_chosen_by_estimate_and_no_worse_than_any_single_night() -> None:
    problem = valley(days=5, doors=20)
    more = tuple(replace(x, id=f"{x.id} {k}", cost=x.cost + k) for x in problem.nights for k in range(3))
    many = replace(problem, nights=more)
    plan = planned(many)
    assert len(plan.nights) >= 3
    assert all(name.endswith(" 0") for name in plan.nights)
    best = verify(many, plan).value.total
    assert all(best >= verify(p, planned(p)).value.total for p in (replace(problem, nights=(x,)) for x in more))


def test_sets_of_few_nights_are_all_tried() -> None:
    problem = valley(days=3, doors=18)
    best = verify(problem, planned(problem)).value.total
    for size in range(3):
        for stay in combinations(problem.nights, size):
            assert best >= verify(replace(problem, nights=stay), planned(replace(problem, nights=stay))).value.total


def test_no_day_at_work_lies_between_an_evening_and_its_morning() -> None:
    problem = valley(days=3)
    long = Night("long", "ann0", "ann2", 1, 0)
    world = nights.booked(replace(problem, nights=(long,)), (long,))
    assert [d.max_visits for d in world.rep_days] == [None, 0, None]
    assert (world.rep_days[0].end, world.rep_days[2].start) == (1, 1)


def test_reps_who_meet_in_the_valley_may_stay_there_both() -> None:
    base = valley(reps=("ann", "bob"), doors=24)
    visits = tuple(replace(v, mandatory=True) if k < 2 else v for k, v in enumerate(base.visits))
    problem = replace(base, visits=visits, meetings=(Meeting(("v0", "v1")),))
    plan = planned(problem)
    assert verify(problem, plan).ok
    assert plan.nights == ("ann0", "bob0")
    assert verify(replace(layers.world(problem, plan), meetings=()), replace(plan, nights=())).lawful
