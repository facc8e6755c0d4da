"""A rep's working day: spans of it, the break, the traffic in which it drives."""

from dataclasses import dataclass

from routing.pace import Pace
from routing.values import InvalidProblem, named, whole


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A span of the day inside which a service must start *and end*."""

    open_s: int
    """Earliest start of the service."""
    close_s: int
    """Latest end of the service."""

    def __post_init__(self) -> None:
        whole("window.open_s", self.open_s, at_least=0)
        whole("window.close_s", self.close_s)
        if self.close_s < self.open_s:
            raise InvalidProblem("window.close_s", f"{self.close_s} lies before the opening at {self.open_s}")


@dataclass(frozen=True, slots=True)
class Break:
    """One rest per shift, owed as soon as the shift serves anybody; it may split a drive, never a service."""

    duration_s: int
    """How long it lasts."""
    earliest_s: int
    """Earliest start."""
    latest_s: int
    """Latest start."""

    def __post_init__(self) -> None:
        whole("break.duration_s", self.duration_s, at_least=1)
        whole("break.earliest_s", self.earliest_s, at_least=0)
        whole("break.latest_s", self.latest_s)
        if self.latest_s < self.earliest_s:
            raise InvalidProblem("break.latest_s", f"{self.latest_s} lies before the earliest start {self.earliest_s}")


@dataclass(frozen=True, slots=True)
class RepDay:
    """One rep's working day: when, from where to where, and how much of it may be used."""

    id: str
    """Unique in the problem."""
    rep: str
    """Whose day it is."""
    day: int
    """Which day of the plan."""
    start: int
    """Place (matrix index) where the shift begins."""
    end: int
    """Place (matrix index) where it ends; home, hotel, office."""
    open_s: int
    """Earliest departure."""
    close_s: int
    """Latest return."""
    rest: Break | None = None
    """The lunch break, when one is owed."""
    max_drive_s: int | None = None
    """Most driving of the day; None = no limit."""
    max_visits: int | None = None
    """Most stops of the day; None = no limit."""
    capacity: int | None = None
    """Most demand carried in the day (samples, parcels); None = no limit."""
    fixed_cost: int = 0
    """Cost of using the day at all."""
    overtime_s: int = 0
    """How long after `close_s` the rep may still return."""
    overtime_cost: int = 1
    """Cost of each second after `close_s`, on top of the driving."""
    name: str = ""
    """What people call it; the id when empty."""
    pace: Pace | None = None
    """The day's traffic; None = the usual one at every hour."""

    @property
    def label(self) -> str:
        """For sentences."""
        return self.name or self.id

    @property
    def latest_s(self) -> int:
        """Latest return, overtime included."""
        return self.close_s + self.overtime_s

    def arrive(self, leave_s: int, drive_s: int) -> int:
        """Earliest arrival in this day's traffic; drives are counted and paid at the usual one."""
        return leave_s + drive_s if self.pace is None else self.pace.arrive(leave_s, drive_s)

    def leave(self, arrive_s: int, drive_s: int) -> int:
        """Latest departure for being there at `arrive_s`."""
        return arrive_s - drive_s if self.pace is None else self.pace.leave(arrive_s, drive_s)

    def rested(self, leave_s: int, drive_s: int, begin_s: int, rest_s: int) -> int:
        """Arrival with a rest from `begin_s` on the way or at the door."""
        if self.pace is None:
            return max(leave_s + drive_s, begin_s) + rest_s
        return self.pace.rested(leave_s, drive_s, begin_s, rest_s)

    def leave_rested(self, arrive_s: int, drive_s: int, rest: Break) -> int:
        """Latest departure when the break is taken on the way, as soon as it may begin."""
        if self.pace is None:
            return min(rest.latest_s, arrive_s - drive_s - rest.duration_s)
        return min(rest.latest_s, self.pace.leave_rested(arrive_s, drive_s, rest.earliest_s, rest.duration_s))

    def __post_init__(self) -> None:
        named("rep_day.id", self.id)
        named("rep_day.rep", self.rep)
        where = f"rep_day {self.id}"
        whole(f"{where}.day", self.day)
        whole(f"{where}.start", self.start, at_least=0)
        whole(f"{where}.end", self.end, at_least=0)
        whole(f"{where}.open_s", self.open_s, at_least=0)
        whole(f"{where}.close_s", self.close_s)
        if self.close_s <= self.open_s:
            raise InvalidProblem(f"{where}.close_s", f"the shift ends at {self.close_s}, not after {self.open_s}")
        for name in ("max_drive_s", "max_visits", "capacity"):
            if getattr(self, name) is not None:
                whole(f"{where}.{name}", getattr(self, name), at_least=0)
        for name in ("fixed_cost", "overtime_s", "overtime_cost"):
            whole(f"{where}.{name}", getattr(self, name), at_least=0)
