"""How much longer drives take at an hour of the week than the engine says, learned from drives that were recorded."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

LEAST, MOST = 0.7, 2.0
"""No hour is believed to be faster or slower than this."""
SHORTEST_S, LONGEST_S = 180, 3 * 3600
"""Drives outside these are left out: parking outweighs the short ones, the long ones hold breaks."""
MOST_RATIO = 2.5
"""A drive that took longer than so many times the engine's time held something else, such as lunch."""
PRIOR = 12.0
"""So many drives weigh as much as what the wider hours say."""


@dataclass(frozen=True, slots=True)
class Drive:
    """One recorded drive."""

    weekday: int
    """0 is Monday, on the driver's calendar."""
    hour: int
    """0 to 23, at departure, on the driver's clock."""
    expected_s: float
    """What the engine says."""
    took_s: float
    """What it took."""

    @property
    def is_telling(self) -> bool:
        """Whether the drive says something about traffic."""
        lasting = SHORTEST_S <= self.expected_s <= LONGEST_S
        return lasting and 1 / MOST_RATIO <= self.took_s / self.expected_s <= MOST_RATIO


@dataclass(frozen=True, slots=True)
class Factor:
    """What an hour of the week does to drives."""

    value: float
    """1.2: a fifth longer than the engine says; between 0.7 and 2."""
    drives: int
    """That were recorded in this hour."""


type Week = Mapping[tuple[int, int], Factor]
"""By weekday and hour; what is missing is 1."""


def learn(drives: Iterable[Drive]) -> dict[tuple[int, int], Factor]:
    """The factor of every hour of the week in which somebody drove.

    The logarithms of the ratios are summed up by their median, which single wrong notes cannot move. What few drives
    say is drawn towards what the same hour says on other weekdays, that towards what other hours say, and that towards
    1: an estimate from n drives weighs n / (n + 12).

    Parameters
    ----------
    drives : iterable of Drive
        Of one region, in any order; those that say nothing are left out.

    Returns
    -------
    dict
        By (weekday, hour).
    """
    cells: dict[tuple[int, int], list[float]] = {}
    for drive in drives:
        if drive.is_telling:
            cells.setdefault((drive.weekday, drive.hour), []).append(math.log(drive.took_s / drive.expected_s))
    other_hours = {
        hour: _drawn([log for cell, logs in cells.items() if cell[1] != hour for log in logs], 0.0)
        for hour in {cell[1] for cell in cells}
    }
    factors = {}
    for (day, hour), logs in sorted(cells.items()):
        same_hour = [log for cell, found in cells.items() if cell[1] == hour and cell[0] != day for log in found]
        value = math.exp(_drawn(logs, _drawn(same_hour, other_hours[hour])))
        factors[day, hour] = Factor(round(min(MOST, max(LEAST, value)), 3), len(logs))
    return factors


def mean(week: Week, hours: Iterable[tuple[int, int]]) -> float:
    """The factor for drives spread evenly over some hours; 1 without any."""
    values = [week[cell].value if cell in week else 1.0 for cell in hours]
    return sum(values) / len(values) if values else 1.0


def _drawn(logs: list[float], towards: float) -> float:
    if not logs:
        return towards
    weight = len(logs) / (len(logs) + PRIOR)
    return weight * median(logs) + (1 - weight) * towards
