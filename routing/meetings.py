"""Appointments to which several reps come, around any engine.

Engines know one rep's day at a time. So the common moment is chosen here, given the rest of the plan; each part is
pinned to it with its rep, and the engine plans on. Pinned parts are mandatory, closed ones cannot be served: a meeting
takes place with everybody or not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from routing.draft import Draft
from routing.insertion import fill, mend
from routing.types import Meeting, Problem, Visit, Window

GRID_S = 900
"""Moments are tried at least this close to each other inside the opening hours."""
MOST_MOMENTS = 150
"""Moments that are tried for one meeting."""
ROUNDS = 3
"""Times the engine plans: with the first moments, then twice with moments chosen anew in its own plan."""

Moments = dict[Meeting, tuple[int, tuple[int, ...]]]
"""Start and the rep-day of each part, of the meetings that take place."""

Improve = Callable[[Draft, float], Draft]
"""Plans on from a draft with this share of the budget; the answer is a draft of the same problem."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """When a meeting takes place and who comes."""

    start_s: int
    rep_days: tuple[int, ...]
    """Rep-day index for each part."""
    gain: int


def plan(open_problem: Problem, begun: Draft | None, improve: Improve) -> Draft:
    """Plan with meetings; the answer is a draft of the problem in which those that take place are pinned."""
    if begun is None:
        starts = [_appointed(open_problem, {}), _appointed(open_problem, _promises(open_problem))]
    else:
        starts = [_appointed(open_problem, _orders(begun))]
    best = whole(open_problem, improve(max(starts, key=Draft.rank), 1 / ROUNDS))
    for _ in range(ROUNDS - 1):
        again = _appointed(open_problem, _orders(best), _standing(open_problem, best))
        best = max(best, whole(open_problem, improve(again, 1 / ROUNDS)), key=Draft.rank)
    return best


def pinned(problem: Problem, moments: Moments) -> Problem:
    """The problem in which these meetings stand at (start, rep-day of each part), and the others are closed."""
    visits = list(problem.visits)
    for meeting in problem.meetings:
        parts = [problem.visit_index[i] for i in meeting.visits]
        if meeting not in moments:
            for part in parts:
                visits[part] = replace(visits[part], windows=(), windows_by_day={})
            continue
        start_s, rep_days = moments[meeting]
        for part, k in zip(parts, rep_days, strict=True):
            visits[part] = _pin(visits[part], start_s, problem, k)
    return replace(problem, visits=tuple(visits))


def whole(problem: Problem, draft: Draft) -> Draft:
    """The draft without the meetings to which somebody does not come and without those that do not pay."""
    for meeting in problem.meetings:
        parts = [problem.visit_index[i] for i in meeting.visits]
        broken = not all(part in draft.at for part in parts)
        if broken and not any(draft.problem.visits[part].windows for part in parts):
            continue  # closed already
        if broken or not any(problem.visits[part].mandatory for part in parts):
            without = _without(problem, draft, meeting)
            draft = without if broken else max(draft, without, key=Draft.rank)
    return draft


def _without(problem: Problem, draft: Draft, meeting: Meeting) -> Draft:
    parts = {problem.visit_index[i] for i in meeting.visits}
    routes = {k: [v for v in route if v not in parts] for k, route in enumerate(draft.routes)}
    without = Draft(pinned(problem, _standing(problem, draft, leave_out=meeting)), routes)
    mend(without)
    fill(without)
    return without


def _standing(problem: Problem, draft: Draft, *, leave_out: Meeting | None = None) -> Moments:
    """The meetings of a draft whose parts are pinned, with moment and rep-days."""
    standing = {}
    for meeting in problem.meetings:
        parts = [problem.visit_index[i] for i in meeting.visits]
        if meeting != leave_out and all(part in draft.at for part in parts):
            start_s = draft.problem.visits[parts[0]].windows[0].open_s
            standing[meeting] = (start_s, tuple(draft.at[part] for part in parts))
    return standing


def _promises(problem: Problem) -> dict[int, list[int]]:
    """Routes of nothing but the mandatory visits, meetings aside."""
    draft = Draft(pinned(problem, {}))
    fill(draft, only_mandatory=True)
    return _orders(draft)


def _appointed(problem: Problem, routes: Mapping[int, list[int]], known: Moments | None = None) -> Draft:
    """Choose the moment of every meeting anew, the hardest first, given the other visits of these routes; fill up."""
    moments: Moments = {}
    together = {problem.visit_index[i] for m in problem.meetings for i in m.visits}
    rest = {k: [v for v in route if v not in together] for k, route in routes.items()}
    draft = Draft(problem, rest)
    mend(draft)
    for meeting in sorted(problem.meetings, key=lambda m: _ease(problem, m)):
        parts = [problem.visit_index[i] for i in meeting.visits]
        moment = _best_moment(draft, parts, known[meeting][0] if known and meeting in known else None)
        if moment is None or (moment.gain <= 0 and not any(problem.visits[p].mandatory for p in parts)):
            continue
        grown = Draft(pinned(problem, {**moments, meeting: (moment.start_s, moment.rep_days)}), _orders(draft))
        if all(_insert(grown, part) for part in parts):
            moments[meeting] = (moment.start_s, moment.rep_days)
            draft = Draft(_open(problem, moments), _orders(grown))
    planned = Draft(pinned(problem, moments), _orders(draft))
    fill(planned)
    return planned


def _open(problem: Problem, moments: Moments) -> Problem:
    """The problem with these meetings pinned and the others as they were."""
    chosen = pinned(replace(problem, meetings=tuple(moments)), moments)
    return replace(chosen, meetings=problem.meetings)


def _orders(draft: Draft) -> dict[int, list[int]]:
    return dict(enumerate(draft.routes))


def _insert(draft: Draft, visit: int) -> bool:
    gap = draft.best_gap(visit)
    if gap is not None:
        draft.insert(visit, gap.rep_day, gap.position)
    return gap is not None


def _pin(visit: Visit, start_s: int, problem: Problem, rep_day: int) -> Visit:
    day = problem.rep_days[rep_day]
    return replace(
        visit,
        windows=(Window(start_s, start_s + visit.service_s),),
        windows_by_day={},
        days=frozenset({day.day}),
        reps=frozenset({day.rep}),
        mandatory=True,
    )


def _ease(problem: Problem, meeting: Meeting) -> tuple[bool, int]:
    """Promised ones first, then those with the fewest open seconds."""
    visits = [problem.visit(i) for i in meeting.visits]
    open_s = sum(
        w.close_s - w.open_s for v in visits for d in problem.rep_days if v.allows(d) for w in v.windows_on(d.day)
    )
    return not any(v.mandatory for v in visits), open_s


def _best_moment(draft: Draft, parts: list[int], known_s: int | None) -> _Moment | None:
    """The moment and the reps that cost the rest of the plan least; `known_s` is tried in any case."""
    problem, best = draft.problem, None
    visits = [problem.visits[part] for part in parts]
    for start_s in dict.fromkeys([*(() if known_s is None else (known_s,)), *_moments(draft, parts)]):
        gains = []
        for part, visit in zip(parts, visits, strict=True):
            gaps = draft.gaps(part, start_s=start_s)
            may = np.array([_open_at(visit, d.day, start_s) for d in problem.rep_days], dtype=bool)
            fits = gaps.fits & may[:, None]
            gains.append({int(k): int(gaps.gain[k][fits[k]].max()) for k in np.flatnonzero(fits.any(axis=1))})
        for day in sorted({problem.rep_days[k].day for k in gains[0]}):
            chosen = _assign(
                problem, [{k: g for k, g in row.items() if problem.rep_days[k].day == day} for row in gains]
            )
            if chosen is not None and (best is None or chosen[0] > best.gain):
                best = _Moment(start_s, chosen[1], chosen[0])
    return best


def _open_at(visit: Visit, day: int, start_s: int) -> bool:
    return any(w.open_s <= start_s and start_s + visit.service_s <= w.close_s for w in visit.windows_on(day))


def _moments(draft: Draft, parts: list[int]) -> list[int]:
    """Moments worth trying, earliest first: edges of opening hours, of the gaps in the plan, and a grid."""
    visits, days = [draft.problem.visits[p] for p in parts], {d.day for d in draft.problem.rep_days}
    found: set[int] = set()
    for part in parts:
        found.update(int(m) for m in draft.moments(part))
    for visit in visits:
        for window in {w for day in days for w in visit.windows_on(day)}:
            found.update((window.open_s, window.close_s - visit.service_s))
            found.update(range(window.open_s, window.close_s - visit.service_s + 1, GRID_S))
    possible = sorted(m for m in found if m >= 0 and any(all(_open_at(v, day, m) for v in visits) for day in days))
    step = -(-len(possible) // MOST_MOMENTS) or 1
    return possible[::step]


def _assign(problem: Problem, gains: list[dict[int, int]]) -> tuple[int, tuple[int, ...]] | None:
    """The rep-day for each part, by different reps, of greatest total gain; None when somebody has none."""
    if not gains:
        return 0, ()
    best: tuple[int, tuple[int, ...]] | None = None
    for k, gain in sorted(gains[0].items(), key=lambda item: -item[1])[: len(gains) + 2]:
        rep = problem.rep_days[k].rep
        rest = _assign(problem, [_others(problem, row, rep) for row in gains[1:]])
        if rest is not None and (best is None or gain + rest[0] > best[0]):
            best = gain + rest[0], (k, *rest[1])
    return best


def _others(problem: Problem, row: Mapping[int, int], rep: str) -> dict[int, int]:
    return {k: gain for k, gain in row.items() if problem.rep_days[k].rep != rep}
