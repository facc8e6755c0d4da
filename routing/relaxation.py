"""A rule bent so that a visit finds its place: as data, and applied to the problem (found by `routing.relaxing`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from routing.types import InvalidProblem, Problem, RepDay, Spacing, Visit, Window


class Kind(StrEnum):
    """Which rule is bent."""

    INSIST = "insist"
    """None: it fits, but costs `amount` seconds of driving more than it brings."""
    SHORTER = "shorter"
    """The visit takes `amount` seconds less."""
    OVERTIME = "overtime"
    """The rep returns `amount` seconds later."""
    DRIVING = "driving"
    """The rep drives `amount` seconds more than the day allows."""
    STOPS = "stops"
    """The rep makes `amount` stops more than the day allows."""
    LOAD = "load"
    """The rep carries `amount` more than the day allows."""
    OPENING = "opening"
    """The customer opens `amount` seconds longer: `window` instead of, or beside, what it overlaps."""
    DAY = "day"
    """The visit comes `amount` days earlier or later than allowed."""
    REP = "rep"
    """A rep may go who may not now."""
    INSTEAD = "instead"
    """`other` is left out; the plan loses `amount` seconds of driving in value."""


BURDENS: Mapping[Kind, tuple[int, float]] = {
    Kind.INSIST: (0, 1),
    Kind.SHORTER: (300, 1),
    Kind.OVERTIME: (600, 1),
    Kind.DRIVING: (600, 1),
    Kind.STOPS: (900, 300),
    Kind.LOAD: (900, 300),
    Kind.OPENING: (1800, 1),
    Kind.DAY: (900, 1200),
    Kind.REP: (2700, 0),
    Kind.INSTEAD: (3600, 1),
}
"""Burden = first + second * amount, in seconds of driving: what is ours to bend comes before what asks others."""

ON_TOP = frozenset({Kind.STOPS, Kind.LOAD, Kind.DAY, Kind.REP})
"""Kinds whose amount says nothing of time: the detour is added."""


@dataclass(frozen=True, slots=True)
class Change:
    """One rule bent."""

    kind: Kind
    amount: int = 0
    """How much; the unit stands at the kind."""
    other: str | None = None
    """Visit left out instead."""
    window: Window | None = None
    """New opening span."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What lets one visit in: one change, or several where one alone is not enough."""

    visit: str
    """Visit id."""
    rep_day: str
    """Rep-day on which it then fits."""
    changes: tuple[Change, ...]
    detour_s: int = 0
    """Driving that it adds."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Which rules are bent."""
        return tuple(change.kind for change in self.changes)

    @property
    def other(self) -> str | None:
        """Visit left out instead."""
        return next((change.other for change in self.changes if change.other is not None), None)

    @property
    def burden(self) -> tuple[int, float, int]:
        """The smallest of several bends the fewest rules; among those it has the least burden, then detour."""
        total = 0.0
        for change in self.changes:
            first, each = BURDENS[change.kind]
            total += first + each * max(0, change.amount) + (max(0, self.detour_s) if change.kind in ON_TOP else 0)
        return len(self.changes), total, self.detour_s

    def data(self) -> dict[str, Any]:
        """Plain values for JSON; `of_data` reads them."""
        changes = [asdict(change) | {"kind": str(change.kind)} for change in self.changes]
        return {"visit": self.visit, "rep_day": self.rep_day, "detour_s": self.detour_s, "changes": changes}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> "Relaxation":
        """What `data` wrote.

        Raises
        ------
        InvalidProblem
            When it is something else.
        """
        try:
            changes = tuple(_change(one) for one in data["changes"])
            return cls(str(data["visit"]), str(data["rep_day"]), changes, int(data["detour_s"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidProblem("relaxation", f"is none of ours ({error})") from error


def _change(data: Mapping[str, Any]) -> Change:
    window = data["window"]
    span = None if window is None else Window(window["open_s"], window["close_s"])
    return Change(Kind(data["kind"]), int(data["amount"]), data["other"], span)


def apply(problem: Problem, relaxation: Relaxation) -> Problem:
    """The problem with the change made; the visit is now wanted by name, so it must be served.

    Raises
    ------
    InvalidProblem
        When the visit, the rep-day or the other visit is not in the problem.
    """
    for name, known in (("visit", problem.visit_index), ("rep_day", problem.rep_day_index)):
        if getattr(relaxation, name) not in known:
            raise InvalidProblem(f"relaxation.{name}", f"there is no {getattr(relaxation, name)!r}")
    if relaxation.other is not None and relaxation.other not in problem.visit_index:
        raise InvalidProblem("relaxation.other", f"there is no {relaxation.other!r}")
    rep_day, visit = problem.rep_day(relaxation.rep_day), problem.visit(relaxation.visit)
    spacings = problem.spacings
    visit = replace(visit, mandatory=True)
    for change in relaxation.changes:
        visit = replace(visit, **_of_visit(visit, rep_day, change))
        if change.kind is Kind.DAY:
            spacings = tuple(_wider(s, change.amount) if visit.id in s.visits else s for s in spacings)
    for change in relaxation.changes:
        rep_day = replace(rep_day, **_of_day(rep_day, change))
    new_visits = {visit.id: visit}
    if relaxation.other is not None:
        new_visits[relaxation.other] = replace(problem.visit(relaxation.other), mandatory=False, days=frozenset())
    return replace(
        problem,
        rep_days=tuple(rep_day if d.id == rep_day.id else d for d in problem.rep_days),
        visits=tuple(new_visits.get(v.id, v) for v in problem.visits),
        spacings=spacings,
    )


def start_with(orders: Mapping[str, Sequence[str]], relaxation: Relaxation) -> dict[str, tuple[str, ...]]:
    """The plan to begin the next search with: all as it was, but for the visit that is left out instead."""
    return {day: tuple(v for v in visits if v != relaxation.other) for day, visits in orders.items()}


def _of_day(rep_day: RepDay, change: Change) -> dict[str, Any]:
    """Fields of the rep-day that change. Overtime that was agreed on moves the end of the shift."""
    amount = change.amount
    match change.kind:
        case Kind.OVERTIME:
            return {"close_s": rep_day.close_s + amount}
        case Kind.DRIVING:
            return {"max_drive_s": (rep_day.max_drive_s or 0) + amount}
        case Kind.STOPS:
            return {"max_visits": (rep_day.max_visits or 0) + amount}
        case Kind.LOAD:
            return {"capacity": (rep_day.capacity or 0) + amount}
    return {}


def _of_visit(visit: Visit, rep_day: RepDay, change: Change) -> dict[str, Any]:
    """Fields of the visit that change."""
    match change.kind:
        case Kind.SHORTER:
            return {"service_s": visit.service_s - change.amount}
        case Kind.DAY:
            return {} if visit.days is None else {"days": visit.days | {rep_day.day}}
        case Kind.REP:
            return {} if visit.reps is None else {"reps": visit.reps | {rep_day.rep}}
        case Kind.OPENING if change.window is not None:
            windows = _merged([*visit.windows_on(rep_day.day), change.window])
            return {"windows_by_day": {**visit.windows_by_day, rep_day.day: windows}}
    return {}


def _merged(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same spans without any that lies in another."""
    ordered = sorted(windows)
    return tuple(
        w for w in ordered if not any(o != w and o.open_s <= w.open_s and w.close_s <= o.close_s for o in ordered)
    )


def _wider(spacing: Spacing, days: int) -> Spacing:
    most = spacing.max_gap_days
    return replace(
        spacing, min_gap_days=spacing.min_gap_days - days, max_gap_days=None if most is None else most + days
    )
