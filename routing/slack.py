"""How much later each stop of a standing route could begin before anything behind it breaks."""

from collections.abc import Sequence

from routing.board import slack_s
from routing.timeline import NEVER, Timeline
from routing.types import Problem, RepDay, Visit


def slacks_s(
    problem: Problem, rep_day: RepDay, visits: Sequence[Visit], starts_s: Sequence[int], break_s: int | None
) -> list[int]:
    """How much later each visit could begin: its own hours, every later stop, the break and the day's end allow it.

    Parameters
    ----------
    problem : Problem
        With pins as exact windows, so that a later pinned visit holds back those before it.
    visits : sequence of Visit
        In order.
    starts_s : sequence of int
        When they begin.
    break_s : int or None
        When the break begins.

    Returns
    -------
    list of int
        Seconds, 0 and more; the day may end as late as its overtime allows.
    """
    timeline = Timeline.of(problem, rep_day, visits)
    left_s, found = rep_day.open_s, []
    for k, (visit, begin) in enumerate(zip(visits, starts_s, strict=True)):
        owed, latest = timeline.starts[k + 1]
        if rep_day.rest is not None and (break_s is None or break_s >= begin):
            on_the_way = _rested(rep_day, left_s, timeline.drives[k])
            latest = latest if on_the_way <= latest else owed  # who is late may rest before this stop
        found.append(max(0, min(slack_s(visit, rep_day.day, begin), latest - begin)))
        left_s = begin + visit.service_s
    return found


def _rested(rep_day: RepDay, left_s: int, drive_s: int) -> int:
    """Arrival when the break is taken on the way; `NEVER` when it is too late for it."""
    assert rep_day.rest is not None
    rest_s = max(left_s, rep_day.rest.earliest_s)
    return NEVER if rest_s > rep_day.rest.latest_s else rep_day.rested(left_s, drive_s, rest_s, rep_day.rest.duration_s)
