"""How the planner grows: made-up weeks from 30 to 3,000 visits and from 1 to 50 reps.

    python -m benchmarks.planning.scaling [--seconds 5] [--sizes 30x1 100x2 ...] [--against ortools]

Every size is a process of its own. Printed: CPU seconds to the first lawful plan, value at the end of the budget, the
same for the other engine and the ratio of the two, and the memory that the process took at most.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

from routing.budget import Budget
from routing.check import verify
from routing.found import Progress
from routing.solve import load, solve
from routing.types import Break, Problem, RepDay, Visit, Window

HOUR = 3600
SIZES = ["30x1", "100x2", "300x6", "1000x20", "3000x50"]


def week(visits: int, reps: int, seed: int = 1) -> Problem:
    """Customers in towns around their reps' homes, five days, a lunch break; about a quarter more than fits."""
    rng = np.random.default_rng(seed)
    homes = rng.uniform(0, 40_000 * reps**0.5, (reps, 2))
    towns = homes[rng.integers(0, reps, 4 * reps)] + rng.normal(0, 9_000, (4 * reps, 2))
    places = np.concatenate([homes, towns[rng.integers(0, len(towns), visits)] + rng.normal(0, 1_500, (visits, 2))])
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1))
    seconds = np.rint(apart * 1.3 / 14 + 60 * (apart > 1)).astype(np.int64)
    rest = Break(HOUR // 2, int(11.5 * HOUR), int(13.5 * HOUR))
    days = tuple(
        RepDay(f"r{r}d{d}", f"r{r}", d, r, r, 8 * HOUR, 17 * HOUR, rest, max_drive_s=4 * HOUR)
        for r in range(reps)
        for d in range(5)
    )
    spans = [
        (Window(8 * HOUR, 18 * HOUR),),
        (Window(8 * HOUR, 12 * HOUR), Window(14 * HOUR, 18 * HOUR)),
        (Window(9 * HOUR, 13 * HOUR),),
    ]
    wanted = tuple(
        Visit(f"v{k}", reps + k, int(rng.integers(20, 91)) * 60, spans[int(rng.integers(0, 3))],
              prize=int(rng.integers(1, 7)) * 1_800, mandatory=bool(rng.random() < 0.02))
        for k in range(visits)
    )  # fmt: skip
    return Problem(days, wanted, seconds)


def measure(size: str, engine: str, seconds: float) -> dict[str, float]:
    """One plan; meant to be the only thing a process does."""
    visits, reps = (int(x) for x in size.split("x"))
    problem = week(visits, reps)
    load(engine)
    begin, first = time.thread_time(), []

    def hear(progress: Progress) -> None:
        if progress.value is not None and not first:
            first.append(time.thread_time() - begin)

    plan = solve(problem, engine=engine, seed=1, budget=Budget(seconds=seconds), progress=hear)
    used = time.thread_time() - begin
    report = verify(problem, plan)
    return {
        "first_s": first[0],
        "used_s": used,
        "value": report.value.total,
        "missing": len(report.missing),
        "planned": sum(len(r.stops) for r in plan.routes),
        "lawful": report.lawful,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Run every size in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="VISITSxREPS")
    parser.add_argument("--against", default="ortools")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one, options.seconds)))
        return
    print("| size | first plan | planned | missing | value | other first | other value | ours : other | memory |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for size in options.sizes:
        own, other = (alone(size, engine, options.seconds) for engine in ("ruin_recreate", options.against))
        print(
            f"| {size} | {own['first_s']:.3f} s | {own['planned']} | {own['missing']} | {own['value']} |"
            f" {other['first_s']:.2f} s | {other['value']} | {own['value'] / other['value']:.3f} |"
            f" {own['megabytes']:.0f} MB |",
            flush=True,
        )


def alone(size: str, engine: str, seconds: float) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.planning.scaling", "--one", size, engine, "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    main()
