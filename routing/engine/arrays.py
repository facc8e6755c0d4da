"""A planning problem as flat arrays: the only shape in which the compiled search sees it.

Rows of whole numbers instead of objects, so that what is read together lies together: everything about one position of
a route is one cache line. The names of the columns stand here as constants; the kernels use nothing else.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.types import UNREACHABLE, InvalidProblem, Problem, RepDay, Visit

Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Floats = NDArray[np.float64]
Hours = Ints | None

NEVER = 1 << 40
"""Later than any time and dearer than any detour."""
NO_ROAD = 1 << 30
"""The drive where there is no way."""
LAST_SECOND = 1 << 29
"""No shift may end later: seventeen years."""

# Columns of `Model.visits`
SERVICE, DEMAND, MANDATORY, EARLIER, LATER, MIN_GAP, MAX_GAP, FIRST_START, LAST_START, VISIT_COLUMNS = range(10)
# Columns of `Model.shifts`
OPEN, CLOSE, LATEST, LATE_COST, REST, REST_FROM, REST_UNTIL = range(7)
MAX_DRIVE, MAX_VISITS, CAPACITY, FIXED, DAY, KIND, SHIFT_COLUMNS = range(7, 14)
# Columns of `Model.traffic`
HOURS, HOUR_S, PACED = range(3)
"""How many hours of traffic follow (0 = as usual), their length, the road behind one at each one's beginning, and its
speed."""
# Entries of `Model.scales`
TRAVEL, FORFEIT, MISSING, SCALES = range(4)
# Columns of `Model.urges`
PRIZE, PRIZE_PER_TIME, FREEDOM, FIRST, LAST, FAR, DURATION, URGES = range(8)

AT_RANDOM = (0, 0, 0)
PRIZED = (
    AT_RANDOM,
    (PRIZE, -1, 0),
    (PRIZE_PER_TIME, -1, 0),
    (PRIZE, -1, 0.5),
    (PRIZE_PER_TIME, -1, 0.5),
    (FREEDOM, 1, 0),
)
"""Insertion orders where visits are worth more or less: column of `urges`, sign, share of noise."""
EQUAL = (
    *4 * (AT_RANDOM,),
    *2 * ((FAR, -1, 0),),
    (FAR, 1, 0),
    *2 * ((FREEDOM, 1, 0),),
    *2 * ((FIRST, 1, 0),),
    *2 * ((LAST, -1, 0),),
    *2 * ((DURATION, -1, 0),),
)
"""Orders where all visits are worth the same."""

NEIGHBOURS = 100
"""How many nearest visits of each visit the search looks at."""


class Model(NamedTuple):
    """What never changes during a search; n visits, m rep-days, nodes = visits and then the anchors."""

    drive: SmallInts
    """Driving seconds (nodes, nodes), row = from."""
    back: SmallInts
    """The same, row = to: what is read for one visit is one row of each."""
    visits: Ints
    """(n, VISIT_COLUMNS)."""
    spans: Ints
    """Row `visit * kinds + kind`: how many spans, then first and last start of each."""
    shifts: Ints
    """(m, SHIFT_COLUMNS)."""
    traffic: Ints | None
    """(m, PACED and two more for every hour); None where no day has any traffic: kernels are compiled for both."""
    options: SmallInts
    """Rep-days that may take visit v stand at `options[firsts[v]:firsts[v + 1]]`."""
    firsts: SmallInts
    worth: Ints
    """What serving the visit on the option's rep-day gains over leaving it out, driving aside."""
    near: SmallInts
    """(n, neighbours): the nearest visits in road and time, nearest first."""
    urges: Floats
    """(n, URGES): what the insertion orders sort by, each between 0 and 1."""
    orders: Floats
    """The insertion orders: column of `urges`, sign (0 = at random), share of noise."""
    scales: Ints
    """(SCALES): cost of a second's driving; cost of serving nobody; worth of a mandatory visit beside its prize."""


class Search(NamedTuple):
    """A model with what people need to read the answer."""

    model: Model
    starts: SmallInts
    """Node of each rep-day's start."""
    ends: SmallInts
    kinds: int
    scale: int
    """Cost units per unit of value."""


def build(problem: Problem) -> Search:
    """The arrays of a problem.

    Raises
    ------
    InvalidProblem
        When a shift ends later than `LAST_SECOND`.
    """
    days, visits = problem.rep_days, problem.visits
    for d in days:
        if d.latest_s >= LAST_SECOND:
            raise InvalidProblem(f"rep_day {d.id}.close_s", f"must be under {LAST_SECOND}, is {d.latest_s}")
    anchors = sorted({d.start for d in days} | {d.end for d in days})
    node = {place: len(visits) + k for k, place in enumerate(anchors)}
    drive = _drives(problem, anchors)
    scale, travel = _scales(problem, drive)
    kinds, kind_of = _kinds(problem)
    shifts = _shifts(problem, kind_of, scale)
    rows = _visits(problem)
    spans = _spans(problem, len(kinds), kind_of)
    _bounds(rows, spans, len(kinds))
    missing = _missing(problem, scale, travel)
    options, firsts, worth = _options(problem, scale, missing)
    forfeit = sum(_forfeit(problem, v, scale) + (missing if v.mandatory else 0) for v in visits)
    near = _near(drive, rows)
    model = Model(
        drive=drive,
        back=np.ascontiguousarray(drive.T),
        visits=rows,
        spans=spans,
        shifts=shifts,
        traffic=_traffic(problem),
        options=options,
        firsts=firsts,
        worth=worth,
        near=near,
        urges=_urges(problem, rows, drive, near),
        orders=np.array(PRIZED if len({v.prize for v in visits}) > 1 else EQUAL, dtype=np.float64),
        scales=np.array([travel, forfeit, missing], dtype=np.int64),
    )
    starts = np.array([node[d.start] for d in days], dtype=np.int32)
    ends = np.array([node[d.end] for d in days], dtype=np.int32)
    return Search(model, starts, ends, len(kinds), scale)


def _drives(problem: Problem, anchors: list[int]) -> SmallInts:
    places = np.array([v.place for v in problem.visits] + anchors, dtype=np.int64)
    drive = problem.seconds[np.ix_(places, places)]
    return np.where((drive == UNREACHABLE) | (drive > LAST_SECOND), NO_ROAD, drive).astype(np.int32)


def _scales(problem: Problem, drive: SmallInts) -> tuple[int, int]:
    """Cost units of (a unit of value, a second's driving).

    Where driving costs nothing the search still needs a slope: then a mean prize is worth twenty mean drives.
    """
    w = problem.weights
    if w.travel:
        return 1, w.travel
    prizes = [v.prize * w.prize for v in problem.visits if v.prize]
    roads = drive[drive < NO_ROAD]
    if not prizes or not roads.size:
        return 1, 1
    mean = sum(prizes) / len(prizes)
    return max(1, round(20 * float(roads.mean()) / mean)), 1


def _kinds(problem: Problem) -> tuple[list[int], dict[int, int]]:
    """Days with windows of their own, and the kind of each day: days that differ for nobody are of one kind."""
    special = sorted({day for v in problem.visits for day in v.windows_by_day} & {d.day for d in problem.rep_days})
    plain = [d.day for d in problem.rep_days if d.day not in special]
    kinds = special + plain[:1]
    kind_of = {d.day: kinds.index(d.day) if d.day in special else len(special) for d in problem.rep_days}
    return kinds, kind_of


def _shifts(problem: Problem, kind_of: dict[int, int], scale: int) -> Ints:
    def row(d: RepDay) -> list[int]:
        rest = d.rest
        limits = [NEVER if x is None else x for x in (d.max_drive_s, d.max_visits, d.capacity)]
        breaks = [rest.duration_s, rest.earliest_s, rest.latest_s] if rest else [0, 0, 0]
        fixed = scale * problem.weights.fixed * d.fixed_cost
        late = scale * d.overtime_cost if d.overtime_s else 0
        return [d.open_s, d.close_s, d.latest_s, late, *breaks, *limits, fixed, d.day, kind_of[d.day]]

    return np.array([row(d) for d in problem.rep_days], dtype=np.int64).reshape(-1, SHIFT_COLUMNS)


def _traffic(problem: Problem) -> Ints | None:
    paces = [d.pace for d in problem.rep_days]
    if not any(paces):
        return None
    rows = [[len(p.speeds), p.step_s, *p.roads, *p.speeds] if p else [] for p in paces]
    traffic = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for k, numbers in enumerate(rows):
        traffic[k, : len(numbers)] = numbers
    return traffic


def _visits(problem: Problem) -> Ints:
    rows = np.zeros((len(problem.visits), VISIT_COLUMNS), dtype=np.int64)
    for k, v in enumerate(problem.visits):
        rows[k, :6] = v.service_s, v.demand, v.mandatory, -1, -1, 0
    for spacing in problem.spacings:
        chain = [problem.visit_index[i] for i in spacing.visits]
        rows[chain, EARLIER] = [-1, *chain[:-1]]
        rows[chain, LATER] = [*chain[1:], -1]
        rows[chain, MIN_GAP] = spacing.min_gap_days
        rows[chain, MAX_GAP] = NEVER if spacing.max_gap_days is None else spacing.max_gap_days
    return rows


def _spans(problem: Problem, kinds: int, kind_of: dict[int, int]) -> Ints:
    """First and last starts of every visit by kind of day."""
    horizon = max((d.latest_s for d in problem.rep_days), default=0)
    days = {kind_of[day]: day for day in kind_of}

    def starts(v: Visit, day: int) -> list[int]:
        flat: list[int] = []
        for w in v.windows_on(day):
            last = min(w.close_s, horizon) - v.service_s
            if last >= w.open_s:
                flat += (w.open_s, last)
        return flat

    cells: list[list[int]] = []
    for v in problem.visits:
        plain = starts(v, days[kinds - 1]) if kinds else []
        for kind in range(kinds):
            cells.append(starts(v, days[kind]) if v.windows_by_day else plain)
    spans = np.zeros((len(cells), 1 + max((len(c) for c in cells), default=0)), dtype=np.int64)
    for k, cell in enumerate(cells):
        spans[k, 0] = len(cell) // 2
        spans[k, 1 : 1 + len(cell)] = cell
    return spans


def _bounds(rows: Ints, spans: Ints, kinds: int) -> None:
    """First and last start of each visit on any day, for its neighbourhood."""
    if not kinds or not len(rows) or spans.shape[1] < 3:
        return
    counts = spans[:, 0].reshape(len(rows), kinds)
    first = np.where(counts > 0, spans[:, 1].reshape(counts.shape), NEVER).min(axis=1)
    last_column = np.maximum(2 * spans[:, 0], 1)
    last = spans[np.arange(len(spans)), last_column].reshape(counts.shape)
    rows[:, FIRST_START] = np.where(first == NEVER, 0, first)
    rows[:, LAST_START] = np.where(counts > 0, last, 0).max(axis=1)


def _forfeit(problem: Problem, v: Visit, scale: int) -> int:
    """What leaving the visit out costs."""
    return scale * (problem.weights.prize * v.prize + v.moved(None))


def _missing(problem: Problem, scale: int, travel: int) -> int:
    """What a missing mandatory visit costs: more than everything else together."""
    prizes = sum(_forfeit(problem, v, scale) + scale * v.other_rep_cost for v in problem.visits)
    late = scale * problem.weights.late * max((v.late_cost for v in problem.visits), default=0)
    span = max((d.day for d in problem.rep_days), default=0) - min((d.day for d in problem.rep_days), default=0)
    days = sum(
        travel * (d.latest_s - d.open_s)
        + scale * (problem.weights.fixed * d.fixed_cost + d.overtime_cost * d.overtime_s)
        for d in problem.rep_days
    )
    return 1 + prizes + days + late * (span + 1) * len(problem.visits)


def _options(problem: Problem, scale: int, missing: int) -> tuple[SmallInts, SmallInts, Ints]:
    """Which rep-days may take which visit, and at what worth."""
    days = problem.rep_days
    day_of = np.array([d.day for d in days], dtype=np.int64)
    rep_of = np.array([d.rep for d in days], dtype=object)
    everyone = np.arange(len(days), dtype=np.int32)
    late_weight = scale * problem.weights.late
    options: list[NDArray[np.int32]] = []
    worths: list[Ints] = []
    for v in problem.visits:
        may = everyone
        if v.days is not None:
            may = may[np.isin(day_of[may], list(v.days))]
        if v.reps is not None:
            may = may[np.isin(rep_of[may], list(v.reps))]
        worth = np.full(len(may), _forfeit(problem, v, scale) + (missing if v.mandatory else 0), dtype=np.int64)
        if v.due_day is not None and v.late_cost:
            worth -= late_weight * v.late_cost * np.maximum(0, day_of[may] - v.due_day)
        if v.keep is not None and v.change_cost:
            worth -= scale * v.change_cost * (may != problem.rep_day_index.get(v.keep, -1))
        if v.usual_rep is not None and v.other_rep_cost:
            worth -= scale * v.other_rep_cost * (rep_of[may] != v.usual_rep)
        options.append(may)
        worths.append(worth)
    firsts = np.zeros(len(options) + 1, dtype=np.int32)
    firsts[1:] = np.cumsum([len(o) for o in options])
    if not options:
        return np.zeros(0, dtype=np.int32), firsts, np.zeros(0, dtype=np.int64)
    return np.concatenate(options).astype(np.int32), firsts, np.concatenate(worths)


def _near(drive: SmallInts, rows: Ints) -> SmallInts:
    """The nearest visits in road and time.

    After Vidal and others (2013): the drive, plus a share of the waiting and a multiple of the lateness that following
    one visit by the other cannot avoid; the better of the two directions counts.
    """
    n = len(rows)
    if n < 2:
        return np.zeros((n, 0), dtype=np.int32)
    count = min(n - 1, NEIGHBOURS)
    leave_first = (rows[:, FIRST_START] + rows[:, SERVICE]).astype(np.float32)[:, None]
    leave_last = (rows[:, LAST_START] + rows[:, SERVICE]).astype(np.float32)[:, None]
    first, last = rows[:, FIRST_START].astype(np.float32), rows[:, LAST_START].astype(np.float32)
    there = drive[:n, :n].astype(np.float32)
    follow = there + 0.2 * np.maximum(0, first - there - leave_last) + np.maximum(0, leave_first + there - last)
    distance = np.minimum(follow, follow.T)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(distance, nearest, axis=1), axis=1, kind="stable")
    return np.ascontiguousarray(np.take_along_axis(nearest, order, axis=1).astype(np.int32))


def _urges(problem: Problem, rows: Ints, drive: SmallInts, near: SmallInts) -> Floats:
    """What the insertion orders sort by."""
    n = len(rows)
    urges = np.zeros((n, URGES), dtype=np.float64)
    closest = near[:, :5]
    on_the_way = np.minimum(drive[np.arange(n)[:, None], closest], LAST_SECOND).mean(axis=1) if closest.size else 0.0
    urges[:, PRIZE] = [v.prize for v in problem.visits]
    urges[:, PRIZE_PER_TIME] = urges[:, PRIZE] / (rows[:, SERVICE] + on_the_way + 1.0)
    urges[:, FREEDOM] = rows[:, LAST_START] - rows[:, FIRST_START]
    urges[:, FIRST], urges[:, LAST] = rows[:, FIRST_START], rows[:, LAST_START]
    urges[:, FAR] = np.minimum(drive[n:, :n], LAST_SECOND).mean(axis=0) if len(drive) > n else 0.0
    urges[:, DURATION] = rows[:, SERVICE]
    return urges / np.maximum(1.0, urges.max(axis=0, initial=0.0))
