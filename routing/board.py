"""What stands in a plan: who goes where in which order, and what people fixed by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from routing.types import Problem, RepDay, Visit, Window


@dataclass(frozen=True)
class Board:
    """Who goes where, and what people fixed by hand."""

    routes: Mapping[str, tuple[str, ...]]
    """Rep-day id -> visit ids in order; without the empty ones."""
    starts: Mapping[str, int] = field(default_factory=dict)
    """Visit id -> time before which it must not begin; the exact time when it is pinned."""
    pins: frozenset[str] = frozenset()
    """Visits that keep their time, day and rep, whoever plans."""
    locks: frozenset[str] = frozenset()
    """Rep-days that nobody touches."""
    added: tuple[str, ...] = ()
    """Visits that people added: they must take place when the rest is planned anew."""
    out: frozenset[str] = frozenset()
    """Visits that people took out: no planner brings them back."""

    @cached_property
    def at(self) -> Mapping[str, str]:
        """Visit id -> rep-day id."""
        return {visit: rep_day for rep_day, order in self.routes.items() for visit in order}

    def without(self, visit: str) -> "Board":
        """The board when a visit leaves its route; what was fixed about it is forgotten."""
        routes = {k: tuple(v for v in order if v != visit) for k, order in self.routes.items()}
        starts = {k: s for k, s in self.starts.items() if k != visit}
        return replace(
            self, routes={k: order for k, order in routes.items() if order}, starts=starts, pins=self.pins - {visit}
        )

    def with_stop(self, visit: str, rep_day: str, position: int, start_s: int | None = None) -> "Board":
        """The board when a visit that stands nowhere comes behind the `position` first stops of a rep-day."""
        order = list(self.routes.get(rep_day, ()))
        order.insert(position, visit)
        starts = dict(self.starts) if start_s is None else {**self.starts, visit: start_s}
        return replace(self, routes={**self.routes, rep_day: tuple(order)}, starts=starts, out=self.out - {visit})


def bound(problem: Problem, board: Board) -> Problem:
    """The problem with what people decided: other reps may come, times given hold, pins stay, added visits must be."""
    changed = tuple(_bound(problem, board, v) for v in problem.visits)
    return problem if changed == problem.visits else replace(problem, visits=changed)


def _bound(problem: Problem, board: Board, v: Visit) -> Visit:
    if v.id in board.out:
        return replace(v, mandatory=False, reps=frozenset())
    if v.id in board.added and not v.mandatory:
        v = replace(v, mandatory=True)
    where = board.at.get(v.id)
    return v if where is None else placed(v, problem.rep_day(where), board.starts.get(v.id), v.id in board.pins)


def placed(v: Visit, rep_day: RepDay, start_s: int | None, pinned: bool) -> Visit:
    """The visit as it stands on a rep-day: whoever was chosen by hand may come, no earlier than was said."""
    if v.reps is not None and rep_day.rep not in v.reps:
        v = replace(v, reps=v.reps | {rep_day.rep})
    if start_s is None:
        return v
    if pinned:
        exact = {rep_day.day: (Window(start_s, start_s + v.service_s),)}
        return replace(
            v, mandatory=True, reps=frozenset({rep_day.rep}), days=frozenset({rep_day.day}), windows_by_day=exact
        )
    later: list[Window] = []
    for w in v.windows_on(rep_day.day):
        if w.close_s - max(w.open_s, start_s) >= v.service_s:
            if later and later[-1].open_s == max(w.open_s, start_s):
                later.pop()
            later.append(Window(max(w.open_s, start_s), w.close_s))
    return replace(v, windows_by_day={**v.windows_by_day, rep_day.day: tuple(later)})


def slack_s(visit: Visit, day: int, starts_s: int) -> int:
    """How much later a service could begin inside the window in which it stands."""
    ends = starts_s + visit.service_s
    return max(
        (w.close_s - ends for w in visit.windows_on(day) if w.open_s <= starts_s and ends <= w.close_s), default=0
    )
