"""The model of a lead's chance: trained on what became of earlier leads, never on the future. Pure: values in, out.

A logistic regression over standardised features: its log odds are a sum, so that every reason has its exact share, and
it needs no calibration beyond its own fit. What is stored is a page of plain numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

VERSION = 1
COUNTED = frozenset({"drive_min", "customers_2km", "customers_10km", "prospects_1km", "words", "value"})
"""Features that are taken as logarithms: the tenth customer nearby says less than the first."""
FEATURES = (
    "drive_min", "customers_2km", "customers_10km", "prospects_1km", "territory_share", "has_pin", "has_phone",
    "has_email", "own_domain", "has_company", "words", "value", "has_campaign", "from_form", "from_api", "from_import",
    "from_map", "from_referral", "from_fair",
)  # fmt: skip
LEAST_DECIDED = 60
LEAST_OF_EACH = 15
LEAST_TRIED = 20
BETTER_THAN_GUESSING = 0.55
"""A model whose AUC on unseen leads is lower is not shown to anybody."""
TRAINED_SHARE = 0.7
BINS = 8
STRENGTH = 0.5
"""Inverse of the penalty on large coefficients."""


@dataclass(frozen=True)
class Sample:
    """A lead that is decided."""

    values: Mapping[str, float | None]
    """What was measured when it came in."""
    created_at: datetime
    decided_at: datetime
    won: bool
    points: int = 0
    """What the rules gave it."""


@dataclass(frozen=True)
class Model:
    """A trained model as plain numbers."""

    intercept: float
    """Log odds of the average lead."""
    weights: tuple[float, ...]
    """Log odds for a standard deviation of each feature."""
    means: tuple[float, ...]
    scales: tuple[float, ...]
    usual: tuple[float, ...]
    """What stands in where a value is not known: the mean of the known ones."""
    features: tuple[str, ...] = FEATURES
    version: int = VERSION

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Model":
        """From what is stored."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
        return cls(**values)

    def shares(self, values: Mapping[str, float | None]) -> dict[str, float]:
        """How much each feature moves the log odds of a lead away from the average's."""
        found = {}
        for k, name in enumerate(self.features):
            value = transformed(name, values.get(name))
            known = self.usual[k] if value is None else value
            found[name] = self.weights[k] * (known - self.means[k]) / self.scales[k]
        return found

    def chance(self, values: Mapping[str, float | None]) -> float:
        """How likely a lead becomes a customer, 0 to 1."""
        return logistic(self.intercept + sum(self.shares(values).values()))


@dataclass(frozen=True)
class Bin:
    """Leads with about the same predicted chance."""

    predicted: float
    """Mean predicted chance."""
    found: float
    """Share of them that was won."""
    n: int


@dataclass(frozen=True)
class Quality:
    """How a model did on leads that came in after everything it was trained on."""

    trained: int
    tried: int
    base_rate: float
    """Share of the tried leads that was won."""
    auc: float
    """How often a won lead ranks above a lost one; guessing gives 0.5."""
    auc_points: float
    """The same of the rule points."""
    brier: float
    """Mean squared error of the chance."""
    brier_base: float
    """The same for the share of won leads among those trained on."""
    calibration: tuple[Bin, ...]

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


@dataclass(frozen=True)
class Missing:
    """Why there is no model yet."""

    have: int
    need: int
    what: str
    """decided, won, lost or tried."""


LACKING = {
    "decided": "{have} of {need} decided leads.",
    "won": "{have} of {need} won leads.",
    "lost": "{have} of {need} lost leads.",
    "tried": "Too few leads came in after those it was trained on to try it: {have} of {need}.",
    None: "The model was no better than guessing on later leads.",
}
"""What is missing for a model, in words."""


def in_words(lacking: Missing | None) -> str:
    """What is missing for a model."""
    if lacking is None:
        return LACKING[None]
    return LACKING[lacking.what].format(have=lacking.have, need=lacking.need)


def transformed(name: str, value: float | None) -> float | None:
    """A value as the model takes it."""
    if value is None:
        return 0.0 if name == "value" else None
    return math.log1p(max(0.0, float(value))) if name in COUNTED else float(value)


def logistic(odds: float) -> float:
    """The probability of some log odds."""
    return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))


def missing(samples: Sequence[Sample]) -> Missing | None:
    """What is too little for a model; None when there is enough."""
    wins = sum(one.won for one in samples)
    if len(samples) < LEAST_DECIDED:
        return Missing(len(samples), LEAST_DECIDED, "decided")
    for have, what in ((wins, "won"), (len(samples) - wins, "lost")):
        if have < LEAST_OF_EACH:
            return Missing(have, LEAST_OF_EACH, what)
    return None


def fit(samples: Sequence[Sample]) -> Model:
    """The model of some decided leads."""
    from sklearn.linear_model import LogisticRegression

    rows = [[transformed(name, one.values.get(name)) for name in FEATURES] for one in samples]
    table = np.array([[np.nan if cell is None else cell for cell in row] for row in rows], dtype=float)
    known = ~np.isnan(table)
    counts = known.sum(axis=0)
    usual = np.where(counts > 0, np.where(known, table, 0.0).sum(axis=0) / np.maximum(counts, 1), 0.0)
    filled = np.where(known, table, usual)
    means, scales = filled.mean(axis=0), filled.std(axis=0)
    scales = np.where(scales < 1e-9, 1.0, scales)
    fitted = LogisticRegression(C=STRENGTH, max_iter=1000, tol=1e-8).fit(
        (filled - means) / scales, [one.won for one in samples]
    )

    def plain(values: Any) -> tuple[float, ...]:
        return tuple(round(float(value), 9) for value in values)

    return Model(
        round(float(fitted.intercept_[0]), 9), plain(fitted.coef_[0]), plain(means), plain(scales), plain(usual)
    )


def trained_before(samples: Sequence[Sample], cut: datetime) -> Model | Missing:
    """The model of what was known at a moment: leads decided before it, and nothing else."""
    known = sorted((one for one in samples if one.decided_at < cut), key=lambda one: (one.created_at, one.decided_at))
    return missing(known) or fit(known)


def cut_of(samples: Sequence[Sample]) -> datetime:
    """The moment that leaves most decisions before it and the rest for trying."""
    decided = sorted(one.decided_at for one in samples)
    return decided[int(len(decided) * TRAINED_SHARE)]


def tried(samples: Sequence[Sample], cut: datetime) -> tuple[Quality | Missing, Model | None]:
    """How a model trained before a moment does on the leads that came in after it."""
    later = [one for one in samples if one.created_at >= cut]
    before = [one for one in samples if one.decided_at < cut]
    wins = sum(one.won for one in later)
    if len(later) < LEAST_TRIED or min(wins, len(later) - wins) < 5:
        return Missing(min(len(later), 4 * min(wins, len(later) - wins)), LEAST_TRIED, "tried"), None
    if len({one.won for one in before}) < 2:
        return Missing(0, LEAST_OF_EACH, "won"), None
    model = fit(before)
    truth = np.array([one.won for one in later], dtype=float)
    chances = np.array([model.chance(one.values) for one in later])
    share = float(np.mean([one.won for one in before]))
    return (
        Quality(
            trained=len(before),
            tried=len(later),
            base_rate=float(truth.mean()),
            auc=auc(chances, truth),
            auc_points=auc(np.array([float(one.points) for one in later]), truth),
            brier=float(((chances - truth) ** 2).mean()),
            brier_base=float(((share - truth) ** 2).mean()),
            calibration=calibration(chances, truth),
        ),
        model,
    )


def auc(scores: "np.ndarray[Any, Any]", truth: "np.ndarray[Any, Any]") -> float:
    """How often a won one ranks above a lost one, ties counted half (Mann-Whitney)."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    first = np.searchsorted(ranked, scores, side="left")
    last = np.searchsorted(ranked, scores, side="right")
    ranks = (first + last + 1) / 2
    wins = truth.sum()
    return float((ranks[truth == 1].sum() - wins * (wins + 1) / 2) / (wins * (len(truth) - wins)))


def calibration(chances: "np.ndarray[Any, Any]", truth: "np.ndarray[Any, Any]") -> tuple[Bin, ...]:
    """Predicted against found, in bins of equally many leads."""
    order = np.argsort(chances, kind="stable")
    parts = np.array_split(order, min(BINS, max(2, len(order) // 10)))
    return tuple(Bin(float(chances[part].mean()), float(truth[part].mean()), len(part)) for part in parts if len(part))


def window(now: datetime) -> datetime:
    """Older leads say little about today's market."""
    return now - timedelta(days=3 * 365)
