"""How fast a day's traffic moves: driving through hours that are quicker and slower than usual, in whole numbers.

The road that is behind one grows along a line with a bend at every full hour, so who leaves later never arrives
earlier, and the latest departure is the exact inverse of the earliest arrival. (After Ichoua and others (2003).)
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from routing.values import InvalidProblem, whole

UNIT = 1000
"""Road of one second at the usual pace."""
NEVER = 1 << 40
"""Later than any time; also the drive where no road leads. Counted as it is."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pace:
    """The traffic of one day."""

    speeds: tuple[int, ...]
    """Thousandths of a usual second's road that a second covers, by hour from midnight; the last one goes on."""
    step_s: int = 3600
    """How long an hour is; other lengths serve small worlds."""

    def __post_init__(self) -> None:
        if not self.speeds:
            raise InvalidProblem("pace.speeds", "names no hour")
        whole("pace.step_s", self.step_s, at_least=1)
        for hour, speed in enumerate(self.speeds):
            whole(f"pace.speeds[{hour}]", speed, at_least=1)
            if speed > UNIT * UNIT:
                raise InvalidProblem(f"pace.speeds[{hour}]", f"must be at most {UNIT * UNIT}, is {speed}")

    @classmethod
    def of(cls, factors: Sequence[float]) -> "Pace | None":
        """The pace at which drives take so many times the usual, by hour; None when every hour is usual."""
        speeds = tuple(max(1, round(UNIT / factor)) for factor in factors)
        return None if all(speed == UNIT for speed in speeds) else cls(speeds)

    @cached_property
    def roads(self) -> tuple[int, ...]:
        """Road behind one at the beginning of each hour, driving since midnight."""
        return (0, *itertools.accumulate(speed * self.step_s for speed in self.speeds[:-1]))

    def arrive(self, leave_s: int, drive_s: int) -> int:
        """Earliest arrival of a drive that takes `drive_s` at the usual pace."""
        if leave_s >= NEVER or drive_s >= NEVER:
            return leave_s + drive_s
        return self._when(self._road(leave_s) + drive_s * UNIT)

    def leave(self, arrive_s: int, drive_s: int) -> int:
        """Latest departure for being there at `arrive_s`."""
        if arrive_s <= -NEVER or drive_s >= NEVER:
            return arrive_s - drive_s
        return self._until(self._road(arrive_s) - drive_s * UNIT)

    def rested(self, leave_s: int, drive_s: int, begin_s: int, rest_s: int) -> int:
        """Arrival when a rest begins on the way at `begin_s`, or at the door when one is there before."""
        if leave_s >= NEVER or drive_s >= NEVER:
            return max(leave_s + drive_s, begin_s) + rest_s
        if self.arrive(leave_s, drive_s) <= begin_s:
            return begin_s + rest_s
        behind = self._road(begin_s) - self._road(leave_s)
        return self._when(self._road(begin_s + rest_s) + drive_s * UNIT - behind)

    def leave_rested(self, arrive_s: int, drive_s: int, earliest_s: int, rest_s: int) -> int:
        """Latest departure when one rests at once, but not before `earliest_s`."""
        leave = self.leave(arrive_s, drive_s) - rest_s
        if leave >= earliest_s or drive_s >= NEVER:
            return leave
        behind = self._road(earliest_s + rest_s) - self._road(earliest_s)
        return self._until(self._road(arrive_s) - drive_s * UNIT - behind)

    def arrivals(self, leave_s: Ints, drive_s: Ints) -> Ints:
        """`arrive` for arrays."""
        there = self._times(self._behind(leave_s) + drive_s * UNIT)
        return np.where((leave_s >= NEVER) | (drive_s >= NEVER), leave_s + drive_s, there)

    def departures(self, arrive_s: Ints, drive_s: Ints) -> Ints:
        """`leave` for arrays."""
        leave = self._times(self._behind(arrive_s) - drive_s * UNIT, last=True)
        return np.where((arrive_s <= -NEVER) | (drive_s >= NEVER), arrive_s - drive_s, leave)

    def rests(self, leave_s: Ints, drive_s: Ints, begin_s: Ints, rest_s: Ints) -> Ints:
        """`rested` for arrays."""
        road = self._behind(leave_s) + drive_s * UNIT
        never = (leave_s >= NEVER) | (drive_s >= NEVER)
        there = np.where(never, leave_s + drive_s, self._times(road))
        onward = self._times(self._behind(begin_s + rest_s) + road - self._behind(begin_s))
        return np.where(never | (there <= begin_s), np.maximum(there, begin_s) + rest_s, onward)

    @cached_property
    def _lines(self) -> tuple[Ints, Ints]:
        """`roads` and `speeds` as arrays."""
        return np.array(self.roads), np.array(self.speeds)

    def _behind(self, at_s: Ints) -> Ints:
        roads, speeds = self._lines
        hour = np.minimum(np.maximum(at_s // self.step_s, 0), len(speeds) - 1)
        found: Ints = roads[hour] + (at_s - hour * self.step_s) * speeds[hour]
        return found

    def _times(self, road: Ints, *, last: bool = False) -> Ints:
        roads, speeds = self._lines
        hour = roads[1:].searchsorted(road, side="right")
        short = road - roads[hour]
        found: Ints = hour * self.step_s + (short // speeds[hour] if last else -(-short // speeds[hour]))
        return found

    def _road(self, at_s: int) -> int:
        hour = min(max(at_s, 0) // self.step_s, len(self.speeds) - 1)
        return self.roads[hour] + (at_s - hour * self.step_s) * self.speeds[hour]

    def _hour(self, road: int) -> int:
        return max((h for h, begin in enumerate(self.roads) if begin <= road), default=0)

    def _when(self, road: int) -> int:
        """First second at which so much road is behind one."""
        hour = self._hour(road)
        return hour * self.step_s - (self.roads[hour] - road) // self.speeds[hour]

    def _until(self, road: int) -> int:
        """Last second at which no more road is behind one."""
        hour = self._hour(road)
        return hour * self.step_s + (road - self.roads[hour]) // self.speeds[hour]
