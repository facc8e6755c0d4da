"""What changing traffic costs the search: rounds per CPU second beside the same problem in the usual traffic.

    .venv/bin/python -m benchmarks.planning.traffic --rounds 20000 --only fs-li-400x8x5
    .venv/bin/python -m benchmarks.planning.traffic --breaks --only fs-

Each instance is planned with the same rounds and seed twice, alternately: as it is, and with every day's drives up to
half as long again in the mornings and evenings. All plans go through the verifier.

With `--seeds` each instance is planned as often instead, in traffic whose mean factor is 1, and what is paid (the day's
mean) is compared with what the legs take at their own hours: how far the sums lie apart, and what is lost by taking
the plan that is best by the mean and not the one that is best by the hour.

With `--breaks` the noon is busy (drives take 1.4 times as long from 12 to 13), and each break of a plan that splits a
drive, where it begins as soon as it may, is tried at every other minute of it: how much earlier one could arrive.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from routing import fsr
from routing.budget import Budget
from routing.check import verify
from routing.engine.search import prepare
from routing.pace import Pace
from routing.plan import Plan
from routing.solve import DEFAULT_ENGINE, solve
from routing.types import Problem

ROOT = Path(__file__).parents[2]
FACTORS = [*[1.0] * 7, 1.3, 1.5, 1.2, *[1.0] * 6, 1.3, 1.4, 1.2, *[1.0] * 5]
"""By hour of the day."""
BUSY_NOON = [*FACTORS[:12], 1.4, *FACTORS[13:]]


def rounds_a_second(problem: Problem, rounds: int) -> tuple[float, int]:
    """Rounds per CPU second, and the value of the plan; an unlawful plan ends the run."""
    begin = time.thread_time()
    plan = solve(problem, engine=DEFAULT_ENGINE, seed=1, budget=Budget(steps=rounds))
    used = time.thread_time() - begin
    report = verify(problem, plan)
    if not report.lawful:
        sys.exit("; ".join(map(str, report.violations)))
    return rounds / used, report.value.total


def in_even_traffic(usual: Problem) -> Problem:
    """Drives at the mean factor of the working hours, and every hour beside it: as the server plans."""
    mean = sum(FACTORS[8:18]) / 10
    seconds = np.where(usual.seconds < 0, usual.seconds, np.rint(usual.seconds * mean).astype(int))
    pace = Pace.of([factor / mean for factor in FACTORS])
    return replace(usual, seconds=seconds, rep_days=tuple(replace(d, pace=pace) for d in usual.rep_days))


def by_the_hour(problem: Problem, plan: Plan) -> int:
    """Driving of a plan at the hours of its legs; a break on the way does not count."""
    total = 0
    for route in plan.routes:
        day, left = problem.rep_day(route.rep_day), route.leaves_s
        for drive, arrives, ends in [
            *((s.drive_s, s.arrives_s, s.ends_s) for s in route.stops),
            (route.drive_back_s, route.returns_s, route.returns_s),
        ]:
            begin = route.break_s
            if day.rest and begin is not None and left <= begin < arrives:
                total += day.rested(left, drive, begin, day.rest.duration_s) - left - day.rest.duration_s
            else:
                total += day.arrive(left, drive) - left
            left = ends
    return total


def hours_beside_mean(problem: Problem, rounds: int, seeds: int) -> str:
    """What paying the mean costs, as cells of a table."""
    told = []
    for seed in range(seeds):
        plan = solve(problem, engine=DEFAULT_ENGINE, seed=seed, budget=Budget(steps=rounds))
        value = verify(problem, plan).value
        more = by_the_hour(problem, plan) - value.travel_s
        told.append((value.total, value.total - problem.weights.travel * more, value.travel_s, more))
    shares = [more / travel for _, _, travel, more in told]
    chosen, best = max(told)[1], max(exact for _, exact, _, _ in told)
    spread = max(t[0] for t in told) - min(t[0] for t in told)
    cells = f"{min(shares):+.2%} to {max(shares):+.2%} | {max(told)[0]:,} | {(best - chosen) / best:.3%}"
    return f"{cells} | {spread / max(told)[0]:.2%}"


def later_breaks(problem: Problem, plan: Plan) -> list[int]:
    """Of each break in a plan the seconds gained at the next door by its best moment on the way."""
    found = []
    for route in plan.routes:
        day, begin, left, gain = problem.rep_day(route.rep_day), route.break_s, route.leaves_s, 0
        if day.rest is None or begin is None:
            continue
        for drive, arrives, ends in [
            *((s.drive_s, s.arrives_s, s.ends_s) for s in route.stops),
            (route.drive_back_s, route.returns_s, route.returns_s),
        ]:
            if left <= begin < arrives:  # else it is spent at a door
                moments = range(max(left, day.rest.earliest_s), min(day.rest.latest_s, arrives) + 1, 60)
                tried = [day.rested(left, drive, at, day.rest.duration_s) for at in (begin, *moments)]
                gain = tried[0] - min(tried)
            left = ends
        found.append(gain)
    return found


def break_row(name: str, problem: Problem, rounds: int) -> str:
    """What the moment of the break costs on one instance, as a row of a table."""
    plan = solve(problem, engine=DEFAULT_ENGINE, seed=1, budget=Budget(steps=rounds))
    gains, driving = later_breaks(problem, plan), by_the_hour(problem, plan)
    better, most = sum(gain > 0 for gain in gains), max(gains, default=0)
    return f"| {name} | {len(gains)} | {better} | {most} s | {sum(gains) / driving:.3%} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--only", default="fs-li-400", help="instances whose name begins so")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--seeds", type=int, default=0, help="compare the day's mean with the hours of the legs")
    parser.add_argument("--breaks", action="store_true", help="what a break at another moment of its way would gain")
    options = parser.parse_args()
    prepare()
    if options.breaks:
        print("| instance | breaks | better later | most gained | of the driving |\n|---|--:|--:|--:|--:|")
        for source in sorted((options.shared / "data" / "routing").glob(f"{options.only}*.json.gz")):
            problem, pace = fsr.read(source).problem, Pace.of(BUSY_NOON)
            paced = replace(problem, rep_days=tuple(replace(d, pace=pace) for d in problem.rep_days))
            print(break_row(source.name.removesuffix(".json.gz"), paced, options.rounds), flush=True)
        return
    if options.seeds:
        print("| instance | driving by the hour beside the mean | value | lost by the mean | spread of the seeds |")
        print("|---|--:|--:|--:|--:|")
        for source in sorted((options.shared / "data" / "routing").glob(f"{options.only}*.json.gz")):
            told = hours_beside_mean(in_even_traffic(fsr.read(source).problem), options.rounds, options.seeds)
            print(f"| {source.name.removesuffix('.json.gz')} | {told} |", flush=True)
        return
    print("| instance | usual: rounds a CPU second | changing | ratio | value, usual | changing |")
    print("|---|--:|--:|--:|--:|--:|")
    for source in sorted((options.shared / "data" / "routing").glob(f"{options.only}*.json.gz")):
        usual = fsr.read(source).problem
        paced = replace(usual, rep_days=tuple(replace(d, pace=Pace.of(FACTORS)) for d in usual.rep_days))
        runs = [(rounds_a_second(usual, options.rounds), rounds_a_second(paced, options.rounds)) for _ in range(2)]
        plain, changing = (max(run[k][0] for run in runs) for k in (0, 1))
        name, (_, worth), (_, less) = source.name.removesuffix(".json.gz"), runs[0][0], runs[0][1]
        print(
            f"| {name} | {plain:,.0f} | {changing:,.0f} | {changing / plain:.2f} | {worth:,} | {less:,} |", flush=True
        )


if __name__ == "__main__":
    main()
