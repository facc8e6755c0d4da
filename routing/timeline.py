"""A day that stands, and what would fit into it: exact earliest and latest moments for every gap.

The labels are those of `routing.draft` for one route and in plain numbers: forward the earliest finish, backward
the latest start, each with the break still owed and already taken. Here they answer what a yes or no cannot say:
how much is missing, at which times a visit could be offered, when one has to leave.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from routing.types import Problem, RepDay, Visit, Window

NEVER = 1 << 40
"""Later than any time; also the drive where no road leads."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one gap leaves to a visit, for one choice of where the break lies."""

    ready_s: int
    """Earliest moment at the door."""
    leave_s: int
    """Latest moment at which one must drive on so that the rest of the day keeps its times."""

    def start(self, windows: Sequence[Window], service_s: int) -> int | None:
        """Earliest start of the service; None when it does not fit."""
        spans = ((max(self.ready_s, w.open_s), min(self.leave_s, w.close_s)) for w in windows)
        return next((begin for begin, end in spans if begin + service_s <= end), None)


class Timeline:
    """One route as it stands.

    Parameters
    ----------
    rep_day : RepDay
    visits : sequence of Visit
        In order.
    drives : sequence of int
        Driving seconds of all legs, one more than visits; at least `NEVER` where no road leads.
    """

    def __init__(self, rep_day: RepDay, visits: Sequence[Visit], drives: Sequence[int]) -> None:
        self.rep_day, self.visits, self.drives = rep_day, tuple(visits), tuple(drives)
        self._windows = [v.windows_on(rep_day.day) for v in self.visits]

    @classmethod
    def of(cls, problem: Problem, rep_day: RepDay, visits: Sequence[Visit]) -> "Timeline":
        """The timeline of an order on the roads of a problem."""
        places = [rep_day.start, *(v.place for v in visits), rep_day.end]
        drives = [drive_s(problem, a, b) for a, b in itertools.pairwise(places)]
        return cls(rep_day, visits, drives)

    @property
    def driving_s(self) -> int:
        """Driving of the whole day; an unused day drives nowhere."""
        return sum(self.drives) if self.visits else 0

    @cached_property
    def finishes(self) -> list[tuple[int, int]]:
        """Earliest finish at the start anchor and behind every stop, break owed / taken."""
        begin = self.rep_day.open_s
        labels = [(begin, NEVER) if self.rep_day.rest else (NEVER, begin)]
        for k, visit in enumerate(self.visits):
            labels.append(self._serve(labels[-1], self.drives[k], self._windows[k], visit.service_s))
        return labels

    @cached_property
    def starts(self) -> list[tuple[int, int]]:
        """Latest moment to stand ready at the start anchor, every stop and the end anchor, break owed / taken."""
        owed, taken = -NEVER, self.rep_day.latest_s
        labels = [(owed, taken)]
        for k in range(len(self.visits) - 1, -1, -1):
            leave_owed, leave_taken = self._leave(labels[-1], self.drives[k + 1])
            service = self.visits[k].service_s
            owed, taken = (_latest(self._windows[k], service, leave) for leave in (leave_owed, leave_taken))
            labels.append((owed, taken))
        labels.append(self._leave(labels[-1], self.drives[0]))
        return labels[::-1]

    @cached_property
    def work_after(self) -> list[int]:
        """From standing at each stop (0 = the first) to the end anchor: services and drives that must follow."""
        left = [0]
        for k in range(len(self.visits) - 1, -1, -1):
            left.append(left[-1] + self.visits[k].service_s + self.drives[k + 1])
        return left[::-1]

    def rooms(self, before: int, after: int, there_s: int, onward_s: int) -> tuple[Room, ...]:
        """What is free behind the `before` first stops and before node `after` (1 = first stop, stops + 1 = end).

        Parameters
        ----------
        there_s, onward_s : int
            Drive from the node before, and to the node after.
        """
        leave_owed, leave_taken = self._leave(self.starts[after], onward_s)
        owed, rested = self.arrivals(before, there_s)
        both = (Room(owed, leave_owed), Room(rested, leave_taken))
        return tuple(room for room in both if room.ready_s < NEVER and room.leave_s >= room.ready_s)

    def arrivals(self, before: int, there_s: int) -> tuple[int, int]:
        """Earliest arrival behind the `before` first stops, break still owed / taken; `NEVER` where it cannot be."""
        owed, taken = self.finishes[before]
        arrive = self.rep_day.arrive
        return min(arrive(owed, there_s), NEVER), min(arrive(taken, there_s), self._rested(owed, there_s), NEVER)

    def home(self, before: int, there_s: int, onward_s: int, visit: Visit) -> int:
        """Earliest return with the visit behind the `before` first stops, however late; `NEVER` if not at all."""
        windows = visit.windows_on(self.rep_day.day)
        label = self._serve(self.finishes[before], there_s, windows, visit.service_s)
        drive = onward_s
        for k in range(before, len(self.visits)):
            if min(label) >= NEVER:
                return NEVER
            label = self._serve(label, drive, self._windows[k], self.visits[k].service_s)
            drive = self.drives[k + 1]
        return min(self.rep_day.arrive(label[1], drive), self._rested(label[0], drive), NEVER)

    def _rested(self, finish_s: int, drive: int) -> int:
        """Arrival when the break is taken on the leg."""
        rest = self.rep_day.rest
        if rest is None or (begin := max(finish_s, rest.earliest_s)) > rest.latest_s:
            return NEVER
        return self.rep_day.rested(finish_s, drive, begin, rest.duration_s)

    def _serve(self, label: tuple[int, int], drive: int, windows: Sequence[Window], service_s: int) -> tuple[int, int]:
        owed, taken = label
        rested = min(self.rep_day.arrive(taken, drive), self._rested(owed, drive))
        return _finish(windows, service_s, self.rep_day.arrive(owed, drive)), _finish(windows, service_s, rested)

    def _leave(self, label: tuple[int, int], drive: int) -> tuple[int, int]:
        """Latest departure from the node before, break owed / taken."""
        rest = self.rep_day.rest
        owed, taken = (self.rep_day.leave(moment, drive) for moment in label)
        if rest and rest.earliest_s + rest.duration_s <= label[1]:
            owed = max(owed, self.rep_day.leave_rested(label[1], drive, rest))
        return owed, taken


def drive_s(problem: Problem, origin: int, target: int) -> int:
    """Driving seconds; `NEVER` where no road leads."""
    drive = problem.drive(origin, target)
    return NEVER if drive is None else drive


def _finish(windows: Sequence[Window], service_s: int, ready_s: int) -> int:
    if ready_s >= NEVER:
        return NEVER
    for window in windows:
        end = max(ready_s, window.open_s) + service_s
        if end <= window.close_s:
            return end
    return NEVER


def _latest(windows: Sequence[Window], service_s: int, leave_s: int) -> int:
    starts = [min(leave_s, w.close_s) - service_s for w in windows]
    return max((s for s, w in zip(starts, windows, strict=True) if s >= w.open_s), default=-NEVER)
