"""The fingerprint of a problem: the same for the same input, another one for whatever is changed."""

import os
import subprocess
import sys
from dataclasses import replace

from routing.fingerprint import fingerprint
from tests.routing.random_problems import random_problem

PRINT = (
    "from tests.routing.random_problems import random_problem; from routing.fingerprint import fingerprint;"
    "print(fingerprint(random_problem(7), 'steps', 300))"
)


def test_another_process_finds_the_same_fingerprint_whatever_its_sets_are_ordered_by() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PRINT],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {fingerprint(random_problem(7), "steps", 300)}


def test_whatever_the_search_is_given_changes_the_fingerprint() -> None:
    problem = random_problem(7)
    longer = problem.seconds.copy()
    longer[0, 1] += 1
    dearer = (replace(problem.visits[0], prize=problem.visits[0].prize + 1), *problem.visits[1:])
    later = (replace(problem.rep_days[0], close_s=problem.rep_days[0].close_s + 1), *problem.rep_days[1:])
    others = [
        (replace(problem, seconds=longer), 300),
        (replace(problem, visits=dearer), 300),
        (replace(problem, rep_days=later), 300),
        (replace(problem, spacings=(), meetings=(), nights=()), 300),
        (problem, 301),
    ]
    assert len({fingerprint(problem, 300), *(fingerprint(*one) for one in others)}) == 1 + len(others)
