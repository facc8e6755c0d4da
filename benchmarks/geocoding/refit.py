"""Fit the coefficients of confidence anew from questions with known answers, and write them into the package.

    python benchmarks/geocoding/refit.py [--write]

Places in `HELD_OUT` are only reported, never fitted. Wrong and invented answers weigh five times a right one,
because a wrong pin costs more than a look at a right one.
"""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

from places import HELD_OUT, INPUT_COLUMNS, Place, chosen, geocoder, truth

from geo.distance import haversine_m
from geo.geocode.confidence import FEATURES, Features, Model, fit, shipped
from geo.geocode.normalise import street_name
from geo.geocode.types import THRESHOLD, AddressQuery, Answer
from geo.types import LonLat

COEFFICIENTS = Path(__file__).resolve().parents[2] / "geo" / "geocode" / "data" / "confidence.json"
WRONG_WEIGHS = 5.0
PRIOR_WEIGHS = 2.0
RIGHT_WITHIN_M = 200.0

Case = tuple[Features, bool]


def is_right(answer: Answer, row: dict[str, str]) -> bool:
    """Near one of the true points, or the very same street and number."""
    if row["cls"] == "negative" or answer.point is None:
        return False
    spots = [(row["lat"], row["lon"]), *(s.split(",") for s in row["alts"].split(";") if s)]
    far = min(haversine_m(answer.point, LonLat(float(lon), float(lat))) for lat, lon in spots)
    number = [re.sub(r"\W", "", n).lower() for n in (answer.number, row["t_number"])]
    same = street_name(answer.street) == street_name(row["t_street"]) and number[0] == number[1]
    return far <= RIGHT_WITHIN_M or same


def cases(place: Place) -> Iterator[Case]:
    """Features and outcome of every question about an address that was answered with a street."""
    asked = geocoder(place)
    for row in truth(place):
        if row["form"] == "point" or row["cls"] == "poi":
            continue
        features, answer = asked.evidence(AddressQuery(**{column: row[column] for column in INPUT_COLUMNS}))
        if features:
            yield features, is_right(answer, row)


def report(name: str, model: Model, found: list[Case]) -> None:
    """Print what share of right answers is confident, and how many wrong ones."""
    right = [model.confidence(f) >= THRESHOLD for f, ok in found if ok]
    wrong = [model.confidence(f) >= THRESHOLD for f, ok in found if not ok]
    print(f"{name:12} right {len(right):5}, confident {sum(right) / max(1, len(right)):7.2%};", end=" ")
    print(f"wrong or invented {len(wrong):5}, confident {sum(wrong)}")


def main() -> None:
    """Fit, report, and write when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the coefficients into the package")
    options = parser.parse_args()
    found = {place.key: list(cases(place)) for place in chosen([])}
    train = [case for key, some in found.items() if key not in HELD_OUT for case in some]
    weights = [1.0 if ok else WRONG_WEIGHS for _, ok in train]
    model = fit([f for f, _ in train], [ok for _, ok in train], weights, shipped(), PRIOR_WEIGHS)
    for key, some in found.items():
        report(key + (" (held out)" if key in HELD_OUT else ""), model, some)
    named = dict(zip(FEATURES, model.weights, strict=True))
    print(json.dumps(named, indent=2))
    if options.write:
        COEFFICIENTS.write_text(json.dumps({"weights": named}, indent=2) + "\n")


if __name__ == "__main__":
    main()
