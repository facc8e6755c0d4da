"""What lies around every engine: hotel nights, and meetings of several reps.

Engines plan single rep-days with fixed anchors. `plan` turns a problem with nights and meetings into such problems,
lets the engine plan them, and hands back the draft: of a problem in which hotels are booked and meetings are pinned.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from routing import meetings, nights
from routing.budget import Budget, Meter
from routing.draft import Draft
from routing.plan import Plan, Reason, ReasonCode, Unplanned
from routing.types import Problem

Search = Callable[[Problem, Draft | None, Budget], Draft]
"""An engine behind its net: plans a problem without nights and meetings, from nothing or from a lawful draft."""


@dataclass(frozen=True, slots=True)
class Layered:
    """What comes out: `draft.problem` is the problem with hotels booked and meetings pinned."""

    draft: Draft
    nights: tuple[str, ...] = ()


def plan(problem: Problem, begun: Draft | None, search: Search, meter: Meter) -> Layered:
    """Plan a problem with any words; without nights and meetings this is one call of `search`."""
    if not problem.nights and not problem.meetings:
        return Layered(search(problem, begun, meter.budget))

    def meet(open_problem: Problem, start: Draft | None, share: float) -> Draft:
        if not problem.meetings:
            return search(open_problem, start, _part(meter, share))
        return meetings.plan(
            open_problem, start, lambda draft, part: search(draft.problem, draft, _part(meter, share * part))
        )

    if not problem.nights:
        return Layered(meet(problem, begun, 1.0))
    return Layered(*nights.plan(problem, begun, meet))


def world(problem: Problem, plan: Plan) -> Problem:
    """The problem as an engine may see it beside a finished plan: hotels booked, meetings pinned as they stand there.

    The plan is lawful in it, and any change that is lawful in it keeps nights and meetings whole.
    """
    stay = [x for x in problem.nights if x.id in plan.nights]
    at = {s.visit: (problem.rep_day_index[r.rep_day], s.starts_s) for r in plan.routes for s in r.stops}
    moments = {
        m: (at[m.visits[0]][1], tuple(at[i][0] for i in m.visits))
        for m in problem.meetings
        if all(i in at for i in m.visits)
    }
    return meetings.pinned(nights.booked(problem, stay), moments)


def reasons(problem: Problem, unplanned: tuple[Unplanned, ...]) -> tuple[Unplanned, ...]:
    """The reasons of the pinned problem, but those of meetings that do not take place in their own words."""
    together = {i for m in problem.meetings for i in m.visits}
    why = (Reason(ReasonCode.NO_COMMON_TIME, "No moment was found at which everybody who should come can be there."),)
    return tuple(replace(u, reasons=why) if u.visit in together else u for u in unplanned)


def _part(meter: Meter, share: float) -> Budget:
    """A share of a budget."""
    seconds, steps = meter.budget.seconds, meter.budget.steps
    return Budget(
        seconds=None if seconds is None else max(1e-3, min(seconds * share, meter.left_s)),
        steps=None if steps is None else max(1, int(steps * share)),
    )
