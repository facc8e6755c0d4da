from dataclasses import replace

import numpy as np
import pytest

from routing import ortools_engine
from routing.budget import Budget
from routing.check import verify
from routing.found import Progress
from routing.insertion import greedy
from routing.solve import ENGINES, solve
from routing.types import Break, InvalidProblem, Problem, RepDay, Visit, Window

H = 3600


def week(n: int = 24, reps: int = 2, days: int = 3, **changes: object) -> Problem:
    """Customers on a ring of places one to ten minutes apart, open mornings or afternoons, one appointment."""
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 1800, (n + 1, 2))
    seconds = np.rint(np.abs(xy[:, None] - xy[None]).sum(-1)).astype(int)
    shifts = tuple(
        RepDay(f"r{r}d{d}", f"r{r}", d, 0, 0, 8 * H, 16 * H, Break(H // 2, 12 * H, 13 * H), **changes)  # type: ignore[arg-type]
        for r in range(reps)
        for d in range(days)
    )
    spans = [(Window(8 * H, 12 * H),), (Window(9 * H, 11 * H), Window(14 * H, 16 * H))]
    visits = tuple(
        Visit(f"v{k}", k + 1, H, spans[k % 2], prize=int(rng.integers(1, 5)) * H, mandatory=k == 0) for k in range(n)
    )
    return Problem(shifts, visits, seconds)


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_every_engine_plans_a_week_lawfully_and_keeps_the_appointment(engine: str) -> None:
    problem = week()
    plan = solve(problem, engine=engine, seed=1, budget=Budget(steps=20_000))
    report = verify(problem, plan)
    assert report.ok
    assert report.value.prize > 0.8 * sum(v.prize for v in problem.visits)


def test_the_search_is_never_worse_than_the_draft_it_began_with() -> None:
    problem = week()
    draft = solve(problem, engine="insertion", budget=Budget(steps=1))
    searched = solve(problem, engine="ortools", seed=2, budget=Budget(steps=20_000))
    assert verify(problem, searched).value.total >= verify(problem, draft).value.total


def test_a_problem_too_big_for_a_start_by_ortools_begins_with_our_own_draft() -> None:
    problem = week(n=180, reps=6, days=5)
    plan = solve(problem, seed=1, budget=Budget(steps=3_000))
    assert verify(problem, plan).ok


@pytest.mark.parametrize(("own_start_above", "barren"), [(10_000, "_from_insertion"), (0, "_from_draft")])
def test_when_one_start_finds_nothing_the_other_one_is_tried(
    own_start_above: int, barren: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = week()
    monkeypatch.setattr(ortools_engine, "OWN_START_ABOVE", own_start_above)
    monkeypatch.setattr(ortools_engine._Model, barren, lambda *_: None)
    orders = ortools_engine.search(problem, greedy(problem), seed=1, meter=Budget(steps=3_000).start())
    assert orders is not None
    assert sum(map(len, orders.values())) > 12


def test_windows_that_differ_by_weekday_are_kept_on_their_day() -> None:
    problem = week(n=8, reps=1, days=2)
    morning, evening = (Window(8 * H, 10 * H),), (Window(14 * H, 16 * H),)
    visits = tuple(replace(v, windows=morning, windows_by_day={1: evening}) for v in problem.visits)
    changed = Problem(problem.rep_days, visits, problem.seconds)
    plan = solve(changed, seed=1, budget=Budget(steps=5_000))
    assert verify(changed, plan).lawful
    starts = {r.rep_day: [s.starts_s // H for s in r.stops] for r in plan.routes}
    assert all(h < 10 for h in starts["r0d0"])
    assert all(h >= 14 for h in starts["r0d1"])


def test_limits_of_a_day_hold(  # visits, driving and load together
) -> None:
    problem = week(max_visits=2, max_drive_s=5000, capacity=1)
    visits = tuple(replace(v, demand=1) for v in problem.visits)
    changed = Problem(problem.rep_days, visits, problem.seconds)
    plan = solve(changed, seed=1, budget=Budget(steps=5_000))
    assert verify(changed, plan).lawful
    assert all(len(r.stops) == 1 for r in plan.routes)


def test_late_visits_move_to_the_front_of_the_week() -> None:
    problem = week(n=4, reps=1, days=3)
    visits = tuple(
        replace(v, mandatory=False, prize=20 * H, due_day=0, late_cost=(k == 3) * 5 * H)
        for k, v in enumerate(problem.visits)
    )
    changed = Problem(problem.rep_days, visits, problem.seconds)
    plan = solve(changed, seed=1, budget=Budget(steps=5_000))
    assert "v3" in {s.visit for r in plan.routes if r.rep_day == "r0d0" for s in r.stops}


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize(("cost", "comes"), [(500, "ann"), (700, "bob")])
def test_the_rep_whom_a_customer_knows_comes_unless_the_way_is_longer_than_that_is_worth(
    engine: str, cost: int, comes: str
) -> None:
    seconds = np.array([[0, 900, 100], [900, 0, 400], [100, 400, 0]])
    days = tuple(RepDay(rep, rep, 0, home, home, 0, 10 * H) for home, rep in enumerate(("ann", "bob")))
    visit = Visit("v", 2, 60, (Window(0, 10 * H),), prize=H, usual_rep="bob", other_rep_cost=cost)
    problem = Problem(days, (visit,), seconds)
    plan = solve(problem, engine=engine, seed=1, budget=Budget(steps=200))
    assert [route.rep_day for route in plan.routes] == [comes]
    assert verify(problem, plan).value.total == {"ann": H - 200 - cost, "bob": H - 800}[comes]
    known = "The usual rep comes." if comes == "bob" else "Another rep than the usual one comes."
    assert plan.routes[0].stops[0].why.endswith(known)


def test_a_day_whose_break_cannot_be_taken_stays_empty() -> None:
    problem = week(n=3, reps=1, days=1)
    day = replace(problem.rep_days[0], open_s=14 * H)
    plan = solve(Problem((day,), problem.visits, problem.seconds), seed=1, budget=Budget(steps=100))
    assert plan.routes == ()
    assert len(plan.unplanned) == 3


@pytest.mark.parametrize("part", ["rep_days", "visits"])
def test_nobody_to_plan_or_nobody_to_visit_is_an_answer_and_no_crash(part: str) -> None:
    problem = week(n=3)
    plan = solve(replace(problem, **{part: ()}), seed=1, budget=Budget(steps=100))
    assert plan.routes == ()
    assert len(plan.unplanned) == (3 if part == "rep_days" else 0)


def test_two_appointments_at_the_same_time_leave_one_named_as_missing() -> None:
    problem = week(n=2, reps=1, days=1)
    visits = tuple(replace(v, mandatory=True, windows=(Window(9 * H, 10 * H),)) for v in problem.visits)
    changed = Problem(problem.rep_days, visits, problem.seconds)
    plan = solve(changed, seed=1, budget=Budget(steps=500))
    report = verify(changed, plan)
    assert report.lawful
    assert len(report.missing) == 1
    left_out, kept = plan.unplanned[0], plan.routes[0].stops[0].visit
    assert {left_out.visit, kept} == {"v0", "v1"}
    assert left_out.reasons[0].text == f"It fits only in place of {kept} (r0d0), which must take place as well."


def test_a_budget_needs_an_end_and_an_engine_must_exist() -> None:
    with pytest.raises(InvalidProblem, match="budget"):
        Budget()
    with pytest.raises(InvalidProblem, match=r"budget\.seconds"):
        Budget(seconds=-1)
    with pytest.raises(InvalidProblem, match="engine: 'magic' is not one of insertion, ortools"):
        solve(week(), engine="magic")
    with pytest.raises(InvalidProblem, match="seed"):
        solve(week(), seed=-1)


def test_a_plan_that_is_already_known_is_begun_with_and_never_made_worse() -> None:
    problem = week()
    known = solve(problem, engine="insertion", budget=Budget(steps=1))
    again = solve(problem, engine="insertion", budget=Budget(steps=1), start=known.orders())
    assert verify(problem, again).value.total >= verify(problem, known).value.total


def test_what_breaks_a_rule_in_the_known_plan_is_dropped_from_it() -> None:
    problem = week(n=6, reps=1, days=2)
    everything = {"r0d0": [v.id for v in problem.visits]}
    plan = solve(problem, engine="insertion", budget=Budget(steps=1), start=everything)
    assert verify(problem, plan).ok


def test_a_known_plan_that_names_strangers_is_refused() -> None:
    for start, complaint in [
        ({"nobody": ["v0"]}, "start: there is no rep-day 'nobody'"),
        ({"r0d0": ["v99"]}, "start: there is no visit 'v99'"),
        ({"r0d0": ["v1"], "r0d1": ["v1"]}, "start: 'v1' stands there twice"),
    ]:
        with pytest.raises(InvalidProblem, match=complaint):
            solve(week(), engine="insertion", budget=Budget(steps=1), start=start)


def test_whoever_listens_hears_every_step_and_stops_the_search_by_raising() -> None:
    heard: list[Progress] = []
    solve(week(), engine="insertion", budget=Budget(steps=1), progress=heard.append)
    assert [p.step for p in heard] == ["search", "explain", "verify"]

    class Enough(Exception):
        pass

    def stop(progress: Progress) -> None:
        raise Enough

    with pytest.raises(Enough):
        solve(week(), engine="insertion", budget=Budget(steps=1), progress=stop)
