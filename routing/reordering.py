"""One day put into a better order: what a new visit costs when the others may move for it.

A day has a dozen stops, so moving every run of up to three stops to every other place, and turning round every run,
is looked at in full again and again until nothing gains any more. That takes milliseconds in plain Python: a page of
times to offer needs no compiled engine in its process.
"""

import itertools
from collections.abc import Iterator, Sequence

from routing.types import RepDay, Visit, Window

STARTS = 8
"""Gaps from which a search begins: from one of so many the best order is nearly always found."""
LONGEST_RUN = 3
"""Stops that move together."""

type Order = tuple[int, ...]
type _Move = tuple[int, int, int, int]
"""First stop and length of a run, stops that it is put behind, and 1 or -1 for its way round."""
type _Rank = tuple[int, int]
"""Seconds by which windows are missed, and driving seconds; the first must be 0."""


class Day:
    """The stops of one day, to be put into order.

    Parameters
    ----------
    rep_day : RepDay
    visits : sequence of Visit
    seconds : square table of int
        Drives between the start (row 0), the visits (1, 2, ...) and the end (last row).
    """

    def __init__(self, rep_day: RepDay, visits: Sequence[Visit], seconds: Sequence[Sequence[int]]) -> None:
        self.rep_day, self.seconds, self.end = rep_day, seconds, len(visits) + 1
        self._windows: list[Sequence[Window]] = [(), *(v.windows_on(rep_day.day) for v in visits)]
        self._service = [0, *(v.service_s for v in visits)]

    def driving_s(self, order: Order) -> int:
        """Driving of the day in this order; visits are numbered from 1."""
        nodes = (0, *order, self.end)
        return sum(self.seconds[a][b] for a, b in itertools.pairwise(nodes)) if order else 0

    def late_s(self, order: Order) -> int:
        """Seconds by which windows, break and shift end are missed; 0 when the order can be kept."""
        owed, taken = ((0, self.rep_day.open_s), None) if self.rep_day.rest else (None, (0, self.rep_day.open_s))
        at = 0
        for node in order:
            drive, at = self.seconds[at][node], node
            rested = owed and self._rested(owed, drive)
            driven = taken and (taken[0], self.rep_day.arrive(taken[1], drive))
            ready = min((one for one in (rested, driven) if one), default=None)
            taken = ready and self._served(ready, node)
            owed = owed and self._served((owed[0], self.rep_day.arrive(owed[1], drive)), node)
        drive = self.seconds[at][self.end]
        rested = owed and self._rested(owed, drive)
        driven = taken and (taken[0], self.rep_day.arrive(taken[1], drive))
        return min(late + max(0, back - self.rep_day.latest_s) for late, back in (x for x in (rested, driven) if x))

    def best(self, starts: Sequence[Order]) -> Order | None:
        """The order of least driving that was found from any of the starts; None when none can be kept."""
        found: dict[Order, _Rank] = {}
        for start in starts:
            order, rank = self._descend(start)
            found[order] = rank
        order = min(found, key=lambda one: (found[one], one))
        return None if found[order][0] else order

    def starts(self, order: Order, new: int) -> list[Order]:
        """The order with a new visit put into its gaps, those of the least detours first."""
        places = [(*order[:k], new, *order[k:]) for k in range(len(order) + 1)]
        return sorted(places, key=self.driving_s)[:STARTS]

    def _rank(self, order: Order) -> _Rank:
        return self.late_s(order), self.driving_s(order)

    def _descend(self, order: Order) -> tuple[Order, _Rank]:
        rank, is_better = self._rank(order), True
        while is_better:
            is_better = False
            for gain, move in self._moves(order):
                if rank[0] == 0 and gain <= 0:
                    continue
                other = moved(order, *move)
                if (found := (self.late_s(other), rank[1] - gain)) < rank:
                    order, rank, is_better = other, found, True
                    break
        return order, rank

    def _moves(self, order: Order) -> Iterator[tuple[int, _Move]]:
        """Every run of up to three stops at every other place, either way round; and every longer run turned round.

        With the driving that each saves.
        """
        seconds, n = self.seconds, len(order)
        for length in range(1, n + 1):
            for first in range(n - length + 1):
                run, rest = order[first : first + length], (0, *order[:first], *order[first + length :], self.end)
                head, tail = run[0], run[-1]
                before, after = rest[first], rest[first + 1]
                there = sum(seconds[a][b] for a, b in itertools.pairwise(run))
                back = sum(seconds[b][a] for a, b in itertools.pairwise(run)) if length > 1 else there
                saved = seconds[before][head] + seconds[tail][after] - seconds[before][after] + there
                for place in range(len(rest) - 1) if length <= LONGEST_RUN else (first,):
                    a, b = rest[place], rest[place + 1]
                    if place != first:
                        added = there - seconds[a][b] + seconds[a][head] + seconds[tail][b]
                        yield saved - added, (first, length, place, 1)
                    if length > 1:
                        added = back - seconds[a][b] + seconds[a][tail] + seconds[head][b]
                        yield saved - added, (first, length, place, -1)

    def _rested(self, label: _Rank, drive: int) -> _Rank:
        rest = self.rep_day.rest
        assert rest is not None
        begin = max(label[1], rest.earliest_s)
        late = max(0, begin - rest.latest_s)
        return label[0] + late, self.rep_day.rested(label[1], drive, begin, rest.duration_s)

    def _served(self, label: _Rank, node: int) -> _Rank:
        late, ready = label
        end = ready
        for window in self._windows[node]:
            end = max(ready, window.open_s) + self._service[node]
            if end <= window.close_s:
                return late, end
        close_s = self._windows[node][-1].close_s if self._windows[node] else 0
        return late + end - close_s, close_s


def moved(order: Order, first: int, length: int, place: int, way: int) -> Order:
    """The order with a run taken out and put back behind so many of the others, turned round when the way is -1."""
    run, rest = order[first : first + length], order[:first] + order[first + length :]
    return rest[:place] + run[::way] + rest[place:]
