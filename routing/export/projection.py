"""A day's points on a rectangle of paper."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.types import LonLat
from routing.export.types import DaySheet
from routing.roads import polyline

_SMALLEST_M = 800.0
_METRES_PER_UNIT = 40_075_016.7


@dataclass(frozen=True)
class Projection:
    """Web Mercator, fitted into a rectangle with the origin at its lower left."""

    width: float
    """Points (1/72 inch)."""
    height: float
    """Points."""
    scale: float
    """Points per world width."""
    centre: tuple[float, float]
    """Middle of the rectangle, in world widths."""

    @classmethod
    def of(cls, sheet: DaySheet, width: float, height: float, margin: float = 22) -> "Projection":
        """The closest look at all points and legs of a day that leaves a margin."""
        places = [_world(point) for point in _all_points(sheet)]
        xs, ys = [x for x, _ in places], [y for _, y in places]
        lat = sheet.points[0].lat
        least = _SMALLEST_M / (_METRES_PER_UNIT * max(math.cos(math.radians(lat)), 0.01))
        scale = min(
            (width - 2 * margin) / max(max(xs) - min(xs), least), (height - 2 * margin) / max(max(ys) - min(ys), least)
        )
        return cls(width, height, scale, ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2))

    def at(self, point: LonLat) -> tuple[float, float]:
        """Where a point lies on the paper."""
        x, y = _world(point)
        return (
            self.width / 2 + (x - self.centre[0]) * self.scale,
            self.height / 2 - (y - self.centre[1]) * self.scale,
        )

    def points(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where places given in world widths (n x 2) lie on the paper."""
        middle = np.array([self.width / 2, self.height / 2])
        result: NDArray[np.float64] = middle + (places - np.array(self.centre)) * np.array([self.scale, -self.scale])
        return result

    def world(self, x: float, y: float) -> tuple[float, float]:
        """The place under a point of the paper, in world widths."""
        return (
            self.centre[0] + (x - self.width / 2) / self.scale,
            self.centre[1] - (y - self.height / 2) / self.scale,
        )

    def metres_per_point(self) -> float:
        """True metres that one point of paper stands for, at the middle of the map."""
        lat = math.atan(math.sinh(math.pi * (1 - 2 * self.centre[1])))
        return _METRES_PER_UNIT * math.cos(lat) / self.scale


def round_length_m(at_most_m: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50 ... metres that is not longer."""
    power = 10.0 ** math.floor(math.log10(at_most_m))
    return next(step * power for step in (5, 2, 1) if step * power <= at_most_m)


def apart(places: list[tuple[float, float]], distance: float) -> list[tuple[float, float]]:
    """The places, moved as little as needed so that pins of this diameter do not hide each other."""
    moved = [
        (x + 0.01 * math.cos(2.4 * number), y + 0.01 * math.sin(2.4 * number)) for number, (x, y) in enumerate(places)
    ]
    for _round in range(200):
        calm = True
        for i, j in itertools.combinations(range(len(moved)), 2):
            (ax, ay), (bx, by) = moved[i], moved[j]
            gap = math.hypot(bx - ax, by - ay)
            if gap < distance - 0.05:
                calm = False
                push = (distance - gap) / 2 / gap
                moved[i] = (ax - (bx - ax) * push, ay - (by - ay) * push)
                moved[j] = (bx + (bx - ax) * push, by + (by - ay) * push)
        if calm:
            break
    return moved


def worlds(lonlats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes and latitudes (n x 2) in world widths of Web Mercator, the origin at the north-west corner."""
    lat = np.radians(np.clip(lonlats[:, 1], -85.0, 85.0))
    return np.column_stack([(lonlats[:, 0] + 180) / 360, (1 - np.arcsinh(np.tan(lat)) / np.pi) / 2])


def _world(point: LonLat) -> tuple[float, float]:
    lat = math.radians(max(-85.0, min(85.0, point.lat)))
    return (point.lon + 180) / 360, (1 - math.asinh(math.tan(lat)) / math.pi) / 2


def _all_points(sheet: DaySheet) -> Iterable[LonLat]:
    yield from sheet.points
    for leg in sheet.legs:
        yield from polyline.decode(leg.polyline6)
