"""Random problems by the thousand (`make fuzz-plan`); ends with an error when any plan breaks a rule.

PROBLEMS=N changes how many, FIRST=N where they begin. The last line says problems, plans, violations.
"""

import multiprocessing
import os
import sys

from routing.solve import ENGINES
from tests.routing.checking import faults
from tests.routing.judge import judge
from tests.routing.random_problems import random_problem

BATCH = 50


def batch(first: int) -> tuple[int, list[str]]:
    """Plans made of `BATCH` problems, and every fault with the number that makes the problem again."""
    module, found, plans = judge(), [], 0
    for number in range(first, first + BATCH):
        for engine in sorted(ENGINES):
            plans += 1
            found += [
                f"problem {number}, {engine}: {fault}" for fault in faults(random_problem(number), engine, module)
            ]
    return plans, found


def main() -> int:
    wanted, first = int(os.environ.get("PROBLEMS", "10000")), int(os.environ.get("FIRST", "0"))
    batches = range(first, first + wanted, BATCH)
    plans, violations = 0, 0
    with multiprocessing.get_context("spawn").Pool(min(2, os.cpu_count() or 1)) as pool:
        for done, found in pool.imap(batch, batches):
            plans, violations = plans + done, violations + len(found)
            for fault in found:
                sys.stdout.write(f"{fault}\n")
            sys.stderr.write(f"\r{plans} plans, {violations} violations ")
    judged = "both verifiers" if judge() else "our verifier; the independent one is not here"
    sys.stderr.write("\n")
    sys.stdout.write(f"{len(batches) * BATCH} problems, {plans} plans, {violations} violations ({judged})\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
