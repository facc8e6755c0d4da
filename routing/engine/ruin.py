"""Ruin: take strings of neighbouring stops out of neighbouring routes (Christiaens and Vanden Berghe 2020)."""

from routing.engine.arrays import DAY, EARLIER, LATER, LATEST, MANDATORY, MAX_DRIVE, MAX_GAP, MIN_GAP, NEVER, Model
from routing.engine.chance import below, chance
from routing.engine.clock import COST, DRIVE, LABEL_COLUMNS, LENGTH, NODE, ROUTE_COLUMNS, SOONEST, TOUCHED, rewind
from routing.engine.compiled import inner
from routing.engine.state import DRIVEN, MISSES, NOW, SAVED, WAITING, State

STOPS = 10.0
"""Stops taken out per round on the average, and the longest string."""
SPLIT = 0.5
"""How often a string leaves some stops in its middle standing."""
DEPTH = 0.5
"""How likely one more stop in the middle is left standing."""
GUESTS = 12
"""Unserved neighbours that are tried again, beside two for every stop taken out."""
STRANGERS = 6
"""Visits from anywhere that are tried again when unserved."""


@inner
def touch(state: State, s: int) -> None:
    """Remember a route before it is changed."""
    if state.routes[s, TOUCHED]:
        return
    q = state.totals[SAVED]
    state.totals[SAVED] += 1
    state.saved_ids[q] = s
    for c in range(ROUTE_COLUMNS):
        state.saved_routes[q, c] = state.routes[s, c]
    for p in range(state.routes[s, LENGTH] + 2):
        for c in range(LABEL_COLUMNS):
            state.saved_labels[q, p, c] = state.labels[s, p, c]
    state.routes[s, TOUCHED] = 1


@inner
def call(state: State, v: int) -> None:
    """Put a visit among the waiting ones."""
    if state.listed[v]:
        return
    q = state.totals[WAITING]
    state.totals[WAITING] += 1
    state.waiting[q], state.stood[q], state.brought[q] = v, state.at[v], state.gained[v]
    state.listed[v] = 1


@inner
def take(model: Model, state: State, s: int, first: int, end: int, kept: int, keep: int) -> None:
    """Take the stops at positions first..end-1 out of a route, but leave `keep` of them standing from `kept` on."""
    label, route = state.labels[s], state.routes[s]
    state.totals[NOW] -= route[COST]
    state.totals[DRIVEN] -= route[DRIVE]
    w = first
    for p in range(first, route[LENGTH] + 2):
        v = label[p, NODE]
        if p < end and not kept <= p < kept + keep:
            call(state, v)
            state.at[v] = -1
            state.totals[NOW] += state.gained[v]
        else:
            label[w, NODE] = v
            w += 1
    route[LENGTH] = w - 2
    rewind(model, label, route, s)
    state.totals[NOW] += route[COST]
    state.totals[DRIVEN] += route[DRIVE]


@inner
def cut(model: Model, state: State, s: int, first: int, end: int, kept: int, keep: int) -> None:
    """Take stops out of a route; all of them when the way around the gap is longer than the way through it was."""
    touch(state, s)
    take(model, state, s, first, end, kept, keep)
    length = state.routes[s, LENGTH]
    too_late = state.labels[s, length + 1, SOONEST] > model.shifts[s, LATEST]
    if length > 0 and (too_late or state.routes[s, DRIVE] > model.shifts[s, MAX_DRIVE]):
        take(model, state, s, 1, length + 1, 0, 0)


@inner
def position(state: State, v: int) -> int:
    """Where a served visit stands on its route."""
    label, p = state.labels[state.at[v]], 1
    while label[p, NODE] != v:
        p += 1
    return p


@inner
def string(model: Model, state: State, v: int, longest: float) -> None:
    """Take out a string of stops around a served visit."""
    s, p = state.at[v], position(state, v)
    length = state.routes[s, LENGTH]
    size = min(length, int(chance(state) * min(float(length), longest) + 1.0))
    keep = 0
    if 1 < size < length and chance(state) < SPLIT:
        keep = 1
        while size + keep < length and chance(state) > DEPTH:
            keep += 1
    whole = size + keep
    low, high = max(1, p - whole + 1), min(p, length - whole + 1)
    first = low + below(state, high - low + 1)
    kept = first + below(state, size + 1)
    cut(model, state, s, first, first + whole, kept, keep)


@inner
def strings(model: Model, state: State, seed: int) -> None:
    """Take strings out of the routes around a visit."""
    stops, used = 0, 0
    for s in range(state.routes.shape[0]):
        stops += state.routes[s, LENGTH]
        used += state.routes[s, LENGTH] > 0
    longest = min(STOPS, stops / max(1, used))
    count = int(chance(state) * (4.0 * STOPS / (1.0 + longest) - 1.0) + 1.0)
    for q in range(-1, model.near.shape[1]):
        v = seed if q < 0 else model.near[seed, q]
        if state.at[v] < 0 or state.routes[state.at[v], TOUCHED]:
            continue
        string(model, state, v, longest)
        count -= 1
        if count <= 0:
            return


@inner
def single(model: Model, state: State, v: int) -> None:
    """Take out one visit."""
    if state.at[v] >= 0:
        p = position(state, v)
        cut(model, state, state.at[v], p, p + 1, 0, 0)


@inner
def siblings(model: Model, state: State, v: int) -> None:
    """Take out every visit of the same customer."""
    u = v
    while model.visits[u, EARLIER] >= 0:
        u = model.visits[u, EARLIER]
    while u >= 0:
        single(model, state, u)
        call(state, u)
        u = model.visits[u, LATER]


@inner
def mend(model: Model, state: State, v: int) -> None:
    """Take out what stands too far from its sibling now that the visit between them is gone."""
    before, after = model.visits[v, EARLIER], model.visits[v, LATER]
    while before >= 0 and state.at[before] < 0:
        before = model.visits[before, EARLIER]
    while after >= 0 and state.at[after] < 0:
        after = model.visits[after, LATER]
    if before < 0 or after < 0:
        return
    apart = model.shifts[state.at[after], DAY] - model.shifts[state.at[before], DAY]
    if apart < model.visits[v, MIN_GAP] or apart > model.visits[v, MAX_GAP]:
        siblings(model, state, v)


@inner
def guests(model: Model, state: State, seed: int) -> None:
    """Call unserved neighbours and strangers, and mandatory visits that are missing."""
    left = GUESTS + 2 * state.totals[WAITING]
    for q in range(model.near.shape[1]):
        v = model.near[seed, q]
        if state.at[v] < 0 and not state.listed[v]:
            call(state, v)
            left -= 1
            if left <= 0:
                break
    n = model.visits.shape[0]
    for _ in range(STRANGERS):
        v = below(state, n)
        if state.at[v] < 0:
            call(state, v)
    if state.totals[MISSES] > 0:
        for v in range(n):
            if state.at[v] < 0 and model.visits[v, MANDATORY]:
                call(state, v)


@inner
def ruin(model: Model, state: State) -> None:
    """One ruin around a random visit."""
    seed = below(state, model.visits.shape[0])
    chained = model.visits[seed, EARLIER] >= 0 or model.visits[seed, LATER] >= 0
    if chained and chance(state) < 0.5:
        siblings(model, state, seed)
    if state.at[seed] < 0:
        call(state, seed)
    strings(model, state, seed)
    for q in range(state.totals[WAITING]):
        v = state.waiting[q]
        if model.visits[v, MAX_GAP] < NEVER and (model.visits[v, EARLIER] >= 0 or model.visits[v, LATER] >= 0):
            mend(model, state, v)
    guests(model, state, seed)
