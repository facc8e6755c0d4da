"""Solomon's and Gehring and Homberger's vehicle routing files as planning files, so that `run` can plan them.

    python -m benchmarks.planning.solomon FOLDER_WITH_TXT TARGET/data/routing [--best best_known.json]
    python -m benchmarks.planning.run --shared TARGET ...

The data are not ours to pass on and are not in this repository. Distances are kept to one decimal, cut off, as the
best known values of the twelfth DIMACS challenge are; every vehicle is a rep with one day, every visit mandatory.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

TENTH = 10


def read(text: str) -> tuple[int, int, np.ndarray]:
    """Vehicles, capacity, and the rows (number, x, y, demand, ready, due, service); the first row is the depot."""
    lines = [line.split() for line in text.splitlines()]
    numbers = [[float(x) for x in line] for line in lines if line and all(_is_number(x) for x in line)]
    fleet = next(row for row in numbers if len(row) == 2)
    return int(fleet[0]), int(fleet[1]), np.array([row for row in numbers if len(row) == 7])


def document(name: str, text: str, best: float | None) -> dict[str, Any]:
    """The instance in the fsr/1 format."""
    vehicles, capacity, rows = read(text)
    xy = rows[:, 1:3]
    time = np.floor(np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1)) * TENTH + 1e-9).astype(int)
    ready, due, service = (np.rint(rows[:, c] * TENTH).astype(int) for c in (4, 5, 6))
    visits = [
        {"id": f"c{k}", "loc": k, "service": int(service[k]), "windows": [[int(ready[k]), int(due[k])]], "prize": 0,
         "required": True, "days": None, "reps": None, "demand": int(rows[k, 3])}
        for k in range(1, len(rows))
    ]  # fmt: skip
    shifts = [
        {"id": f"t{k}", "rep": f"t{k}", "day": 0, "start_loc": 0, "end_loc": 0, "open": int(ready[0]),
         "close": int(due[0]), "break": None, "max_drive": None, "max_visits": None, "capacity": capacity,
         "fixed_cost": 0}
        for k in range(vehicles)
    ]  # fmt: skip
    return {
        "format": "fsr/1",
        "name": name,
        "unit": 1 / TENTH,
        "time": time.tolist(),
        "visits": visits,
        "shifts": shifts,
        "spacing": [],
        "weights": {"prize": 0, "travel": 1, "fixed": 0, "late": 0},
        "bks": {"value": best},
    }


def main() -> None:
    """Convert every file of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--best", type=Path, help="JSON with best known distances by name under solomon_dist")
    options = parser.parse_args()
    known = json.loads(options.best.read_text())["solomon_dist"] if options.best else {}
    options.target.mkdir(parents=True, exist_ok=True)
    for source in sorted(options.folder.glob("*.txt")):
        name = source.stem.upper()
        if options.best and name not in known:
            print(f"{source.name}: no best known value, left out", file=sys.stderr)
            continue
        written = json.dumps(document(name, source.read_text(), known.get(name))).encode()
        (options.target / f"vrptw-{name.lower()}.json.gz").write_bytes(gzip.compress(written, mtime=0))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
