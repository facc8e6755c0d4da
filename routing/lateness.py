"""What the clock says of the rest of the day: when to leave, who is reached late, who is missed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.timeline import NEVER, Timeline
from routing.types import Problem, RepDay, Visit

NOTICE_S = 3600
"""A departure is announced this long before it."""


class Alarm(StrEnum):
    """What is the matter."""

    LEAVE_BY = "leave_by"
    """Who leaves by `at_s` reaches the visit in time."""
    LATE = "late"
    """The appointment is reached at `at_s`, `by_s` too late."""
    MISSED = "missed"
    """The customer is reached at `at_s`, when it is too late for the visit."""
    OVERTIME = "overtime"
    """The rep returns at `at_s`, `by_s` after the end of the shift."""


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning."""

    alarm: Alarm
    at_s: int
    visit: str | None = None
    """Visit id; None for the day as a whole."""
    by_s: int = 0


def warnings(
    problem: Problem,
    rep_day: RepDay,
    visits: Sequence[Visit],
    *,
    notice_s: int = NOTICE_S,
    shift_ends_s: int | None = None,
) -> tuple[Warned, ...]:
    """The warnings of a rest of a day (of `replanning.remaining`) in the order that is planned.

    An appointment is kept although it is late, a closed door is passed by. The departure that is announced is the one
    on which the tightest of the coming stops depends. `shift_ends_s` is the end of the whole day's shift: the rest of
    a day that is over ends where it begins.
    """
    found: list[Warned] = []
    kept: list[Visit] = []
    for visit in visits:
        reached = _reached(problem, rep_day, kept, visit)
        windows = visit.windows_on(rep_day.day)
        last = max((w.close_s - visit.service_s for w in windows), default=-1)
        if reached <= last:
            kept.append(visit)
            continue
        if visit.appointment and windows and reached < NEVER:
            found.append(Warned(Alarm.LATE, reached, visit.id, reached - last))
            late = replace(windows[-1], close_s=max(windows[-1].close_s, reached + visit.service_s))
            kept.append(replace(visit, windows=(late,), windows_by_day={}))
        else:
            found.append(Warned(Alarm.MISSED, min(reached, NEVER), visit.id))
    home = _reached(problem, rep_day, kept, None)
    shift_ends_s = rep_day.close_s if shift_ends_s is None else shift_ends_s
    if shift_ends_s < home < NEVER:
        found.append(Warned(Alarm.OVERTIME, home, None, home - shift_ends_s))
    leave = _leave_by(problem, rep_day, kept, {w.visit for w in found})
    soon = leave is not None and leave.at_s - rep_day.open_s <= notice_s
    return (leave, *found) if leave is not None and soon else tuple(found)


def _reached(problem: Problem, rep_day: RepDay, kept: Sequence[Visit], visit: Visit | None) -> int:
    """Earliest arrival behind the stops that are kept, when the shift does not end."""
    target = rep_day.end if visit is None else visit.place
    timeline = Timeline.of(problem, replace(rep_day, end=target), kept)
    arrivals = timeline.arrivals(len(kept), timeline.drives[-1])
    return arrivals[1] if visit is None else min(arrivals)


def _leave_by(problem: Problem, rep_day: RepDay, kept: Sequence[Visit], late: set[str | None]) -> Warned | None:
    """The latest departure for the tightest of the coming stops; windows that close after the shift do not bind."""
    best: Warned | None = None
    for count, visit in enumerate(kept, start=1):
        binds = visit.appointment or max(w.close_s for w in visit.windows_on(rep_day.day)) < rep_day.latest_s
        if not binds or visit.id in late:
            continue
        alone = replace(rep_day, end=visit.place, close_s=NEVER, overtime_s=0)
        leave = max(Timeline.of(problem, alone, kept[:count]).starts[0])
        if leave >= rep_day.open_s and (best is None or leave < best.at_s):
            best = Warned(Alarm.LEAVE_BY, leave, visit.id)
    return best
