"""Travel guessed from the straight line: needs no data, is always there, and always says that it is a guess."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.distance import EARTH_RADIUS_M, haversine_matrix_m
from geo.types import LonLat
from routing.roads import polyline
from routing.roads.types import FeatureCollection, Leg, Matrix, checked_minutes

ROAD_PER_STRAIGHT = 1.35
"""Road metres per straight metre: the median of 200,000 pairs of addresses in four regions was 1.33 to 1.48."""
_START_S = 45.0
_SLOW_KMH, _GAIN_KMH, _HALFWAY_M = 30.0, 65.0, 25_000.0


def drive_s(metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Driving time for a road distance: 45 s to get away, then 30 km/h in town growing to 95 km/h.

    Fitted to the same pairs as `ROAD_PER_STRAIGHT`. It grows and bends down everywhere, so no detour over a
    third point is ever faster.

    Parameters
    ----------
    metres : ndarray
        Road metres, zero or more.

    Returns
    -------
    ndarray
        Seconds; zero for a distance under one metre.
    """
    kmh = _SLOW_KMH + _GAIN_KMH * metres / (metres + _HALFWAY_M)
    return np.where(metres < 1, 0.0, _START_S + metres * 3.6 / kmh)


class StraightLine:
    """The engine of last resort; every answer is marked estimated."""

    key = "straight-1"

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """Estimated travel; points count as on the road (`snap_m` is zero)."""
        metres = haversine_matrix_m(sources, sources if targets is None else targets) * ROAD_PER_STRAIGHT
        return Matrix(
            seconds=np.rint(drive_s(metres)).astype(np.int32),
            metres=np.rint(metres).astype(np.int32),
            snap_m=np.zeros(len(sources), np.float32),
            estimated=np.ones(metres.shape, np.bool_),
        )

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """Straight legs with estimated times."""
        return [self.leg(a, b) for a, b in itertools.pairwise(stops)]

    def leg(self, a: LonLat, b: LonLat) -> Leg:
        """One straight leg."""
        cell = self.matrix([a], [b])
        return Leg(int(cell.seconds[0, 0]), int(cell.metres[0, 0]), polyline.encode([a, b]), True)

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """Circles whose radius is the straight line that takes so long."""
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"minutes": value, "estimated": True},
                    "geometry": {"type": "Polygon", "coordinates": [_circle(centre, _reach_m(value * 60))]},
                }
                for value in checked_minutes(minutes)
            ],
        }


def _reach_m(seconds: float) -> float:
    metres = np.arange(0.0, 300_000.0, 50.0)
    return float(metres[np.searchsorted(drive_s(metres), seconds) - 1]) / ROAD_PER_STRAIGHT


def _circle(centre: LonLat, radius_m: float) -> list[list[float]]:
    d_lat = math.degrees(radius_m / EARTH_RADIUS_M)
    d_lon = d_lat / max(math.cos(math.radians(centre.lat)), 0.01)
    turns = [2 * math.pi * step / 64 for step in range(64)]
    ring = [[round(centre.lon + d_lon * math.cos(a), 6), round(centre.lat + d_lat * math.sin(a), 6)] for a in turns]
    return [*ring, ring[0]]
