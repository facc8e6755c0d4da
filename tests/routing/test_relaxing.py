from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from routing import fsr
from routing.budget import Budget
from routing.check import verify
from routing.plan import Plan
from routing.relaxation import Change, Kind, Relaxation, apply, start_with
from routing.relaxing import relaxations
from routing.schedule import Broken, schedule
from routing.solve import solve
from routing.types import Break, InvalidProblem, Meeting, Problem, RepDay, Spacing, Visit, Window

H, M = 3600, 60
DAY = RepDay(
    id="ann mon", rep="ann", day=0, start=0, end=0, open_s=8 * H, close_s=16 * H, rest=Break(H, 12 * H, 13 * H)
)
OPEN = (Window(8 * H, 18 * H),)
HOUR_AWAY = np.array([[0, H], [H, 0]])
FAST = Budget(steps=1)
PUBLIC = Path(__file__).parents[3] / "shared" / "data" / "routing"
BY_TIME = ((Kind.OVERTIME,), (Kind.SHORTER,))


def door(name: str, **changes: object) -> Visit:
    return Visit(**{"id": name, "place": 1, "service_s": H, "windows": OPEN, "prize": 4 * H, **changes})  # type: ignore[arg-type]


def plan_of(problem: Problem) -> Plan:
    return solve(problem, engine="insertion", budget=FAST)


def offered(problem: Problem, visit: str) -> dict[tuple[Kind, ...], Relaxation]:
    orders = plan_of(problem).orders()
    assert visit not in {v for order in orders.values() for v in order}
    return {r.kinds: r for r in relaxations(problem, orders, [visit])[visit]}


def amount(found: Mapping[tuple[Kind, ...], Relaxation], kind: Kind) -> int:
    return found[kind,].changes[0].amount


def span(found: Mapping[tuple[Kind, ...], Relaxation]) -> tuple[int, Window | None]:
    change = found[Kind.OPENING,].changes[0]
    return change.amount, change.window


def full_day(*more: Visit, **changes: object) -> Problem:
    """Five promised hours, two of driving and one of rest fill the eight hours of the shift."""
    visits = tuple(door(f"v{k}", mandatory=True) for k in range(5))
    return Problem((replace(DAY, **changes),), (*visits, *more), HOUR_AWAY)  # type: ignore[arg-type]


def test_a_full_day_names_the_overtime_to_the_second() -> None:
    assert amount(offered(full_day(door("x")), "x"), Kind.OVERTIME) == H
    assert amount(offered(full_day(door("x", service_s=20 * M)), "x"), Kind.OVERTIME) == 20 * M


def test_overtime_that_is_allowed_anyway_counts_as_part_of_the_shift() -> None:
    problem = full_day(door("x"))
    later = replace(problem, rep_days=(replace(problem.rep_days[0], overtime_s=15 * M),))
    orders = plan_of(problem).orders()
    assert relaxations(later, orders, ["x"])["x"][0].changes == (Change(Kind.OVERTIME, 45 * M),)


def test_a_visit_a_little_too_long_can_be_shortened() -> None:
    found = offered(full_day(door("x"), close_s=16 * H + 50 * M), "x")
    assert amount(found, Kind.SHORTER) == 10 * M
    assert amount(found, Kind.OVERTIME) == 10 * M


def test_a_customer_who_closes_too_early_is_asked_to_stay_open_as_long_as_needed() -> None:
    problem = Problem((DAY,), (door("x", windows=(Window(6 * H, 9 * H + 30 * M),)),), HOUR_AWAY)
    assert span(offered(problem, "x")) == (30 * M, Window(6 * H, 10 * H))


def test_a_customer_who_opens_too_late_is_asked_to_open_earlier() -> None:
    problem = Problem((DAY,), (door("x", windows=(Window(15 * H, 18 * H),)),), HOUR_AWAY)
    assert span(offered(problem, "x")) == (H, Window(14 * H, 18 * H))


def test_a_customer_who_is_closed_is_asked_to_open() -> None:
    problem = Problem((DAY,), (door("x", windows=()),), HOUR_AWAY)
    assert span(offered(problem, "x"))[1] == Window(9 * H, 10 * H)


def test_another_rep_another_day_or_another_limit_is_named() -> None:
    for_bob = Problem((DAY,), (door("x", reps=frozenset({"bob"})),), HOUR_AWAY)
    assert offered(for_bob, "x").keys() == {(Kind.REP,)}
    two_days_later = Problem((DAY,), (door("x", days=frozenset({2, 3})),), HOUR_AWAY)
    assert amount(offered(two_days_later, "x"), Kind.DAY) == 2
    for field, kind, lack in (
        ("max_drive_s", Kind.DRIVING, H), ("max_visits", Kind.STOPS, 1), ("capacity", Kind.LOAD, 2)
    ):  # fmt: skip
        limit = {"max_drive_s": H, "max_visits": 0, "capacity": 1}[field]
        limited = Problem((replace(DAY, **{field: limit}),), (door("x", demand=3),), HOUR_AWAY)  # type: ignore[arg-type]
        assert amount(offered(limited, "x"), kind) == lack


def test_a_cadence_is_bent_by_the_days_that_are_missing() -> None:
    days = (DAY, replace(DAY, id="ann thu", day=3))
    visits = (door("first", days=frozenset({0}), prize=9 * H), door("second", days=frozenset({3})))
    problem = Problem(days, visits, HOUR_AWAY, spacings=(Spacing(("first", "second"), 5),))
    found = offered(problem, "second")[Kind.DAY,]
    assert (found.changes, found.rep_day) == ((Change(Kind.DAY, 2),), "ann thu")
    assert "second" in {v for o in plan_of(apply(problem, found)).orders().values() for v in o}


def test_a_place_can_be_given_to_a_visit_that_is_worth_less_and_the_loss_is_named() -> None:
    visits = tuple(door(f"v{k}", prize=(k + 3) * H) for k in range(6))
    found = offered(Problem((DAY,), visits, HOUR_AWAY), "v0")[Kind.INSTEAD,]
    assert found.changes == (Change(Kind.INSTEAD, H, other="v1"),)


def test_what_fits_but_does_not_pay_can_be_insisted_on() -> None:
    problem = Problem((DAY,), (door("x", prize=H),), HOUR_AWAY)
    assert amount(offered(problem, "x"), Kind.INSIST) == H


def test_no_change_is_offered_for_an_island_or_for_a_meeting() -> None:
    island = Problem((DAY,), (door("x"),), np.array([[0, -1], [-1, 0]]))
    assert relaxations(island, {}, ["x"]) == {"x": ()}
    two = Problem((DAY,), (door("x"), door("y")), HOUR_AWAY, meetings=(Meeting(("x", "y")),))
    assert relaxations(two, {}, ["x"]) == {"x": ()}


def test_a_relaxation_survives_being_written_down() -> None:
    found = offered(Problem((DAY,), (door("x", windows=(Window(15 * H, 18 * H),)),), HOUR_AWAY), "x")
    for relaxation in found.values():
        assert Relaxation.of_data(relaxation.data()) == relaxation
    for wrong in ({}, {"changes": [{"kind": "magic"}]}, {"changes": 1}):
        with pytest.raises(InvalidProblem, match="none of ours"):
            Relaxation.of_data(wrong)


def test_a_relaxation_of_another_problem_is_refused() -> None:
    problem = full_day(door("x"))
    for wrong in (
        Relaxation("y", "ann mon", (Change(Kind.REP),)),
        Relaxation("x", "ann sun", (Change(Kind.REP),)),
        Relaxation("x", "ann mon", (Change(Kind.INSTEAD, other="y"),)),
    ):
        with pytest.raises(InvalidProblem):
            apply(problem, wrong)


def random_problem(seed: int) -> Problem:
    """Two reps, two days, more visits than fit, with lunches, two windows and limits."""
    dice = np.random.default_rng(seed)
    places = 16
    spots = dice.integers(0, 40, size=(places, 2))
    seconds = np.abs(spots[:, None] - spots[None]).sum(axis=2) * 60
    rest = Break(20 * M, 10 * H, 12 * H) if seed % 3 else None
    days = tuple(
        RepDay(f"{rep}{d}", rep, d, 0, 0, 8 * H, 12 * H, rest, max_visits=4 if seed % 4 == 0 else None)
        for rep in ("ann", "bob")
        for d in range(2)
    )
    visits = []
    for k in range(1, places):
        open_s = int(dice.integers(7, 11)) * H
        spans = (Window(open_s, open_s + H), Window(open_s + 2 * H, open_s + 3 * H)) if k % 3 else OPEN
        reps = frozenset({("ann", "bob")[k % 2]}) if k % 5 == 0 else None
        visits.append(Visit(f"v{k}", k, int(dice.integers(20, 60)) * M, spans, int(dice.integers(1, 4)) * H, reps=reps))
    return Problem(days, tuple(visits), seconds)


def is_in(problem: Problem, orders: Mapping[str, tuple[str, ...]], relaxation: Relaxation) -> bool:
    """Whether the plan plus the visit can be made lawful on the relaxed problem without moving anything."""
    changed = apply(problem, relaxation)
    plan = solve(changed, engine="insertion", budget=FAST, start=start_with(orders, relaxation))
    assert verify(changed, plan).lawful
    return relaxation.visit in {v for order in plan.orders().values() for v in order}


@pytest.mark.parametrize("seed", range(12))
def test_every_offered_change_lets_the_visit_in_and_a_second_less_does_not(seed: int) -> None:
    problem = random_problem(seed)
    plan = plan_of(problem)
    orders = plan.orders()
    left_out = [u.visit for u in plan.unplanned]
    assert left_out
    for visit, changes in relaxations(problem, orders, left_out).items():
        assert changes, visit
        assert list(changes) == sorted(changes, key=lambda r: r.burden)
        for change in changes:
            assert is_in(problem, orders, change), change
            if change.kinds in BY_TIME:
                less = replace(change, changes=(replace(change.changes[0], amount=change.changes[0].amount - 1),))
                assert not fits(problem, orders, less), change


def fits(problem: Problem, orders: Mapping[str, tuple[str, ...]], relaxation: Relaxation) -> bool:
    """Whether some gap of the relaxation's day takes the visit, tried by scheduling every one of them."""
    changed = apply(problem, relaxation)
    rep_day, visit = changed.rep_day(relaxation.rep_day), changed.visit(relaxation.visit)
    stops = [changed.visit(v) for v in orders.get(rep_day.id, ())]
    if not visit.allows(rep_day) or len(stops) + 1 > (rep_day.max_visits or 99):
        return False
    tried = ([*stops[:k], visit, *stops[k:]] for k in range(len(stops) + 1))
    return any(not isinstance(schedule(changed, rep_day, order), Broken) for order in tried)


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public instances lie beside the repository")
def test_on_public_instances_nine_of_ten_offers_plan_the_visit() -> None:
    offered = planned = 0
    for name in ("fs-ad-60x1x3", "fs-ba-100x3x1", "fs-ha-120x2x5"):
        problem = fsr.read(PUBLIC / f"{name}.json.gz").problem
        plan = solve(problem, budget=Budget(steps=5_000), seed=1)
        left_out = [u.visit for u in plan.unplanned][:4]
        for visit, changes in relaxations(problem, plan.orders(), left_out).items():
            changed = apply(problem, changes[0])
            again = solve(changed, budget=Budget(steps=1_000), seed=1, start=start_with(plan.orders(), changes[0]))
            assert verify(changed, again).lawful
            offered += 1
            planned += visit in {v for order in again.orders().values() for v in order}
    assert offered >= 10
    assert planned >= 0.9 * offered
