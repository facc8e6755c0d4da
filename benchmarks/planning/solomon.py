"""Solomon's and Gehring and Homberger's vehicle routing files as planning files, so that `run` can plan them.

    python -m benchmarks.planning.solomon FOLDER_WITH_TXT TARGET/data/routing --best best_known.json [--vehicles-first]
    python -m benchmarks.planning.run --shared TARGET ...

The data are not ours to pass on and are not in this repository; the wheel of VRPSolverEasy 0.1.4 on PyPI carries the 56
of Solomon and the 60 of Gehring and Homberger with 200 customers. Every vehicle is a rep with one day, every visit
mandatory. Two conventions: the shortest way, distances cut off after one decimal, as the best known values of the
twelfth DIMACS challenge are; or, with `--vehicles-first`, few vehicles before short ways, distances to a thousandth.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

TENTH, THOUSANDTH = 10, 1000
VEHICLE = 100_000
"""What a vehicle costs when vehicles come first, in units of distance: more than any plan drives."""


def read(text: str) -> tuple[int, int, np.ndarray]:
    """Vehicles, capacity, and the rows (number, x, y, demand, ready, due, service); the first row is the depot."""
    lines = [line.split() for line in text.splitlines()]
    numbers = [[float(x) for x in line] for line in lines if line and all(_is_number(x) for x in line)]
    fleet = next(row for row in numbers if len(row) == 2)
    return int(fleet[0]), int(fleet[1]), np.array([row for row in numbers if len(row) == 7])


def document(name: str, text: str, best: float | list[float] | None, *, vehicles_first: bool) -> dict[str, Any]:
    """The instance in the fsr/1 format."""
    vehicles, capacity, rows = read(text)
    xy = rows[:, 1:3]
    parts = THOUSANDTH if vehicles_first else TENTH
    exact = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1)) * parts
    time = (np.rint(exact) if vehicles_first else np.floor(exact + 1e-9)).astype(int)
    ready, due, service = (np.rint(rows[:, c] * parts).astype(int) for c in (4, 5, 6))
    visits = [
        {"id": f"c{k}", "loc": k, "service": int(service[k]), "windows": [[int(ready[k]), int(due[k])]], "prize": 0,
         "required": True, "days": None, "reps": None, "demand": int(rows[k, 3])}
        for k in range(1, len(rows))
    ]  # fmt: skip
    shifts = [
        {"id": f"t{k}", "rep": f"t{k}", "day": 0, "start_loc": 0, "end_loc": 0, "open": int(ready[0]),
         "close": int(due[0]), "break": None, "max_drive": None, "max_visits": None, "capacity": capacity,
         "fixed_cost": VEHICLE * parts if vehicles_first else 0}
        for k in range(vehicles)
    ]  # fmt: skip
    return {
        "format": "fsr/1",
        "name": name,
        "unit": 1 / parts,
        "time": time.tolist(),
        "visits": visits,
        "shifts": shifts,
        "spacing": [],
        "weights": {"prize": 0, "travel": 1, "fixed": int(vehicles_first), "late": 0},
        "bks": {"value": best},
    }


def main() -> None:
    """Convert every file of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument(
        "--best", type=Path, help="JSON with best known values by name: solomon_dist, or solomon_hier and gh_hier"
    )
    parser.add_argument("--vehicles-first", action="store_true")
    options = parser.parse_args()
    values = json.loads(options.best.read_text()) if options.best else {}
    sets = ("solomon_hier", "gh_hier") if options.vehicles_first else ("solomon_dist",)
    known = {name.upper(): best for one in sets for name, best in values.get(one, {}).items()}
    options.target.mkdir(parents=True, exist_ok=True)
    for source in sorted(options.folder.glob("*.txt")):
        name = source.stem.upper()
        if options.best and name not in known:
            print(f"{source.name}: no best known value, left out", file=sys.stderr)
            continue
        made = document(name, source.read_text(), known.get(name), vehicles_first=options.vehicles_first)
        written = json.dumps(made).encode()
        kind = "-hier" if options.vehicles_first else ""
        (options.target / f"vrptw-{name.lower()}{kind}.json.gz").write_bytes(gzip.compress(written, mtime=0))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
