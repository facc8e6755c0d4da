"""A careful client of Nominatim; runs in Nominatim's own environment, never in ours.

    python nominatim_client.py PROJECT QUESTIONS.csv ANSWERS.csv

Fields are asked as fields, then as one line; a line as it is. The answer counts as confident (1.0) when it is a house,
a business or a named thing, otherwise not (0.5). Prints the seconds of processor time that this process used.
"""

import csv
import sys
import time

import nominatim_api

_FINE = 28
"""Address rank from which on Nominatim's answers are houses and named things rather than streets and places."""


def ask(api: "nominatim_api.NominatimAPI", row: dict[str, str]) -> "nominatim_api.SearchResult | None":
    """The first answer to a question."""
    if row["query"]:
        found = api.search(row["query"], max_results=1)
        return found[0] if found else None
    parts = {"street": row["street"], "postalcode": row["postcode"], "city": row["city"], "country": row["country"]}
    given = {k: v for k, v in parts.items() if v}
    found = api.search_address(max_results=1, **given) if given else []
    if not found or found[0].rank_address < _FINE:
        line = ", ".join(p for p in (row["street"], f"{row['postcode']} {row['city']}".strip(), row["country"]) if p)
        found = api.search(line, max_results=1) or found
    return found[0] if found else None


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
