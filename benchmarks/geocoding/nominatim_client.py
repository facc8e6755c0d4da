"""A careful client of Nominatim; runs in Nominatim's own environment, never in ours.

    python nominatim_client.py PROJECT QUESTIONS.csv ANSWERS.csv

Fields are asked as fields, then with less, then as one line; a line as it is, then without its first part. The answer
counts as confident (1.0) when it is a house, a business or a named thing, otherwise not (0.5). Prints the seconds of
processor time that this process used.
"""

import csv
import re
import sys
import time
from collections.abc import Iterator

import nominatim_api

_FINE = 28
"""Address rank from which on Nominatim's answers are houses and named things rather than streets and places."""


def attempts(row: dict[str, str]) -> "Iterator[dict[str, str] | str]":
    """Fields, the same without what seldom helps, then as one line; a line as it is, then without its first part."""
    if row["query"]:
        yield row["query"]
        yield row["query"].partition(",")[2]
        return
    street, place = row["street"], {"city": row["city"], "country": row["country"]}
    yield {"street": street, "postalcode": row["postcode"], **place}
    yield {"street": street, **place}
    numbered = [part for part in re.split(r"[,/]| - ", street) if re.search(r"\d", part)]
    if numbered and numbered[0] != street:
        yield {"street": numbered[0].strip(), **place}
    yield ", ".join(p for p in (street, f"{row['postcode']} {row['city']}".strip(), row["country"]) if p)


def ask(api: "nominatim_api.NominatimAPI", row: dict[str, str]) -> "nominatim_api.SearchResult | None":
    """The first attempt's answer that is a house or a named thing, else the first answer at all."""
    first = None
    for attempt in attempts(row):
        if isinstance(attempt, str):
            found = api.search(attempt, max_results=1) if attempt else None
        else:
            found = api.search_address(max_results=1, **{k: v for k, v in attempt.items() if v})
        if found and found[0].rank_address >= _FINE:
            return found[0]
        first = first or (found[0] if found else None)
    return first


def main() -> None:
    """Answer a file of questions."""
    project, asked, said = sys.argv[1:]
    with nominatim_api.NominatimAPI(project) as api, open(asked, newline="") as source, open(said, "w") as target:
        out = csv.writer(target)
        out.writerow(("id", "lat", "lon", "street", "number", "confidence"))
        api.search("warm up")
        start = time.process_time()
        for row in csv.DictReader(source):
            best = ask(api, row)
            if best is None:
                out.writerow((row["id"], "", "", "", "", 0))
                continue
            sure = 1.0 if best.housenumber or best.rank_address >= _FINE else 0.5
            out.writerow(
                (row["id"], best.lat, best.lon, (best.names or {}).get("name", ""), best.housenumber or "", sure)
            )
        sys.stdout.write(f"{time.process_time() - start:.3f}\n")


if __name__ == "__main__":
    main()
