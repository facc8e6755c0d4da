"""House numbers: reading them, finding them on a street, and placing the ones that are missing."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from geo.distance import haversine_m
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
_REACH_M = 150.0
"""How far past the end a house may be placed."""
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_WIDE_GAP_M = 1_000.0
_MANY_NUMBERS = 200
"""Neighbours further apart than this, in metres or in numbers, say nothing about what is between them."""
BEYOND = 6
"""A number this far past the last known one may still be a new house."""


@dataclass(frozen=True, slots=True)
class HouseNumber:
    """A house number: its leading figure and whatever follows."""

    base: int
    """`90` of `90/H`."""
    tail: tuple[str, ...] = ()
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


@dataclass(frozen=True, slots=True)
class House:
    """One known house number of a street."""

    number: HouseNumber
    """Parsed."""
    point: LonLat
    """Where it stands."""
    postcode: str
    """Its own postcode; may be empty."""


@dataclass(frozen=True, slots=True)
class Placed:
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
    """The known numbers of one street, ready for look-ups.

    Parameters
    ----------
    houses : iterable of House
        In any order.
    """

    def __init__(self, houses: Iterable[House]) -> None:
        known = sorted(houses, key=lambda h: (h.number.base, h.number.tail))
        self._bases: Sequence[int] = [h.number.base for h in known]
        self._house: Callable[[int], House] = known.__getitem__

    @classmethod
    def read(cls, bases: Sequence[int], house: Callable[[int], House]) -> "Houses":
        """The same over houses that lie in order elsewhere: only those that are looked at are read.

        Parameters
        ----------
        bases : sequence of int
            Leading figure of each house, ascending.
        house : callable
            Reads the house at a position.
        """
        found = cls(())
        found._bases, found._house = bases, house
        return found

    def __len__(self) -> int:
        return len(self._bases)

    def __getitem__(self, at: int) -> House:
        return self._house(at)

    def _numbered(self, base: int) -> list[House]:
        begin = bisect_left(self._bases, base)
        return [self._house(at) for at in range(begin, bisect_right(self._bases, base, begin))]

    @cached_property
    def _by_base(self) -> dict[int, list[House]]:
        found: dict[int, list[House]] = {}
        for at, base in enumerate(self._bases):
            found.setdefault(base, []).append(self._house(at))
        return found

    @cached_property
    def _by_second(self) -> dict[int, list[House]]:
        found: dict[int, list[House]] = {}
        for houses in self._by_base.values():
            for house in houses:
                second = _second(house.number)
                if second is not None:
                    found.setdefault(second, []).append(house)
        return found

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
        sisters = self._numbered(wanted.base)
        if sisters:
            return _among(sisters, wanted, postcode)
        if not self._bases:
            return None
        second = _second(wanted)
        others = self._by_second.get(wanted.base if second is None else second)
        if others:
            found = _among(others, others[0].number, postcode)
            return found if second is None else replace(found, fit="base", grade=Grade.INTERPOLATED, is_cut=True)
        return self._row.place(wanted, second if second is not None and self._row.is_second else wanted.base)

    @cached_property
    def _row(self) -> "_Row":
        """The numbering that goes along the street: the first figures, or the last ones where many houses have two."""
        first = _Row(self._by_base, False)
        if _FEW_SECONDS * sum(map(len, self._by_second.values())) > len(self):
            last: dict[int, list[House]] = {}
            for base, houses in self._by_base.items():
                for house in houses:
                    second = _second(house.number)
                    last.setdefault(base if second is None else second, []).append(house)
            row = _Row(last, True)
            return row if row.hops_m < _STRAIGHTER * first.hops_m else first
        return first


def _second(number: HouseNumber) -> int | None:
    """The second figure of a number such as `101-103` or `1234/12`."""
    tail = number.tail
    if tail and tail[0].isdecimal() and len(tail[0]) <= 6:
        return int(tail[0])
    return None


class _Row:
    """Numbers along a street, for placing one that is missing."""

    def __init__(self, by_figure: Mapping[int, Sequence[House]], is_second: bool) -> None:
        self.is_second = is_second
        self._at = {figure: houses[0] for figure, houses in by_figure.items()}
        figures = sorted(self._at)
        self._sides = (figures, [f for f in figures if f % 2 == 0], [f for f in figures if f % 2 == 1])

    @cached_property
    def hops_m(self) -> float:
        """The way from number to number on both sides."""
        return sum(self._gap_m(a, b) for side in self._sides[1:] for a, b in pairwise(side))

    @cached_property
    def extent_m(self) -> float:
        """How far the houses are apart at most, roughly."""
        lons, lats = zip(*(house.point for house in self._at.values()), strict=True)
        return haversine_m(LonLat(min(lons), min(lats)), LonLat(max(lons), max(lats)))

    @cached_property
    def is_jumbled(self) -> bool:
        """Whether numbers do not go along the street, as where houses are numbered in the order they were built."""
        return len(self._at) >= _FEW and self.hops_m > _JUMBLED * (self.extent_m + 100)

    def _gap_m(self, a: int, b: int) -> float:
        return haversine_m(self._at[a].point, self._at[b].point)

    def place(self, wanted: HouseNumber, figure: int) -> Placed:
        """Place a number that no house has."""
        everything = self._sides[0]
        for side in (self._sides[1 + figure % 2], everything):
            at = bisect_left(side, figure)
            if 0 < at < len(side):
                return self._interpolated(wanted, figure, side[at - 1], side[at])
            near = side[0 if at == 0 else -1] if side else None
            if near is not None and (side is everything or abs(figure - near) <= _SAME_SIDE):
                return self._past_end(wanted, figure, near, side)
        raise AssertionError("a street without numbers places none")

    def _past_end(self, wanted: HouseNumber, figure: int, end: int, side: Sequence[int]) -> Placed:
        """Go on past the last number of a side by the step that its last houses have, 150 m at most."""
        house = self._at[end]
        past = abs(figure - end)
        inside = self._sides[0][0] < figure < self._sides[0][-1]
        back = [f for f in side if (f - end) * (figure - end) < 0]
        point, step_m = house.point, self._metres_per_number()
        if back:
            ref = min(back, key=lambda f: (abs(f - end) < _STEP_OVER, abs(f - end)))
            other = self._at[ref].point
            share = past / abs(end - ref)
            share = min(share, _REACH_M / max(1.0, self._gap_m(end, ref)))
            if past <= _SAME_SIDE and not self.is_jumbled:
                point = LonLat(
                    round(point.lon + share * (point.lon - other.lon), 7),
                    round(point.lat + share * (point.lat - other.lat), 7),
                )
        near = past <= BEYOND and (figure % 2 == end % 2 or len(self._sides[0]) > 1)
        fit = "beyond" if near and past * step_m <= _REACH_M else "far"
        grade = Grade.INTERPOLATED if near or inside else Grade.STREET
        uncertainty = round(20 + past * step_m, 1)
        if inside:
            fit = "far" if self.is_jumbled and self.extent_m > _SMALL_M else "between"
        return Placed(point, wanted.text, house.postcode, grade, uncertainty, fit)

    def _interpolated(self, wanted: HouseNumber, figure: int, low: int, high: int) -> Placed:
        a, b = self._at[low], self._at[high]
        share = (figure - low) / (high - low)
        point = LonLat(
            a.point.lon + share * (b.point.lon - a.point.lon), a.point.lat + share * (b.point.lat - a.point.lat)
        )
        gap_m = haversine_m(a.point, b.point)
        near = a if share < 0.5 else b
        fit = "between" if gap_m <= _WIDE_GAP_M and (high - low <= _MANY_NUMBERS or gap_m <= 150) else "far"
        uncertainty = 15 + gap_m * min(share, 1 - share)
        if self.is_jumbled:
            uncertainty = max(uncertainty, self.extent_m / 2)
            fit = "far" if self.extent_m > _SMALL_M else fit
        return Placed(point, wanted.text, near.postcode, Grade.INTERPOLATED, round(uncertainty, 1), fit)

    def _metres_per_number(self) -> float:
        figures = self._sides[0]
        span = figures[-1] - figures[0]
        return max(4.0, self._gap_m(figures[0], figures[-1]) / span) if span else 10.0


def _among(sisters: Sequence[House], wanted: HouseNumber, postcode: str) -> Placed:
    """Choose among houses of the same base number: the longest agreeing suffix, then the agreeing postcode."""

    def fitness(house: House) -> tuple[int, bool, int]:
        tail = house.number.tail
        agreed = len(tail) + 1 if tail == wanted.tail[: len(tail)] else int(_is_first_of_two(house, wanted))
        return agreed, bool(postcode) and postcode_key(house.postcode) == postcode, -len(tail)

    best = max(sisters, key=fitness)
    agreed = fitness(best)[0]
    exact = best.number.tail == wanted.tail or _is_first_of_two(best, wanted)
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


def _is_first_of_two(house: House, wanted: HouseNumber) -> bool:
    """Whether only the first of the house's two figures was asked for."""
    return not wanted.tail and _second(house.number) is not None


def _is_unit(tail: tuple[str, ...]) -> bool:
    """Whether what follows a base number is a range or a flat rather than another building."""
    return bool(tail) and (tail[0].isdecimal() or len(tail) > 1)
