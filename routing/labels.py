"""Labels of one route: how early one is done behind every stop, how late one may stand ready at it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routing.types import RepDay, Visit

Ints = NDArray[np.int64]
NEVER = 1 << 40
"""Later than any time; also the drive where no road leads."""


def finish(ready: Ints, opens: Ints, closes: Ints, service_s: int) -> Ints:
    """Earliest end of the service when ready at `ready`; NEVER when no window can be met."""
    best = np.full(ready.shape, NEVER, dtype=np.int64)
    for open_s, close_s in zip(opens, closes, strict=True):
        end = np.maximum(ready, open_s) + service_s
        best = np.minimum(best, np.where(end <= close_s, end, NEVER))
    return best


def forward(rep_day: RepDay, visits: Sequence[Visit], drives: Sequence[int]) -> tuple[list[int], list[int]]:
    """Earliest finish at the start anchor and behind every visit, break owed / taken."""
    rest = rep_day.rest
    owed, taken = ([rep_day.open_s], [NEVER]) if rest else ([NEVER], [rep_day.open_s])
    for visit, drive in zip(visits, drives, strict=False):
        ready = rep_day.arrive(taken[-1], drive)
        if rest and (begin := max(owed[-1], rest.earliest_s)) <= rest.latest_s:
            ready = min(ready, rep_day.rested(owed[-1], drive, begin, rest.duration_s))
        still_owed = rep_day.arrive(owed[-1], drive)
        windows = visit.windows_on(rep_day.day)
        for labels, moment in ((taken, ready), (owed, still_owed)):
            ends = (max(moment, w.open_s) + visit.service_s for w in windows)
            labels.append(min((e for e, w in zip(ends, windows, strict=True) if e <= w.close_s), default=NEVER))
    return owed, taken


def backward(
    rep_day: RepDay, visits: Sequence[Visit], drives: Sequence[int], home_s: int
) -> tuple[list[int], list[int]]:
    """Latest start at every visit and at the end anchor from which one is home by `home_s`, break owed / taken."""
    rest = rep_day.rest
    owed, taken = [-NEVER], [home_s]
    for visit, drive in zip(reversed(visits), reversed(drives), strict=False):
        leave_taken, leave_owed = rep_day.leave(taken[-1], drive), rep_day.leave(owed[-1], drive)
        if rest and rest.earliest_s + rest.duration_s <= taken[-1]:
            leave_owed = max(leave_owed, rep_day.leave_rested(taken[-1], drive, rest))
        windows = visit.windows_on(rep_day.day)
        for labels, leave in ((taken, leave_taken), (owed, leave_owed)):
            starts = (min(leave, w.close_s) - visit.service_s for w in windows)
            labels.append(max((s for s, w in zip(starts, windows, strict=True) if s >= w.open_s), default=-NEVER))
    return owed[::-1], taken[::-1]
