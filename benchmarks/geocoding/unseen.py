"""Questions about towns that nobody tuned for: made-up ones of many languages, and those of real extracts.

In memory, scored by the judge.

    python benchmarks/geocoding/unseen.py [FR ES ...] [--seed 1] [--each 400] [--keep FOLDER] [--by-op]

One line per country, then all together. `--keep` leaves questions and answers as files.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from extracted import extracts
from invented import countries
from mess import COLUMNS, Disturber
from places import INPUT_COLUMNS, SCORER

from geo.geocode.geocoder import Geocoder
from geo.geocode.memory import MemoryIndex
from geo.geocode.types import AddressQuery, Answer

Row = Mapping[str, str]


def answers(asked: Geocoder, rows: Sequence[Row]) -> list[Answer]:
    """What the geocoder says about the input columns of questions."""
    return list(asked.locate_many([AddressQuery(**{column: row[column] for column in INPUT_COLUMNS}) for row in rows]))


def write(folder: Path, name: str, rows: Iterable[Row], found: Iterable[Answer]) -> tuple[Path, Path]:
    """Write questions with their truth, and answers, in the judge's format."""
    truth, said = folder / f"{name}.csv", folder / f"{name}.out.csv"
    rows = list(rows)
    with truth.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with said.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("id", "lat", "lon", "street", "number", "postcode", "city", "confidence", "reason"))
        for row, a in zip(rows, found, strict=True):
            lat, lon = (a.point.lat, a.point.lon) if a.point else ("", "")
            out.writerow((row["id"], lat, lon, a.street, a.number, a.postcode, a.city, a.confidence, a.reason))
    return truth, said


def judged(truth: Path, said: Path, *options: str) -> tuple[dict[str, dict[str, float]], str]:
    """Shares by class and column, and the judge's own table."""
    command = [sys.executable, str(SCORER), str(truth), str(said), *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = text.splitlines()
    columns = lines[0].split()[2:]
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for line in lines[1:]:
        cells = line.split()
        if len(cells) == len(columns) + 2:
            found[cells[0]] = {c: float(v.rstrip("%")) for c, v in zip(columns, cells[2:], strict=True) if v != "-"}
    return found, text


def line(name: str, shares: Mapping[str, Mapping[str, float]]) -> str:
    """One row of the README's table."""
    cells = [
        min(shares[c]["hit200"] for c in ("clean_struct", "clean_line")), shares["mess"]["hit200"],
        shares["mess"]["conf_hit"], shares["mess"]["wrong_conf"], shares["negative"]["rejected"],
        shares["gap"]["hit200"], shares["poi"]["hit200"] if "poi" in shares else None,
    ]  # fmt: skip
    return f"| {name} | " + " | ".join("" if c is None else f"{c:.1f}" for c in cells) + " |"


HEAD = "| place | clean | messy | confident, right | confident, wrong | invented refused | missing number | business |"


def main() -> None:
    """Ask, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("codes", nargs="*", help="some of the countries; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=400, help="messy questions per country")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--by-op", action="store_true", help="the judge's table by kind of mess at the end")
    options = parser.parse_args()
    if not SCORER.exists():
        sys.exit(f"the judge {SCORER} is not on this machine")
    print(HEAD, "|---|---|---|---|---|---|---|---|", sep="\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        everything: list[Row] = []
        said: list[Answer] = []
        for country in chain(countries(options.seed), extracts()):
            if options.codes and country.code not in options.codes:
                continue
            rows = list(Disturber(country, options.seed).rows(options.each))
            found = answers(Geocoder(MemoryIndex(country.content())), rows)
            print(line(country.code, judged(*write(folder, country.code, rows, found))[0]), flush=True)
            everything += rows
            said += found
        shares, text = judged(*write(folder, "all", everything, said), *(["--by-op"] if options.by_op else []))
        print(line("all", shares))
        if options.by_op:
            print(text)


if __name__ == "__main__":
    main()
