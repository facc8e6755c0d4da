"""The place that several GPS fixes agree on, however far off some of them are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.distance import EARTH_RADIUS_M
from geo.types import Fix, LonLat

AGREEING = 3
"""Fewer fixes prove nothing."""
NEAR_M = 40.0
"""A fix this near to the middle always agrees with it: people stop at the gate, in the yard, across the street."""
FAR_M = 120.0
"""A fix farther away never agrees, however poor it is."""
SIGMAS = 3.0
BEST_ACCURACY_M = 5.0
"""No phone is believed to know better than this."""

type Metres = NDArray[np.float64]


@dataclass(frozen=True)
class Middle:
    """Where some fixes agree."""

    point: LonLat
    agreeing: int
    """How many fixes agree; the others are left out."""
    spread_m: float
    """Half of the agreeing fixes lie within this of the middle."""

    @property
    def uncertainty_m(self) -> float:
        """How far off the middle may be: the spread, since a habit such as one car park does not average out."""
        return max(10.0, self.spread_m)


def agreed(fixes: Sequence[Fix]) -> Middle | None:
    """The weighted geometric median of the fixes that agree.

    Begins with the geometric median of all, which half of the fixes may not move arbitrarily far, leaves out those that
    lie too far from it for their accuracy, and repeats until the same fixes stay. The weight of a fix is one over its
    accuracy.

    Parameters
    ----------
    fixes
        Readings within a few kilometres of one another; made-up ones are the caller's to leave out.

    Returns
    -------
    Middle or None
        None when fewer than `AGREEING` fixes agree, or not more than half of all.
    """
    if len(fixes) < AGREEING:
        return None
    origin = fixes[0].point
    points, accuracy = projected(fixes, origin), np.array([max(BEST_ACCURACY_M, fix.accuracy_m) for fix in fixes])
    reach = np.clip(SIGMAS * accuracy, NEAR_M, FAR_M)
    kept = np.ones(len(fixes), dtype=bool)
    for _ in range(10):
        middle = geometric_median(points[kept], 1 / accuracy[kept])
        near = np.hypot(*(points - middle).T) <= reach
        if near.sum() < AGREEING or near.sum() * 2 <= len(fixes):
            return None
        if (near == kept).all():
            break
        kept = near
    spread = float(np.median(np.hypot(*(points[kept] - middle).T)))
    return Middle(unprojected(middle, origin), int(kept.sum()), spread)


def geometric_median(points: Metres, weights: Metres) -> Metres:
    """The point with the least weighted sum of distances to all others.

    Weiszfeld's iteration with the correction of Vardi and Zhang for a median that lies on one of the points ("The
    multivariate L1-median and associated data depth", PNAS 97(4), 2000, equations 2.6 to 2.8).

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Metres.
    weights : ndarray, shape (n,)
        Positive.

    Returns
    -------
    ndarray, shape (2,)
        Metres.
    """
    middle: Metres = np.average(points, axis=0, weights=weights)
    for _ in range(200):
        away = np.hypot(*(points - middle).T)
        there = away < 1e-6
        pull = np.where(there, 0.0, weights / np.where(there, 1.0, away))
        if not pull.any():
            return middle
        towards = pull @ points / pull.sum()
        strength = float(np.hypot(*(pull @ (points - middle))))
        stays = min(1.0, float(weights[there].sum()) / strength) if strength else 1.0
        step: Metres = (1 - stays) * towards + stays * middle
        if float(np.hypot(*(step - middle))) < 0.01:
            return step
        middle = step
    return middle


def projected(fixes: Sequence[Fix], origin: LonLat) -> Metres:
    """Points in metres east and north of an origin (equirectangular: exact enough over some kilometres)."""
    degrees = np.array([fix.point for fix in fixes], dtype=float) - np.array(origin)
    degrees[:, 0] = (degrees[:, 0] + 180) % 360 - 180
    metres: Metres = np.radians(degrees) * EARTH_RADIUS_M * np.array([math.cos(math.radians(origin.lat)), 1.0])
    return metres


def unprojected(metres: Metres, origin: LonLat) -> LonLat:
    """The point some metres east and north of an origin."""
    north = math.degrees(float(metres[1]) / EARTH_RADIUS_M)
    east = math.degrees(float(metres[0]) / EARTH_RADIUS_M / max(1e-9, math.cos(math.radians(origin.lat))))
    return LonLat((origin.lon + east + 180) % 360 - 180, origin.lat + north)
