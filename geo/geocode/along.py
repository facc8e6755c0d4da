"""Where a house number that nobody knows is on a street: between its neighbours, or past the last of them."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import sub
from typing import NamedTuple

import numpy as np

from geo.distance import EARTH_RADIUS_M, haversine_m, hops_m
from geo.types import Grade, LonLat

_FEW = 8
"""Of fewer numbers nobody can say whether they go along the street."""
_JUMBLED = 5.0
"""Numbers go along the street when the way from each to the next is less than this many times its length."""
_SMALL_M = 300.0
"""Within so small a street or hamlet a jumbled number is near enough."""
_SAME_SIDE = 8
"""So few numbers past the end of its side a house is looked for there, before the other side is asked."""
_STEP_OVER = 4
"""The step past the end is measured over at least so many numbers where there are as many."""
_STEP = 0.6
"""So much of the step: some of the houses past the last known one stand beside or behind it. Of 8,493 houses taken away
one by one in seven places half a step errs less on the mean than a whole one in six."""
_REACH_M = 150.0
"""How far past the end a house may be placed."""
_WIDE_GAP_M = 1_000.0
_MANY_NUMBERS = 200
"""Neighbours further apart than this, in metres or in numbers, say nothing about what is between them."""
BEYOND = 6
"""A number this far past the last known one may still be a new house."""

Axes = tuple[Sequence[float], Sequence[float]]
"""Longitudes and latitudes in degrees."""


class Placed(NamedTuple):
    """Where a number is on a street."""

    point: LonLat
    """The point."""
    text: str
    """The number as in the source, or as asked."""
    postcode: str
    """Postcode of the house or its neighbour."""
    grade: Grade
    """Rooftop, interpolated or street."""
    uncertainty_m: float
    """Radius in metres."""
    fit: str
    """`exact`, `base` (other suffix), `between`, `beyond` (just past the end), `far`, or `none`."""
    is_cut: bool = False
    """Whether a part of the number asked for (`a` of `56a`) is not in the house's."""


class Row:
    """Numbers along a street, for placing one that is missing.

    Parameters
    ----------
    at : mapping
        Each figure with the position of its first house.
    axes : two sequences of float
        Where the houses stand.
    """

    def __init__(self, at: Mapping[int, int], axes: Axes) -> None:
        self._at, self._axes = at, axes
        self._figures = sorted(at)

    @cached_property
    def _sides(self) -> tuple[Sequence[int], Sequence[int]]:
        """Even and odd figures."""
        return [f for f in self._figures if f % 2 == 0], [f for f in self._figures if f % 2 == 1]

    def _point(self, figure: int) -> LonLat:
        at = self._at[figure]
        return LonLat(self._axes[0][at], self._axes[1][at])

    def _along(self, side: Sequence[int]) -> tuple[list[float], list[float]]:
        """Where the houses of some figures stand."""
        at = [self._at[figure] for figure in side]
        lons, lats = self._axes
        return [lons[a] for a in at], [lats[a] for a in at]

    @cached_property
    def hops_m(self) -> float:
        """The way from number to number on both sides."""
        sides = (np.column_stack(self._along(side)) for side in self._sides if side)
        return float(sum(hops_m(side).sum() for side in sides))

    def _detours_m(self) -> float:
        """No less than `hops_m`, and soon told: as if one went along meridians and parallels only."""
        east = north = 0.0
        for lons, lats in map(self._along, self._sides):
            east += sum(map(abs, map(sub, lons, lons[1:])))
            north += sum(map(abs, map(sub, lats, lats[1:])))
        widest = math.cos(math.radians(min(map(abs, self._axes[1]))))
        return math.radians(north + east * widest) * EARTH_RADIUS_M

    @cached_property
    def extent_m(self) -> float:
        """How far the houses are apart at most, roughly."""
        lons, lats = self._along(self._figures)
        return haversine_m(LonLat(min(lons), min(lats)), LonLat(max(lons), max(lats)))

    @cached_property
    def is_jumbled(self) -> bool:
        """Whether numbers do not go along the street, as where houses are numbered in the order they were built."""
        if len(self._at) < _FEW:
            return False
        most_m = _JUMBLED * (self.extent_m + 100)
        return self._detours_m() > most_m and self.hops_m > most_m

    def place(self, text: str, figure: int) -> tuple[Placed, int]:
        """Place a number that no house has; also the position of the house beside it.

        Where second figures go along the street, a house may have that figure alone.
        """
        if figure in self._at:
            return Placed(self._point(figure), text, "", Grade.INTERPOLATED, 20.0, "base", True), self._at[figure]
        own, across = self._sides[figure % 2], self._sides[1 - figure % 2]
        placed, near = self._on_a_side(text, figure, own)
        if not own or own[0] < figure < own[-1] or not self._figures[0] < figure < self._figures[-1]:
            return placed, near
        return self._as_across(placed, figure, own[0] if figure < own[0] else own[-1], across), near

    def _on_a_side(self, text: str, figure: int, own: Sequence[int]) -> tuple[Placed, int]:
        """By the houses of its own side, else by those of both; also the position of the house beside it."""
        for side in (own, self._figures):
            at = bisect_left(side, figure)
            if 0 < at < len(side):
                return self._interpolated(text, figure, side[at - 1], side[at])
            near = side[0 if at == 0 else -1] if side else None
            if near is not None and (side is self._figures or abs(figure - near) <= _SAME_SIDE):
                return self._past_end(text, figure, near, side)
        raise AssertionError("a street without numbers places none")

    def _as_across(self, placed: Placed, figure: int, end: int, across: Sequence[int]) -> Placed:
        """Past the end of its side, half way to where it is when its side goes on as the other one does.

        Of 4,719 houses taken away one by one in seven places the mean error is 37.3 instead of 41.8 m.
        """
        at = self._point(end)
        lon, lat = (
            here + float(np.interp(figure, across, axis)) - float(np.interp(end, across, axis))
            for here, axis in zip(at, self._along(across), strict=True)
        )
        middle = LonLat(round((placed.point.lon + lon) / 2, 7), round((placed.point.lat + lat) / 2, 7))
        off_m = placed.uncertainty_m + haversine_m(placed.point, middle)
        return placed._replace(point=middle, uncertainty_m=round(off_m, 1))

    def _past_end(self, text: str, figure: int, end: int, side: Sequence[int]) -> tuple[Placed, int]:
        """Go on past the last number of a side, by the step that its last houses have at most, 150 m at most."""
        past = abs(figure - end)
        inside = self._figures[0] < figure < self._figures[-1]
        point, step_m = self._point(end), self._metres_per_number
        if past <= _SAME_SIDE and len(side) > 1 and not self.is_jumbled:
            point = self._one_step_on(figure, end, side)
        near = past <= BEYOND and (figure % 2 == end % 2 or len(self._figures) > 1)
        fit = "beyond" if near and past * step_m <= _REACH_M else "far"
        grade = Grade.INTERPOLATED if near or inside else Grade.STREET
        if inside:
            fit = "far" if self.is_jumbled and self.extent_m > _SMALL_M else "between"
        off_m = min(20 + past * step_m, max(_SMALL_M, self.extent_m))  # a number that nobody has says no more
        return Placed(point, text, "", grade, round(off_m, 1), fit), self._at[end]

    def _one_step_on(self, figure: int, end: int, side: Sequence[int]) -> LonLat:
        """The point past the last number, by most of what the houses before stand apart."""
        back = [f for f in side if (f - end) * (figure - end) < 0]
        ref = min(back, key=lambda f: (abs(f - end) < _STEP_OVER, abs(f - end)))
        point, other = self._point(end), self._point(ref)
        share = min(_STEP * abs(figure - end) / abs(end - ref), _REACH_M / max(1.0, haversine_m(point, other)))
        return LonLat(
            round(point.lon + share * (point.lon - other.lon), 7), round(point.lat + share * (point.lat - other.lat), 7)
        )

    def _interpolated(self, text: str, figure: int, low: int, high: int) -> tuple[Placed, int]:
        a, b = self._point(low), self._point(high)
        share = (figure - low) / (high - low)
        point = LonLat(a.lon + share * (b.lon - a.lon), a.lat + share * (b.lat - a.lat))
        gap_m = haversine_m(a, b)
        fit = "between" if gap_m <= _WIDE_GAP_M and (high - low <= _MANY_NUMBERS or gap_m <= 150) else "far"
        uncertainty = 15 + gap_m * min(share, 1 - share)
        if self.is_jumbled:
            uncertainty = max(uncertainty, self.extent_m / 2)
            fit = "far" if self.extent_m > _SMALL_M else fit
        near = self._at[low if share < 0.5 else high]
        return Placed(point, text, "", Grade.INTERPOLATED, round(uncertainty, 1), fit), near

    @cached_property
    def _metres_per_number(self) -> float:
        first, last = self._figures[0], self._figures[-1]
        return max(4.0, haversine_m(self._point(first), self._point(last)) / (last - first)) if last > first else 10.0
