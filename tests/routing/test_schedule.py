import numpy as np
import pytest

from routing.check import order_is_feasible, verify
from routing.plan import Plan
from routing.schedule import Broken, next_start, schedule
from routing.types import Break, Problem, RepDay, Visit, Window

H = 3600
LUNCH = Break(duration_s=H, earliest_s=12 * H, latest_s=13 * H)


def world(visits: list[Visit], *, rest: Break | None = None, drive_s: int = H, close_s: int = 18 * H) -> Problem:
    """Home is place 0, every visit is a place of its own, all drives take the same time."""
    n = len(visits) + 1
    seconds = np.full((n, n), drive_s) - drive_s * np.eye(n, dtype=int)
    day = RepDay(id="ann", rep="ann", day=0, start=0, end=0, open_s=8 * H, close_s=close_s, rest=rest)
    return Problem((day,), tuple(visits), seconds)


def visit(n: int, *windows: tuple[float, float], service_s: int = H) -> Visit:
    spans = tuple(Window(int(o * H), int(c * H)) for o, c in windows or [(0, 24)])
    return Visit(id=f"v{n}", place=n, service_s=service_s, windows=spans)


def test_a_service_must_end_before_closing_and_not_only_begin() -> None:
    windows = (Window(9 * H, 10 * H), Window(14 * H, 16 * H))
    assert next_start(windows, H, 9 * H) == 9 * H
    assert next_start(windows, H, 9 * H + 1) == 14 * H
    assert next_start(windows, H, 15 * H + 1) is None


def test_the_rep_leaves_home_no_earlier_than_the_first_door_needs() -> None:
    problem = world([visit(1, (11, 13))])
    route = schedule(problem, problem.rep_days[0], problem.visits)
    assert not isinstance(route, Broken)
    assert (route.leaves_s, route.stops[0].arrives_s, route.returns_s) == (10 * H, 11 * H, 13 * H)


def test_the_break_may_split_a_drive_but_never_a_service() -> None:
    problem = world([visit(1, service_s=H // 2), visit(2)], rest=LUNCH, drive_s=3 * H, close_s=22 * H)
    route = schedule(problem, problem.rep_days[0], problem.visits)
    assert not isinstance(route, Broken)
    assert route.break_s == 12 * H
    assert route.stops[0].ends_s == 11 * H + H // 2
    assert route.stops[1].arrives_s == route.stops[0].ends_s + 3 * H + H


def test_a_break_spent_at_the_door_does_not_delay_the_arrival() -> None:
    problem = world([visit(1, (14, 16))], rest=LUNCH, drive_s=H)
    day = problem.rep_days[0]
    route = schedule(problem, day, problem.visits)
    assert not isinstance(route, Broken)
    assert route.stops[0].starts_s == 14 * H
    assert verify(problem, Plan((route,), ())).ok


def test_no_stop_waits_for_lunch_that_can_be_had_later_at_no_cost() -> None:
    problem = world([visit(1), visit(2, (15, 17))], rest=LUNCH)
    route = schedule(problem, problem.rep_days[0], problem.visits)
    assert not isinstance(route, Broken)
    assert [stop.starts_s for stop in route.stops] == [9 * H, 15 * H]
    assert route.break_s == 12 * H


def test_an_order_that_would_fit_without_lunch_is_refused_with_lunch() -> None:
    visits = [visit(1, (11, 12.5), service_s=int(1.5 * H)), visit(2, (13, 14.4))]
    free = world(visits, drive_s=H // 2)
    assert not isinstance(schedule(free, free.rep_days[0], free.visits), Broken)
    tight = world(visits, rest=LUNCH, drive_s=H // 2)
    broken = schedule(tight, tight.rep_days[0], tight.visits)
    assert isinstance(broken, Broken)
    assert broken.position == 1
    assert not order_is_feasible(tight, tight.rep_days[0], tight.visits)


@pytest.mark.parametrize("close", [10, 11])
def test_a_shift_that_is_too_short_breaks_on_the_way_home(close: int) -> None:
    problem = world([visit(1)], close_s=close * H - 1 + (close == 11) * 1)
    answer = schedule(problem, problem.rep_days[0], problem.visits)
    assert isinstance(answer, Broken) == (close == 10)
    assert order_is_feasible(problem, problem.rep_days[0], problem.visits) == (close == 11)


def test_where_no_road_leads_nothing_can_be_scheduled() -> None:
    problem = world([visit(1)])
    island = Problem(problem.rep_days, problem.visits, np.array([[0, -1], [60, 0]]))
    answer = schedule(island, island.rep_days[0], island.visits)
    assert isinstance(answer, Broken)
    assert "no road" in answer.text
