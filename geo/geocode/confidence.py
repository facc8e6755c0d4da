"""How sure an answer is: a small logistic model over features that know no language and no place."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

FEATURES = (
    "bias", "typo", "edits", "little", "abbreviated", "missing", "type_missing", "type_differs", "left_over",
    "postcode_agrees", "postcode_near", "postcode_contradicts", "city_agrees", "city_contradicts", "unplaced",
    "other_suffix", "cut_number", "between", "beyond", "far", "no_numbers", "not_asked", "gap", "blurred",
    "overruled", "rival",
)  # fmt: skip
"""Names of the model's inputs, in order; each is between 0 and 1."""

SPEAK_FOR = frozenset({"bias", "postcode_agrees", "city_agrees", "postcode_near"})
"""Inputs that may raise the confidence; all others may only lower it, whatever a fit would like."""

Features = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the features."""

    weights: tuple[float, ...]
    """One per name in `FEATURES`."""

    def score(self, features: Sequence[float]) -> float:
        """Log-odds that an answer with these features is right."""
        return math.sumprod(self.weights, features)

    def confidence(self, features: Sequence[float]) -> float:
        """The same as a probability."""
        return probability(self.score(features))


def probability(score: float) -> float:
    """What log-odds mean, 0 to 1."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


@cache
def shipped() -> Model:
    """The coefficients that ship with the package."""
    text = (resources.files("geo.geocode") / "data" / "confidence.json").read_text("utf-8")
    return from_mapping(json.loads(text)["weights"])


def from_mapping(weights: Mapping[str, float]) -> Model:
    """Build a model from named weights; names that are not given weigh nothing."""
    return Model(tuple(float(weights.get(name, 0.0)) for name in FEATURES))


def fit(
    rows: Sequence[Features], right: Sequence[bool], weights: Sequence[float], prior: Model, strength: float = 1.0
) -> Model:
    """Fit the coefficients by penalised maximum likelihood (projected Newton steps with halving).

    Parameters
    ----------
    rows : sequence of features
        One per answered question.
    right : sequence of bool
        Whether the answer was right.
    weights : sequence of float
        How much each row counts.
    prior : Model
        The fit is drawn towards it, which keeps features without evidence at a sensible value.
    strength : float
        Weight of the prior; a ridge penalty on the difference.

    Returns
    -------
    Model
        Converged coefficients.
    """
    x = np.asarray(rows, dtype=float)
    y = np.asarray(right, dtype=float)
    w = np.asarray(weights, dtype=float)
    centre = np.asarray(prior.weights, dtype=float)
    raises = np.array([name in SPEAK_FOR for name in FEATURES])

    def allowed(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(raises, np.maximum(beta, 0.0), np.minimum(beta, 0.0))

    def loss(beta: NDArray[np.float64]) -> float:
        z = np.clip(x @ beta, -30, 30)
        return float(w @ (np.logaddexp(0, z) - y * z) + strength / 2 * ((beta - centre) ** 2).sum())

    beta = allowed(centre)
    now = loss(beta)
    for _ in range(200):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (w * (y - p)) - strength * (beta - centre)
        free = ~((beta == 0) & (np.where(raises, gradient <= 0, gradient >= 0)))
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + strength * np.eye(len(beta))
        step = np.zeros_like(beta)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        size = 1.0
        while size > 1e-6 and loss(allowed(beta + size * step)) > now - 1e-9:
            size /= 2
        if size <= 1e-6:
            break
        beta = allowed(beta + size * step)
        now = loss(beta)
    return Model(tuple(float(round(b, 4)) for b in beta))
