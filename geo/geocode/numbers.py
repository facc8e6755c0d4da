"""House numbers: reading them, finding them on a street, and placing the ones that are missing."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from geo.distance import haversine_m
from geo.geocode.names import postcode_key
from geo.geocode.vocabulary import fold
from geo.types import Grade, LonLat

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
            None when the street has no numbers at all.
        """
        sisters = self._numbered(wanted.base)
        if sisters:
            return _among(sisters, wanted, postcode)
        if not self._bases:
            return None
        return self._between(wanted)

    def _between(self, wanted: HouseNumber) -> Placed:
        base = wanted.base
        everything = self._bases
        at = bisect_left(everything, base)
        below = next((known for known in reversed(everything[:at]) if known % 2 == base % 2), None)
        above = next((known for known in everything[at:] if known % 2 == base % 2), None)
        if below is not None and above is not None:
            return self._interpolated(wanted, below, above)
        if 0 < at < len(everything):
            return self._interpolated(wanted, everything[at - 1], everything[at])
        end = everything[0] if at == 0 else everything[-1]
        house = self._numbered(end)[0]
        past = abs(base - end)
        step_m = self._metres_per_number()
        near = past <= BEYOND and (base % 2 == end % 2 or everything[0] != everything[-1])
        return Placed(
            house.point,
            wanted.text,
            house.postcode,
            Grade.INTERPOLATED if near else Grade.STREET,
            round(20 + past * step_m, 1),
            "beyond" if near and past * step_m <= 150 else "far",
        )

    def _interpolated(self, wanted: HouseNumber, low: int, high: int) -> Placed:
        a, b = self._numbered(low)[0], self._numbered(high)[0]
        share = (wanted.base - low) / (high - low)
        point = LonLat(
            a.point.lon + share * (b.point.lon - a.point.lon), a.point.lat + share * (b.point.lat - a.point.lat)
        )
        gap_m = haversine_m(a.point, b.point)
        near = a if share < 0.5 else b
        fit = "between" if gap_m <= _WIDE_GAP_M and (high - low <= _MANY_NUMBERS or gap_m <= 150) else "far"
        uncertainty = 15 + gap_m * min(share, 1 - share)
        return Placed(point, wanted.text, near.postcode, Grade.INTERPOLATED, round(uncertainty, 1), fit)

    def _metres_per_number(self) -> float:
        low, high = self._bases[0], self._bases[-1]
        first, last = self._house(0), self._numbered(high)[0]
        span = high - low
        return max(4.0, haversine_m(first.point, last.point) / span) if span else 10.0


def _among(sisters: Sequence[House], wanted: HouseNumber, postcode: str) -> Placed:
    """Choose among houses of the same base number: the longest agreeing suffix, then the agreeing postcode."""

    def fitness(house: House) -> tuple[int, bool, int]:
        tail = house.number.tail
        agreed = len(tail) + 1 if tail == wanted.tail[: len(tail)] else 0
        return agreed, bool(postcode) and postcode_key(house.postcode) == postcode, -len(tail)

    best = max(sisters, key=fitness)
    agreed = fitness(best)[0]
    exact = best.number.tail == wanted.tail or (agreed > 0 and not best.number.tail and _is_unit(wanted.tail))
    spread = max(haversine_m(best.point, s.point) for s in sisters) if not agreed else 0.0
    return Placed(
        best.point,
        best.number.text,
        best.postcode,
        Grade.ROOFTOP if agreed else Grade.INTERPOLATED,
        10.0 if exact else round(20.0 + spread, 1),
        "exact" if exact or agreed else "base",
    )


def _is_unit(tail: tuple[str, ...]) -> bool:
    """Whether what follows a base number is a range or a flat rather than another building."""
    return bool(tail) and (tail[0].isdecimal() or len(tail) > 1)
