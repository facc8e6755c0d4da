"""Two states of the geocoder row by row: both in one process, each question to both in turn, the least of some passes.

    git worktree add --detach /tmp/before main
    python benchmarks/geocoding/rows.py /tmp/before [--passes 3] [li bc es alessandria helsinki]

Before each pass nothing is remembered. `beside.py` measures whole passes, which on a busy machine differ by more than a
small step gains; the least thread time of a row hardly does. Answers that differ are counted.
"""

import argparse
import gc
import importlib
import sys
import time
from collections.abc import Callable
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]


class State:
    """The geocoder's modules as they stand in a folder, beside those of another one."""

    def __init__(self, folder: Path) -> None:
        for name in [name for name in sys.modules if name == "places" or name.partition(".")[0] == "geo"]:
            del sys.modules[name]
        sys.path.insert(0, str(folder))
        self.places: Any = importlib.import_module("places")
        self.query = importlib.import_module("geo.geocode.types").AddressQuery
        geocoder: Any = importlib.import_module("geo.geocode.geocoder")
        sys.path.pop(0)
        if not str(geocoder.__file__).startswith(str(folder)):
            raise SystemExit(f"There is no geocoder in {folder}.")
        self.modules = [module for name, module in sys.modules.items() if name.startswith("geo.geocode.")]

    def questions(self, key: str) -> list[Any]:
        """Every question of a place but the points."""
        (place,) = self.places.chosen([key])
        rows = [row for row in self.places.truth(place) if row["form"] != "point"]
        return [self.query(**{column: row[column] for column in self.places.INPUT_COLUMNS}) for row in rows]

    def asked(self, key: str) -> Callable[[Any], Any]:
        """A geocoder of a place that remembers nothing."""
        for module in self.modules:
            for kept in vars(module).values():
                if isinstance(kept, _lru_cache_wrapper) and kept.cache_info().maxsize is not None:
                    kept.cache_clear()
        (place,) = self.places.chosen([key])
        locate: Callable[[Any], Any] = self.places.geocoder(place).locate
        return locate


def timed(locate: Callable[[Any], Any], question: Any) -> tuple[float, str]:
    """Seconds of this thread, and the answer as text."""
    start = time.thread_time()
    answer = locate(question)
    return time.thread_time() - start, repr(answer)


def main() -> None:
    """Ask both states every question of every place in turn, and print the mean of the least times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("places", nargs="*", default=["li", "bc", "es", "alessandria", "helsinki"])
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    states = [State(options.before.resolve()), State(HERE)]
    for key in options.places:
        asked = [state.questions(key) for state in states]
        least = [[float("inf")] * len(asked[0]) for _ in states]
        differ = 0
        for number in range(options.passes):
            locates = [state.asked(key) for state in states]
            gc.collect()
            gc.disable()
            for at in range(len(asked[0])):
                said = {}
                for which in (0, 1) if (at + number) % 2 else (1, 0):
                    seconds, said[which] = timed(locates[which], asked[which][at])
                    least[which][at] = min(least[which][at], seconds)
                differ += number == 0 and said[0] != said[1]
            gc.enable()
        before, after = (1e6 * sum(one) / len(one) for one in least)
        print(f"{key:12} {before:7.1f} -> {after:7.1f} us a row, {before / after:.3f} times as many; {differ} differ")


if __name__ == "__main__":
    main()
