"""The rest of a day planned anew without a network: plain Python, pure, the same answer for the same seed.

Times are whole seconds of the day. The search takes some stops out and puts them back at their cheapest places, again
and again, and keeps what costs less: driving, plus the worth of what is left out. While it is hot it at times keeps
what is dearer, and so leaves a good order for a better one. It begins many times, from the known order and from random
ones, since a short day often has two good orders with no way between them, and ends with the best of them.
"""

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

STEPS = 9_500
LIMIT_MS = 4_000
NEVER, NO_LIMIT = -(10**9), 10**9
PROMISE = 10**7
MOST_OUT = 10
HOT_S, WARM_S, COLD_S = 6_000.0, 500.0, 10.0
"""How much dearer a step may be, in the mean: at a beginning, where the best is taken up again, at the end of both."""
BEGINNING = 400
"""Steps from a beginning until it is cold."""
LAST = 0.85
"""The share of the search after which the best is taken up again."""
PASSED_OVER, SCATTERED = 0.1, 0.5
"""How often a good place is passed over, so that the search does not walk in circles; the same where it begins."""

type Order = tuple[int, ...]
type Early = tuple[int | None, int | None]
"""Earliest moments: with the break still owed, with the break taken."""
type Late = tuple[int, int]
"""Latest moments, likewise."""
type Windows = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Call:
    """A visit that still lies ahead."""

    id: str
    place: int
    """Row and column of the drive times."""
    service_s: int
    windows: Windows
    """Spans in which it must begin and end, earliest first."""
    worth_s: int
    """What leaving it out costs, in seconds of driving."""
    promised: bool = False
    """Never left out while there is any way to keep it."""


@dataclass(frozen=True)
class Rest:
    """The break that is still owed."""

    duration_s: int
    earliest_s: int
    latest_s: int


@dataclass(frozen=True)
class Ahead:
    """What is left of a day."""

    start: int
    end: int
    open_s: int
    close_s: int
    calls: tuple[Call, ...]
    seconds: Sequence[Sequence[int]]
    rest: Rest | None = None


@dataclass(frozen=True)
class Timed:
    """A call in its place: arrival, begin and end of the service, and the drive there."""

    id: str
    drive_s: int
    arrives_s: int
    starts_s: int
    ends_s: int


@dataclass(frozen=True)
class Answer:
    """The rest of the day as it can be driven."""

    stops: tuple[Timed, ...]
    left_out: tuple[str, ...]
    drive_s: int
    returns_s: int
    cost: int
    """Driving plus the worth of what is left out."""
    rests_s: tuple[int, ...] = ()
    """When the break begins and ends; empty where none is owed."""


class Route:
    """An order with the earliest and latest times of each place, with the break owed and with the break taken."""

    def __init__(self, day: Ahead, order: Order) -> None:
        self.day, self.order = day, order
        calls = [day.calls[i] for i in order]
        self.nodes = [day.start, *(c.place for c in calls), day.end]
        owes = day.rest is not None and bool(order)
        self.early: list[Early] = [(day.open_s, None) if owes else (None, day.open_s)]
        for at, call in enumerate(calls):
            drive = day.seconds[self.nodes[at]][call.place]
            self.early.append(_served(day.rest, call, _ready(day.rest, self.early[-1], drive)))
        late: Late = (NEVER, day.close_s)
        self.late = [late]
        """Leave the start, be ready at the first, leave it, be ready at the second, and so on."""
        for at in range(len(calls), -1, -1):
            late = _leave(day.rest, late, day.seconds[self.nodes[at]][self.nodes[at + 1]])
            self.late.append(late)
            if at:
                late = (_latest_start(calls[at - 1], late[0]), _latest_start(calls[at - 1], late[1]))
                self.late.append(late)
        self.late.reverse()

    @property
    def lawful(self) -> bool:
        """Whether the day can be driven like this."""
        return _fits(self.early[0], self.late[0])

    def added(self, index: int, at: int) -> int | None:
        """Seconds of driving that a call costs between two places; None when it does not fit."""
        day, call, before, after = self.day, self.day.calls[index], self.nodes[at], self.nodes[at + 1]
        there, on = day.seconds[before][call.place], day.seconds[call.place][after]
        early: Early = self.early[at] if self.order or day.rest is None else (day.open_s, None)
        done = _served(day.rest, call, _ready(day.rest, early, there))
        if done == (None, None) or not _fits(done, _leave(day.rest, self.late[2 * at + 1], on)):
            return None
        return there + on - day.seconds[before][after]

    def cheapest(self, index: int, below: int, passed_over: Callable[[], bool]) -> int | None:
        """The place where a call costs least driving, less than `below`; None when there is none where it fits."""
        seconds, nodes, call, found = self.day.seconds, self.nodes, self.day.calls[index], None
        onward = seconds[call.place]
        for at in range(len(nodes) - 1):
            way = seconds[nodes[at]]
            through = way[call.place] + onward[nodes[at + 1]]
            extra = through - way[nodes[at + 1]]
            if extra >= below or self._is_too_long(at, through + call.service_s) or passed_over():
                continue
            if self.added(index, at) is not None:
                below, found = extra, at
        return found

    def _is_too_long(self, at: int, seconds: int) -> bool:
        """Whether so much between two places is too long even without windows and break."""
        owed, taken = self.early[at]
        soonest = owed if taken is None else taken if owed is None or taken < owed else owed
        late = self.late[2 * at + 1]
        return soonest is not None and soonest + seconds > max(late)

    def put(self, index: int, at: int) -> None:
        """Take a call in where it fits: only what comes earliest after it and latest before it changes."""
        day, call = self.day, self.day.calls[index]
        order = (*self.order[:at], index, *self.order[at:])
        nodes, early, late, rest = self.nodes, self.early, self.late, day.rest
        if not self.order and rest is not None:
            early[0] = (day.open_s, None)  # from now on a break is owed
        self.order = order
        nodes.insert(at + 1, call.place)
        early.insert(at + 1, (None, None))
        for k in range(at, len(order)):
            done = _served(rest, day.calls[order[k]], _ready(rest, early[k], day.seconds[nodes[k]][nodes[k + 1]]))
            if k > at and done == early[k + 1]:
                break
            early[k + 1] = done
        late[2 * at + 1 : 2 * at + 1] = [(0, 0), (0, 0)]
        for k in range(at + 1, -1, -1):
            leave = _leave(rest, late[2 * k + 1], day.seconds[nodes[k]][nodes[k + 1]])
            if k <= at and leave == late[2 * k]:
                break
            late[2 * k] = leave
            if k:
                one = day.calls[order[k - 1]]
                late[2 * k - 1] = (_latest_start(one, leave[0]), _latest_start(one, leave[1]))


def _ready(rest: Rest | None, left: Early, drive: int) -> Early:
    """When one can be there, with the break still owed and with the break taken on the way if need be."""
    owed, taken = left
    there = None if owed is None else owed + drive
    then = None if taken is None else taken + drive
    if rest is not None and owed is not None and owed <= rest.latest_s:
        rested = max(owed + drive, rest.earliest_s) + rest.duration_s
        then = rested if then is None or rested < then else then
    return there, then


def _served(rest: Rest | None, call: Call, ready: Early) -> Early:
    """When the service is over, in both states."""
    return _end(call, ready[0]), _end(call, ready[1])


def _end(call: Call, ready: int | None) -> int | None:
    if ready is None:
        return None
    for opens, closes in call.windows:
        start = opens if opens > ready else ready
        if start + call.service_s <= closes:
            return start + call.service_s
    return None


def _latest_start(call: Call, end: int) -> int:
    """The latest arrival with which the service ends by `end`."""
    for opens, closes in reversed(call.windows):
        start = min(closes, end) - call.service_s
        if start >= opens:
            return start
    return NEVER


def _leave(rest: Rest | None, ready: Late, drive: int) -> Late:
    """The latest departures from which one is ready in time, in both states."""
    owed, taken = ready[0] - drive, ready[1] - drive
    if rest is not None and ready[1] - rest.duration_s >= rest.earliest_s:
        owed = max(owed, min(taken - rest.duration_s, rest.latest_s))
    return owed, taken


def _fits(early: Early, late: Late) -> bool:
    return (early[0] is not None and early[0] <= late[0]) or (early[1] is not None and early[1] <= late[1])


def driven(day: Ahead, order: Order) -> int:
    """Seconds of driving of an order; without any calls that is the way home."""
    nodes = [day.start, *(day.calls[i].place for i in order), day.end]
    return sum(day.seconds[a][b] for a, b in itertools.pairwise(nodes))


def _price(call: Call) -> int:
    return call.worth_s + (PROMISE if call.promised else 0)


def cost(day: Ahead, order: Order) -> int:
    """What the search makes small: driving plus what is left out."""
    inside = set(order)
    return driven(day, order) + sum(_price(c) for i, c in enumerate(day.calls) if i not in inside)


def _filled(day: Ahead, order: Order, waiting: list[int], passed_over: Callable[[], bool]) -> Order:
    """The order with every waiting call at its cheapest place, as far as they fit and are worth the way."""
    route = Route(day, order)
    for index in waiting:
        place = route.cheapest(index, _price(day.calls[index]), passed_over)
        if place is not None:
            route.put(index, place)
    return route.order


def _thinned(day: Ahead, order: Order, dice: random.Random) -> Order:
    """The order without a few calls: neighbours on the way, or neighbours on the map."""
    many = dice.randint(1, min(MOST_OUT, len(order)))
    at = dice.randrange(len(order))
    if dice.random() < 0.5:
        first = max(0, min(at, len(order) - many))
        return (*order[:first], *order[first + many :])
    middle = day.seconds[day.calls[order[at]].place]
    near = sorted(order, key=lambda i: middle[day.calls[i].place] * (0.6 + 0.8 * dice.random()))
    out = set(near[:many])
    return tuple(i for i in order if i not in out)


def _waiting(day: Ahead, order: Order, dice: random.Random) -> list[int]:
    """What is not in the order, in the order in which it is put back."""
    inside = set(order)
    found = [i for i in range(len(day.calls)) if i not in inside]
    dice.shuffle(found)
    way = dice.randrange(4)
    if way == 1:
        found.sort(key=lambda i: -_price(day.calls[i]))
    elif way == 2:
        found.sort(key=lambda i: sum(b - a for a, b in day.calls[i].windows))
    elif way == 3:  # what it is worth by the time it takes, with some luck
        found.sort(key=lambda i: -_price(day.calls[i]) * (0.7 + 0.6 * dice.random()) / (day.calls[i].service_s + 600))
    return found


def search(
    day: Ahead,
    known: Sequence[str] = (),
    *,
    seed: int = 0,
    steps: int = STEPS,
    spent: Callable[[], float] = lambda: 0.0,
) -> Order:
    """The best order found; it begins with the known one as far as that still works.

    `spent` says which share of the time is over: a slow phone takes fewer steps, and cools down as far.
    """
    dice = random.Random(seed)
    number = {call.id: i for i, call in enumerate(day.calls)}
    begun: Order = ()
    for index in (number[k] for k in known if k in number):
        if Route(day, (*begun, index)).lawful:
            begun = (*begun, index)
    inside = set(begun)
    here = _filled(day, begun, [i for i in range(len(day.calls)) if i not in inside], lambda: False)
    price = cost(day, here)
    best, least, over, is_last = here, price, 0.0, False
    for step in range(steps if day.calls else 0):
        if step % 16 == 0:
            over = max(step / steps, spent())
            if over >= 1:
                break
        if over >= LAST and not is_last:
            here, price, is_last = best, least, True
        elif step and step % BEGINNING == 0 and not is_last:
            here = _filled(day, (), _waiting(day, (), dice), lambda: dice.random() < SCATTERED)
            price = cost(day, here)
        thin = _thinned(day, here, dice) if here else here
        other = _filled(day, thin, _waiting(day, thin, dice), lambda: dice.random() < PASSED_OVER)
        asked = cost(day, other)
        if asked < price - _heat(step, over) * math.log(1 - dice.random()):
            here, price = other, asked
            if asked < least:
                best, least = other, asked
    return best


def _heat(step: int, over: float) -> float:
    """How much dearer a step may be now, in the mean."""
    hot, cooled = HOT_S, step % BEGINNING / BEGINNING
    if over >= LAST:
        hot, cooled = WARM_S, (over - LAST) / (1 - LAST)
    return hot * math.pow(COLD_S / hot, cooled)


def replan(
    day: Ahead,
    known: Sequence[str] = (),
    *,
    seed: int = 0,
    steps: int = STEPS,
    spent: Callable[[], float] = lambda: 0.0,
) -> Answer:
    """The rest of the day anew: promises, windows, break and shift are kept; what no longer fits is named."""
    return timed(day, search(day, known, seed=seed, steps=steps, spent=spent))


def timed(day: Ahead, order: Order) -> Answer:
    """The earliest times of an order; the break is taken where it keeps everything in time."""
    route, stops = Route(day, order), []
    rests: tuple[int, ...]
    state, rests = 0 if day.rest is not None and order else 1, ()
    leaves, place = day.open_s, day.start
    for at, index in enumerate(order):
        call = day.calls[index]
        drive = day.seconds[place][call.place]
        ready, after = _next(day.rest, leaves, drive, state, route.late[2 * at + 1][0], call)
        if after != state and day.rest is not None:
            rests = ready - day.rest.duration_s, ready
        state = after
        end = _end(call, ready)
        if end is None:
            raise ValueError(f"{call.id} cannot be served in this order")
        stops.append(Timed(call.id, drive, min(ready, leaves + drive), end - call.service_s, end))
        leaves, place = end, call.place
    back = leaves + day.seconds[place][day.end]
    if state == 0 and day.rest is not None:
        begins = max(back, day.rest.earliest_s)
        rests = begins, (back := begins + day.rest.duration_s)
    inside = set(order)
    out = tuple(c.id for i, c in enumerate(day.calls) if i not in inside)
    return Answer(tuple(stops), out, driven(day, order), back, cost(day, order), rests)


def _next(rest: Rest | None, leaves: int, drive: int, state: int, late: int, call: Call) -> tuple[int, int]:
    """When one is ready at the next call, and whether the break lies behind: it comes as late as all else allows."""
    ready = leaves + drive
    if state == 1 or rest is None:
        return ready, 1
    waits = (end := _end(call, ready)) is not None and end - call.service_s - ready >= rest.duration_s
    if ready <= late and not (waits and ready >= rest.earliest_s):
        return ready, 0
    return max(ready, rest.earliest_s) + rest.duration_s, 1
