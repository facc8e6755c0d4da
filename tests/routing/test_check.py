from dataclasses import replace

import numpy as np
import pytest

from routing.check import Rule, order_is_feasible, verify
from routing.plan import Plan, Reason, ReasonCode, Route, Unplanned
from routing.schedule import Broken, schedule
from routing.types import Break, Meeting, Night, Problem, RepDay, Spacing, Visit, Window

H = 3600


@pytest.fixture
def problem() -> Problem:
    """Ann works two days; three doors, an hour apart, all open 9-17; c1 and c2 are one customer."""
    days = tuple(
        RepDay(
            id=f"ann{d}",
            rep="ann",
            day=d,
            start=0,
            end=0,
            open_s=8 * H,
            close_s=18 * H,
            rest=Break(H // 2, 11 * H, 14 * H),
            max_drive_s=6 * H,
            max_visits=3,
            capacity=5,
        )
        for d in (0, 1)
    )
    visits = tuple(
        Visit(id=i, place=p, service_s=H, windows=(Window(9 * H, 17 * H),), prize=5 * H, demand=2)
        for i, p in [("a", 1), ("c1", 2), ("c2", 2)]
    )
    seconds = np.full((3, 3), H) - H * np.eye(3, dtype=int)
    return Problem(days, visits, seconds, spacings=(Spacing(("c1", "c2"), 1),))


def plan(problem: Problem, **orders: str) -> Plan:
    routes = []
    for day, order in orders.items():
        route = schedule(problem, problem.rep_day(day), [problem.visit(i) for i in order.split()])
        assert isinstance(route, Route)
        routes.append(route)
    served = {s.visit for r in routes for s in r.stops}
    why = (Reason(ReasonCode.NO_TIME_LEFT, "full"),)
    return Plan(tuple(routes), tuple(Unplanned(v.id, why) for v in problem.visits if v.id not in served))


def rules(problem: Problem, changed: Plan) -> set[Rule]:
    return {v.rule for v in verify(problem, changed).violations}


def test_a_lawful_plan_passes_and_its_value_is_prizes_less_driving(problem: Problem) -> None:
    report = verify(problem, plan(problem, ann0="a c1", ann1="c2"))
    assert report.ok
    assert (report.value.prize, report.value.travel_s, report.value.total) == (15 * H, 5 * H, 10 * H)


def test_two_visits_to_one_customer_on_one_day_break_the_cadence(problem: Problem) -> None:
    assert rules(problem, plan(problem, ann0="c1 c2")) == {Rule.SPACING}
    assert rules(problem, plan(problem, ann0="c2", ann1="c1")) == {Rule.SPACING}


def test_limits_on_driving_visits_and_load_are_checked(problem: Problem) -> None:
    tight = replace(problem.rep_days[0], max_drive_s=H, max_visits=1, capacity=3)
    changed = Problem((tight, problem.rep_days[1]), problem.visits, problem.seconds)
    assert rules(changed, plan(problem, ann0="a c1")) == {Rule.DRIVE_LIMIT, Rule.VISIT_LIMIT, Rule.CAPACITY}


def test_every_false_time_is_found(problem: Problem) -> None:
    good = plan(problem, ann0="a c1", ann1="c2")
    route = good.routes[0]

    def with_stop(k: int, **changes: int) -> Plan:
        stops = list(route.stops)
        stops[k] = replace(stops[k], **changes)
        return replace(good, routes=(replace(route, stops=tuple(stops)), *good.routes[1:]))

    first, second = route.stops
    assert rules(problem, with_stop(0, starts_s=first.starts_s - H, ends_s=first.ends_s - H)) >= {Rule.WINDOW}
    assert rules(problem, with_stop(0, ends_s=first.ends_s - 60)) == {Rule.SERVICE}
    assert rules(problem, with_stop(1, arrives_s=first.ends_s)) == {Rule.TRAVEL}
    assert rules(problem, with_stop(1, drive_s=60)) == {Rule.TRAVEL}
    assert rules(problem, with_stop(1, arrives_s=second.starts_s + 60)) == {Rule.TRAVEL}
    assert rules(problem, replace(good, routes=(replace(route, leaves_s=7 * H), *good.routes[1:]))) == {Rule.SHIFT}
    assert rules(problem, replace(good, routes=(replace(route, returns_s=18 * H + 1), *good.routes[1:]))) == {
        Rule.SHIFT
    }


@pytest.mark.parametrize("break_s", [None, 10 * H + 60, 15 * H])
def test_a_break_that_is_missing_or_out_of_place_is_found(problem: Problem, break_s: int | None) -> None:
    good = plan(problem, ann0="a c1", ann1="c2")
    changed = replace(good, routes=(replace(good.routes[0], break_s=break_s), *good.routes[1:]))
    assert Rule.BREAK in rules(problem, changed)


def test_a_break_during_a_service_is_found(problem: Problem) -> None:
    good = plan(problem, ann0="a c1", ann1="c2")
    middle = good.routes[0].stops[1].starts_s + 60
    changed = replace(good, routes=(replace(good.routes[0], break_s=middle), *good.routes[1:]))
    assert Rule.BREAK in rules(problem, changed)


def test_a_visit_that_is_served_twice_or_forgotten_or_unknown_is_found(problem: Problem) -> None:
    good = plan(problem, ann0="a c1", ann1="c2")
    assert Rule.TWICE in rules(problem, replace(good, routes=(good.routes[0], good.routes[0])))
    assert rules(problem, replace(good, routes=good.routes[:1])) == {Rule.UNPLANNED}
    stranger = replace(good.routes[1], stops=(replace(good.routes[1].stops[0], visit="x"),))
    assert Rule.UNKNOWN in rules(problem, replace(good, routes=(good.routes[0], stranger)))
    assert Rule.UNKNOWN in rules(problem, replace(good, routes=(good.routes[0], replace(good.routes[1], rep_day="x"))))
    assert Rule.EMPTY in rules(problem, replace(good, routes=(good.routes[0], replace(good.routes[1], stops=()))))


def test_a_rep_who_may_not_come_is_found(problem: Problem) -> None:
    visits = (replace(problem.visits[0], reps=frozenset({"bob"})), replace(problem.visits[1], days=frozenset({1})))
    changed = Problem(problem.rep_days, (*visits, problem.visits[2]), problem.seconds)
    report = verify(changed, plan(problem, ann0="a c1", ann1="c2"))
    assert [(v.rule, v.subject) for v in report.violations] == [(Rule.NOT_ALLOWED, "a"), (Rule.NOT_ALLOWED, "c1")]


def test_a_missing_appointment_is_reported_but_what_is_driven_stays_lawful(problem: Problem) -> None:
    visits = (replace(problem.visits[0], mandatory=True), *problem.visits[1:])
    changed = Problem(problem.rep_days, visits, problem.seconds)
    report = verify(changed, plan(problem, ann0="c1"))
    assert report.lawful
    assert not report.ok
    assert report.missing == ("a",)


def test_lateness_costs_per_day_after_the_due_day(problem: Problem) -> None:
    late = replace(problem.visits[0], due_day=0, late_cost=100)
    changed = Problem(problem.rep_days, (late, *problem.visits[1:]), problem.seconds)
    assert verify(changed, plan(changed, ann0="a")).value.late == 0
    assert verify(changed, plan(changed, ann1="a")).value.late == 100


def test_an_order_that_cannot_be_scheduled_says_where(problem: Problem) -> None:
    answer = schedule(problem, problem.rep_days[0], [problem.visit("a")] * 9)
    assert isinstance(answer, Broken)
    assert answer.position == 7


def test_overtime_is_lawful_up_to_its_limit_and_costs_by_the_second(problem: Problem) -> None:
    early = replace(problem.rep_days[0], close_s=13 * H, overtime_s=H, overtime_cost=3)
    changed = Problem((early, problem.rep_days[1]), problem.visits, problem.seconds)
    good = plan(changed, ann0="a c1")
    assert good.routes[0].returns_s == 13 * H + H // 2
    report = verify(changed, good)
    assert report.ok
    assert report.value.overtime == 3 * H // 2
    assert report.value.total == 10 * H - 3 * H - 3 * H // 2
    short = Problem((replace(early, overtime_s=H // 2 - 1), problem.rep_days[1]), problem.visits, problem.seconds)
    assert rules(short, good) == {Rule.SHIFT}
    assert not order_is_feasible(short, short.rep_days[0], [short.visit("a"), short.visit("c1")])
    assert order_is_feasible(changed, early, [changed.visit("a"), changed.visit("c1")])


def test_a_visit_that_leaves_its_known_day_costs_what_the_change_costs(problem: Problem) -> None:
    visits = (replace(problem.visits[0], keep="ann0", change_cost=700), *problem.visits[1:])
    changed = Problem(problem.rep_days, visits, problem.seconds)
    assert verify(changed, plan(changed, ann0="a")).value.changes == 0
    moved = verify(changed, plan(changed, ann1="a")).value
    assert (moved.changes, moved.total) == (700, 5 * H - 2 * H - 700)
    assert verify(changed, plan(changed, ann0="c1")).value.changes == 700


@pytest.fixture
def pair(problem: Problem) -> Problem:
    """Ann and Bob should meet at door a on day 0, open 9-17."""
    bob = replace(problem.rep_days[0], id="bob0", rep="bob", open_s=9 * H)
    visits = (problem.visits[0], replace(problem.visits[0], id="b"), *problem.visits[1:])
    return Problem((*problem.rep_days, bob), visits, problem.seconds, meetings=(Meeting(("a", "b")),))


def at_ten(problem: Problem) -> Problem:
    visits = (replace(v, windows=(Window(10 * H, 11 * H),)) for v in problem.visits)
    return replace(problem, visits=tuple(visits))


def test_reps_who_meet_begin_at_the_same_moment(pair: Problem) -> None:
    assert verify(pair, plan(at_ten(pair), ann0="a", bob0="b")).ok
    assert rules(pair, plan(pair, ann0="a", bob0="b")) == {Rule.MEETING}  # Ann is there at 9, Bob at 10


def test_a_meeting_with_only_one_rep_or_one_rep_twice_or_on_two_days_is_found(pair: Problem) -> None:
    assert rules(pair, plan(at_ten(pair), bob0="b")) == {Rule.MEETING}
    assert rules(pair, plan(at_ten(pair), ann0="a", ann1="b")) == {Rule.MEETING}
    assert rules(pair, plan(at_ten(pair), ann1="a", bob0="b")) == {Rule.MEETING}
    assert verify(pair, plan(pair, ann0="c1")).ok  # nobody came: all or nothing


@pytest.fixture
def far(problem: Problem) -> Problem:
    """A hotel stands at the doors a, c1 and c2."""
    nights = (Night("inn", "ann0", "ann1", 2, cost=1000), Night("spa", "ann0", "ann1", 1))
    return replace(problem, nights=nights)


def test_a_night_away_saves_the_way_home_and_back_and_costs_the_hotel(far: Problem) -> None:
    away = far.with_nights(("inn",))
    slept = replace(plan(away, ann0="a c1", ann1="c2"), nights=("inn",))
    report = verify(far, slept)
    assert report.ok
    assert (report.value.travel_s, report.value.nights, report.value.total) == (3 * H, 1000, 15 * H - 3 * H - 1000)
    assert rules(far, replace(slept, nights=())) == {Rule.TRAVEL}


def test_a_night_needs_a_route_before_and_after_it_and_only_one_hotel(far: Problem) -> None:
    away = far.with_nights(("inn",))
    assert rules(far, replace(plan(away, ann0="a c1"), nights=("inn",))) == {Rule.NIGHT}
    assert rules(far, replace(plan(away, ann1="c2"), nights=("inn",))) == {Rule.NIGHT}
    both = replace(plan(away, ann0="a c1", ann1="c2"), nights=("inn", "spa"))
    assert Rule.NIGHT in rules(far, both)
    assert rules(far, replace(plan(far, ann0="a c1"), nights=("tent",))) == {Rule.UNKNOWN}


def test_nobody_works_elsewhere_between_an_evening_and_its_morning(problem: Problem) -> None:
    later = replace(problem.rep_days[1], id="ann2", day=2)
    week = replace(problem, rep_days=(*problem.rep_days, later), nights=(Night("inn", "ann0", "ann2", 0),))
    gone = replace(plan(week, ann0="c1", ann1="a", ann2="c2"), nights=("inn",))
    assert rules(week, gone) == {Rule.NIGHT}
    assert verify(week, replace(plan(week, ann0="c1", ann2="c2"), nights=("inn",))).value.nights == 0
