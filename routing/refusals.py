"""Why an order of visits cannot be driven: who it is, when it would happen, and what stands in the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.plan import Route
from routing.schedule import Broken, schedule
from routing.types import Problem, RepDay, Visit, Window

FAR = 1 << 30
ANY_TIME = (Window(0, FAR),)


class RefusalCode(StrEnum):
    """What stands in the way."""

    PINNED = "pinned"
    """The stop keeps its time until somebody takes the pin out."""
    LOCKED = "locked"
    """The route is not to be touched."""
    WRONG_DAY = "wrong_day"
    """It may not be visited on this day: promised for another one, or too soon after the last visit."""
    CLOSED = "closed"
    """It is closed on this day."""
    WINDOW = "window"
    """A visit could not end before closing."""
    SHIFT = "shift"
    """The rep would come back after the end of the shift."""
    BREAK = "break"
    """No time is left for the break."""
    NO_ROAD = "no_road"
    DRIVE_LIMIT = "drive_limit"
    VISIT_LIMIT = "visit_limit"
    CAPACITY = "capacity"
    CADENCE = "cadence"
    """Too close to another visit to the same customer."""
    UNLAWFUL = "unlawful"
    """Another rule; `said` names it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change cannot be."""

    code: RefusalCode
    visit: str = ""
    """Whom it concerns, when it is a visit."""
    rep_day: str = ""
    at: int | None = None
    """When it would happen (second of the day), or how much it would be."""
    limit: int | None = None
    """Until when, or how much, it may be."""
    said: str = ""
    """The verifier's words, for a rule without a code."""

    @property
    def excess(self) -> int:
        """By how much the limit is missed, for choosing the closest place."""
        return FAR if self.at is None or self.limit is None else self.at - self.limit

    def sentence(self, problem: Problem) -> str:
        """The same for people."""
        visit = problem.visit(self.visit) if self.visit in problem.visit_index else None
        rep_day = problem.rep_day(self.rep_day) if self.rep_day in problem.rep_day_index else None
        name = visit.label if visit else ""
        day = rep_day.label if rep_day else ""
        return {
            RefusalCode.PINNED: f"{name} is pinned. Take the pin out first.",
            RefusalCode.LOCKED: f"{day} is locked. Unlock it first.",
            RefusalCode.WRONG_DAY: f"{name} may not be visited on this day: promised or due on another one.",
            RefusalCode.CLOSED: f"{name} is closed on this day.",
            RefusalCode.WINDOW: f"{name} could not end before {clock(self.at)}; it must end by {clock(self.limit)}.",
            RefusalCode.SHIFT: f"{day} would end at {clock(self.at)}; the shift ends at {clock(self.limit)}.",
            RefusalCode.BREAK: f"No time would be left for the break before {name or 'the end of the shift'}.",
            RefusalCode.NO_ROAD: f"No road leads to {name or 'the end of the day'}.",
            RefusalCode.DRIVE_LIMIT: f"{day} would drive {minutes(self.at)}, {minutes(self.limit)} are allowed.",
            RefusalCode.VISIT_LIMIT: f"{day} would have {self.at} visits, {self.limit} are allowed.",
            RefusalCode.CAPACITY: f"{day} would carry {self.at}, {self.limit} is the most.",
            RefusalCode.CADENCE: f"{name} would be visited too close to another visit to the same customer.",
            RefusalCode.UNLAWFUL: f"The plan would break a rule: {self.said}.",
        }[self.code]


def clock(seconds: int | None) -> str:
    """`16:48`."""
    return "–" if seconds is None else f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def minutes(seconds: int | None) -> str:
    """`95 min`."""
    return "–" if seconds is None else f"{round(seconds / 60)} min"


def broken(problem: Problem, rep_day: RepDay, visits: Sequence[Visit], where: Broken) -> Refusal:
    """The reason behind a broken schedule: the same order is tried once more without the rule that broke it."""
    endless = replace(rep_day, close_s=FAR)
    if where.position == len(visits):
        tried = schedule(problem, endless, visits)
        if isinstance(tried, Broken):
            return Refusal(
                RefusalCode.NO_ROAD if tried.text.startswith("no road") else RefusalCode.BREAK, "", rep_day.id
            )
        return Refusal(RefusalCode.SHIFT, "", rep_day.id, tried.returns_s, rep_day.latest_s)
    visit = visits[where.position]
    anytime = replace(visit, windows=ANY_TIME, windows_by_day={})
    tried = schedule(problem, endless, [*visits[: where.position], anytime])
    if isinstance(tried, Broken):
        code = RefusalCode.NO_ROAD if tried.text.startswith("no road") else RefusalCode.BREAK
        return Refusal(code, visit.id, rep_day.id)
    stop = tried.stops[-1]
    windows = visit.windows_on(rep_day.day)
    if not windows:
        return Refusal(RefusalCode.CLOSED, visit.id, rep_day.id)
    ends = [max(stop.starts_s, w.open_s) + visit.service_s for w in windows]
    if any(end <= w.close_s for end, w in zip(ends, windows, strict=True)):
        return Refusal(RefusalCode.BREAK, visit.id, rep_day.id)
    over, k = min((end - w.close_s, k) for k, (end, w) in enumerate(zip(ends, windows, strict=True)))
    return Refusal(RefusalCode.WINDOW, visit.id, rep_day.id, windows[k].close_s + over, windows[k].close_s)


def over_limit(rep_day: RepDay, route: Route, visits: Sequence[Visit]) -> Refusal | None:
    """The limit of a shift that a route goes over: driving, visits, or load."""
    for code, amount, limit in (
        (RefusalCode.DRIVE_LIMIT, route.drive_s, rep_day.max_drive_s),
        (RefusalCode.VISIT_LIMIT, len(visits), rep_day.max_visits),
        (RefusalCode.CAPACITY, sum(v.demand for v in visits), rep_day.capacity),
    ):
        if limit is not None and amount > limit:
            return Refusal(code, "", rep_day.id, amount, limit)
    return None
