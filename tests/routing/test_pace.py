"""Traffic of a day: arrival and departure are each other's inverse, and nobody overtakes who left before."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.check import order_is_feasible, verify
from routing.driving import driven
from routing.pace import NEVER, Pace
from routing.plan import Plan
from routing.schedule import Broken, schedule
from routing.timeline import Timeline
from routing.types import Break, InvalidProblem, Problem, RepDay, Visit, Window

paces = st.builds(
    Pace, st.lists(st.integers(1, 3000), min_size=1, max_size=12).map(tuple), st.sampled_from((1, 7, 60, 3600))
)
moments = st.integers(0, 90_000)
drives = st.integers(0, 20_000)
many = settings(max_examples=300, deadline=None, derandomize=True)


@many
@given(paces, moments, moments, drives)
def test_the_latest_departure_is_the_exact_inverse_of_the_earliest_arrival(
    pace: Pace, leave: int, there: int, drive: int
) -> None:
    assert (pace.arrive(leave, drive) <= there) == (leave <= pace.leave(there, drive))


@many
@given(paces, moments, drives, st.integers(0, 500), st.integers(0, 500))
def test_who_leaves_later_or_drives_longer_arrives_no_earlier(
    pace: Pace, leave: int, drive: int, later: int, longer: int
) -> None:
    assert leave <= pace.arrive(leave, drive) <= pace.arrive(leave + later, drive + longer)


@many
@given(paces, moments, moments, drives, moments, st.integers(1, 5000))
def test_with_a_rest_at_once_departure_and_arrival_are_inverse_as_well(
    pace: Pace, leave: int, there: int, drive: int, earliest: int, rest: int
) -> None:
    arrives = pace.rested(leave, drive, max(leave, earliest), rest)
    in_time = earliest + rest <= there and leave <= pace.leave_rested(there, drive, earliest, rest)
    assert (arrives <= there) == in_time


@many
@given(paces, st.lists(st.tuples(moments, drives, moments, st.integers(1, 5000)), min_size=1, max_size=6))
def test_arrays_say_what_single_numbers_say(pace: Pace, rows: list[tuple[int, int, int, int]]) -> None:
    rows = [*rows, (NEVER, 5, 10, 3), (5, NEVER, 10, 3), (-NEVER, 5, 10, 3)]
    leave, drive, earliest, rest = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    begin = np.maximum(leave, earliest)
    assert pace.arrivals(leave, drive).tolist() == [pace.arrive(a, b) for a, b, *_ in rows]
    assert pace.departures(leave, drive).tolist() == [pace.leave(a, b) for a, b, *_ in rows]
    assert pace.rests(leave, drive, begin, rest).tolist() == [pace.rested(a, b, max(a, c), d) for a, b, c, d in rows]


def test_usual_traffic_at_every_hour_is_no_pace_at_all() -> None:
    assert Pace.of([1.0] * 24) is None
    assert Pace.of([1.0, 2.0]) == Pace((1000, 500))
    with pytest.raises(InvalidProblem, match=r"pace\.speeds\[1\]"):
        Pace((1000, 0))


RUSH = Pace.of([1.0] * 8 + [2.0] + [1.0] * 15)
"""Between eight and nine everything takes twice as long."""


def rush_day(rest: Break | None = None) -> Problem:
    day = RepDay("d", "ann", 0, 0, 0, 27_000, 61_200, rest=rest, pace=RUSH)  # 07:30 to 17:00
    visits = tuple(Visit(f"v{k}", k, 600, (Window(0, 86_400),), mandatory=True) for k in (1, 2))
    return Problem((day,), visits, np.array([[0, 2700, 2700], [2700, 0, 2700], [2700, 2700, 0]]))


def test_a_route_through_the_rush_hour_arrives_as_its_traffic_lets_it() -> None:
    problem = rush_day()
    route = schedule(problem, problem.rep_days[0], problem.visits)
    assert not isinstance(route, Broken)
    # 45 minutes from 07:30: half an hour until eight, the rest at half the speed; then 10 minutes' service, from 08:40
    # 20 minutes that count as ten, and the 35 that are left from nine on
    assert [stop.arrives_s for stop in route.stops] == [30_600, 34_500]
    assert route.returns_s == 34_500 + 600 + 2700
    assert [stop.drive_s for stop in route.stops] == [2700, 2700]
    assert verify(problem, Plan((route,), ())).lawful
    flat = replace(problem, rep_days=(replace(problem.rep_days[0], pace=None),))
    early = schedule(flat, flat.rep_days[0], flat.visits)
    assert not isinstance(early, Broken)
    assert not verify(problem, Plan((early,), ())).lawful


def test_the_timeline_of_a_rush_hour_says_when_one_has_to_leave() -> None:
    problem = rush_day(Break(1800, 28_800, 32_400))
    due = replace(problem.visits[0], windows=(Window(34_200, 34_800),))
    timeline = Timeline.of(problem, problem.rep_days[0], [due])
    latest, _ = timeline.starts[0]  # the break is owed, and must be taken on the way
    for leave, is_in_time in ((latest, True), (latest + 1, False)):
        day = replace(problem.rep_days[0], open_s=leave)
        assert order_is_feasible(problem, day, [due]) == is_in_time
        assert isinstance(schedule(problem, day, [due]), Broken) != is_in_time


def test_the_minutes_driven_are_those_of_the_clock_and_make_the_day_with_visits_waiting_and_break() -> None:
    seconds = np.full((3, 3), 1800) - 1800 * np.eye(3, dtype=int)
    visits = tuple(Visit(f"v{k}", k, 600, (Window(opens, 86_400),), 9000) for k, opens in ((1, 30_600), (2, 39_600)))
    for rest in (None, Break(1800, 37_000, 45_000), Break(1800, 31_500, 45_000)):
        slow = RepDay("d", "r", 0, 0, 0, 27_000, 64_800, rest, pace=Pace.of([1.0] * 8 + [2.0, 1.5, 1.25, 1.0]))
        for day in (slow, replace(slow, pace=None)):
            problem = Problem((day,), visits, seconds)
            route = schedule(problem, day, visits)
            assert not isinstance(route, Broken)
            legs = driven(problem, route)
            waited = sum(s.starts_s - s.arrives_s for s in route.stops)
            rested = 0 if rest is None else rest.duration_s
            if rest is not None and route.break_s is not None:  # at a door it is a part of the waiting
                waited -= sum(rested for s in route.stops if s.arrives_s <= route.break_s < s.starts_s)
            assert sum(legs) + 1200 + waited + rested == route.returns_s - route.leaves_s
            assert legs == (1800, 1800, 1800) if day.pace is None else sum(legs) > 5400
