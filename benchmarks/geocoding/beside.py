"""Two states of the geocoder beside each other: the same questions, alternating in one run, processor time.

    git worktree add --detach /tmp/before main
    python benchmarks/geocoding/beside.py /tmp/before [--passes 5] [--index FILE [FILE]] [li bc es alessandria helsinki]

Each state answers in a process of its own. The `first` pass are batches of which nothing is remembered, the two states
in turn, so that whoever else is at work disturbs both alike; `fresh` are
questions never asked, after others of the same place, one by one; `again` asks everything once more as a batch.
`--index` asks a file that `scale.py --keep` wrote, or one for each state. Answers that differ are counted.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from places import INPUT_COLUMNS, PLACES, chosen, geocoder, truth

from geo.geocode import mapped
from geo.geocode.geocoder import Geocoder
from geo.geocode.joint import joint
from geo.geocode.types import AddressQuery

HERE = Path(__file__).resolve().parents[2]
_SLICES = 10
"""The states take turns so often in a first pass."""


def loaded(source: str) -> tuple[Geocoder, list[AddressQuery]]:
    """An index and its questions: a place by its key, or a file beside its questions."""
    if source.endswith(".index"):
        path = Path(source)
        with path.open("rb") as file:
            identity = mapped._header(file.read())[0]["identity"]
        lines = json.loads(path.with_suffix(".json").read_text())
        questions = [AddressQuery("", street, code, city, "", query) for street, code, city, query, _ in lines]
        return Geocoder(joint([mapped.read(path, identity)], "x")), questions
    place = next(p for p in PLACES if p.key == source)
    rows = [row for row in truth(place) if row["form"] != "point"]
    return geocoder(place), [AddressQuery(**{column: row[column] for column in INPUT_COLUMNS}) for row in rows]


def serve(source: str) -> None:
    """Answer passes on standard input: `first` and a number, `fresh`, `again` or `answers`."""
    asked, questions = loaded(source)
    half = len(questions) // 2
    parts = {"fresh": questions[half:]}
    for at in range(_SLICES):
        parts[f"first {at}"] = questions[half * at // _SLICES : half * (at + 1) // _SLICES]
    print("ready", flush=True)
    for line in sys.stdin:
        part = parts.get(line.strip(), questions)
        singles, start = [], time.process_time()
        if line.strip() == "fresh":
            answers = []
            for question in part:
                begun = time.process_time()
                answers.append(asked.locate(question))
                singles.append(1000 * (time.process_time() - begun))
        else:
            answers = list(asked.locate_many(part))
        spent_s = time.process_time() - start
        singles.sort()
        print(json.dumps({
            "asked": len(part), "spent_s": spent_s, "rate": len(part) / spent_s,
            "p99_ms": singles[len(singles) * 99 // 100] if singles else 0.0,
            "answers": [hashlib.sha1(repr(a).encode()).hexdigest()[:10] for a in answers]
            if line.strip() == "answers" else [],
        }), flush=True)  # fmt: skip


class State:
    """A state of the code at work in a process of its own."""

    def __init__(self, folder: Path, source: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        command = [sys.executable, __file__, "--serve", source]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"a state stopped with {self._process.wait()}")
        return line

    def ask(self, part: str) -> dict[str, Any]:
        """One pass."""
        assert self._process.stdin is not None
        self._process.stdin.write(part + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._line())
        return found

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compared(before: Path, sources: tuple[str, str], passes: int) -> Iterator[str]:
    """What is printed of one place."""
    states = [State(folder, source) for folder, source in zip((before, HERE), sources, strict=True)]
    slices = [[state.ask(f"first {at}") for state in states] for at in range(_SLICES)]
    asked = sum(a["asked"] for a, _ in slices)
    first, second = (asked / sum(pair[at]["spent_s"] for pair in slices) for at in (0, 1))
    yield f"first {first:,.0f} -> {second:,.0f} rows/s ({second / first:.2f})"
    a, b = (state.ask("fresh") for state in states)
    single = f", p99 {a['p99_ms']:.2f} -> {b['p99_ms']:.2f} ms"
    yield f"fresh {a['rate']:,.0f} -> {b['rate']:,.0f} rows/s ({b['rate'] / a['rate']:.2f}){single}"
    rates = [[state.ask("again")["rate"] for state in states] for _ in range(passes)]
    a, b = (max(column) for column in zip(*rates, strict=True))
    ratios = sorted(new / old for old, new in rates)
    yield f"again {a:,.0f} -> {b:,.0f} rows/s (median of {passes} pairs {ratios[passes // 2]:.2f})"
    old, new = (state.ask("answers")["answers"] for state in states)
    yield f"{sum(x != y for x, y in zip(old, new, strict=True))} of {len(new):,} answers differ"
    for state in states:
        state.stop()


def main() -> None:
    """Compare on every place asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, nargs="?", help="folder with the other state of the code")
    parser.add_argument("places", nargs="*")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--index", nargs="+")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    keys = [place.key for place in chosen(options.places)] if not options.index else []
    files = [(options.index[0], options.index[-1])] if options.index else []
    for sources in files or [(key, key) for key in keys]:
        for line in compared(options.before, sources, options.passes):
            print(f"{Path(sources[0]).stem:12} {line}", flush=True)


if __name__ == "__main__":
    main()
