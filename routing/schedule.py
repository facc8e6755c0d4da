"""The earliest schedule of a given order of visits: exact for several windows and one break."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.plan import Route, Stop
from routing.types import Problem, RepDay, Visit, Window


@dataclass(frozen=True, slots=True)
class _Label:
    """A partial schedule: when the last service ended and how we came there."""

    finish_s: int
    arrives_s: int
    starts_s: int
    break_s: int | None
    before: "_Label | None"


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an order cannot be scheduled."""

    position: int
    """Index of the first visit that cannot be served; the number of visits when the way home fails."""
    text: str


def next_start(windows: Sequence[Window], service_s: int, ready_s: int) -> int | None:
    """Earliest start not before `ready_s` so that the service starts and ends inside one window.

    Returns
    -------
    int or None
        Seconds of the day; None when every window is over.
    """
    for window in windows:
        start = max(ready_s, window.open_s)
        if start + service_s <= window.close_s:
            return start
    return None


def schedule(problem: Problem, rep_day: RepDay, visits: Sequence[Visit]) -> Route | Broken:
    """Serve `visits` in this order as early as possible.

    Two labels walk along the order, one with the break still owed and one with the break taken. Each holds
    the earliest possible finish; since waiting is free and windows only bound starts from one side once a
    window is chosen, an earlier finish is never worse, so one label per state is exact.

    Returns
    -------
    Route or Broken
        The schedule that returns earliest (so its overtime is the least), with the departure put off as long as it
        changes nothing else; or where and why the order breaks. Limits on driving, visits, load are not looked at.
    """
    rest = rep_day.rest if visits else None
    begin = _Label(rep_day.open_s, rep_day.open_s, rep_day.open_s, None, None)
    owed, taken = (begin, None) if rest else (None, begin)
    place = rep_day.start
    legs: list[int] = []
    for position in range(len(visits) + 1):
        home = position == len(visits)
        target = rep_day.end if home else visits[position].place
        drive = problem.drive(place, target)
        if drive is None:
            return Broken(position, "no road leads there")
        legs.append(drive)
        windows = (Window(0, rep_day.latest_s),) if home else visits[position].windows_on(rep_day.day)
        service = 0 if home else visits[position].service_s
        rested = None if owed is None else _rest(rep_day, owed, drive)
        owed, taken = (
            _serve(owed, None if owed is None else rep_day.arrive(owed.finish_s, drive), windows, service, None),
            _earlier(
                _serve(taken, None if taken is None else rep_day.arrive(taken.finish_s, drive), windows, service, None),
                None if rested is None else _serve(owed, rested[1], windows, service, rested[0]),
            ),
        )
        if home or (owed is not None and rest is not None and owed.finish_s > rest.latest_s):
            owed = None  # the break can no longer be taken
        if owed is None and taken is None:
            return Broken(position, "too late for the end of the shift" if home else "no window can be met")
        place = target
    assert taken is not None
    return _route(rep_day, visits, legs, taken)


def _rest(rep_day: RepDay, label: _Label, drive_s: int) -> tuple[int, int] | None:
    """Start of the break on the coming leg and the arrival with it, or None when it is too late for a break."""
    rest = rep_day.rest
    assert rest is not None
    start = max(label.finish_s, rest.earliest_s)
    if start > rest.latest_s:
        return None
    return start, rep_day.rested(label.finish_s, drive_s, start, rest.duration_s)


def _serve(
    label: _Label | None, ready_s: int | None, windows: Sequence[Window], service_s: int, break_s: int | None
) -> _Label | None:
    if label is None or ready_s is None:
        return None
    start = next_start(windows, service_s, ready_s)
    return None if start is None else _Label(start + service_s, ready_s, start, break_s, label)


def _earlier(a: _Label | None, b: _Label | None) -> _Label | None:
    if a is None or b is None:
        return a or b
    return a if a.finish_s < b.finish_s else b  # equally early, the later break lets the stops before it begin earlier


def _route(rep_day: RepDay, visits: Sequence[Visit], legs: Sequence[int], last: _Label) -> Route:
    labels = [last]
    while (before := labels[-1].before) is not None:
        labels.append(before)
    labels.reverse()
    break_s = next((label.break_s for label in labels if label.break_s is not None), None)
    stops = []
    for k, (visit, label) in enumerate(zip(visits, labels[1:-1], strict=True)):
        arrives = label.arrives_s
        previous = rep_day.arrive(labels[k].finish_s, legs[k])
        if label.break_s is not None and label.break_s >= previous:
            arrives = previous  # the break is spent at the door
        stops.append(Stop(visit.id, arrives, label.starts_s, label.finish_s, legs[k]))
    leaves = rep_day.open_s
    if stops and labels[1].break_s is None:  # put the departure off; a break on the first leg keeps its place
        leaves = rep_day.leave(stops[0].starts_s, legs[0])
        stops[0] = Stop(stops[0].visit, stops[0].starts_s, stops[0].starts_s, stops[0].ends_s, legs[0])
    back = last.arrives_s
    return Route(rep_day.id, tuple(stops), leaves, back, legs[-1], break_s)
