"""Why this stop, and why not that visit: as data and as a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.draft import Draft
from routing.plan import Reason, ReasonCode, Route, Unplanned
from routing.relaxation import Change, Kind, Relaxation
from routing.schedule import Broken, schedule
from routing.types import Problem, RepDay, Visit, Window

WHOLE_DAY = (Window(0, 1 << 30),)


@dataclass(frozen=True, slots=True)
class Why:
    """What brought a stop into the plan."""

    value_s: int
    """Its prize, in seconds of driving."""
    detour_s: int
    """Driving that the day would save without it; negative on matrices that break the triangle rule."""
    overdue_days: int
    """Days since the call interval ran out, on the day of the visit."""
    appointment: bool
    mandatory: bool
    origin: str = ""
    """What else asks for it, as a sentence."""
    preferred: bool = False
    """Whether it asked for the usual one by name."""
    usual: bool | None = None
    """Whether the customer knows the rep who comes; None = it knows nobody in particular."""

    def sentence(self) -> str:
        """The same for people."""
        return " ".join(filter(None, (self.origin, self._reason(), self._who())))

    def _who(self) -> str:
        if self.usual is None:
            return ""
        if self.preferred:
            asked = "whom the customer asked for."
            return f"The rep comes {asked}" if self.usual else f"Another rep comes than the one {asked}"
        return "The usual rep comes." if self.usual else "Another rep than the usual one comes."

    def _reason(self) -> str:
        detour = f"{_minutes(self.detour_s)} detour" if self.detour_s >= 30 else "on the way"
        if self.appointment:
            return f"Fixed appointment; {detour}."
        if self.mandatory:
            return f"Must be visited; {detour}."
        days = f"{self.overdue_days} day{'s' if self.overdue_days > 1 else ''}"
        due = f"{days} overdue" if self.overdue_days > 0 else "Due"
        if self.origin:  # else its days would be read as those of the sentence before
            due = f"The visit is {due[0].lower()}{due[1:]}"
        return f"{due}; {detour}. For the plan it weighs as much as {_minutes(self.value_s)} of driving saved."


def why(problem: Problem, route: Route, position: int) -> Why:
    """What brought the stop at `position` into this route."""
    rep_day = problem.rep_day(route.rep_day)
    visits = [problem.visit(s.visit) for s in route.stops]
    places = [rep_day.start, *(v.place for v in visits), rep_day.end]
    before, here, after = places[position : position + 3]
    direct = 0 if len(visits) == 1 else problem.drive(before, after) or 0
    detour = (problem.drive(before, here) or 0) + (problem.drive(here, after) or 0) - direct
    v = visits[position]
    overdue = v.overdue_days + rep_day.day if v.overdue_days > 0 else v.late_days(rep_day.day)
    usual = None if v.usual_rep is None else v.usual_rep == rep_day.rep
    return Why(v.prize, detour, overdue, v.appointment, v.mandatory, v.origin, v.preferred, usual)


def why_not(problem: Problem, draft: Draft) -> tuple[Unplanned, ...]:
    """The visits that are not in the draft, each with its reason."""
    empty = Draft(problem)
    return tuple(
        Unplanned(v.id, (_reason(problem, draft, empty, k),)) for k, v in enumerate(problem.visits) if k not in draft.at
    )


def sentence(problem: Problem, relaxation: Relaxation) -> str:
    """What would let a visit in, for people."""
    visit, rep_day = problem.visit(relaxation.visit), problem.rep_day(relaxation.rep_day)
    parts = [_change(problem, change, visit, rep_day) for change in relaxation.changes]
    text = " and ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _change(problem: Problem, change: Change, visit: Visit, rep_day: RepDay) -> str:
    amount, day = change.amount, rep_day.label
    days = f"{amount} day{'s' if amount != 1 else ''}"
    match change.kind:
        case Kind.INSIST:
            return f"visit it anyway ({day}); it costs {_minutes(amount)} of driving more than it brings"
        case Kind.SHORTER:
            return f"shorten the visit by {_minutes_up(amount)} ({day})"
        case Kind.OVERTIME:
            return f"{_minutes_up(amount)} overtime ({day})"
        case Kind.DRIVING:
            return f"allow {_minutes_up(amount)} more driving ({day})"
        case Kind.STOPS:
            return f"allow {amount} more stop{'s' if amount != 1 else ''} ({day})"
        case Kind.LOAD:
            return f"load {amount} more ({day})"
        case Kind.DAY:
            return f"come {days} outside what the call interval or the promise allows ({day})"
        case Kind.REP:
            return f"let somebody else go ({day})"
        case Kind.INSTEAD:
            other = problem.visit(change.other).label if change.other else "another visit"
            return f"leave out {other} instead ({day}), {_minutes(amount)} of driving less in value"
    return f"{_opened(visit.windows_on(rep_day.day), change.window)} ({day})"


def _opened(windows: Sequence[Window], wider: Window | None) -> str:
    """How the customer would have to open: only the edge that moves is named."""
    if wider is None:
        return "open longer"
    old = [w for w in windows if wider.open_s <= w.open_s and w.close_s <= wider.close_s]
    early = not old or wider.open_s < old[0].open_s
    late = not old or wider.close_s > old[-1].close_s
    if early and late:
        return f"open from {_clock(wider.open_s)} until {_clock(wider.close_s)}"
    return f"open from {_clock(wider.open_s)}" if early else f"open until {_clock(wider.close_s)}"


def _clock(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _minutes_up(seconds: int) -> str:
    return _minutes(-(-seconds // 60) * 60)


def _reason(problem: Problem, draft: Draft, empty: Draft, visit: int) -> Reason:
    if not empty.gaps(visit, cadence=False).fits.any():
        return _impossible(problem, problem.visits[visit])
    gaps = draft.gaps(visit)
    if gaps.fits.any():
        gain = int(gaps.gain[gaps.fits].max())
        detour = int(gaps.detour_s[gaps.fits & (gaps.gain == gain)].min())
        if gain > 0:
            return Reason(ReasonCode.NOT_PLACED, "It would still fit; a longer search may place it.")
        worth = _minutes(problem.weights.prize * problem.visits[visit].prize)
        text = f"It would fit, but {_minutes(detour)} of detour cost more than the {worth} it is worth."
        return Reason(ReasonCode.NOT_WORTH_THE_WAY, text)
    if draft.gaps(visit, cadence=False).fits.any():
        return Reason(
            ReasonCode.CADENCE_GAP, "The only days with room are too close to another visit to this customer."
        )
    return _displaced(problem, draft, visit)


def _displaced(problem: Problem, draft: Draft, visit: int) -> Reason:
    """The days are full: name the stop with which it could trade places at the least loss."""
    swaps = draft.swaps(visit)
    trades = [(int(swaps.gain[k, p]) - draft.worth(int(k), int(p)), int(k), int(p)) for k, p in np.argwhere(swaps.fits)]
    if not trades:
        return Reason(ReasonCode.NO_TIME_LEFT, "Every day on which it could be visited is full.")
    optional = [t for t in trades if not problem.visits[draft.routes[t[1]][t[2]]].mandatory]
    if not optional:
        return Reason(ReasonCode.NO_TIME_LEFT, f"It fits only in place of {_promised(problem, draft, trades)}.")
    gain, k, p = max(optional)
    if gain > 0:
        return Reason(ReasonCode.NOT_PLACED, "It would be worth more than another stop; a longer search may place it.")
    out = problem.visits[draft.routes[k][p]]
    text = f"It fits only in place of another visit; even {out.label} ({problem.rep_days[k].label}) brings more"
    text += f", by {_minutes(-gain)} of driving." if -gain >= 30 else " or as much."
    return Reason(ReasonCode.LOWER_VALUE, text)


def _promised(problem: Problem, draft: Draft, trades: Sequence[tuple[int, int, int]]) -> str:
    """The promises that stand in the way, the cheapest one first."""
    names = [
        f"{problem.visits[draft.routes[k][p]].label} ({problem.rep_days[k].label})" for _, k, p in sorted(trades)[::-1]
    ]
    more = f" or {len(names) - 1} other{'s' if len(names) > 2 else ''}, which" if len(names) > 1 else ", which"
    return f"{names[0]}{more} must take place as well"


def _impossible(problem: Problem, v: Visit) -> Reason:
    """Not even alone in an empty shift; find the first rule that stands in the way everywhere."""
    days: Sequence[RepDay] = [d for d in problem.rep_days if v.allows(d)]
    if not days:
        return Reason(ReasonCode.NO_REP_ALLOWED, "Nobody in this plan may visit it on an allowed day.")
    days = [d for d in days if v.windows_on(d.day)]
    if not days:
        return Reason(ReasonCode.CLOSED, "It is closed on every day on which somebody could come.")
    days = [d for d in days if any(w.close_s - w.open_s >= v.service_s for w in v.windows_on(d.day))]
    if not days:
        return Reason(ReasonCode.WINDOW_TOO_SHORT, f"It is never open for the {_minutes(v.service_s)} a visit takes.")
    drives = {d.id: _return_drive(problem, d, v) for d in days}
    days = [d for d in days if drives[d.id] is not None]
    if not days:
        return Reason(ReasonCode.NOT_REACHABLE, "No road leads there and back.")
    days = [d for d in days if d.max_drive_s is None or (drives[d.id] or 0) <= d.max_drive_s]
    if not days:
        shortest = min(s for s in drives.values() if s is not None)
        return Reason(ReasonCode.DRIVE_LIMIT, f"There and back takes {_minutes(shortest)}, more than a day may drive.")
    days = [d for d in days if (d.capacity is None or v.demand <= d.capacity) and d.max_visits != 0]
    if not days:
        return Reason(ReasonCode.CAPACITY, "It needs more than a shift can carry.")
    anytime = Visit(id=v.id, place=v.place, service_s=v.service_s, windows=WHOLE_DAY)
    if any(not isinstance(schedule(problem, d, [anytime]), Broken) for d in days):
        return Reason(ReasonCode.NO_WINDOW_REACHABLE, "Even with an empty day its opening hours cannot be met.")
    return Reason(ReasonCode.LONGER_THAN_SHIFT, "Drive, visit, break and drive back are longer than the shift.")


def _return_drive(problem: Problem, rep_day: RepDay, v: Visit) -> int | None:
    there, back = problem.drive(rep_day.start, v.place), problem.drive(v.place, rep_day.end)
    return None if there is None or back is None else there + back


def _minutes(seconds: int) -> str:
    minutes = max(0, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes % 60 else f"{minutes // 60} h"
