"""What a route's drives take by the clock of its day: search and law count the usual drive, people see the real one."""

from routing.plan import Route
from routing.types import Problem, RepDay


def driven(problem: Problem, route: Route) -> tuple[int, ...]:
    """Seconds on the road of every leg, the way home last; waiting and the break are left out.

    Parameters
    ----------
    problem : Problem
        Whose rep-day has the traffic; without any these are the legs' usual drives.
    route : Route
        A lawful one of it.
    """
    rep_day = problem.rep_day(route.rep_day)
    lefts = [route.leaves_s, *(stop.ends_s for stop in route.stops)]
    usual = [*(stop.drive_s for stop in route.stops), route.drive_back_s]
    return tuple(_leg(rep_day, route.break_s, left, drive) for left, drive in zip(lefts, usual, strict=True))


def _leg(rep_day: RepDay, break_s: int | None, left_s: int, drive_s: int) -> int:
    there_s = rep_day.arrive(left_s, drive_s)
    if rep_day.rest is None or break_s is None or not left_s <= break_s < there_s:
        return there_s - left_s
    rest_s = rep_day.rest.duration_s
    return rep_day.rested(left_s, drive_s, break_s, rest_s) - rest_s - left_s
