"""Cheapest insertion: the safety net under every engine, and what mends and rounds off its answers."""

import numpy as np

from routing.draft import Draft
from routing.types import Problem

MOST_TOGETHER = 40
"""Visits that are tried on an empty day, the nearest in value first."""


def greedy(problem: Problem, *, rounds: int = 12) -> Draft:
    """A lawful draft in one pass: the mandatory visits first, then the others by prize per minute of service.

    Mandatory visits that find no place go to the front of the queue and the mandatory part starts again, at
    most `rounds` times; the draft that misses fewest is kept.
    """
    order = sorted((k for k, v in enumerate(problem.visits) if v.mandatory), key=lambda k: _freedom(problem, k))
    best: Draft | None = None
    for _ in range(rounds):
        draft = Draft(problem)
        for visit in order:
            if (gap := draft.best_gap(visit)) is not None:
                draft.insert(visit, gap.rep_day, gap.position)
        missing = draft.missing()
        if best is None or len(missing) < len(best.missing()):
            best = draft
        if not missing:
            break
        order = missing + [v for v in order if v not in set(missing)]
    assert best is not None
    fill(best)
    return best


def fill(draft: Draft, *, only_mandatory: bool = False) -> None:
    """Insert what is left out wherever it fits and pays; mandatory visits may push out optional ones."""
    problem = draft.problem
    for visit in draft.missing():
        gap = draft.best_gap(visit)
        if gap is not None:
            draft.insert(visit, gap.rep_day, gap.position)
        else:
            _push_in(draft, visit)
    if only_mandatory:
        return
    optional = [k for k, v in enumerate(problem.visits) if not v.mandatory and k not in draft.at]
    optional.sort(key=lambda k: -problem.visits[k].prize / (problem.visits[k].service_s + 600))
    for visit in optional:
        gap = draft.best_gap(visit)
        if gap is not None and gap.gain > 0:
            draft.insert(visit, gap.rep_day, gap.position)
    _open_days(draft)


def _open_days(draft: Draft) -> None:
    """Use an empty day when several visits together pay a way that none pays alone."""
    for k, route in enumerate(draft.routes):
        if route:
            continue
        waiting = [v for v, visit in enumerate(draft.problem.visits) if v not in draft.at and not visit.mandatory]
        gains = {v: gap.gain for v in waiting if (gap := draft.best_gap(v, k)) is not None}
        total = 0
        for visit in sorted(gains, key=lambda v: -gains[v])[:MOST_TOGETHER]:
            gap = draft.best_gap(visit, k)
            if gap is not None and (gap.gain > 0 or not route):
                draft.insert(visit, k, gap.position)
                total += gap.gain
        if total <= 0:
            for visit in list(route):
                draft.remove(visit)


def trade(draft: Draft) -> None:
    """Give a stop's place to a visit left out when that is worth more, then fill what became free."""
    visits = draft.problem.visits
    waiting = sorted((k for k in range(len(visits)) if k not in draft.at), key=lambda k: -visits[k].prize)
    for visit in waiting:
        swaps = draft.swaps(visit)
        best: tuple[int, int, int] | None = None
        for k, p in np.argwhere(swaps.fits):
            gain, out = int(swaps.gain[k, p]) - draft.worth(int(k), int(p)), draft.routes[k][p]
            if gain > 0 and (best is None or gain > best[0]) and draft.may_give_way(out, visit):
                best = (gain, int(k), int(p))
        if best is not None:
            draft.replace(best[1], best[2], visit)
    fill(draft)


def mend(draft: Draft) -> None:
    """Make orders that came from outside lawful: drop the least valuable visits of every route that breaks a rule."""
    visits = draft.problem.visits

    def worth(visit: int) -> tuple[bool, int]:
        return visits[visit].mandatory, visits[visit].prize

    broken = True
    while broken:  # taking a visit out can break another rule where roads are missing
        for k, rep_day in enumerate(draft.problem.rep_days):
            for visit in [v for v in draft.routes[k] if not visits[v].allows(rep_day)]:
                draft.remove(visit)
            while not draft.feasible(k):
                cures = [v for v in draft.routes[k] if draft.feasible_without(k, v)]
                draft.remove(min(cures or draft.routes[k], key=worth))
        close = [v for v in draft.at if not draft.keeps_cadence(v, draft.problem.rep_days[draft.at[v]].day)]
        broken = bool(close)
        if broken:
            draft.remove(min(close, key=worth))


def _push_in(draft: Draft, visit: int) -> None:
    """Let a mandatory visit take the place of the optional stop that is worth least."""
    swaps, visits = draft.swaps(visit), draft.problem.visits
    best: tuple[int, int, int] | None = None
    for k, p in np.argwhere(swaps.fits):
        out = visits[draft.routes[k][p]]
        if (best is None or out.prize < best[0]) and draft.may_give_way(draft.routes[k][p], visit):
            best = (out.prize, int(k), int(p))
    if best is not None:
        draft.replace(best[1], best[2], visit)


def _freedom(problem: Problem, visit: int) -> int:
    """How many seconds of start time a visit has over all shifts: the tightest are placed first."""
    v = problem.visits[visit]
    return sum(
        max(0, min(w.close_s, d.close_s) - max(w.open_s, d.open_s) - v.service_s + 1)
        for d in problem.rep_days
        if v.allows(d)
        for w in v.windows_on(d.day)
    )
