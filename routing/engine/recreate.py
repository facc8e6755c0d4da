"""Recreate: insert the waiting visits one by one into their best gaps."""

from routing.engine.arrays import (
    CAPACITY,
    CLOSE,
    DAY,
    DEMAND,
    EARLIER,
    FIXED,
    KIND,
    LATE_COST,
    LATER,
    MANDATORY,
    MAX_DRIVE,
    MAX_GAP,
    MAX_VISITS,
    MIN_GAP,
    NEVER,
    SERVICE,
    TRAVEL,
    Model,
)
from routing.engine.chance import below, chance
from routing.engine.clock import (
    COST,
    DRIVE,
    LATEST_ANY,
    LEG,
    LENGTH,
    LOAD,
    NODE,
    SOONEST,
    TAKEN,
    TOUCHED,
    VERSION,
    arrive,
    fits,
    hours_of,
    insert,
    returns,
)
from routing.engine.compiled import inner
from routing.engine.ruin import touch
from routing.engine.state import CROWDED, DRIVEN, NOW, WAITING, State

BLINK = 0.01
"""How often a better gap is overlooked."""
URGENT = 0.9
"""How often mandatory visits go first; some fit only behind an optional one."""


@inner
def span_of_days(model: Model, state: State, v: int) -> tuple[int, int]:
    """First and last day on which the visit keeps its distance to its served siblings."""
    first, last = -NEVER, NEVER
    near, far = model.visits[v, MIN_GAP], model.visits[v, MAX_GAP]
    u = model.visits[v, EARLIER]
    while u >= 0 and state.at[u] < 0:
        u = model.visits[u, EARLIER]
    if u >= 0:
        day = model.shifts[state.at[u], DAY]
        first, last = day + near, day + far
    u = model.visits[v, LATER]
    while u >= 0 and state.at[u] < 0:
        u = model.visits[u, LATER]
    if u >= 0:
        day = model.shifts[state.at[u], DAY]
        first, last = max(first, day - far), min(last, day - near)
    return first, last


@inner
def cheapest(model: Model, state: State, v: int, s: int, limit: int, blink: float) -> tuple[int, int]:
    """The cheapest gap of one route under a limit, and its cost; a cost of NEVER when there is none."""
    label, route, shift = state.labels[s], state.routes[s], model.shifts[s]
    hours = hours_of(model.traffic, s)
    length = route[LENGTH]
    if length >= shift[MAX_VISITS] or route[LOAD] + model.visits[v, DEMAND] > shift[CAPACITY]:
        return NEVER, 0
    drive, back, spans = model.drive[v], model.back[v], model.spans
    kinds = spans.shape[0] // model.visits.shape[0]
    row, service, travel = v * kinds + shift[KIND], model.visits[v, SERVICE], model.scales[TRAVEL]
    if spans[row, 0] == 0:
        return NEVER, 0
    last = spans[row, 2 * spans[row, 0]]
    room = shift[MAX_DRIVE] - route[DRIVE]
    opening = 0 if length > 0 else shift[FIXED]
    best, gap = limit, -1
    for p in range(length + 1):
        if label[p, SOONEST] > last:
            break
        there, onward = back[label[p, NODE]], drive[label[p + 1, NODE]]
        detour = there + onward
        if length > 0:
            detour -= label[p, LEG]
        cost = opening + travel * detour
        if cost >= best or detour > room:
            continue
        if arrive(arrive(label[p, SOONEST], there, hours) + service, onward, hours) > label[p + 1, LATEST_ANY]:
            continue
        if not fits(label, p, there, onward, spans, row, service, shift, hours):
            continue
        if shift[LATE_COST] > 0:
            late = max(0, returns(model, label, length, shift, hours, v, p) - shift[CLOSE])
            if length > 0:
                late -= max(0, label[length + 1, TAKEN] - shift[CLOSE])
            cost += shift[LATE_COST] * late
            if cost >= best:
                continue
        if blink > 0.0 and chance(state) < blink:
            continue
        best, gap = cost, p
    if gap < 0:
        return NEVER, 0
    return best, gap


@inner
def place(model: Model, state: State, v: int, courage: int) -> None:
    """Insert a visit into the gap of greatest gain, when there is one.

    With courage a loss is taken on a changed route: the next visit may make up for it.
    """
    first, last = span_of_days(model, state, v)
    best, option, gap = -courage, -1, 0
    for j in range(model.firsts[v], model.firsts[v + 1]):
        s = model.options[j]
        if not first <= model.shifts[s, DAY] <= last or model.worth[j] <= best:
            continue
        if state.routes[s, TOUCHED]:
            cost, p = cheapest(model, state, v, s, model.worth[j] - best, BLINK)
        else:
            if state.seen[j] != state.routes[s, VERSION]:
                state.cost[j], state.gap[j] = cheapest(model, state, v, s, model.worth[j], 0.0)
                state.seen[j] = state.routes[s, VERSION]
            cost, p = state.cost[j], state.gap[j]
            if model.worth[j] - cost <= max(0, best) or chance(state) < BLINK:
                continue
        if model.worth[j] - cost > best:
            best, option, gap = model.worth[j] - cost, j, p
    if option >= 0:
        add(model, state, v, option, gap)


@inner
def add(model: Model, state: State, v: int, option: int, gap: int) -> None:
    """Put a visit where it was found to fit."""
    s = model.options[option]
    label, route = state.labels[s], state.routes[s]
    if route[LENGTH] + 3 > label.shape[0]:
        state.totals[CROWDED] = 1
        return
    touch(state, s)
    state.totals[NOW] -= route[COST] + model.worth[option]
    state.totals[DRIVEN] -= route[DRIVE]
    insert(model, label, route, s, v, gap)
    state.totals[NOW] += route[COST]
    state.totals[DRIVEN] += route[DRIVE]
    state.at[v], state.gained[v] = s, model.worth[option]


@inner
def sort(model: Model, state: State) -> None:
    """Put the waiting visits into one of several orders, the mandatory ones as a rule in front."""
    order = below(state, model.orders.shape[0])
    urgent = 4.0 if chance(state) < URGENT else 0.0
    column, sign, noise = int(model.orders[order, 0]), model.orders[order, 1], model.orders[order, 2]
    for q in range(state.totals[WAITING]):
        v = state.waiting[q]
        key = sign * model.urges[v, column] if sign != 0.0 else 0.0
        key = key * (1.0 - noise + noise * 2.0 * chance(state)) if sign != 0.0 else chance(state)
        key += 1e-6 * chance(state) - urgent * model.visits[v, MANDATORY]
        stood, brought = state.stood[q], state.brought[q]
        p = q
        while p > 0 and state.keys[p - 1] > key:
            state.keys[p], state.waiting[p] = state.keys[p - 1], state.waiting[p - 1]
            state.stood[p], state.brought[p] = state.stood[p - 1], state.brought[p - 1]
            p -= 1
        state.keys[p], state.waiting[p], state.stood[p], state.brought[p] = key, v, stood, brought


@inner
def recreate(model: Model, state: State, courage: int) -> None:
    """Insert what is waiting, greedily in a random one of the orders."""
    sort(model, state)
    for q in range(state.totals[WAITING]):
        place(model, state, state.waiting[q], courage)
