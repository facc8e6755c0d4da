"""Fit the coefficients of likeness anew from a labelled company, and write them into the package.

    python benchmarks/duplicates/refit.py [--write] [--rows 50000] [--seeds 1]

Only places and names of the fit are used; `run.py` measures on others.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import scratch
from labelled import Company

from geo.geocode.confidence import Model, fit
from server.accounts.duplicates.resemblance import FEATURES, shipped

PLAINLY_NONE, FEW = 0.003, 0.04
AGAINST = frozenset(
    "other_words other_word strangers numbers_differ phone_differs email_differs domain_differs address_shared "
    "number_differs street_differs postcode_differs city_differs away name_elsewhere".split()
)
EITHER = frozenset(("bias", "no_street", "no_distance"))
"""A sign never speaks the other way: what is in neither table speaks for one firm."""

COEFFICIENTS = Path(__file__).resolve().parents[2] / "server" / "accounts" / "resemblance.json"
WRONG_WEIGHS = 2.0
"""Merging two firms costs more than a look at one firm twice."""


def cases(seed: int, rows: int) -> tuple[list[tuple[float, ...]], list[bool]]:
    """Features and truth of every pair that is compared."""
    from server.accounts.duplicates import pairs as duplicate_pairs
    from server.kit.database import transaction

    known = scratch.load(Company(seed, rows, held_out=False).rows())
    with transaction() as session:
        for statement in duplicate_pairs.START:
            session.execute(statement)
        duplicate_pairs.remember(session)
        found = list(duplicate_pairs.scored(session))
    features = [one.found.features for one in found]
    return features, [known[one.low_id].truth == known[one.high_id].truth for one in found]


def fit_signed(features: list[tuple[float, ...]], right: list[bool], weights: list[float]) -> Model:
    """The likeliest coefficients of which each has the sign that people expect; wrong ones are held at zero."""
    held = np.ones(len(FEATURES))
    rows = np.asarray(features)
    prior = Model(tuple(-4.0 if name == "bias" else 0.0 for name in FEATURES))
    while True:
        model = fit((rows * held).tolist(), right, weights, prior, 1.0)
        wrong = [
            at
            for at, name in enumerate(FEATURES)
            if name not in EITHER and model.weights[at] * (-1 if name in AGAINST else 1) < 0
        ]
        if not wrong:
            return model
        held[min(wrong, key=lambda at: -abs(model.weights[at]))] = 0


def thinned(
    features: list[tuple[float, ...]], right: list[bool]
) -> tuple[list[tuple[float, ...]], list[bool], list[float]]:
    """Every duplicate, every pair that is not plainly none, and of those that are a few that stand for all."""
    rng = random.Random(0)
    model = shipped()
    kept = []
    for row, ok in zip(features, right, strict=True):
        if ok or model.confidence(row) > PLAINLY_NONE:
            kept.append((row, ok, 1.0 if ok else WRONG_WEIGHS))
        elif rng.random() < FEW:
            kept.append((row, ok, WRONG_WEIGHS / FEW))
    return [row for row, _, _ in kept], [ok for _, ok, _ in kept], [weight for _, _, weight in kept]


def main() -> None:
    """Fit, report, and write when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the coefficients into the package")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    features: list[tuple[float, ...]] = []
    right: list[bool] = []
    with scratch.home():
        for seed in options.seeds:
            some, truth = cases(seed, options.rows)
            print(f"seed {seed}: {len(some):,} pairs compared, {sum(truth):,} of {options.rows // 50:,} duplicates")
            features += some
            right += truth
    model = fit_signed(*thinned(features, right))
    named = dict(zip(FEATURES, model.weights, strict=True))
    for name, model_ in (("shipped", shipped()), ("fitted", model)):
        scores = [model_.confidence(f) for f in features]
        for threshold in (0.5, 0.7, 0.9):
            hit = [ok for score, ok in zip(scores, right, strict=True) if score >= threshold]
            print(
                f"{name} at {threshold}: {len(hit):,} pairs, precision {sum(hit) / max(1, len(hit)):.4f}, "
                f"recall of compared {sum(hit) / sum(right):.4f}"
            )
    print(json.dumps(named, indent=2))
    if options.write:
        kept = json.loads(COEFFICIENTS.read_text("utf-8"))
        COEFFICIENTS.write_text(json.dumps(kept | {"weights": named}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
