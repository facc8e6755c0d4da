"""Problems that nobody should pose: each gets a lawful plan with reasons, or an error that names what is wrong."""

from dataclasses import replace

import numpy as np
import pytest

from routing.budget import Budget
from routing.check import verify
from routing.found import Progress
from routing.plan import Plan, ReasonCode
from routing.solve import ENGINES, solve
from routing.types import InvalidProblem, Meeting, Night, Problem, RepDay, Visit, Window

H = 3600
OPEN = (Window(8 * H, 18 * H),)


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def shift(rep: str = "ann", day: int = 0, **changes: object) -> RepDay:
    fields = {"id": f"{rep}{day}", "rep": rep, "day": day, "start": 0, "end": 0, "open_s": 8 * H, "close_s": 17 * H}
    return RepDay(**{**fields, **changes})  # type: ignore[arg-type]


def doors(n: int, **changes: object) -> tuple[Visit, ...]:
    fields = {"service_s": H, "windows": OPEN, "prize": 9 * H, **changes}
    return tuple(Visit(id=f"v{k}", place=k + 1, **fields) for k in range(n))  # type: ignore[arg-type]


def roads(places: int, drive_s: int = 600) -> np.ndarray:
    return np.full((places, places), drive_s) - drive_s * np.eye(places, dtype=int)


def answered(problem: Problem, engine: str) -> tuple[Plan, dict[str, ReasonCode]]:
    """A lawful plan with a reason for everybody who is left out."""
    plan = solve(problem, engine=engine, seed=1, budget=Budget(steps=400))
    assert verify(problem, plan).lawful
    assert all(u.reasons[0].text for u in plan.unplanned)
    return plan, {u.visit: u.reasons[0].code for u in plan.unplanned}


def test_without_reps_everybody_is_left_out_because_nobody_may_come(engine: str) -> None:
    plan, why = answered(Problem((), doors(2), roads(3)), engine)
    assert plan.routes == ()
    assert why == {"v0": ReasonCode.NO_REP_ALLOWED, "v1": ReasonCode.NO_REP_ALLOWED}


def test_without_visits_the_plan_is_empty(engine: str) -> None:
    assert answered(Problem((shift(),), (), roads(1)), engine)[0].routes == ()


def test_a_shift_without_hours_cannot_be_built_and_one_too_short_visits_nobody(engine: str) -> None:
    with pytest.raises(InvalidProblem, match=r"rep_day ann0\.close_s: the shift ends at 28800, not after 28800"):
        shift(close_s=8 * H)
    assert answered(Problem((shift(close_s=8 * H + 1),), doors(1), roads(2)), engine)[1] == {
        "v0": ReasonCode.LONGER_THAN_SHIFT
    }


def test_windows_that_never_fit_say_in_which_way(engine: str) -> None:
    visits = (
        replace(doors(1)[0], id="closed", windows=()),
        replace(doors(1)[0], id="short", windows=(Window(9 * H, 9 * H + 60),)),
        replace(doors(1)[0], id="night", windows=(Window(1 * H, 4 * H),)),
        replace(doors(1)[0], id="other day", days=frozenset({5})),
    )
    assert answered(Problem((shift(),), visits, roads(2)), engine)[1] == {
        "closed": ReasonCode.CLOSED,
        "short": ReasonCode.WINDOW_TOO_SHORT,
        "night": ReasonCode.NO_WINDOW_REACHABLE,
        "other day": ReasonCode.NO_REP_ALLOWED,
    }


def test_islands_are_named_whether_the_customer_lives_there_or_the_rep(engine: str) -> None:
    one_way = roads(3)
    one_way[1, :] = -1  # nobody comes back from v0
    one_way[1, 1] = 0
    plan, why = answered(Problem((shift(),), doors(2), one_way), engine)
    assert why == {"v0": ReasonCode.NOT_REACHABLE}
    assert [s.visit for s in plan.routes[0].stops] == ["v1"]
    lonely = roads(3)
    lonely[0, 1:] = lonely[1:, 0] = -1
    assert set(answered(Problem((shift(),), doors(2), lonely), engine)[1].values()) == {ReasonCode.NOT_REACHABLE}


def test_a_matrix_full_of_holes_is_driven_only_where_roads_are(engine: str) -> None:
    holes = roads(13)
    rng = np.random.default_rng(3)
    holes[rng.random(holes.shape) < 0.3] = -1
    plan, _ = answered(Problem((shift(), shift(day=1)), doors(12), holes), engine)
    assert plan.routes


def test_a_thousand_accounts_on_one_point_fill_the_day_and_the_rest_has_reasons(engine: str) -> None:
    visits = tuple(Visit(f"v{k}", 1, H, OPEN, prize=H + k) for k in range(1000))
    plan, why = answered(Problem((shift(),), visits, roads(2)), engine)
    assert len(plan.routes[0].stops) == 8
    assert len(why) == 992
    assert sum(int(s.visit[1:]) for s in plan.routes[0].stops) > 8 * 500  # the more valuable half


def test_pins_that_exclude_each_other_name_each_other(engine: str) -> None:
    """Two promises at nine with the same rep; a third one that is an hour away at half past ten stays."""
    nine = (Window(9 * H, 10 * H),)
    visits = tuple(replace(v, windows=nine, mandatory=True, name=name) for v, name in zip(doors(2), "AB", strict=True))
    plan, why = answered(Problem((shift(name="Ann, Monday"),), visits, roads(3)), engine)
    (left_out,) = plan.unplanned
    kept = {"v0": "B", "v1": "A"}[left_out.visit]
    assert why == {left_out.visit: ReasonCode.NO_TIME_LEFT}
    text = f"It fits only in place of {kept} (Ann, Monday), which must take place as well."
    assert left_out.reasons[0].text == text
    assert verify(Problem((shift(),), visits, roads(3)), plan).missing == (left_out.visit,)


def test_a_pin_to_a_day_rep_or_time_that_cannot_be_says_which(engine: str) -> None:
    pinned = (
        replace(doors(1)[0], id="day", mandatory=True, days=frozenset({3})),
        replace(doors(1)[0], id="rep", mandatory=True, reps=frozenset({"bob"})),
        replace(doors(1)[0], id="time", mandatory=True, windows=(Window(16 * H + 60, 17 * H + 60),)),
    )
    assert answered(Problem((shift(),), pinned, roads(2)), engine)[1] == {
        "day": ReasonCode.NO_REP_ALLOWED,
        "rep": ReasonCode.NO_REP_ALLOWED,
        "time": ReasonCode.NO_WINDOW_REACHABLE,
    }


@pytest.mark.parametrize("layers", [False, True])
@pytest.mark.parametrize("step", ["search", "explain", "verify"])
def test_a_plan_that_is_cancelled_stops_at_once_with_the_error_of_who_cancelled(
    engine: str, step: str, layers: bool
) -> None:
    class Stopped(RuntimeError):
        pass

    def tell(progress: Progress) -> None:
        if progress.step == step:
            raise Stopped

    days = (shift(), shift(day=1), shift("bob"))
    problem = Problem(days, doors(4), roads(6))
    if layers:
        nights = (Night("inn", "ann0", "ann1", 5),)
        problem = replace(problem, meetings=(Meeting(("v0", "v1")),), nights=nights)
    with pytest.raises(Stopped):
        solve(problem, engine=engine, seed=1, budget=Budget(steps=400), progress=tell)


def test_meetings_and_nights_that_name_what_is_not_there_are_refused() -> None:
    days, visits = (shift(), shift(day=1), shift("bob")), doors(2)
    with pytest.raises(InvalidProblem, match=r"meeting\.visits: there is no visit 'x'"):
        Problem(days, visits, roads(3), meetings=(Meeting(("v0", "x")),))
    with pytest.raises(InvalidProblem, match=r"meeting\.visits: needs two or more different visits"):
        Meeting(("v0",))
    with pytest.raises(InvalidProblem, match="night inn: there is no rep-day 'x'"):
        Problem(days, visits, roads(3), nights=(Night("inn", "ann0", "x", 0),))
    with pytest.raises(InvalidProblem, match="night inn: bob0 is not a later day of the rep of ann0"):
        Problem(days, visits, roads(3), nights=(Night("inn", "ann0", "bob0", 0),))
    with pytest.raises(InvalidProblem, match=r"night inn\.place: 9 is no row"):
        Problem(days, visits, roads(3), nights=(Night("inn", "ann0", "ann1", 9),))
