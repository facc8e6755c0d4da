"""Drive-time areas drawn from travel times to a grid of points."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import NDArray

from geo.types import LonLat
from routing.roads.types import FeatureCollection, checked_minutes

_METRES_PER_DEGREE = 111_195.0
_FASTEST_M_PER_S = 28.0
_CELLS = 56
_WALK_M_PER_S = 1.4

type Times = Callable[[Sequence[LonLat]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Seconds to each point (NaN when there is no way) and each point's metres from its road."""


def isochrone(centre: LonLat, minutes: Sequence[float], times: Times) -> FeatureCollection:
    """Areas within the given minutes, from the travel times to a 57 x 57 grid.

    Two looks at the network: a coarse one over the farthest conceivable reach finds how far one really gets, a
    second one spends the grid on that box.

    Parameters
    ----------
    centre : LonLat
        Where the drive starts.
    minutes : sequence of float
        Durations, above 0 and at most 120.
    times : callable
        Travel times from the centre to many points.

    Returns
    -------
    dict
        GeoJSON features with `minutes` and `estimated` (false), largest area first.
    """
    wanted = checked_minutes(minutes)
    reach_m = wanted[0] * 60 * _FASTEST_M_PER_S
    grid = _Grid(centre, reach_m, reach_m, 24)
    near = grid.arrival_s(times) <= wanted[0] * 60
    if near.any():
        grid = _Grid(centre, *grid.extent_m(near), _CELLS)
    arrival = grid.arrival_s(times)
    return {"type": "FeatureCollection", "features": [grid.feature(arrival, value) for value in wanted]}


class _Grid:
    def __init__(self, centre: LonLat, half_width_m: float, half_height_m: float, cells: int) -> None:
        x = np.linspace(-half_width_m, half_width_m, cells + 1)
        y = np.linspace(-half_height_m, half_height_m, cells + 1)
        self._x_m, self._y_m = np.meshgrid(x, y)
        self._step_m = max(x[1] - x[0], y[1] - y[0])
        self._lon = centre.lon + self._x_m / (_METRES_PER_DEGREE * max(math.cos(math.radians(centre.lat)), 0.01))
        self._lat = np.clip(centre.lat + self._y_m / _METRES_PER_DEGREE, -89.9, 89.9)

    def arrival_s(self, times: Times) -> NDArray[np.float64]:
        """Seconds to each grid point, infinite where no road is near; the way off the road is walked."""
        points = [LonLat(float(lon), float(lat)) for lon, lat in zip(self._lon.flat, self._lat.flat, strict=True)]
        seconds, snap_m = times(points)
        total = np.where(np.isnan(seconds) | (snap_m > self._step_m), np.inf, seconds + snap_m / _WALK_M_PER_S / 4)
        return total.reshape(self._lon.shape)

    def extent_m(self, inside: NDArray[np.bool_]) -> tuple[float, float]:
        """Half width and height of a box around the centre that holds the inside with a margin."""
        return (
            float(np.abs(self._x_m[inside]).max() + 1.5 * self._step_m),
            float(np.abs(self._y_m[inside]).max() + 1.5 * self._step_m),
        )

    def feature(self, arrival_s: NDArray[np.float64], minutes: float) -> dict[str, object]:
        limit_s = minutes * 60
        heights = np.minimum(arrival_s, 2 * limit_s)
        contours = contour_generator(self._lon, self._lat, heights, fill_type=FillType.OuterOffset)
        polygons = [
            [np.round(points[a:b], 5).tolist() for a, b in itertools.pairwise(offsets)]
            for points, offsets in zip(*contours.filled(-1.0, limit_s), strict=True)
        ]
        return {
            "type": "Feature",
            "properties": {"minutes": minutes, "estimated": False},
            "geometry": {"type": "MultiPolygon", "coordinates": polygons},
        }
