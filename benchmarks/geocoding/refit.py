"""Fit the coefficients of confidence anew from questions with known answers, and write them into the package.

    python benchmarks/geocoding/refit.py [--write] [--leave-one-out]

Places in `HELD_OUT` are only reported, never fitted. Wrong and invented answers weigh five times a right one,
because a wrong pin costs more than a look at a right one. `--leave-one-out` fits once for every place without it, and
shows how far the confidence is from the truth there (Brier score and shares by step of confidence).
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from invented import countries
from mess import Disturber
from places import HELD_OUT, INPUT_COLUMNS, chosen, geocoder, truth

from geo.distance import haversine_m
from geo.geocode.confidence import FEATURES, Features, Model, fit, shipped
from geo.geocode.geocoder import Geocoder
from geo.geocode.memory import MemoryIndex
from geo.geocode.normalise import street_name
from geo.geocode.types import THRESHOLD, AddressQuery, Answer
from geo.types import LonLat

COEFFICIENTS = Path(__file__).resolve().parents[2] / "geo" / "geocode" / "data" / "confidence.json"
WRONG_WEIGHS = 5.0
PRIOR_WEIGHS = 2.0
RIGHT_WITHIN_M = 200.0
INVENTED_WEIGHS = 0.3
"""A question about a made-up town counts less than one about a real one."""
SEED = 101
"""Not the one that `unseen.py` asks with."""
STEPS = (0.0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 1.01)

Case = tuple[Features, bool, float]
Row = Mapping[str, str]


def is_right(answer: Answer, row: Row) -> bool:
    """Near one of the true points, or the very same street and number."""
    if row["cls"] == "negative" or answer.point is None:
        return False
    spots = [(row["lat"], row["lon"]), *(s.split(",") for s in row["alts"].split(";") if s)]
    far = min(haversine_m(answer.point, LonLat(float(lon), float(lat))) for lat, lon in spots)
    number = [re.sub(r"\W", "", n).lower() for n in (answer.number, row["t_number"])]
    same = street_name(answer.street) == street_name(row["t_street"]) and number[0] == number[1]
    return far <= RIGHT_WITHIN_M or same


def cases(asked: Geocoder, rows: Iterable[Row], weight: float) -> Iterator[Case]:
    """Features, outcome and weight of every question about an address that was answered with a street."""
    for row in rows:
        if row["form"] == "point" or row["cls"] == "poi":
            continue
        features, answer = asked.evidence(AddressQuery(**{column: row[column] for column in INPUT_COLUMNS}))
        if features:
            yield features, is_right(answer, row), weight


def everything() -> dict[str, Callable[[], list[Case]]]:
    """The real places and the made-up countries."""
    found = {p.key: (lambda p=p: list(cases(geocoder(p), truth(p), 1.0))) for p in chosen([])}
    for country in countries(SEED):
        rows = list(Disturber(country, SEED).rows(300))
        found[country.code] = lambda c=country, rows=rows: list(
            cases(Geocoder(MemoryIndex(c.content())), rows, INVENTED_WEIGHS)
        )
    return found


def fitted(some: Sequence[Case]) -> Model:
    """The coefficients that these cases ask for."""
    weights = [weight if ok else weight * WRONG_WEIGHS for _, ok, weight in some]
    return fit([f for f, _, _ in some], [ok for _, ok, _ in some], weights, shipped(), PRIOR_WEIGHS)


def report(name: str, model: Model, found: Sequence[Case]) -> None:
    """Print what share of right answers is confident, how many wrong ones, and the Brier score."""
    said = [(model.confidence(f), ok) for f, ok, _ in found]
    right = [c >= THRESHOLD for c, ok in said if ok]
    wrong = [c >= THRESHOLD for c, ok in said if not ok]
    brier = sum((c - ok) ** 2 for c, ok in said) / max(1, len(said))
    print(f"{name:24} right {len(right):5}, confident {sum(right) / max(1, len(right)):7.2%};", end=" ")
    print(f"wrong or invented {len(wrong):5}, confident {sum(wrong):3}; Brier {brier:.4f}")


def reliability(said: Sequence[tuple[float, bool]]) -> None:
    """Print how many answers of each step of confidence were right."""
    print(f"{'confidence':14} {'answers':>8} {'said':>7} {'right':>7}")
    for low, high in pairwise(STEPS):
        some = [(c, ok) for c, ok in said if low <= c < high]
        if some:
            mean, right = (sum(column) / len(some) for column in zip(*some, strict=True))
            print(f"{low:4.2f} to {min(high, 1):4.2f} {len(some):10,} {mean:7.1%} {right:7.1%}")


def leave_one_out(found: Mapping[str, Sequence[Case]]) -> None:
    """Fit without each place in turn, and report that place."""
    said: list[tuple[float, bool]] = []
    for left_out, some in found.items():
        model = fitted([case for key, others in found.items() if key != left_out for case in others])
        report(f"{left_out} (left out)", model, some)
        said += [(model.confidence(f), ok) for f, ok, _ in some]
    reliability(said)


def main() -> None:
    """Fit, report, and write when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the coefficients into the package")
    parser.add_argument("--leave-one-out", action="store_true", help="show the calibration on places left out")
    options = parser.parse_args()
    found = {key: make() for key, make in everything().items()}
    if options.leave_one_out:
        leave_one_out(found)
    model = fitted([case for key, some in found.items() if key not in HELD_OUT for case in some])
    for key, some in found.items():
        report(key + (" (held out)" if key in HELD_OUT else ""), model, some)
    named = dict(zip(FEATURES, model.weights, strict=True))
    print(json.dumps(named, indent=2))
    if options.write:
        COEFFICIENTS.write_text(json.dumps({"weights": named}, indent=2) + "\n")


if __name__ == "__main__":
    main()
