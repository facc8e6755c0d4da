"""Slack of a standing route: exact against the schedule, and bounded by everything that comes later."""

from dataclasses import replace

import pytest

from routing.budget import Budget
from routing.schedule import Broken, schedule
from routing.slack import slacks_s
from routing.solve import solve
from routing.types import Problem, RepDay, Visit, Window
from tests.routing.random_problems import random_problem
from tests.routing.test_schedule import LUNCH, H, visit, world


def slacks(problem: Problem) -> list[int]:
    day = problem.rep_days[0]
    route = schedule(problem, day, problem.visits)
    assert not isinstance(route, Broken)
    return slacks_s(problem, day, problem.visits, [stop.starts_s for stop in route.stops], route.break_s)


def test_slack_is_what_the_end_of_the_shift_leaves_and_not_the_opening_hours() -> None:
    assert slacks(world([visit(1), visit(2)])) == [5 * H, 5 * H]  # 8: drive, visit, drive, visit, home at 13


def test_a_later_appointment_holds_back_the_stops_before_it() -> None:
    assert slacks(world([visit(1, (8, 12)), visit(2, (13, 14)), visit(3)])) == [2 * H, 0, H]


def test_a_break_still_to_come_holds_back_a_stop_or_is_had_before_it() -> None:
    assert slacks(world([visit(1, (8, 14))], rest=LUNCH)) == [4 * H]  # begins at 9; lunch at 12 on the way, 13 to 14
    assert slacks(world([visit(1, (8, 14)), visit(2, (14, 16))], rest=LUNCH)) == [4 * H, H]  # at 13 as well, then 15


def held(day: RepDay, visits: tuple[Visit, ...], at: int, begins_s: int) -> list[Visit]:
    """The order when one of its visits begins exactly then."""
    exact = {day.day: (Window(begins_s, begins_s + visits[at].service_s),)}
    return [replace(v, windows_by_day=exact) if k == at else v for k, v in enumerate(visits)]


@pytest.mark.parametrize("with_rest", [False, True])
def test_a_stop_may_begin_later_by_its_slack_and_not_by_a_second_more(with_rest: bool) -> None:
    looked = 0
    for seed in range(25):
        problem = random_problem(seed, layers=False, paced=seed % 3 == 2)
        if not with_rest:
            problem = replace(problem, rep_days=tuple(replace(day, rest=None) for day in problem.rep_days))
        for route in solve(problem, budget=Budget(steps=20), seed=1).routes:
            day = problem.rep_day(route.rep_day)
            visits = tuple(problem.visit(stop.visit) for stop in route.stops)
            starts = [stop.starts_s for stop in route.stops]
            for k, slack in enumerate(slacks_s(problem, day, visits, starts, route.break_s)):
                looked += 1
                later = starts[k] + slack
                assert not isinstance(schedule(problem, day, held(day, visits, k, later)), Broken)
                ends = max(w.close_s for w in visits[k].windows_on(day.day) if w.open_s <= starts[k])
                if not with_rest and later + 1 + visits[k].service_s <= ends:
                    assert isinstance(schedule(problem, day, held(day, visits, k, later + 1)), Broken)
    assert looked > 50
