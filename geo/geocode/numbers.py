"""House numbers: reading them, finding them on a street, and placing the ones that are missing."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from geo.distance import haversine_m
from geo.geocode.along import Axes, Placed, Row
from geo.geocode.names import postcode_key
from geo.geocode.vocabulary import fold
from geo.types import Grade, LonLat

_FEW_SECONDS = 20
"""Second figures are looked at where more than one in so many houses has one."""
_STRAIGHTER = 0.8
"""They are the numbering when going from one to the next takes less than this share of the way."""
_LETTERS = str.maketrans("oil", "011")
"""Letters that are written for figures."""
_PARTS = re.compile(r"\d+|[^\W\d_]+")
Tail = tuple[str, ...]


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
    def _row(self) -> tuple[Row, bool]:
        """The numbering that goes along the street, and whether it is that of the last figures.

        That may be so where many houses have two.
        """
        at = range(len(self._bases))
        axes = self._axes()
        first = Row(dict(zip(reversed(self._bases), reversed(at), strict=True)), axes)
        seconds = self._with_second
        if _FEW_SECONDS * sum(second >= 0 for second in seconds) > len(self):
            last = [base if second < 0 else second for base, second in zip(self._bases, seconds, strict=True)]
            row = Row(dict(zip(reversed(last), reversed(at), strict=True)), axes)
            return (row, True) if row.hops_m < _STRAIGHTER * first.hops_m else (first, False)
        return first, False


def second_figure(tail: Tail) -> int:
    """The second figure of a number such as `101-103` or `1234/12` by what follows its first one, -1 without any."""
    return int(tail[0]) if tail and tail[0].isdecimal() and len(tail[0]) <= 6 else -1


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
