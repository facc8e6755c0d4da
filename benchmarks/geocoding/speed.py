"""How fast questions are answered from an index in memory, on one core.

Processor time is measured, so that other programs count less. `first` are rows that this process was never asked, as a
list that is imported once: nothing of the place is remembered, and no name, postcode or street of an earlier place
either. `again` are the same rows once more, as when a list is asked for the second time: everything is remembered.

python benchmarks/geocoding/speed.py [li bc es alessandria helsinki]
"""

import sys
import time
from collections.abc import Sequence
from functools import _lru_cache_wrapper

from places import INPUT_COLUMNS, chosen, geocoder, truth

from geo.geocode.geocoder import Geocoder
from geo.geocode.types import AddressQuery

_SINGLES = 1_000


def main() -> None:
    """Ask every question of every place in a batch of which nothing is remembered, once more, then some one by one."""
    asked_rows, asked_s = 0, 0.0
    for place in chosen(sys.argv[1:]):
        start = time.process_time()
        asked = geocoder(place)
        built_s = time.process_time() - start
        rows = [row for row in truth(place) if row["form"] != "point"]
        questions = [AddressQuery(**{column: row[column] for column in INPUT_COLUMNS}) for row in rows]
        forget()
        first_s, again_s = (_seconds(asked, questions) for _ in range(2))
        asked_rows, asked_s = asked_rows + len(questions), asked_s + first_s
        singles = []
        for question in questions[:_SINGLES]:
            start = time.process_time()
            asked.locate(question)
            singles.append(1000 * (time.process_time() - start))
        singles.sort()
        print(
            f"{place.key:12} index {built_s:5.1f} s, batch first {len(questions) / first_s:6,.0f} rows/s, "
            f"again {len(questions) / again_s:6,.0f} rows/s, "
            f"one by one median {singles[len(singles) // 2]:.2f} ms, p99 {singles[len(singles) * 99 // 100]:.2f} ms"
        )
    print(f"all          first {asked_rows / asked_s:,.0f} rows/s")


def _seconds(asked: Geocoder, questions: Sequence[AddressQuery]) -> float:
    start = time.process_time()
    list(asked.locate_many(questions))
    return time.process_time() - start


def forget() -> None:
    """Empty what the geocoder's modules remember, whatever place it was of."""
    for name, module in list(sys.modules.items()):
        if name.startswith("geo.geocode."):
            for kept in vars(module).values():
                if isinstance(kept, _lru_cache_wrapper) and kept.cache_info().maxsize is not None:
                    kept.cache_clear()


if __name__ == "__main__":
    main()
