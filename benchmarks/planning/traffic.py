"""What changing traffic costs the search: rounds per CPU second beside the same problem in the usual traffic.

    .venv/bin/python -m benchmarks.planning.traffic --rounds 20000 --only fs-li-400x8x5

Each instance is planned with the same rounds and seed twice, alternately: as it is, and with every day's drives up to
half as long again in the mornings and evenings. All plans go through the verifier.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from routing import fsr
from routing.budget import Budget
from routing.check import verify
from routing.engine.search import prepare
from routing.pace import Pace
from routing.solve import DEFAULT_ENGINE, solve
from routing.types import Problem

ROOT = Path(__file__).parents[2]
FACTORS = [*[1.0] * 7, 1.3, 1.5, 1.2, *[1.0] * 6, 1.3, 1.4, 1.2, *[1.0] * 5]
"""By hour of the day."""


def rounds_a_second(problem: Problem, rounds: int) -> tuple[float, int]:
    """Rounds per CPU second, and the value of the plan; an unlawful plan ends the run."""
    begin = time.thread_time()
    plan = solve(problem, engine=DEFAULT_ENGINE, seed=1, budget=Budget(steps=rounds))
    used = time.thread_time() - begin
    report = verify(problem, plan)
    if not report.lawful:
        sys.exit("; ".join(map(str, report.violations)))
    return rounds / used, report.value.total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--only", default="fs-li-400", help="instances whose name begins so")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    prepare()
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
