"""Does the relaxation that is offered for a visit left out let it in?

    .venv/bin/python -m benchmarks.planning.relaxations --seconds 1 --each 6

For every public instance beside the repository a plan is made; of the visits it leaves out, `--each` are drawn with the
seed. For each the smallest relaxation is applied and the problem solved again twice with the same budget: from the plan
that stands (as the application does), and from nothing. Both plans go through the verifier; the visit must be in.
"""

import argparse
import random
import sys
import time
from pathlib import Path

from routing import fsr
from routing.budget import Budget
from routing.check import verify
from routing.relaxation import Relaxation, apply, start_with
from routing.relaxing import relaxations
from routing.solve import DEFAULT_ENGINE, solve
from routing.types import Problem

ROOT = Path(__file__).parents[2]


def is_planned(problem: Problem, change: Relaxation, budget: Budget, start: dict[str, tuple[str, ...]] | None) -> bool:
    """Whether the relaxed problem's plan is lawful and has the visit."""
    relaxed = apply(problem, change)
    known = start_with(start, change) if start is not None else None
    plan = solve(relaxed, engine=DEFAULT_ENGINE, budget=budget, start=known)
    return verify(relaxed, plan).lawful and change.visit in {v for o in plan.orders().values() for v in o}


def measure(source: Path, seconds: float, each: int, seed: int) -> tuple[int, int, int, int, float]:
    """Visits drawn, with an offer, let in from the plan and from nothing; milliseconds of one offer."""
    problem = fsr.read(source).problem
    plan = solve(problem, engine=DEFAULT_ENGINE, seed=seed, budget=Budget(seconds=max(seconds, 2.0)))
    left_out = [u.visit for u in plan.unplanned]
    drawn = random.Random(seed).sample(left_out, min(each, len(left_out)))
    begin = time.thread_time()
    found = {v: changes for v, changes in relaxations(problem, plan.orders(), drawn).items() if changes}
    used = time.thread_time() - begin
    budget = Budget(seconds=seconds)
    warm = sum(is_planned(problem, changes[0], budget, plan.orders()) for changes in found.values())
    cold = sum(is_planned(problem, changes[0], budget, None) for changes in found.values())
    return len(drawn), len(found), warm, cold, 1000 * used / max(1, len(drawn))


def main() -> None:
    """Measure and print; under 90 % from the standing plan fails the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="fs-", help="instances whose name begins so")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    print("| instance | left out, drawn | with an offer | let in from the plan | from nothing | ms per visit |")
    print("|---|--:|--:|--:|--:|--:|")
    total = [0, 0, 0, 0]
    for source in sorted((options.shared / "data" / "routing").glob(f"{options.only}*.json.gz")):
        *row, used = measure(source, options.seconds, options.each, options.seed)
        total = [a + b for a, b in zip(total, row, strict=True)]
        name = source.name.removesuffix(".json.gz")
        print(f"| {name} | {row[0]} | {row[1]} | {row[2]} | {row[3]} | {used:.1f} |", flush=True)
    drawn, offered, warm, cold = total
    shares = f"{100 * warm / max(1, drawn):.0f} % | {100 * cold / max(1, drawn):.0f} %"
    print(f"| **all** | {drawn} | {offered} | {shares} | |")
    sys.exit(drawn > 0 and warm < 0.9 * drawn)


if __name__ == "__main__":
    main()
