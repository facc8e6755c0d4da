"""Geocode the questions of every place through the command line, as a user would, and score the answers.

    python benchmarks/geocoding/run.py [li bc es alessandria helsinki] [--together]

Each place has a home of its own, so that it is alone in its index; `--together` loads all of them into one.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from places import INPUT_COLUMNS, SCORER, Place, chosen, truth

WAYMARK = Path(sys.executable).with_name("waymark")


def waymark(home: Path, *arguments: object) -> float:
    """Run a command in a home; returns its seconds."""
    environment = {k: v for k, v in os.environ.items() if k != "WAYMARK_DATABASE_URL"} | {"WAYMARK_HOME": str(home)}
    start = time.perf_counter()
    subprocess.run([str(WAYMARK), *map(str, arguments)], check=True, env=environment, stdout=sys.stderr)
    return time.perf_counter() - start


def load(home: Path, place: Place) -> float:
    """Bring the place's addresses into the index."""
    if place.is_extract:
        return waymark(home, "region", "add", place.source)
    return waymark(
        home, "addresses", "add", place.source, "--country", place.country, "--name", place.key,
        "--source", place.credit, "--licence", place.licence,
    )  # fmt: skip


def ask(home: Path, place: Place, folder: Path) -> tuple[Path, int, float]:
    """Geocode the questions without their truth; returns the answers, how many and the seconds."""
    asked, found = folder / f"{place.key}.in.csv", folder / f"{place.key}.out.csv"
    count = 0
    with asked.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", *INPUT_COLUMNS))
        for row in truth(place):
            writer.writerow((row["id"], *(row[column] for column in INPUT_COLUMNS)))
            count += 1
    return found, count, waymark(home, "geocode", asked, found)


def score(place: Place, found: Path) -> str:
    """The scorer's table."""
    if not SCORER.exists():
        return "(no scorer on this machine)\n"
    command = [sys.executable, str(SCORER), str(place.questions), str(found)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Load, ask, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="*", help="some of the places; all by default")
    parser.add_argument("--together", action="store_true", help="all places in one index")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waymark-geocoding-") as folder:
        base = Path(folder)
        base.chmod(0o755)
        places = chosen(options.places)
        homes = [base / ("home" if options.together else f"home-{place.key}") for place in places]
        try:
            loaded = [load(home, place) for home, place in zip(homes, places, strict=True)]
            for home, place, seconds in zip(homes, places, loaded, strict=True):
                found, count, asked_s = ask(home, place, base)
                print(f"{place.key}: loaded in {seconds:.1f} s, {count:,} rows in {asked_s:.1f} s in all")
                print(score(place, found), flush=True)
        finally:
            for home in {home for home in homes if home.exists()}:
                waymark(home, "db", "stop")


if __name__ == "__main__":
    main()
