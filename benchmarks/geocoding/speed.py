"""How fast questions are answered from an index in memory, on one core.

Processor time is measured, so that other programs count less.

python benchmarks/geocoding/speed.py [li bc es alessandria helsinki]
"""

import sys
import time

from places import INPUT_COLUMNS, chosen, geocoder, truth

from geo.geocode.types import AddressQuery

_SINGLES = 1_000


def main() -> None:
    """Ask every question of every place in one batch, then some one by one."""
    for place in chosen(sys.argv[1:]):
        start = time.process_time()
        asked = geocoder(place)
        built_s = time.process_time() - start
        rows = [row for row in truth(place) if row["form"] != "point"]
        questions = [AddressQuery(**{column: row[column] for column in INPUT_COLUMNS}) for row in rows]
        list(asked.locate_many(questions))
        start = time.process_time()
        list(asked.locate_many(questions))
        rate = len(questions) / (time.process_time() - start)
        singles = []
        for question in questions[:_SINGLES]:
            start = time.process_time()
            asked.locate(question)
            singles.append(1000 * (time.process_time() - start))
        singles.sort()
        print(
            f"{place.key:12} index {built_s:5.1f} s, batch {rate:6,.0f} rows/s, "
            f"one by one median {singles[len(singles) // 2]:.2f} ms, p99 {singles[len(singles) * 99 // 100]:.2f} ms"
        )


if __name__ == "__main__":
    main()
