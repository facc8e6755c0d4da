"""The phone's re-planning beside the server's planner on random days, one run, one thread.

    python -m benchmarks.replan.run [--days 200] [--seconds 0.5] [--stops 25]

Everything is invented with the seed. A day has up to so many stops, a third with narrow windows, some promised, a break
and a shift that is often too short. Both answers are judged by the server's checker; compared is what both make small:
driving, plus the worth of what is left out. Fails when one day is beyond 3 %, or takes over five seconds of CPU time.
"""

import argparse
import statistics
import sys
import time

import numpy as np

from mobile.field.replan import Ahead, Answer, Call, Rest, replan
from routing.budget import Budget
from routing.check import verify
from routing.plan import Plan, Reason, ReasonCode, Route, Unplanned
from routing.schedule import schedule
from routing.solve import load, solve
from routing.types import Break, Problem, RepDay, Visit, Window

H, M = 3600, 60
GOAL_SHARE, GOAL_S = 0.03, 5.0
OUT = Reason(ReasonCode.NOT_PLACED, "left out")


def random_day(dice: np.random.Generator, most: int) -> tuple[Problem, Ahead]:
    """The same rest of a day in the server's words and in the phone's."""
    stops = int(dice.integers(max(6, most - 17), most + 1))
    spots = dice.normal(0, dice.uniform(4_000, 14_000), (stops + 2, 2))
    apart = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)) * 1.35
    seconds = np.rint(apart / 13 + 45 * (apart > 1)).astype(np.int64)
    open_s = int(dice.integers(16, 22)) * H // 2
    close_s = min(19 * H, open_s + stops * 20 * M + int(dice.integers(1, 4)) * H)
    rest = Break(45 * M, max(open_s, 11 * H + H // 2), 13 * H + H // 2)
    visits = []
    for k in range(stops):
        windows: tuple[Window, ...] = (Window(7 * H, 19 * H),)
        if dice.random() < 0.35:
            at = int(dice.integers(open_s // H, close_s // H))
            windows = (Window(at * H, (at + 3) * H),)
        elif dice.random() < 0.3:
            windows = (Window(8 * H, 12 * H), Window(13 * H + H // 2, 18 * H))
        worth = int(dice.integers(2, 7)) * H // 2
        service = int(dice.integers(2, 8)) * 5 * M
        visits.append(Visit(f"v{k}", k + 2, service, windows, worth, mandatory=bool(k == 0 and len(windows) == 1)))
    day = RepDay("day", "rep", 0, 0, 1, open_s, close_s, rest)
    calls = tuple(
        Call(v.id, v.place, v.service_s, tuple((w.open_s, w.close_s) for w in v.windows), v.prize, v.mandatory)
        for v in visits
    )
    ahead = Ahead(0, 1, open_s, close_s, calls, seconds.tolist(), Rest(45 * M, rest.earliest_s, rest.latest_s))
    return Problem((day,), tuple(visits), seconds), ahead


def priced(problem: Problem, plan: Plan) -> int:
    """Driving plus the worth of what is left out."""
    served = {s.visit for r in plan.routes for s in r.stops}
    return sum(r.drive_s for r in plan.routes) + sum(v.prize for v in problem.visits if v.id not in served)


def judged(problem: Problem, answer: Answer) -> int:
    """What the phone's order costs by the server's own schedule; raises when it is unlawful."""
    made = schedule(problem, problem.rep_days[0], [problem.visit(s.id) for s in answer.stops])
    if not isinstance(made, Route):
        raise SystemExit(f"the phone's order cannot be driven: {made}")
    served = {s.id for s in answer.stops}
    out = tuple(Unplanned(v.id, (OUT,)) for v in problem.visits if v.id not in served)
    plan = Plan((made,) if made.stops else (), out)
    broken = verify(problem, plan).violations
    for stop in answer.stops:
        windows = problem.visit(stop.id).windows
        if not any(w.open_s <= stop.starts_s and stop.ends_s <= w.close_s for w in windows):
            raise SystemExit(f"the phone's own times leave the windows of {stop.id}: {stop}")
    if broken or answer.returns_s > problem.rep_days[0].close_s:
        raise SystemExit(f"the phone's day breaks a rule: {broken or answer.returns_s}")
    return priced(problem, plan)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--stops", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    load("ruin_recreate")
    dice, gaps, cpu, wall = np.random.default_rng(chosen.seed), [], [], []
    for number in range(chosen.days):
        problem, ahead = random_day(dice, chosen.stops)
        server = priced(problem, solve(problem, budget=Budget(seconds=chosen.seconds)))
        began, clock = time.thread_time(), time.perf_counter()
        answer = replan(ahead, seed=number)
        cpu.append(time.thread_time() - began)
        wall.append(time.perf_counter() - clock)
        gaps.append(judged(problem, answer) / max(1, server) - 1)
        if gaps[-1] > GOAL_SHARE:
            sys.stdout.write(f"day {number}, {len(ahead.calls)} stops: {100 * gaps[-1]:+.2f} %\n")
        if (number + 1) % 20 == 0 or number + 1 == chosen.days:
            tell(chosen.stops, gaps, cpu, wall)
    return 0 if max(gaps) <= GOAL_SHARE and max(cpu) <= GOAL_S else 1


def tell(stops: int, gaps: list[float], cpu: list[float], wall: list[float]) -> None:
    """One line of all days so far."""
    sys.stdout.write(
        f"{len(gaps)} days of up to {stops} stops: phone against server {100 * statistics.fmean(gaps):+.2f} % in the "
        f"mean, {100 * statistics.median(gaps):+.2f} % in the middle, {100 * max(gaps):+.2f} % at worst, "
        f"{sum(g <= GOAL_SHARE for g in gaps)} within 3 %; CPU {statistics.fmean(cpu):.2f} s in the mean, "
        f"{max(cpu):.2f} s at most; wall {max(wall):.2f} s at most\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
