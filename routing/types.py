"""The words of a planning problem: reps' days, visits, roads (the answer's words are in `routing.plan`).

Everything here is frozen, and a value that makes no sense cannot be built: the constructors raise
`InvalidProblem`, naming the field. Times are whole seconds of the rep's own day (0 = midnight, values
past 86,400 belong to a shift that runs over midnight); days are small whole numbers (0 = first day).
One unit of value is one second of driving.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from routing.shifts import Break as Break
from routing.shifts import RepDay as RepDay
from routing.shifts import Window as Window
from routing.values import COUNTABLE, matrix, named, unique, whole
from routing.values import UNREACHABLE as UNREACHABLE
from routing.values import InvalidProblem as InvalidProblem
from routing.values import Seconds as Seconds


@dataclass(frozen=True, slots=True)
class Visit:
    """A demand to be visited: where, for how long, when it is possible, and what it is worth."""

    id: str
    """Unique in the problem."""
    place: int
    """Place (matrix index) of the site."""
    service_s: int
    """How long the visit takes."""
    windows: tuple[Window, ...]
    """Spans in which it fits, earliest first; empty = closed."""
    prize: int = 0
    """Value of serving it, in seconds of driving."""
    mandatory: bool = False
    """Must be served (fixed appointment, promise)."""
    days: frozenset[int] | None = None
    """Days on which it is allowed; None = any."""
    reps: frozenset[str] | None = None
    """Reps who may serve it; None = any."""
    windows_by_day: Mapping[int, tuple[Window, ...]] = field(default_factory=dict)
    """Windows that replace `windows` on the given days."""
    demand: int = 0
    """How much of a shift's capacity it takes."""
    due_day: int | None = None
    """Last day without lateness; None = no due day."""
    late_cost: int = 0
    """Cost of each day after `due_day`."""
    overdue_days: int = 0
    """How long the call interval has already run out at the start of the plan (for the explanation)."""
    appointment: bool = False
    """Whether the window is a promise to the customer (for the explanation)."""
    keep: str | None = None
    """Rep-day on which it stands in the plan that people know; None = it is new."""
    change_cost: int = 0
    """Cost of serving it on another rep-day than `keep`, or of not serving it any more."""
    usual_rep: str | None = None
    """Rep whom the customer knows; None = anybody is as welcome."""
    other_rep_cost: int = 0
    """Cost of somebody else's coming."""
    preferred: bool = False
    """Whether the customer asked for the usual rep (for the explanation)."""
    name: str = ""
    """What people call it; the id when empty."""
    origin: str = ""
    """What asks for it beside its call interval, as a sentence: a ticket, a campaign (for the explanation)."""

    @property
    def label(self) -> str:
        """For sentences."""
        return self.name or self.id

    def __post_init__(self) -> None:
        named("visit.id", self.id)
        where = f"visit {self.id}"
        whole(f"{where}.place", self.place, at_least=0)
        whole(f"{where}.service_s", self.service_s, at_least=0)
        whole(f"{where}.prize", self.prize, at_least=0)
        whole(f"{where}.demand", self.demand, at_least=0)
        whole(f"{where}.late_cost", self.late_cost, at_least=0)
        whole(f"{where}.change_cost", self.change_cost, at_least=0)
        whole(f"{where}.other_rep_cost", self.other_rep_cost, at_least=0)
        if self.due_day is not None:
            whole(f"{where}.due_day", self.due_day)
        object.__setattr__(self, "windows", _ordered(f"{where}.windows", self.windows))
        by_day = {day: _ordered(f"{where}.windows_by_day[{day}]", w) for day, w in self.windows_by_day.items()}
        object.__setattr__(self, "windows_by_day", by_day)

    def windows_on(self, day: int) -> tuple[Window, ...]:
        """The windows that hold on `day`."""
        return self.windows_by_day.get(day, self.windows)

    def allows(self, rep_day: RepDay) -> bool:
        """Whether this rep may come on this day at all (windows aside)."""
        return (self.days is None or rep_day.day in self.days) and (self.reps is None or rep_day.rep in self.reps)

    def late_days(self, day: int) -> int:
        """Days after the due day when served on `day`."""
        return 0 if self.due_day is None else max(0, day - self.due_day)

    def moved(self, rep_day: str | None) -> int:
        """Cost of serving it on this rep-day (None = not at all), for the sake of a steady plan."""
        return 0 if self.keep is None or self.keep == rep_day else self.change_cost

    def by_another(self, rep: str) -> int:
        """Cost of this rep's coming instead of the one whom the customer knows."""
        return 0 if self.usual_rep is None or self.usual_rep == rep else self.other_rep_cost


def _ordered(name: str, windows: Sequence[Window]) -> tuple[Window, ...]:
    """Windows may overlap (two adjoining spans of allowed starts do), but both edges must rise."""
    for before, after in itertools.pairwise(windows):
        if after.open_s <= before.open_s or after.close_s <= before.close_s:
            raise InvalidProblem(name, f"{after} does not come after {before}")
    return tuple(windows)


@dataclass(frozen=True, slots=True)
class Spacing:
    """Cadence: among the served ones of these visits, in this order, consecutive days keep their distance."""

    visits: tuple[str, ...]
    """Visit ids of one customer, first to last."""
    min_gap_days: int
    """Least difference of consecutive visit days."""
    max_gap_days: int | None = None
    """Greatest difference; None = any."""

    def __post_init__(self) -> None:
        whole("spacing.min_gap_days", self.min_gap_days)
        if self.max_gap_days is not None:
            whole("spacing.max_gap_days", self.max_gap_days, at_least=self.min_gap_days)
        if len(set(self.visits)) != len(self.visits):
            raise InvalidProblem("spacing.visits", f"one visit is named twice in {list(self.visits)}")

    def keeps(self, before: int, after: int) -> bool:
        """Whether two consecutive visit days keep the distance."""
        gap = after - before
        return gap >= self.min_gap_days and (self.max_gap_days is None or gap <= self.max_gap_days)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two reps at one appointment: these visits begin at the same moment, each served by another rep, or none is."""

    visits: tuple[str, ...]
    """Visit ids, one per rep who comes."""

    def __post_init__(self) -> None:
        if len(set(self.visits)) != len(self.visits) or len(self.visits) < 2:
            raise InvalidProblem("meeting.visits", f"needs two or more different visits, not {list(self.visits)}")


@dataclass(frozen=True, slots=True)
class Night:
    """A hotel: instead of driving home, one rep-day may end there and the rep's next one begin there."""

    id: str
    """Unique in the problem."""
    evening: str
    """Rep-day that would end at `place`."""
    morning: str
    """The same rep's later rep-day that would begin at `place`."""
    place: int
    """Place (matrix index) of the hotel."""
    cost: int = 0
    """Cost of the night, in seconds of driving."""

    def __post_init__(self) -> None:
        named("night.id", self.id)
        whole(f"night {self.id}.place", self.place, at_least=0)
        whole(f"night {self.id}.cost", self.cost, at_least=0)


@dataclass(frozen=True, slots=True)
class Weights:
    """What the parts of a plan's value count.

    Maximised is prize*P - travel*T - fixed*F - late*L - overtime - changes - nights; the last three are given as
    costs in seconds of driving and count once.
    """

    prize: int = 1
    travel: int = 1
    fixed: int = 1
    late: int = 1

    def __post_init__(self) -> None:
        for name in ("prize", "travel", "fixed", "late"):
            whole(f"weights.{name}", getattr(self, name), at_least=0)


@dataclass(frozen=True, eq=False)
class Problem:
    """Rep-days, visits and the roads between their places."""

    rep_days: tuple[RepDay, ...]
    """The shifts that can be used."""
    visits: tuple[Visit, ...]
    """What wants a visit."""
    seconds: Seconds
    """Driving seconds, shape (places, places), may be asymmetric; `UNREACHABLE` where there is no way."""
    metres: Seconds | None = None
    """Driving metres of the same shape; only reported."""
    spacings: tuple[Spacing, ...] = ()
    """Cadence rules."""
    weights: Weights = Weights()
    """What counts how much."""
    meetings: tuple[Meeting, ...] = ()
    """Appointments to which more than one rep comes."""
    nights: tuple[Night, ...] = ()
    """Hotels that may be used; at most one for each evening."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", matrix("seconds", self.seconds))
        if self.metres is not None:
            object.__setattr__(self, "metres", matrix("metres", self.metres))
            if self.metres.shape != self.seconds.shape:
                raise InvalidProblem("metres", f"shape {self.metres.shape} differs from seconds {self.seconds.shape}")
        object.__setattr__(self, "rep_days", tuple(self.rep_days))
        object.__setattr__(self, "visits", tuple(self.visits))
        for name in ("spacings", "meetings", "nights"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        unique("rep_days", [d.id for d in self.rep_days])
        unique("visits", [v.id for v in self.visits])
        self._check_places()
        self._check_spacings()
        self._check_meetings()
        self._check_nights()
        self._check_worth()

    def _check_places(self) -> None:
        n = len(self.seconds)
        for name, place in [
            *((f"rep_day {d.id}.start", d.start) for d in self.rep_days),
            *((f"rep_day {d.id}.end", d.end) for d in self.rep_days),
            *((f"visit {v.id}.place", v.place) for v in self.visits),
            *((f"night {x.id}.place", x.place) for x in self.nights),
        ]:
            if place >= n:
                raise InvalidProblem(name, f"{place} is no row of the {n} x {n} travel matrix")

    def _check_spacings(self) -> None:
        seen: set[str] = set()
        for spacing in self.spacings:
            for visit_id in spacing.visits:
                if visit_id not in self.visit_index:
                    raise InvalidProblem("spacing.visits", f"there is no visit {visit_id!r}")
                if visit_id in seen:
                    raise InvalidProblem("spacing.visits", f"visit {visit_id!r} stands in two spacings")
                seen.add(visit_id)

    def _check_meetings(self) -> None:
        together = [visit_id for meeting in self.meetings for visit_id in meeting.visits]
        unique("meetings", together)
        for visit_id in together:
            if visit_id not in self.visit_index:
                raise InvalidProblem("meeting.visits", f"there is no visit {visit_id!r}")

    def _check_nights(self) -> None:
        unique("nights", [x.id for x in self.nights])
        for night in self.nights:
            where = f"night {night.id}"
            for name in (night.evening, night.morning):
                if name not in self.rep_day_index:
                    raise InvalidProblem(where, f"there is no rep-day {name!r}")
            evening, morning = self.rep_day(night.evening), self.rep_day(night.morning)
            if evening.rep != morning.rep or evening.day >= morning.day:
                raise InvalidProblem(where, f"{morning.id} is not a later day of the rep of {evening.id}")

    def _check_worth(self) -> None:
        """Sums of everything that is counted fit into the numbers that solvers count with."""
        w, last = self.weights, max((d.day for d in self.rep_days), default=0)
        late = max((last - v.due_day for v in self.visits if v.due_day is not None), default=0)
        worth = sum(
            w.prize * v.prize + v.change_cost + v.other_rep_cost + w.late * v.late_cost * late for v in self.visits
        )
        for d in self.rep_days:
            worth += w.travel * d.latest_s + w.fixed * d.fixed_cost + d.overtime_cost * d.overtime_s
        if worth + sum(x.cost for x in self.nights) >= COUNTABLE:
            raise InvalidProblem("weights", "prizes, costs and weights together are larger than can be counted")

    @cached_property
    def visit_index(self) -> Mapping[str, int]:
        """Position of each visit id in `visits`."""
        return {v.id: k for k, v in enumerate(self.visits)}

    @cached_property
    def rep_day_index(self) -> Mapping[str, int]:
        """Position of each rep-day id in `rep_days`."""
        return {d.id: k for k, d in enumerate(self.rep_days)}

    def visit(self, visit_id: str) -> Visit:
        """The visit of that id (KeyError when there is none)."""
        return self.visits[self.visit_index[visit_id]]

    def rep_day(self, rep_day_id: str) -> RepDay:
        """The rep-day of that id (KeyError when there is none)."""
        return self.rep_days[self.rep_day_index[rep_day_id]]

    def with_nights(self, nights: Iterable[str]) -> "Problem":
        """The problem in which these nights are booked: their evenings end, their mornings begin at the hotel."""
        booked = set(nights)
        ends = {x.evening: x.place for x in self.nights if x.id in booked}
        starts = {x.morning: x.place for x in self.nights if x.id in booked}
        if not ends:
            return self
        days = (replace(d, start=starts.get(d.id, d.start), end=ends.get(d.id, d.end)) for d in self.rep_days)
        return replace(self, rep_days=tuple(days), nights=())

    def drive(self, origin: int, target: int) -> int | None:
        """Driving seconds between two places, None when there is no way."""
        seconds = int(self.seconds[origin, target])
        return None if seconds < 0 else seconds
