from dataclasses import replace

import numpy as np
import pytest

from routing import layers
from routing.budget import Budget
from routing.check import verify
from routing.plan import Plan, ReasonCode
from routing.solve import solve
from routing.types import Meeting, Problem, RepDay, Visit, Window

H = 3600


def shift(rep: str, day: int = 0, **changes: object) -> RepDay:
    fields = {"id": f"{rep}{day}", "rep": rep, "day": day, "start": 0, "end": 0, "open_s": 8 * H, "close_s": 17 * H}
    return RepDay(**{**fields, **changes})  # type: ignore[arg-type]


def door(name: str, place: int, opens: float = 8, closes: float = 17, **changes: object) -> Visit:
    windows = (Window(int(opens * H), int(closes * H)),)
    return Visit(**{"id": name, "place": place, "service_s": H, "windows": windows, "prize": 5 * H, **changes})  # type: ignore[arg-type]


def town(visits: list[Visit], *reps: RepDay) -> Problem:
    """Every drive takes an hour."""
    n = max(v.place for v in visits) + 1
    seconds = np.full((n, n), H) - H * np.eye(n, dtype=int)
    return Problem(reps, tuple(visits), seconds, meetings=(Meeting(("a", "b")),))


def planned(problem: Problem, engine: str = "insertion") -> tuple[Plan, dict[str, tuple[str, int]]]:
    plan = solve(problem, engine=engine, seed=1, budget=Budget(steps=600))
    assert verify(problem, plan).lawful
    return plan, {s.visit: (r.rep_day, s.starts_s) for r in plan.routes for s in r.stops}


@pytest.mark.parametrize("engine", ["insertion", "ortools"])
def test_two_reps_begin_a_common_appointment_at_the_same_moment_between_their_other_promises(engine: str) -> None:
    """Ann is bound until 12 and Bob from 15 on: the meeting lies between, an hour's drive from both."""
    visits = [
        door("a", 1, mandatory=True, reps=frozenset({"ann"})),
        door("b", 1, mandatory=True, reps=frozenset({"bob"})),
        door("ann's", 2, 9, 12, service_s=3 * H, mandatory=True, reps=frozenset({"ann"})),
        door("bob's", 3, 15, 16, mandatory=True, reps=frozenset({"bob"})),
    ]
    _, at = planned(town(visits, shift("ann"), shift("bob")), engine)
    assert at["a"] == ("ann0", 13 * H)
    assert at["b"] == ("bob0", 13 * H)


def test_whoever_is_free_comes_when_nobody_is_named() -> None:
    visits = [door("a", 1, mandatory=True), door("b", 1, mandatory=True)]
    visits += [door("bob's", 2, 8, 17, service_s=6 * H, mandatory=True, reps=frozenset({"bob"}))]
    _, at = planned(town(visits, shift("ann"), shift("bob"), shift("cem")))
    assert {at["a"][0], at["b"][0]} == {"ann0", "cem0"}
    assert at["a"][1] == at["b"][1]


def test_when_one_rep_cannot_come_nobody_does_and_the_reason_says_so() -> None:
    visits = [door("a", 1, 8, 12, mandatory=True), door("b", 1, 12, 17, mandatory=True)]
    plan, at = planned(town(visits, shift("ann"), shift("bob")))
    assert at == {}
    assert {u.reasons[0].code for u in plan.unplanned} == {ReasonCode.NO_COMMON_TIME}
    plan, at = planned(town([door("a", 1), door("b", 1)], shift("ann", 0), shift("ann", 1)))
    assert at == {}  # one rep cannot come for two


def test_a_meeting_that_is_not_worth_the_way_of_all_does_not_take_place() -> None:
    visits = [door("a", 1, prize=3 * H), door("b", 1, prize=H // 2)]
    assert set(planned(town(visits, shift("ann"), shift("bob")))[1]) == set()
    visits = [door("a", 1, prize=4 * H), door("b", 1, prize=H // 2)]
    assert set(planned(town(visits, shift("ann"), shift("bob")))[1]) == {"a", "b"}


def test_a_finished_plan_is_lawful_in_the_world_that_keeps_its_meetings_whole() -> None:
    visits = [door("a", 1, mandatory=True), door("b", 1, mandatory=True), door("c", 2)]
    problem = town(visits, shift("ann"), shift("bob"))
    plan, at = planned(problem)
    world = layers.world(problem, plan)
    assert verify(replace(world, meetings=()), plan).lawful
    start_s = at["a"][1]
    assert world.visit("a").windows == world.visit("b").windows == (Window(start_s, start_s + H),)
    assert world.visit("c") == problem.visit("c")
