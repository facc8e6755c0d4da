"""Annealing: accept or take back each round of ruin and recreate, and write down the best plan."""

import math

import numpy as np

from routing.engine.arrays import FORFEIT, MANDATORY, Model
from routing.engine.chance import chance
from routing.engine.clock import COST, DRIVE, LABEL_COLUMNS, LENGTH, NODE, ROUTE_COLUMNS, TOUCHED, VERSION, rewind
from routing.engine.compiled import inner, outer
from routing.engine.recreate import recreate
from routing.engine.ruin import call, ruin
from routing.engine.state import (
    ACCEPTED,
    BEST,
    BEST_DRIVEN,
    DRIVEN,
    MARK,
    MISSES,
    NOW,
    POOL_LENGTH,
    POOL_SHIFT,
    SAVED,
    VERSIONS,
    WAITING,
    State,
)

BOLD = 0.04
"""How often visits are inserted at a loss that the temperature would bear."""


@inner
def keep(model: Model, state: State) -> None:
    """The changed routes stay."""
    for q in range(state.totals[SAVED]):
        s = state.saved_ids[q]
        state.totals[VERSIONS] += 1
        state.routes[s, VERSION] = state.totals[VERSIONS]
        state.stale[s] = 1
    misses = 0
    for q in range(state.totals[WAITING]):
        v = state.waiting[q]
        misses += model.visits[v, MANDATORY] and state.at[v] < 0
    state.totals[MISSES] = misses
    state.totals[ACCEPTED] += 1


@inner
def take_back(state: State) -> None:
    """The changed routes become what they were."""
    for q in range(state.totals[SAVED]):
        s = state.saved_ids[q]
        for c in range(ROUTE_COLUMNS):
            state.routes[s, c] = state.saved_routes[q, c]
        for p in range(state.routes[s, LENGTH] + 2):
            for c in range(LABEL_COLUMNS):
                state.labels[s, p, c] = state.saved_labels[q, p, c]
    for q in range(state.totals[WAITING]):
        v = state.waiting[q]
        state.at[v], state.gained[v] = state.stood[q], state.brought[q]


@inner
def finish(state: State) -> None:
    """End a round."""
    for q in range(state.totals[SAVED]):
        state.routes[state.saved_ids[q], TOUCHED] = 0
    for q in range(state.totals[WAITING]):
        state.listed[state.waiting[q]] = 0
    state.totals[SAVED] = state.totals[WAITING] = 0


@inner
def collect(state: State, s: int) -> None:
    """Put a route into the pool; another one that falls on its place gives way."""
    length = state.routes[s, LENGTH]
    if length == 0:
        return
    mark = np.int64(s + 1)
    for p in range(1, length + 1):
        mark = mark * np.int64(1000003) + np.int64(state.labels[s, p, NODE] + 1)
    place = (mark ^ (mark >> 17)) & (state.pool_heads.shape[0] - 1)
    if state.pool_heads[place, MARK] == mark:
        return
    state.pool_heads[place, MARK] = mark
    state.pool_heads[place, POOL_SHIFT], state.pool_heads[place, POOL_LENGTH] = s, length
    for p in range(length):
        state.pool_nodes[place, p] = state.labels[s, p + 1, NODE]


@inner
def note(state: State, ties: bool) -> None:
    """Write the plan down when it is the best so far."""
    now, best = state.totals[NOW], state.totals[BEST]
    if ties:
        now, best = now - state.totals[DRIVEN], best - state.totals[BEST_DRIVEN]
    if now > best or (now == best and state.totals[DRIVEN] >= state.totals[BEST_DRIVEN]):
        return
    state.totals[BEST], state.totals[BEST_DRIVEN] = state.totals[NOW], state.totals[DRIVEN]
    for s in range(state.routes.shape[0]):
        if state.stale[s]:
            state.stale[s] = 0
            state.best_lengths[s] = state.routes[s, LENGTH]
            for p in range(state.routes[s, LENGTH]):
                state.best_nodes[s, p] = state.labels[s, p + 1, NODE]
            collect(state, s)


@outer
def begin(model: Model, state: State) -> None:
    """Labels and totals of the routes as they stand, and a first round with everything that is unserved."""
    n = model.visits.shape[0]
    state.totals[NOW] = model.scales[FORFEIT]
    state.totals[DRIVEN] = 0
    for s in range(model.shifts.shape[0]):
        rewind(model, state.labels[s], state.routes[s], s)
        state.totals[NOW] += state.routes[s, COST]
        state.totals[DRIVEN] += state.routes[s, DRIVE]
    for v in range(n):
        if state.at[v] >= 0:
            state.totals[NOW] -= state.gained[v]
        else:
            call(state, v)
    recreate(model, state, 0)
    keep(model, state)
    finish(state)
    state.totals[BEST], state.totals[BEST_DRIVEN] = state.totals[NOW] + 1, state.totals[DRIVEN]
    note(state, False)


@outer
def anneal(model: Model, state: State, rounds: int, hot: float, cold: float, ties: bool) -> None:
    """Some rounds of ruin and recreate while the temperature falls from `hot` to `cold`."""
    for k in range(rounds):
        temperature = hot * (cold / hot) ** (k / rounds)
        before = state.totals[NOW]
        driven = state.totals[DRIVEN]
        courage = 0
        if chance(state) < BOLD:
            courage = int(-temperature * math.log(1.0 - chance(state)))
        ruin(model, state)
        recreate(model, state, courage)
        worse = state.totals[NOW] - before
        if worse <= 0 or worse < -temperature * math.log(1.0 - chance(state)):
            keep(model, state)
            finish(state)
            note(state, ties)
        else:
            take_back(state)
            finish(state)
            state.totals[NOW], state.totals[DRIVEN] = before, driven
