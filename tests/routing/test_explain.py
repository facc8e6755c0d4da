from dataclasses import replace

import numpy as np
import pytest

from routing.budget import Budget
from routing.explain import sentence, why
from routing.plan import ReasonCode
from routing.relaxation import Change, Kind, Relaxation
from routing.solve import solve
from routing.types import Break, Problem, RepDay, Spacing, Visit, Window

H = 3600
DAY = RepDay(
    id="ann mon", rep="ann", day=0, start=0, end=0, open_s=8 * H, close_s=16 * H, rest=Break(H, 12 * H, 13 * H)
)
OPEN = (Window(8 * H, 18 * H),)


def door(name: str, place: int, **changes: object) -> Visit:
    return Visit(**{"id": name, "place": place, "service_s": H, "windows": OPEN, "prize": 4 * H, **changes})  # type: ignore[arg-type]


def reason(problem: Problem, visit: str) -> ReasonCode:
    plan = solve(problem, engine="insertion", budget=Budget(steps=1))
    return next(u.reasons[0].code for u in plan.unplanned if u.visit == visit)


@pytest.mark.parametrize(
    ("visit", "code"),
    [
        (door("x", 1, reps=frozenset({"bob"})), ReasonCode.NO_REP_ALLOWED),
        (door("x", 1, days=frozenset({4})), ReasonCode.NO_REP_ALLOWED),
        (door("x", 1, windows=()), ReasonCode.CLOSED),
        (door("x", 1, windows_by_day={0: ()}), ReasonCode.CLOSED),
        (door("x", 1, service_s=11 * H), ReasonCode.WINDOW_TOO_SHORT),
        (door("x", 2), ReasonCode.NOT_REACHABLE),
        (door("x", 3), ReasonCode.LONGER_THAN_SHIFT),
        (door("x", 1, windows=(Window(6 * H, 9 * H),)), ReasonCode.NO_WINDOW_REACHABLE),
        (door("x", 1, windows=(Window(15 * H, 18 * H),)), ReasonCode.NO_WINDOW_REACHABLE),
        (door("x", 1, prize=H), ReasonCode.NOT_WORTH_THE_WAY),
    ],
)
def test_a_visit_that_cannot_be_planned_says_which_rule_stands_in_the_way(visit: Visit, code: ReasonCode) -> None:
    """Place 1 is an hour away, 2 an island, 3 three and a half hours away."""
    seconds = np.array([[0, H, -1, 3 * H + H // 2], [H, 0, -1, H], [-1, -1, 0, -1], [3 * H + H // 2, H, -1, 0]])
    assert reason(Problem((DAY,), (visit,), seconds), "x") == code


def test_a_day_that_may_not_drive_so_far_says_so() -> None:
    seconds = np.array([[0, H], [H, 0]])
    assert reason(Problem((replace(DAY, max_drive_s=H),), (door("x", 1),), seconds), "x") == ReasonCode.DRIVE_LIMIT
    assert reason(Problem((replace(DAY, capacity=1),), (door("x", 1, demand=2),), seconds), "x") == ReasonCode.CAPACITY


def test_a_full_day_keeps_the_more_valuable_visits_and_names_what_would_give_way() -> None:
    visits = tuple(door(f"v{k}", 1, prize=(k + 3) * H) for k in range(8))
    plan = solve(Problem((DAY,), visits, np.array([[0, H], [H, 0]])), engine="insertion", budget=Budget(steps=1))
    assert {s.visit for r in plan.routes for s in r.stops} == {"v3", "v4", "v5", "v6", "v7"}
    reasons = {u.visit: u.reasons[0] for u in plan.unplanned}
    assert {r.code for r in reasons.values()} == {ReasonCode.LOWER_VALUE}
    assert reasons["v2"].text.endswith("even v3 (ann mon) brings more, by 1 h of driving.")


def test_a_day_full_of_promises_has_no_time_left() -> None:
    visits = tuple(door(f"v{k}", 1, mandatory=k > 0) for k in range(6))
    assert reason(Problem((DAY,), visits, np.array([[0, H], [H, 0]])), "v0") == ReasonCode.NO_TIME_LEFT


def test_a_second_visit_to_a_customer_on_the_only_day_is_refused_for_its_cadence() -> None:
    visits = (door("first", 1, prize=9 * H), door("second", 1))
    problem = Problem((DAY,), visits, np.array([[0, H], [H, 0]]), spacings=(Spacing(("first", "second"), 7),))
    assert reason(problem, "second") == ReasonCode.CADENCE_GAP


def test_a_stop_says_what_brought_it() -> None:
    visits = (door("late", 1, overdue_days=12), door("promise", 1, mandatory=True, appointment=True), door("plain", 1))
    problem = Problem((DAY,), visits, np.array([[0, H], [H, 0]]))
    plan = solve(problem, engine="insertion", budget=Budget(steps=1))
    texts = {s.visit: s.why for r in plan.routes for s in r.stops}
    assert texts["late"] == "12 days overdue; on the way. For the plan it weighs as much as 4 h of driving saved."
    assert texts["promise"] == "Fixed appointment; on the way."
    assert texts["plain"] == "Due; on the way. For the plan it weighs as much as 4 h of driving saved."
    alone = solve(Problem((DAY,), visits[:1], problem.seconds), engine="insertion", budget=Budget(steps=1))
    assert why(problem, alone.routes[0], 0).detour_s == 2 * H


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(Kind.OVERTIME, 12 * 60), "12 min overtime (ann mon)."),
        (Change(Kind.SHORTER, 601), "Shorten the visit by 11 min (ann mon)."),
        (Change(Kind.OPENING, 1800, window=Window(8 * H, 18 * H + 1800)), "Open until 18:30 (ann mon)."),
        (Change(Kind.OPENING, 1800, window=Window(7 * H, 18 * H)), "Open from 07:00 (ann mon)."),
        (Change(Kind.OPENING, 3600, window=Window(20 * H, 21 * H)), "Open from 20:00 until 21:00 (ann mon)."),
        (Change(Kind.STOPS, 1), "Allow 1 more stop (ann mon)."),
        (
            Change(Kind.DAY, 1),
            "Come 1 day outside what the call interval or the promise allows (ann mon).",
        ),
        (
            Change(Kind.INSTEAD, H, other="Yamato"),
            "Leave out Yamato instead (ann mon), 1 h of driving less in value.",
        ),
        (Change(Kind.REP), "Let somebody else go (ann mon)."),
        (Change(Kind.LOAD, 3), "Load 3 more (ann mon)."),
        (Change(Kind.DRIVING, 300), "Allow 5 min more driving (ann mon)."),
        (Change(Kind.INSIST, H), "Visit it anyway (ann mon); it costs 1 h of driving more than it brings."),
    ],
)
def test_a_relaxation_is_told_in_a_sentence(change: Change, text: str) -> None:
    problem = Problem((DAY,), (door("x", 1), door("Yamato", 1)), np.array([[0, H], [H, 0]]))
    assert sentence(problem, Relaxation("x", "ann mon", (change,))) == text


def test_several_changes_are_joined() -> None:
    problem = Problem((DAY,), (door("x", 1),), np.array([[0, H], [H, 0]]))
    both = (Change(Kind.REP), Change(Kind.OVERTIME, 60))
    assert sentence(problem, Relaxation("x", "ann mon", both)) == (
        "Let somebody else go (ann mon) and 1 min overtime (ann mon)."
    )


def test_a_stop_says_who_else_asked_for_it() -> None:
    visit = door("x", 1, overdue_days=3, origin="An open ticket: the scale is broken.")
    problem = Problem((DAY,), (visit,), np.array([[0, H], [H, 0]]))
    plan = solve(problem, engine="insertion", budget=Budget(steps=1))
    assert plan.routes[0].stops[0].why.startswith("An open ticket: the scale is broken. The visit is 3 days overdue;")
