"""The clock of a route: labels that tell at every position how early one is done and how late one may come.

Two states walk along a route, the break still owed and the break taken. Forward labels hold the earliest finish in
each state, backward labels the latest arrival from which the rest of the day still works. Waiting is free and a break
may split a drive, so an earlier finish is never worse and one label per state is exact; with both, whether a visit
fits into a gap is a handful of comparisons.
"""

from routing.engine.arrays import (
    CLOSE,
    DEMAND,
    FIXED,
    HOUR_S,
    HOURS,
    KIND,
    LATE_COST,
    LATEST,
    NEVER,
    NO_ROAD,
    OPEN,
    PACED,
    REST,
    REST_FROM,
    REST_UNTIL,
    SERVICE,
    TRAVEL,
    Hours,
    Ints,
    Model,
)
from routing.engine.compiled import inner
from routing.pace import UNIT

# Columns of a label
NODE, LEG, OWED, TAKEN, LATEST_OWED, LATEST_TAKEN, SOONEST, LATEST_ANY, LABEL_COLUMNS = range(9)
# Columns of a route
LENGTH, DRIVE, LOAD, COST, VERSION, TOUCHED, ROUTE_COLUMNS = range(7)


@inner
def served(spans: Ints, row: int, ready: int, service: int) -> int:
    """Earliest end of a service for which one is ready at `ready`."""
    for k in range(spans[row, 0]):
        if ready <= spans[row, 2 * k + 2]:
            return max(ready, spans[row, 2 * k + 1]) + service
    return NEVER


@inner
def latest_arrival(spans: Ints, row: int, leave: int, service: int) -> int:
    """Latest arrival from which the service ends not after `leave`."""
    for k in range(spans[row, 0] - 1, -1, -1):
        start = min(leave - service, spans[row, 2 * k + 2])
        if start >= spans[row, 2 * k + 1]:
            return start
    return -NEVER


@inner
def hours_of(traffic: Ints | None, s: int) -> Hours:
    """The traffic of a rep-day; None where no day of the problem has any: then nothing that asks is compiled."""
    if traffic is None:
        return None
    return traffic[s]


@inner
def behind(hours: Ints, at: int) -> int:
    """Road behind one who drives since midnight."""
    hour = min(max(at, 0) // hours[HOUR_S], hours[HOURS] - 1)
    return hours[PACED + hour] + (at - hour * hours[HOUR_S]) * hours[PACED + hours[HOURS] + hour]


@inner
def first_at(hours: Ints, road: int, after: int) -> int:
    """First second at which so much road is behind one, not before `after`."""
    hour = min(max(after, 0) // hours[HOUR_S], hours[HOURS] - 1)
    while hour + 1 < hours[HOURS] and hours[PACED + hour + 1] <= road:
        hour += 1
    return hour * hours[HOUR_S] - (hours[PACED + hour] - road) // hours[PACED + hours[HOURS] + hour]


@inner
def last_at(hours: Ints, road: int, before: int) -> int:
    """Last second at which no more road is behind one, not after `before`."""
    hour = min(max(before, 0) // hours[HOUR_S], hours[HOURS] - 1)
    while hour > 0 and hours[PACED + hour] > road:
        hour -= 1
    return hour * hours[HOUR_S] + (road - hours[PACED + hour]) // hours[PACED + hours[HOURS] + hour]


@inner
def arrive(leave: int, drive: int, hours: Hours) -> int:
    """Earliest arrival in the day's traffic."""
    if hours is None:
        return leave + drive
    if hours[HOURS] == 0 or leave >= NEVER or drive >= NO_ROAD:
        return leave + drive
    return first_at(hours, behind(hours, leave) + drive * UNIT, leave)


@inner
def leave_for(there: int, drive: int, hours: Hours) -> int:
    """Latest departure in the day's traffic."""
    if hours is None:
        return there - drive
    if hours[HOURS] == 0 or there <= -NEVER or drive >= NO_ROAD:
        return there - drive
    return last_at(hours, behind(hours, there) - drive * UNIT, there)


@inner
def rested(finish: int, drive: int, shift: Ints, hours: Hours) -> int:
    """Arrival when the owed break is taken on the leg, as soon as it may begin."""
    begin = max(finish, shift[REST_FROM])
    if begin > shift[REST_UNTIL]:
        return NEVER
    if hours is None:
        return max(finish + drive, begin) + shift[REST]
    if hours[HOURS] == 0 or drive >= NO_ROAD:
        return max(finish + drive, begin) + shift[REST]
    if arrive(finish, drive, hours) <= begin:
        return begin + shift[REST]
    left = behind(hours, finish) + drive * UNIT - behind(hours, begin)
    return first_at(hours, behind(hours, begin + shift[REST]) + left, begin + shift[REST])


@inner
def leave_rested(there: int, drive: int, shift: Ints, hours: Hours) -> int:
    """Latest departure when the owed break is taken on the leg."""
    leave = leave_for(there, drive, hours) - shift[REST]
    if hours is None:
        return min(shift[REST_UNTIL], leave)
    if hours[HOURS] > 0 and leave < shift[REST_FROM] and drive < NO_ROAD:
        standing = behind(hours, shift[REST_FROM] + shift[REST]) - behind(hours, shift[REST_FROM])
        leave = last_at(hours, behind(hours, there) - drive * UNIT - standing, there)
    return min(shift[REST_UNTIL], leave)


@inner
def forward(model: Model, label: Ints, shift: Ints, hours: Hours, at: int, last: int) -> None:
    """Labels of earliest finishes from position `at` to the end anchor at `last`."""
    kinds = model.spans.shape[0] // max(1, model.visits.shape[0])
    for p in range(at, last + 1):
        drive = label[p - 1, LEG]
        ready_owed = arrive(label[p - 1, OWED], drive, hours)
        ready_taken = arrive(label[p - 1, TAKEN], drive, hours)
        if label[p - 1, OWED] < NEVER:
            ready_taken = min(ready_taken, rested(label[p - 1, OWED], drive, shift, hours))
        if p == last:
            label[p, OWED], label[p, TAKEN] = NEVER, ready_taken
        else:
            v = label[p, NODE]
            row, service = v * kinds + shift[KIND], model.visits[v, SERVICE]
            label[p, TAKEN] = served(model.spans, row, ready_taken, service)
            label[p, OWED] = served(model.spans, row, ready_owed, service)
        label[p, SOONEST] = min(label[p, OWED], label[p, TAKEN])


@inner
def backward(model: Model, label: Ints, shift: Ints, hours: Hours, at: int) -> None:
    """Labels of latest arrivals from position `at` to the first stop."""
    kinds = model.spans.shape[0] // max(1, model.visits.shape[0])
    for p in range(at, 0, -1):
        drive = label[p, LEG]
        leave_taken = leave_for(label[p + 1, LATEST_TAKEN], drive, hours)
        leave_owed = leave_for(label[p + 1, LATEST_OWED], drive, hours)
        if shift[REST] > 0 and shift[REST_FROM] + shift[REST] <= label[p + 1, LATEST_TAKEN]:
            leave_owed = max(leave_owed, leave_rested(label[p + 1, LATEST_TAKEN], drive, shift, hours))
        v = label[p, NODE]
        row, service = v * kinds + shift[KIND], model.visits[v, SERVICE]
        label[p, LATEST_TAKEN] = latest_arrival(model.spans, row, leave_taken, service)
        label[p, LATEST_OWED] = latest_arrival(model.spans, row, leave_owed, service)
        label[p, LATEST_ANY] = max(label[p, LATEST_OWED], label[p, LATEST_TAKEN])


@inner
def anchor(label: Ints, shift: Ints, last: int) -> None:
    """Labels of both anchors."""
    label[0, OWED], label[0, TAKEN] = NEVER, shift[OPEN]
    if shift[REST] > 0:
        label[0, OWED], label[0, TAKEN] = shift[OPEN], NEVER
    label[0, SOONEST] = shift[OPEN]
    label[last, LATEST_OWED], label[last, LATEST_TAKEN], label[last, LATEST_ANY] = -NEVER, shift[LATEST], shift[LATEST]


@inner
def settle(model: Model, label: Ints, route: Ints, shift: Ints) -> None:
    """Drive, load and cost of a route from its labels."""
    n, drive, load = route[LENGTH], 0, 0
    for p in range(n + 1):
        drive += label[p, LEG]
        if p > 0:
            load += model.visits[label[p, NODE], DEMAND]
    if n == 0:
        drive = 0
    route[DRIVE], route[LOAD] = drive, load
    route[COST] = model.scales[TRAVEL] * drive
    if n > 0:
        route[COST] += shift[FIXED] + shift[LATE_COST] * max(0, label[n + 1, TAKEN] - shift[CLOSE])


@inner
def rewind(model: Model, label: Ints, route: Ints, s: int) -> None:
    """All labels of a route from its nodes."""
    shift, hours = model.shifts[s], hours_of(model.traffic, s)
    last = route[LENGTH] + 1
    for p in range(last):
        label[p, LEG] = model.drive[label[p, NODE], label[p + 1, NODE]]
    anchor(label, shift, last)
    forward(model, label, shift, hours, 1, last)
    backward(model, label, shift, hours, last - 1)
    settle(model, label, route, shift)


@inner
def insert(model: Model, label: Ints, route: Ints, s: int, v: int, p: int) -> None:
    """Put a visit behind position `p`; only the labels that change are computed."""
    shift, hours = model.shifts[s], hours_of(model.traffic, s)
    last = route[LENGTH] + 2
    for q in range(last, p + 1, -1):
        for c in range(LABEL_COLUMNS):
            label[q, c] = label[q - 1, c]
    label[p + 1, NODE] = v
    label[p, LEG] = model.drive[label[p, NODE], v]
    label[p + 1, LEG] = model.drive[v, label[p + 2, NODE]]
    route[LENGTH] += 1
    forward(model, label, shift, hours, p + 1, last)
    backward(model, label, shift, hours, p + 1)
    settle(model, label, route, shift)


@inner
def fits(
    label: Ints, p: int, there: int, onward: int, spans: Ints, row: int, service: int, shift: Ints, hours: Hours
) -> bool:
    """Whether a visit fits behind position `p`: exact for every window and both states of the break."""
    latest_taken, latest_owed = label[p + 1, LATEST_TAKEN], label[p + 1, LATEST_OWED]
    ready = arrive(label[p, TAKEN], there, hours)
    owed = label[p, OWED]
    if owed < NEVER:
        ready = min(ready, rested(owed, there, shift, hours))
        end = served(spans, row, arrive(owed, there, hours), service)
        if end < NEVER and (
            arrive(end, onward, hours) <= latest_owed or rested(end, onward, shift, hours) <= latest_taken
        ):
            return True
    return arrive(served(spans, row, ready, service), onward, hours) <= latest_taken


@inner
def returns(model: Model, label: Ints, length: int, shift: Ints, hours: Hours, v: int, p: int) -> int:
    """Earliest return to the end anchor with a visit put behind position `p`."""
    kinds = model.spans.shape[0] // max(1, model.visits.shape[0])
    owed, taken, origin = label[p, OWED], label[p, TAKEN], label[p, NODE]
    for q in range(p, length + 2):
        node = v if q == p else label[q, NODE]
        drive = model.drive[origin, node]
        ready_taken, ready_owed = arrive(taken, drive, hours), arrive(owed, drive, hours)
        if owed < NEVER:
            ready_taken = min(ready_taken, rested(owed, drive, shift, hours))
        if q == length + 1:
            return ready_taken
        row, service = node * kinds + shift[KIND], model.visits[node, SERVICE]
        taken = served(model.spans, row, ready_taken, service)
        owed = served(model.spans, row, ready_owed, service)
        origin = node
    return NEVER
