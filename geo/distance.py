"""Distances on the sphere, in metres."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.types import LonLat

EARTH_RADIUS_M = 6_371_008.8
"""Mean Earth radius (IUGG)."""


def haversine_m(a: LonLat, b: LonLat) -> float:
    """Great-circle distance of two points in metres (haversine formula, Sinnott 1984)."""
    p1, p2 = math.radians(a.lat), math.radians(b.lat)
    h = math.sin((p2 - p1) / 2) ** 2
    h += math.cos(p1) * math.cos(p2) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def hops_m(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle distances from each point to the next.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Longitude and latitude in degrees.

    Returns
    -------
    ndarray, shape (n - 1,)
        Metres; empty for fewer than two points.
    """
    lon, lat = np.radians(points).T
    h = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * np.sin(np.diff(lon) / 2) ** 2
    result: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0, 1)))
    return result


def haversine_matrix_m(sources: Sequence[LonLat], targets: Sequence[LonLat]) -> NDArray[np.float64]:
    """Great-circle distances from every source to every target.

    Returns
    -------
    ndarray, shape (len(sources), len(targets))
        Metres.
    """
    s = np.radians(np.asarray(sources, dtype=float).reshape(-1, 2))
    t = np.radians(np.asarray(targets, dtype=float).reshape(-1, 2))
    d_lon = t[None, :, 0] - s[:, None, 0]
    d_lat = t[None, :, 1] - s[:, None, 1]
    h = np.sin(d_lat / 2) ** 2 + np.cos(s[:, None, 1]) * np.cos(t[None, :, 1]) * np.sin(d_lon / 2) ** 2
    result: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0, 1)))
    return result
