"""Changes by hand: exact effects, reasons for refusals, and no unlawful board whatever people do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.adjusting import Desk, Effect, UnlawfulBoard
from routing.again import free_part, plan_rest
from routing.board import Board
from routing.budget import Budget
from routing.check import value_of, verify
from routing.plan import Plan, Reason, ReasonCode, Unplanned
from routing.refusals import Refusal, RefusalCode
from routing.solve import solve
from routing.types import Break, Problem, RepDay, Spacing, Visit, Window

H = 3600
LUNCH = Break(duration_s=H // 2, earliest_s=12 * H, latest_s=13 * H)
ANN, BOB, ANN_2 = "ann/0", "bob/0", "ann/1"


def rep_day(rep: str, day: int, **more: object) -> RepDay:
    given = {"open_s": 8 * H, "close_s": 17 * H, "rest": LUNCH} | more
    return RepDay(id=f"{rep}/{day}", rep=rep, day=day, start=0, end=0, **given)  # type: ignore[arg-type]


def visit(n: int, opens: float = 0, closes: float = 24, **more: object) -> Visit:
    given = {"service_s": H, "prize": 5 * H, "reps": frozenset({"ann"})} | more
    return Visit(id=f"v{n}", place=n, windows=(Window(int(opens * H), int(closes * H)),), **given)  # type: ignore[arg-type]


def world(*visits: Visit, **more: object) -> Problem:
    """Every place lies ten minutes from the next on a line that begins at home."""
    line = np.arange(len(visits) + 1)
    seconds = 600 * np.abs(line[:, None] - line[None, :])
    days = (rep_day("ann", 0), rep_day("bob", 0), rep_day("ann", 1))
    return Problem(days, visits, seconds, metres=seconds * 10, **more)  # type: ignore[arg-type]


@pytest.fixture
def desk() -> Desk:
    """Ann serves v1 and v3 on the first day; v2 waits and is open from ten to four."""
    return Desk(world(visit(1), visit(2, 10, 16), visit(3)), Board({ANN: ("v1", "v3")}))


def made(effect: Effect | Refusal) -> Effect:
    assert isinstance(effect, Effect), effect
    return effect


def refused(effect: Effect | Refusal) -> Refusal:
    assert isinstance(effect, Refusal), effect
    return effect


def starts(effect: Effect, rep_day: str) -> dict[str, int]:
    route = effect.after[rep_day]
    return {} if route is None else {s.visit: s.starts_s for s in route.stops}


def test_a_visit_goes_where_it_costs_least_when_no_time_is_said(desk: Desk) -> None:
    effect = made(desk.place("v2", ANN))
    assert effect.board.routes[ANN] == ("v1", "v2", "v3")
    assert (effect.drive_s, effect.metres, effect.visits, effect.value) == (0, 0, 1, 5 * H)
    assert [one.visit for one in effect.shifted] == ["v3"]


def test_a_time_is_kept_and_the_others_give_way(desk: Desk) -> None:
    effect = made(desk.place("v2", ANN, 14 * H))
    assert starts(effect, ANN)["v2"] == 14 * H
    assert effect.board.starts == {"v2": 14 * H}
    assert effect.board.routes[ANN] == ("v1", "v3", "v2")


def test_a_time_that_comes_by_itself_is_not_held(desk: Desk) -> None:
    assert made(desk.place("v2", ANN, 9 * H)).board.starts == {}


def test_moving_to_another_rep_counts_both_routes_and_is_told(desk: Desk) -> None:
    effect = made(desk.place("v3", BOB))
    assert set(effect.after) == {ANN, BOB}
    assert effect.drive_s == 2 * 600 - 6 * 600 + 6 * 600
    assert [one.code for one in effect.cautions] == ["other_rep"]
    assert verify(Desk(desk.problem, effect.board).bound, whole(desk.problem, effect.board)).lawful


def test_the_last_stop_of_a_route_leaves_nobody_driving(desk: Desk) -> None:
    only = Desk(desk.problem, Board({ANN: ("v1",)}))
    effect = made(only.take_out("v1"))
    assert (effect.after, effect.drive_s, effect.board.out) == ({ANN: None}, -1200, frozenset({"v1"}))


def test_the_reason_names_who_cannot_be_reached_and_when() -> None:
    desk = Desk(world(visit(1, 8, 9.5), visit(2, 8, 17)), Board({ANN: ("v1",)}))
    late = refused(desk.place("v2", ANN, 8 * H))
    assert (late.code, late.visit, late.limit) == (RefusalCode.WINDOW, "v1", int(9.5 * H))
    assert late.at == 10 * H + 30 * 60
    assert "v1 could not end before 10:30; it must end by 09:30." in late.sentence(desk.bound)


@pytest.mark.parametrize(("change", "code"), [
    ({"days": frozenset({1})}, RefusalCode.WRONG_DAY),
    ({"windows_by_day": {0: ()}}, RefusalCode.CLOSED),
    ({"service_s": 9 * H}, RefusalCode.SHIFT),
])  # fmt: skip
def test_every_rule_has_its_own_reason(change: dict[str, object], code: RefusalCode) -> None:
    desk = Desk(world(visit(1), visit(2, **change)), Board({ANN: ("v1",)}))
    assert refused(desk.place("v2", ANN)).code == code


def test_limits_of_the_shift_have_reasons_too() -> None:
    problem = world(visit(1), visit(2))
    few = Problem((rep_day("ann", 0, max_visits=1), rep_day("bob", 0, max_drive_s=60)), problem.visits, problem.seconds)
    desk = Desk(few, Board({ANN: ("v1",)}))
    assert refused(desk.place("v2", ANN)).code == RefusalCode.VISIT_LIMIT
    assert refused(desk.place("v2", BOB)).code == RefusalCode.DRIVE_LIMIT


def test_two_visits_to_one_customer_keep_their_distance() -> None:
    problem = world(visit(1), visit(2), spacings=(Spacing(("v1", "v2"), 1),))
    desk = Desk(problem, Board({ANN: ("v1",)}))
    assert refused(desk.place("v2", ANN)).code == RefusalCode.CADENCE
    assert made(desk.place("v2", ANN_2)).visits == 1


def test_pins_and_locks_stand_until_they_are_taken_out(desk: Desk) -> None:
    pinned = Desk(desk.problem, made(desk.pin("v3", True)).board)
    assert refused(pinned.take_out("v3")).code == RefusalCode.PINNED
    assert refused(pinned.place("v2", ANN, 8 * H)).code in (RefusalCode.WINDOW, RefusalCode.BREAK)
    assert made(pinned.pin("v3", False)).board == desk.board
    locked = Desk(desk.problem, made(desk.lock([ANN], True)).board)
    assert refused(locked.place("v2", ANN)).code == RefusalCode.LOCKED
    assert refused(locked.place("v1", BOB)).code == RefusalCode.LOCKED


def test_offers_name_the_best_place_of_each_day_and_what_it_costs(desk: Desk) -> None:
    offers = desk.offers("v3")
    assert [offer.rep_day for offer in offers] == [BOB, ANN_2]
    for offer in offers:
        assert offer.drive_s == made(desk.place("v3", offer.rep_day)).drive_s
        assert offer.start_s == starts(made(desk.place("v3", offer.rep_day)), offer.rep_day)["v3"]


def test_a_board_that_breaks_a_rule_cannot_be_opened() -> None:
    with pytest.raises(UnlawfulBoard):
        Desk(world(visit(1, 8, 9)), Board({ANN: ("v1",)}, starts={"v1": 9 * H}))


def whole(problem: Problem, board: Board) -> Plan:
    desk = Desk(problem, board)
    waiting = (Reason(ReasonCode.NOT_PLACED, "-"),)
    left = [Unplanned(v.id, waiting) for v in problem.visits if v.id not in board.at]
    return Plan(tuple(desk.routes.values()), tuple(left))


WINDOWS = st.sampled_from([(8, 17), (8, 12), (10, 16), (13, 17), (8, 10)])


@given(st.lists(WINDOWS, min_size=3, max_size=7), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_whatever_people_do_the_board_stays_lawful_and_the_effect_is_what_happens(windows, chance) -> None:  # type: ignore[no-untyped-def]
    problem = world(*(visit(k + 1, *span) for k, span in enumerate(windows)))
    board = Board({})
    for _ in range(8):
        desk = Desk(problem, board)
        one = chance.choice(problem.visits).id
        at = chance.choice([None, chance.randrange(7 * H, 18 * H)])
        what = chance.choice(["place", "place", "take_out", "pin"])
        if what == "place" or one not in board.at:
            effect = desk.place(one, chance.choice(problem.rep_days).id, at)
        else:
            effect = desk.take_out(one) if what == "take_out" else desk.pin(one, one not in board.pins)
        if isinstance(effect, Refusal):
            assert effect.sentence(desk.bound)
            continue
        before, after = whole(problem, board), whole(problem, effect.board)
        now = Desk(problem, effect.board).bound
        assert verify(now, after).lawful
        assert sum(r.drive_s for r in after.routes) - sum(r.drive_s for r in before.routes) == effect.drive_s
        assert value_of(now, after).total - value_of(now, before).total == effect.value
        board = effect.board


def replan(problem: Problem, board: Board) -> Plan:
    return plan_rest(problem, board, lambda p: solve(p, engine="insertion", budget=Budget(steps=10)))


def test_planning_the_rest_keeps_pins_and_locked_routes_and_fills_what_is_free() -> None:
    problem = world(*(visit(k) for k in range(1, 7)))
    desk = Desk(problem, Board({ANN: ("v6", "v1"), ANN_2: ("v5",)}))
    pinned = Desk(problem, made(desk.pin("v5", True)).board)
    board = made(pinned.lock([ANN], True)).board
    plan = replan(problem, board)
    assert plan.orders()[ANN] == ("v6", "v1")
    again = {s.visit: s.starts_s for r in plan.routes for s in r.stops}
    assert again["v5"] == pinned.routes[ANN_2].stops[0].starts_s
    assert set(again) == {"v1", "v2", "v3", "v4", "v5", "v6"}


def test_what_was_taken_out_stays_out_and_what_was_added_comes_in() -> None:
    problem = world(visit(1), visit(2, prize=0))
    plan = replan(problem, Board({}, out=frozenset({"v1"}), added=("v2",)))
    assert [s.visit for r in plan.routes for s in r.stops] == ["v2"]


def test_planning_anew_never_gives_less_than_what_stands(desk: Desk) -> None:
    board = Board({ANN: ("v1", "v2", "v3")})
    empty = plan_rest(desk.problem, board, lambda p: Plan((), tuple(whole(p, Board({})).unplanned)))
    assert empty.orders() == {ANN: ("v1", "v2", "v3")}


def test_a_locked_visit_keeps_its_distance_to_the_free_ones_of_its_customer() -> None:
    problem = world(visit(1), visit(2), spacings=(Spacing(("v1", "v2"), 1),))
    free = free_part(problem, Board({ANN: ("v1",)}, locks=frozenset({ANN})), 900)
    assert free.visit("v2").days == frozenset({1})
    assert [d.id for d in free.rep_days] == [BOB, ANN_2]
