from dataclasses import replace

import numpy as np
import pytest

from routing.check import Rule, verify
from routing.plan import Plan, Reason, ReasonCode, Route, Unplanned
from routing.schedule import Broken, schedule
from routing.types import Break, Problem, RepDay, Spacing, Visit, Window

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
