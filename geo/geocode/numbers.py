"""House numbers: reading them, finding them on a street, and placing the ones that are missing."""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import sub
from typing import NamedTuple

import numpy as np

from geo.distance import EARTH_RADIUS_M, haversine_m, hops_m
from geo.geocode.names import postcode_key
from geo.geocode.vocabulary import fold
from geo.types import Grade, LonLat

_FEW = 8
"""Of fewer numbers nobody can say whether they go along the street."""
_JUMBLED = 5.0
"""Numbers go along the street when the way from each to the next is less than this many times its length."""
_FEW_SECONDS = 20
"""Second figures are looked at where more than one in so many houses has one."""
_STRAIGHTER = 0.8
"""They are the numbering when going from one to the next takes less than this share of the way."""
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
_LETTERS = str.maketrans("oil", "011")
"""Letters that are written for figures."""
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_WIDE_GAP_M = 1_000.0
_MANY_NUMBERS = 200
"""Neighbours further apart than this, in metres or in numbers, say nothing about what is between them."""
BEYOND = 6
"""A number this far past the last known one may still be a new house."""

Tail = tuple[str, ...]
Axes = tuple[Sequence[float], Sequence[float]]
"""Longitudes and latitudes in degrees."""


class HouseNumber(NamedTuple):
    """A house number: its leading figure and whatever follows."""

    base: int
    """`90` of `90/H`."""
    tail: Tail = ()
    """What follows in folded pieces: `('h',)`, `('103',)` of a range, `('b', '4')` of `6 B 4`."""
    text: str = ""
    """As written."""


def parse_number(text: str) -> HouseNumber | None:
    """Read a house number as sources write them; None when it does not begin with a figure."""
    if text.isdecimal() and len(text) <= 6:
        return HouseNumber(int(text), (), text)
    parts = _PARTS.findall(fold(text))
    if not parts or not parts[0].isdecimal() or len(parts[0]) > 6:
        return None
    return HouseNumber(int(parts[0]), tuple(parts[1:]), text.strip())


class House(NamedTuple):
    """One known house number of a street."""

    number: HouseNumber
    """Parsed."""
    point: LonLat
    """Where it stands."""
    postcode: str
    """Its own postcode; may be empty."""


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


class Houses:
    """The known numbers of one street, ready for look-ups; only the houses that are looked at are read.

    Parameters
    ----------
    numbers : sequence of int
        The number of each house, by leading figure.
    base : callable
        Reads the leading figure of a number.
    seconds : callable
        Reads the second figure of each house, -1 where there is none.
    house : callable
        Reads the house at a position.
    axes : callable
        Reads longitudes and latitudes of all houses.
    """

    def __init__(
        self,
        numbers: Sequence[int],
        base: Callable[[int], int],
        seconds: Callable[[], Sequence[int]],
        house: Callable[[int], House],
        axes: Callable[[], Axes],
    ) -> None:
        self._numbers, self._base, self._seconds, self._house, self._axes = numbers, base, seconds, house, axes

    @classmethod
    def of(cls, houses: Iterable[House]) -> "Houses":
        """The same over houses in any order."""
        known = sorted(houses, key=lambda h: (h.number.base, h.number.tail))
        return cls(
            range(len(known)),
            lambda at: known[at].number.base,
            lambda: [second_figure(h.number.tail) for h in known],
            known.__getitem__,
            lambda: ([h.point.lon for h in known], [h.point.lat for h in known]),
        )

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, at: int) -> House:
        return self._house(at)

    @cached_property
    def _bases(self) -> Sequence[int]:
        """Leading figure of each house, ascending."""
        return list(map(self._base, self._numbers))

    @cached_property
    def _with_second(self) -> Sequence[int]:
        """Second figure of each house; nothing when no house has one."""
        seconds = self._seconds()
        return seconds if max(seconds, default=-1) >= 0 else ()

    def place(self, wanted: HouseNumber, postcode: str = "") -> Placed | None:
        """Place a number: the house, its base number or a sister, else between same-side neighbours.

        Parameters
        ----------
        wanted : HouseNumber
            The number asked for.
        postcode : str
            Breaks ties between houses of the same number.

        Returns
        -------
        Placed or None
            None when the street has no numbers at all. A house of two numbers (`101-103`, `1234/12`) answers to
            either of them.
        """
        numbers, base, size = self._numbers, self._base, len(self._numbers)
        begin = end = bisect_left(numbers, wanted.base, key=base)
        while end < size and base(numbers[end]) == wanted.base:
            end += 1
        if begin < end:
            house = self._house(begin)
            if end == begin + 1 and house.number.tail == wanted.tail:
                return Placed(house.point, house.number.text, house.postcode, Grade.ROOFTOP, 10.0, "exact")
            if len(wanted.tail) == 1 and wanted.tail[0] in "oil":
                return self._figure_for_letter(wanted, postcode, [self._house(at) for at in range(begin, end)])
            return _among([self._house(at) for at in range(begin, end)], wanted, postcode)
        if not size:
            return None
        second = second_figure(wanted.tail)
        figure = wanted.base if second < 0 else second
        others = [self._house(at) for at, other in enumerate(self._with_second) if other == figure]
        if others and (second < 0 or self._are_seconds_telling):  # flat 1 of another house says nothing of `44/1`
            found = _among(others, others[0].number, postcode)
            return found if second < 0 else found._replace(fit="base", grade=Grade.INTERPOLATED, is_cut=True)
        row, is_second = self._row
        placed, near = row.place(wanted.text, figure if is_second else wanted.base)
        return placed._replace(postcode=self._house(near).postcode)

    def _figure_for_letter(self, wanted: HouseNumber, postcode: str, sisters: Sequence[House]) -> Placed:
        """Place `2O` or `4l`: the house 20 or 41 if there is one and 2 has no letters; the house 2 is not exact."""
        found = _among(sisters, wanted, postcode)
        if any(house.number.tail for house in sisters):
            return found
        meant = HouseNumber(int(f"{wanted.base}{wanted.tail[0].translate(_LETTERS)}"))
        others = [self._house(at) for at, base in enumerate(self._bases) if base == meant.base]
        if others:
            return _among(others, meant, postcode)._replace(is_cut=True)
        return found._replace(fit="base", grade=Grade.INTERPOLATED)

    @cached_property
    def _are_seconds_telling(self) -> bool:
        """Whether second figures tell most houses from each other."""
        return 2 * len(set(self._with_second) - {-1}) > len(self)

    @cached_property
    def _row(self) -> tuple["_Row", bool]:
        """The numbering that goes along the street, and whether it is that of the last figures.

        That may be so where many houses have two.
        """
        at = range(len(self._bases))
        axes = self._axes()
        first = _Row(dict(zip(reversed(self._bases), reversed(at), strict=True)), axes)
        seconds = self._with_second
        if _FEW_SECONDS * sum(second >= 0 for second in seconds) > len(self):
            last = [base if second < 0 else second for base, second in zip(self._bases, seconds, strict=True)]
            row = _Row(dict(zip(reversed(last), reversed(at), strict=True)), axes)
            return (row, True) if row.hops_m < _STRAIGHTER * first.hops_m else (first, False)
        return first, False


def second_figure(tail: Tail) -> int:
    """The second figure of a number such as `101-103` or `1234/12` by what follows its first one, -1 without any."""
    return int(tail[0]) if tail and tail[0].isdecimal() and len(tail[0]) <= 6 else -1


class _Row:
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
        for side in (self._sides[figure % 2], self._figures):
            at = bisect_left(side, figure)
            if 0 < at < len(side):
                return self._interpolated(text, figure, side[at - 1], side[at])
            near = side[0 if at == 0 else -1] if side else None
            if near is not None and (side is self._figures or abs(figure - near) <= _SAME_SIDE):
                return self._past_end(text, figure, near, side)
        raise AssertionError("a street without numbers places none")

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


def _among(sisters: Sequence[House], wanted: HouseNumber, postcode: str) -> Placed:
    """Choose among houses of the same base number: the longest agreeing suffix, then the agreeing postcode."""

    def fitness(house: House) -> tuple[int, bool, int]:
        return (
            _agreed(house.number.tail, wanted.tail),
            bool(postcode) and postcode_key(house.postcode) == postcode,
            -len(house.number.tail),
        )

    best = max(sisters, key=fitness) if len(sisters) > 1 else sisters[0]
    agreed = _agreed(best.number.tail, wanted.tail)
    exact = best.number.tail == wanted.tail or _is_first_of_two(best.number.tail, wanted.tail)
    exact = exact or (agreed > 0 and not best.number.tail and _is_unit(wanted.tail))
    spread = max(haversine_m(best.point, s.point) for s in sisters) if not agreed else 0.0
    return Placed(
        best.point,
        best.number.text,
        best.postcode,
        Grade.ROOFTOP if agreed else Grade.INTERPOLATED,
        10.0 if exact else round(20.0 + spread, 1),
        "exact" if exact or agreed else "base",
        not exact,
    )


def _agreed(known: Tail, wanted: Tail) -> int:
    """How far what follows the first figure agrees, 0 when it does not."""
    return len(known) + 1 if known == wanted[: len(known)] else int(_is_first_of_two(known, wanted))


def _is_first_of_two(known: Tail, wanted: Tail) -> bool:
    """Whether only the first of the house's two figures was asked for."""
    return not wanted and second_figure(known) >= 0


def _is_unit(tail: Tail) -> bool:
    """Whether what follows a base number is a range or a flat rather than another building."""
    return bool(tail) and (tail[0].isdecimal() or len(tail) > 1)
