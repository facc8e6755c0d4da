"""What the nearest house says about a point that has no address of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from shapely import Point, STRtree, points

from geo.distance import haversine_m
from geo.geocode.content import StreetRow
from geo.types import LonLat

_REACH_M = 500.0


class Neighbour(NamedTuple):
    """The postal place of a house."""

    city: str
    """May be empty."""
    postcode: str
    """May be empty."""


_NOBODY = Neighbour("", "")


class Neighbours:
    """The houses of all streets, asked by point.

    Parameters
    ----------
    streets : sequence of StreetRow
        With their houses.
    """

    def __init__(self, streets: Sequence[StreetRow]) -> None:
        self._owners = [(s.city, h) for s in streets for h in s.houses]
        self._tree: STRtree | None = None

    def of(self, point: LonLat) -> Neighbour:
        """City and postcode of the nearest house within 500 m."""
        if not self._owners:
            return _NOBODY
        if self._tree is None:
            self._tree = STRtree(np.asarray(points([h.point for _, h in self._owners])))
        at = self._tree.nearest(Point(point))
        city, house = self._owners[int(at)]
        if haversine_m(house.point, point) > _REACH_M:
            return _NOBODY
        return Neighbour(city, house.postcode)
