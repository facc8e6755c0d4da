"""The house nearest to a point, found by cells of a two-hundredth of a degree."""

import math

import numpy as np

from geo.geocode.mapped import Array, Arrays
from geo.geocode.packing import CELLS, ROW, UNITS, cell_of
from geo.types import LonLat


class Cells:
    """Houses in the order of their cells.

    Parameters
    ----------
    arrays : Arrays
        What `packed` made.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._codes, self._starts = arrays["cell.codes"], arrays["cell.starts"]
        self._houses = arrays["cell.houses"]
        self._lons, self._lats = arrays["house.lons"], arrays["house.lats"]

    def nearest(self, point: LonLat) -> int | None:
        """Position of the nearest house, by degrees squeezed at the point's latitude; None when there is none."""
        if not len(self._codes):
            return None
        squeeze = max(0.01, math.cos(math.radians(point.lat)))
        near = self._around(point)
        if len(near):
            house, far_deg = self._closest(near, point, squeeze)
            if far_deg <= squeeze / CELLS:
                return house
        return self._closest(self._reachable(point, squeeze), point, squeeze)[0]

    def _around(self, point: LonLat) -> Array:
        """Houses of the cell of the point and of the eight around it."""
        rows, columns = cell_of(np.array([round(point.lon * UNITS)]), np.array([round(point.lat * UNITS)]))
        code = int(rows[0]) * ROW + int(columns[0])
        found = []
        for row in (-ROW, 0, ROW):
            low, high = np.searchsorted(self._codes, [code + row - 1, code + row + 2])
            found.append(self._houses[self._starts[low] : self._starts[high]])
        return np.concatenate(found)

    def _reachable(self, point: LonLat, squeeze: float) -> Array:
        """Houses of every cell that may hold the nearest one."""
        north = ((self._codes // ROW + 0.5) / CELLS - 90) - point.lat
        east = ((self._codes % ROW + 0.5) / CELLS - 180) - point.lon
        far = np.hypot(north, (east - 360 * np.round(east / 360)) * squeeze)
        cells = np.flatnonzero(far <= far.min() + 1.5 / CELLS)
        return np.concatenate([self._houses[self._starts[c] : self._starts[c + 1]] for c in cells.tolist()])

    def _closest(self, houses: Array, point: LonLat, squeeze: float) -> tuple[int, float]:
        east = self._lons[houses] / UNITS - point.lon
        north = self._lats[houses] / UNITS - point.lat
        far = np.hypot(north, (east - 360 * np.round(east / 360)) * squeeze)
        best = int(far.argmin())
        return int(houses[best]), float(far[best])
