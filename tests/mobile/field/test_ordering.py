"""Calls of a day are put in order: short, lawful for the server's checker, with every promise kept."""

import random

import pytest

from mobile.field.hours import ANY_TIME, open_spans
from mobile.field.offers import slots
from mobile.field.replan import Ahead, Call, Rest, Route, replan, timed
from routing.check import verify
from routing.plan import Plan, Reason, ReasonCode, Unplanned
from routing.schedule import schedule
from routing.types import Break, Problem, RepDay, Visit, Window
from tests.mobile.field.conftest import H, M

DAYTIME = ((7 * H, 19 * H),)


def line(*calls, rest=None, open_s=8 * H, close_s=17 * H, minutes=10):
    """Places along a road, ten minutes apart; the day begins and ends at the first."""
    places = len(calls) + 1
    seconds = [[abs(a - b) * minutes * M for b in range(places)] for a in range(places)]
    return Ahead(0, 0, open_s, close_s, calls, seconds, rest)


def call(name, place, windows=DAYTIME, worth_s=2 * H, promised=False):
    return Call(name, place, 30 * M, windows, worth_s, promised)


def test_the_way_becomes_short_whatever_the_order_was():
    day = line(*(call(f"v{n}", n) for n in range(1, 7)))
    answer = replan(day, ["v4", "v1", "v6", "v2", "v5", "v3"], steps=300)
    assert answer.drive_s == 2 * 60 * M
    assert answer.left_out == ()


def test_a_promise_is_kept_and_the_cheapest_falls_out_when_time_is_short():
    promised = call("promised", 1, ((10 * H, 10 * H + 30 * M),), worth_s=0, promised=True)
    day = line(promised, call("dear", 2), call("cheap", 3, worth_s=H), close_s=11 * H + 30 * M, open_s=9 * H + 25 * M)
    answer = replan(day, ["cheap", "dear", "promised"], steps=300)
    assert answer.left_out == ("cheap",)
    assert next(one for one in answer.stops if one.id == "promised").starts_s == 10 * H
    assert replan(day, [], steps=300) == replan(day, [], steps=300), "the same seed gives the same day"


def test_a_window_that_closes_early_is_visited_early_and_the_break_lies_in_its_span():
    rest = Rest(45 * M, 11 * H, 12 * H)
    calls = [call(f"v{n}", n) for n in range(1, 8)] + [call("early", 8, ((8 * H, 10 * H),))]
    answer = replan(line(*calls, rest=rest), steps=600)
    assert answer.left_out == ()
    early = next(one for one in answer.stops if one.id == "early")
    assert early.ends_s <= 10 * H
    gaps = [(a.ends_s, b.starts_s, b.drive_s) for a, b in zip(answer.stops, answer.stops[1:], strict=False)]
    assert any(b - a - drive >= rest.duration_s and a <= rest.latest_s for a, b, drive in gaps)


def random_day(dice, rest):
    """Nine calls with narrow windows and a shift that is often too short."""
    spots = [(dice.uniform(0, 3000), dice.uniform(0, 3000)) for _ in range(10)]
    seconds = [[round(abs(a[0] - b[0]) + abs(a[1] - b[1])) for b in spots] for a in spots]
    calls = []
    for n in range(1, 10):
        at = dice.randrange(8, 16) * H
        calls.append(call(f"v{n}", n, ((at, at + dice.randrange(1, 5) * H),), dice.randrange(1, 4) * H))
    return Ahead(0, 0, 8 * H, dice.randrange(12, 18) * H, tuple(calls), seconds, rest)


def test_random_days_are_lawful_for_the_servers_checker():
    dice = random.Random(3)
    for seed in range(25):
        day = random_day(dice, Rest(30 * M, 11 * H, 12 * H + 30 * M))
        answer = replan(day, seed=seed, steps=60)
        visits = [Visit(c.id, c.place, c.service_s, (Window(*c.windows[0]),), c.worth_s) for c in day.calls]
        rep_day = RepDay("d", "r", 0, 0, 0, day.open_s, day.close_s, Break(30 * M, 11 * H, 12 * H + 30 * M))
        problem = Problem((rep_day,), tuple(visits), day.seconds)
        route = schedule(problem, rep_day, [problem.visit(one.id) for one in answer.stops])
        out = tuple(Unplanned(v, (Reason(ReasonCode.NOT_PLACED, "out"),)) for v in answer.left_out)
        assert verify(problem, Plan((route,) if answer.stops else (), out)).lawful
        assert answer.returns_s <= day.close_s
        for one in answer.stops:
            opens, closes = problem.visit(one.id).windows[0].open_s, problem.visit(one.id).windows[0].close_s
            assert opens <= one.starts_s <= one.ends_s <= closes


@pytest.mark.parametrize("rest", [None, Rest(30 * M, 11 * H, 12 * H + 30 * M)])
def test_a_call_that_is_put_in_leaves_the_times_of_the_whole_order_anew(rest):
    dice = random.Random(5)
    for _ in range(40):
        day = random_day(dice, rest)
        route = Route(day, ())
        for index in dice.sample(range(9), 9):
            costs = [(extra, at) for at in range(len(route.order) + 1) if (extra := route.added(index, at)) is not None]
            place = route.cheapest(index, 10**9, lambda: False)
            assert place == (min(costs)[1] if costs else None)
            if place is not None:
                route.put(index, place)
                anew = Route(day, route.order)
                assert (route.nodes, route.early, route.late) == (anew.nodes, anew.early, anew.late)


def test_a_time_is_offered_with_its_detour_and_changes_nothing_else():
    day = line(call("a", 1), call("b", 3), call("new", 2), minutes=10)
    offered = slots(
        Ahead(0, 0, day.open_s, day.close_s, day.calls[:2], day.seconds), ["a", "b"], call("new", 2, ((9 * H, 17 * H),))
    )
    assert (offered[0].after, offered[0].detour_s) == ("a", 0)
    assert offered[0].starts_s == 9 * H
    assert [one.detour_s for one in offered] == sorted(one.detour_s for one in offered)
    assert timed(day, (0, 2, 1)).drive_s == 60 * M


@pytest.mark.parametrize(
    ("text", "weekday", "spans"),
    [
        ("Mo-Fr 08:00-12:00,13:30-18:00; Sa 09:00-12:00", 0, ((8 * H, 12 * H), (13 * H + 30 * M, 18 * H))),
        ("Mo-Fr 08:00-12:00; We off", 2, ()),
        ("Mo-Fr 08:00-12:00", 6, ()),
        ("24/7", 6, ANY_TIME),
        (None, 1, ANY_TIME),
        ("by appointment", 1, ANY_TIME),
        ("08:00-12:00; PH off", 3, ((8 * H, 12 * H),)),
    ],
)
def test_opening_hours_are_read_as_far_as_they_are_plain(text, weekday, spans):
    assert open_spans(text, weekday) == spans
