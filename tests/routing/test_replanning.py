from dataclasses import replace

import numpy as np
import pytest

from routing.budget import Budget
from routing.lateness import Alarm, Warned, warnings
from routing.plan import ReasonCode
from routing.replanning import (
    CHANGE_COST,
    Difference,
    Effect,
    Underway,
    differences,
    orders_of,
    redistribute,
    remaining,
    replan,
    takeovers,
)
from routing.types import Break, InvalidProblem, Problem, RepDay, Visit, Window

H, M = 3600, 60
OPEN = (Window(8 * H, 18 * H),)
ANN = RepDay(id="ann", rep="ann", day=0, start=0, end=0, open_s=8 * H, close_s=17 * H)
BOB = replace(ANN, id="bob", rep="bob")
ROW = np.abs(np.arange(8)[:, None] - np.arange(8)[None]) * 20 * M
"""Eight places in a row, twenty minutes apart; the reps live at place 0."""
FAST = Budget(steps=1)


def door(name: str, place: int, **changes: object) -> Visit:
    return Visit(**{"id": name, "place": place, "service_s": H, "windows": OPEN, "prize": 2 * H, **changes})  # type: ignore[arg-type]


def row(*visits: Visit, days: tuple[RepDay, ...] = (ANN,)) -> Problem:
    return Problem(days, visits, ROW)


KNOWN = {"a": ("ann", 8 * H + 20 * M), "b": ("ann", 9 * H + 40 * M), "c": ("ann", 11 * H)}
THREE = (door("a", 1), door("b", 2), door("c", 3))


def test_the_rest_of_the_day_begins_where_and_when_the_rep_is_free() -> None:
    problem = row(*THREE)
    driving = Underway("ann", 9 * H + 30 * M, place=1, done=frozenset({"a"}), current="b")
    assert driving.free(problem) == (2, 10 * H + 50 * M)
    there = replace(driving, now_s=10 * H, place=2, arrived_s=9 * H + 45 * M)
    assert there.free(problem) == (2, 10 * H + 45 * M)
    overdue = replace(there, now_s=12 * H)
    assert overdue.free(problem) == (2, 12 * H)
    rest = remaining(problem, KNOWN, [there])
    assert [v.id for v in rest.visits] == ["c"]
    assert (rest.rep_days[0].start, rest.rep_days[0].open_s, rest.rep_days[0].end) == (2, 10 * H + 45 * M, 0)
    assert (rest.visits[0].keep, rest.visits[0].change_cost) == ("ann", CHANGE_COST)


def test_a_break_that_is_behind_is_not_owed_again_and_a_late_one_may_still_be_taken() -> None:
    problem = row(*THREE, days=(replace(ANN, rest=Break(30 * M, 11 * H, 12 * H)),))
    late = remaining(problem, KNOWN, [Underway("ann", 13 * H, place=1)]).rep_days[0].rest
    assert late == Break(30 * M, 13 * H, 13 * H + 30 * M)
    assert remaining(problem, KNOWN, [Underway("ann", 13 * H, place=1, rested=True)]).rep_days[0].rest is None


def test_a_pinned_stop_keeps_its_time_and_a_pin_that_cannot_be_kept_comes_as_early_as_possible() -> None:
    problem = row(*THREE)
    now = Underway("ann", 9 * H, place=1)
    rest = remaining(problem, KNOWN, [now], frozenset({"c"}))
    assert rest.visit("c").windows == (Window(11 * H, 12 * H),)
    assert rest.visit("c").mandatory
    plan = replan(rest, KNOWN, budget=FAST, engine="insertion")
    assert next(s.starts_s for s in plan.routes[0].stops if s.visit == "c") == 11 * H
    late = remaining(problem, KNOWN, [replace(now, now_s=11 * H)], frozenset({"c"}))
    plan = replan(late, KNOWN, budget=FAST, engine="insertion")
    assert {s.visit for s in plan.routes[0].stops} == {"a", "b", "c"}


def test_a_day_that_runs_as_planned_is_not_changed() -> None:
    problem = row(*THREE)
    rest = remaining(problem, KNOWN, [Underway("ann", 8 * H, place=0)])
    plan = replan(rest, KNOWN, budget=Budget(seconds=0.2))
    assert plan.orders() == {"ann": ("a", "b", "c")}
    assert differences(KNOWN, plan) == ()


def test_a_late_day_says_what_moves_what_falls_out_and_why() -> None:
    problem = row(
        *THREE[:2], door("c", 3, windows=(Window(8 * H, 13 * H),)), door("d", 3, windows=(Window(8 * H, 11 * H),))
    )
    known = {**KNOWN, "d": ("ann", 9 * H)}
    now = Underway("ann", 10 * H + 30 * M, place=0, current=None)
    rest = remaining(problem, known, [now])
    plan = replan(rest, known, budget=FAST, engine="insertion")
    found = {d.visit: d for d in differences(known, plan)}
    assert found["d"].effect is Effect.REMOVED
    assert plan.unplanned[0].reasons[0].code is ReasonCode.NO_WINDOW_REACHABLE
    assert found["a"].effect is Effect.LATER
    assert found["a"].minutes > 0
    assert found["d"].minutes == 0


def test_an_added_and_a_moved_visit_are_told_apart() -> None:
    problem = row(door("a", 1, reps=frozenset({"bob"})), door("n", 2), days=(ANN, BOB))
    known = {"a": ("ann", 9 * H)}
    plan = replan(remaining(problem, known, []), known, budget=FAST, engine="insertion")
    assert {(d.visit, d.effect) for d in differences(known, plan)} == {("a", Effect.MOVED), ("n", Effect.ADDED)}
    assert Difference("a", Effect.MOVED, ("ann", 0), ("bob", 900)).minutes == 0


def test_the_known_order_is_read_by_time() -> None:
    known = {"a": ("ann", 11 * H), "b": ("ann", 9 * H), "gone": ("ann", 8 * H)}
    assert orders_of(row(*THREE), known) == {"ann": ("b", "a")}


def test_what_the_problem_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidProblem, match="there is no 'cem'"):
        remaining(row(*THREE), {}, [Underway("cem", 9 * H, 0)])
    with pytest.raises(InvalidProblem, match="there is no 'z'"):
        remaining(row(*THREE), {"z": ("ann", 0)}, [])


def test_a_sick_reps_visits_go_to_the_neighbour_with_the_least_detour() -> None:
    """Ann works near, Bob far out; x lies on Bob's way, y beyond Ann's last stop."""
    visits = (door("a", 1), door("b", 6), door("x", 5, mandatory=True), door("y", 2, mandatory=True))
    problem = row(*visits, days=(ANN, BOB))
    orders = {"ann": ("a",), "bob": ("b",)}
    assert [(t.rep_day, t.detour_s) for t in takeovers(problem, orders, "x")] == [("bob", 0), ("ann", 160 * M)]
    plan = redistribute(problem, orders, ["x", "y"])
    assert {v: day for day, order in plan.orders().items() for v in order} == {
        "a": "ann",
        "b": "bob",
        "x": "bob",
        "y": "bob",
    }


def test_a_promise_that_fits_nowhere_takes_the_place_of_the_least_valuable_stop() -> None:
    tight = replace(ANN, close_s=8 * H + 2 * H + 40 * M)
    visits = (door("a", 1, prize=H), door("b", 1, prize=9 * H), door("x", 1, mandatory=True))
    problem = row(*visits, days=(tight,))
    assert takeovers(problem, {"ann": ("a", "b")}, "x") == ()
    plan = redistribute(problem, {"ann": ("a", "b")}, ["x"])
    assert set(plan.orders()["ann"]) == {"b", "x"}


def test_nobody_takes_over_what_limits_or_roads_forbid() -> None:
    for limit in ({"max_visits": 0}, {"max_drive_s": 10}, {"capacity": 0}):
        assert takeovers(row(door("x", 2, demand=1), days=(replace(ANN, **limit),)), {}, "x") == ()  # type: ignore[arg-type]
    island = Problem((ANN,), (door("x", 1),), np.array([[0, -1], [-1, 0]]))
    assert takeovers(island, {}, "x") == ()


def test_who_could_go_only_with_overtime_is_named_last_and_told_how_much() -> None:
    short, bob = replace(ANN, close_s=ANN.open_s + 10 * M), replace(ANN, id="bob", rep="bob")
    problem = row(door("x", 2), days=(short, bob))
    needed = 2 * int(problem.seconds[short.start, 2]) + problem.visit("x").service_s
    assert [t.rep_day for t in takeovers(problem, {}, "x")] == ["bob"]
    free, late = takeovers(problem, {}, "x", more_s=3 * H)
    assert (free.rep_day, free.overtime_s) == ("bob", 0)
    assert (late.rep_day, late.overtime_s) == (short.id, needed - 10 * M)
    assert len(takeovers(problem, {}, "x", more_s=needed - 11 * M)) == 1


NOON = (Window(12 * H, 13 * H),)


def test_who_must_leave_soon_is_told_until_when() -> None:
    at_noon = door("x", 2, windows=NOON, appointment=True, mandatory=True)
    now = replace(ANN, start=0, open_s=11 * H)
    assert warnings(row(at_noon), now, [at_noon]) == (Warned(Alarm.LEAVE_BY, 11 * H + 20 * M, "x"),)
    assert warnings(row(at_noon), replace(now, open_s=9 * H), [at_noon]) == ()


def test_the_departure_follows_from_the_tightest_of_the_coming_stops() -> None:
    first, second = door("a", 1), door("x", 2, windows=NOON, appointment=True)
    now = replace(ANN, open_s=10 * H)
    assert warnings(row(first, second), now, [first, second]) == (Warned(Alarm.LEAVE_BY, 10 * H + 20 * M, "x"),)


def test_a_late_appointment_is_kept_and_a_closed_door_is_passed_by() -> None:
    promised, early = door("x", 2, windows=NOON, appointment=True), door("e", 3, windows=(Window(8 * H, 12 * H),))
    now = replace(ANN, open_s=12 * H)
    found = warnings(row(promised, early), now, [early, promised])
    assert found == (Warned(Alarm.MISSED, 13 * H, "e"), Warned(Alarm.LATE, 12 * H + 40 * M, "x", 40 * M))


def test_a_late_return_is_named() -> None:
    visit = door("x", 3)
    found = warnings(row(visit), replace(ANN, open_s=15 * H + 30 * M), [visit])
    assert found[-1] == Warned(Alarm.OVERTIME, 18 * H + 30 * M, None, 90 * M)


def test_a_return_is_late_by_the_shift_and_not_by_what_is_left_of_a_day_that_is_over() -> None:
    visit, now = door("x", 3), replace(ANN, open_s=19 * H, close_s=19 * H + 1)
    found = warnings(row(visit), now, [visit], shift_ends_s=17 * H)
    assert (found[-1].alarm, found[-1].by_s) == (Alarm.OVERTIME, found[-1].at_s - 17 * H)
