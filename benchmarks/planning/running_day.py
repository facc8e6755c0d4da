"""The rest of a running day and the times to offer: how long, and how far from a full search.

    .venv/bin/python -m benchmarks.planning.running_day

Everything is invented with the seed: no data is needed. *Re-plan*: thirty remaining stops of one rep, an hour and a
half late, a third with windows; CPU seconds of the whole answer. *Offers*: ten reps on twenty days; CPU seconds of all
slots, and for a sample of days the driving with the best slot against a full search that must serve the new visit.
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from routing.budget import Budget
from routing.offers import Day, Offer, offers, with_moves
from routing.plan import Plan
from routing.replanning import Planned, Underway, differences, remaining, replan
from routing.solve import DEFAULT_ENGINE, solve
from routing.timeline import Timeline
from routing.types import Break, Problem, RepDay, Visit, Window
from server.plans.offers import REORDERED_DAYS

H, M = 3600, 60
OPEN = (Window(7 * H, 20 * H),)


def roads(dice: np.random.Generator, places: int) -> np.ndarray:
    """Driving seconds between points in a square of forty kilometres at 50 km/h."""
    spots = dice.uniform(0, 40_000, size=(places, 2))
    metres = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)) * 1.3
    return np.rint(metres / (50 / 3.6)).astype(np.int64)


def long_day(dice: np.random.Generator, stops: int) -> tuple[Problem, Planned]:
    """One rep, a long day of short visits, and the plan that people know."""
    rest = Break(30 * M, 11 * H, 14 * H)
    rep_day = RepDay("day", "rep", 0, 0, 0, 7 * H, 22 * H, rest)
    visits = [Visit(f"v{k}", k, 10 * M, OPEN, 2 * H) for k in range(1, stops + 1)]
    seconds = roads(dice, stops + 1) // 2
    plan = solve(Problem((rep_day,), tuple(visits), seconds), budget=Budget(seconds=2))
    known = planned_of(plan)
    narrow = {v: Window(max(0, s - 2 * H), s + 3 * H) for k, (v, (_, s)) in enumerate(known.items()) if k % 3 == 0}
    visits = [replace(v, windows=(narrow[v.id],)) if v.id in narrow else v for v in visits]
    return Problem((rep_day,), tuple(visits), seconds), known


def planned_of(plan: Plan) -> dict[str, tuple[str, int]]:
    """What people know of a plan."""
    return {s.visit: (r.rep_day, s.starts_s) for r in plan.routes for s in r.stops}


def running_day(seed: int, stops: int) -> None:
    """Re-plan one late day and print what it took."""
    problem, known = long_day(np.random.default_rng(seed), stops)
    first = min(s for _, s in known.values())
    rest = remaining(problem, known, [Underway("day", first + 90 * M, 0)])
    begin = time.thread_time()
    plan = replan(rest, known, budget=Budget(seconds=1))
    used = time.thread_time() - begin
    found = differences(known, plan)
    removed = sum(d.after is None for d in found)
    print(f"re-plan: {len(rest.visits)} stops, {used:.2f} CPU s, {removed} fall out, {len(found)} change their time")


def week(dice: np.random.Generator, stops: int) -> tuple[Problem, Plan]:
    """One rep's full day, and the new visit's place as the last one."""
    rep_day = RepDay("day", "rep", 0, 0, 0, 8 * H, 18 * H, Break(45 * M, 11 * H + 30 * M, 13 * H + 30 * M))
    seconds = roads(dice, stops + 2)
    visits = []
    for k in range(1, stops + 1):
        at = int(dice.integers(8, 14)) * H
        visits.append(Visit(f"v{k}", k, 20 * M, (Window(at, at + 4 * H),) if k % 3 == 0 else OPEN, 4 * H))
    problem = Problem((rep_day,), tuple(visits), seconds)
    return problem, solve(problem, budget=Budget(seconds=0.5))


def offered_day(problem: Problem, plan: Plan, place: int) -> Day:
    """The planned day with the drives to and from the new visit."""
    rep_day = problem.rep_days[0]
    stops = [problem.visit(v) for v in plan.orders().get("day", ())]
    nodes = [rep_day.start, *(v.place for v in stops), rep_day.end]
    there = [int(problem.seconds[n, place]) for n in nodes[:-1]]
    return Day(Timeline.of(problem, rep_day, stops), there, [int(problem.seconds[place, n]) for n in nodes[1:]])


def moved_day(problem: Problem, plan: Plan, new: Visit, offer: Offer) -> Offer:
    """The offer of a day whose stops may change places."""
    stops = [problem.visit(v).place for v in plan.orders().get("day", ())]
    nodes = [problem.rep_days[0].start, *stops, new.place, problem.rep_days[0].end]
    return with_moves(offered_day(problem, plan, new.place), problem.seconds[np.ix_(nodes, nodes)].tolist(), new, offer)


def times(seed: int, reps: int, days: int, sample: int) -> None:
    """All slots of a team, and the best one of some days against a full search."""
    dice = np.random.default_rng(seed)
    worlds = [week(dice, 9) for _ in range(sample)]
    place = 10
    new = Visit("new", place, 30 * M, (Window(8 * H, 18 * H),), 0, mandatory=True)
    begin = time.thread_time()
    for k in range(reps * days):
        offers([offered_day(*worlds[k % sample], place)], new)
    plain = time.thread_time() - begin
    begin = time.thread_time()
    for k in range(REORDERED_DAYS):
        moved_day(*worlds[k % sample], new, offers([offered_day(*worlds[k % sample], place)], new)[0])
    print(f"offers: {reps} reps x {days} days, {plain:.2f} CPU s, the best days again {time.thread_time() - begin:.2f}")
    ratios = []
    for problem, plan in worlds:
        best = moved_day(problem, plan, new, offers([offered_day(problem, plan, place)], new)[0]).best
        everything = [replace(problem.visit(v), mandatory=True) for o in plan.orders().values() for v in o]
        full = solve(
            replace(problem, visits=(*everything, new)),
            engine=DEFAULT_ENGINE,
            budget=Budget(seconds=0.5),
            start=plan.orders(),
        )
        served = {v for order in full.orders().values() for v in order}
        if best is not None and len(served) == len(everything) + 1:
            before = sum(r.drive_s for r in plan.routes)
            ratios.append((before + best.detour_s) / sum(r.drive_s for r in full.routes))
    mean, worst = 100 * (np.mean(ratios) - 1), 100 * (max(ratios) - 1)
    print(f"best slot against a full search: {mean:+.1f} % driving in the mean, {worst:+.1f} % at worst")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stops", type=int, default=30)
    parser.add_argument("--sample", type=int, default=20)
    options = parser.parse_args()
    running_day(options.seed, options.stops)
    times(options.seed, 10, 20, options.sample)


if __name__ == "__main__":
    main()
