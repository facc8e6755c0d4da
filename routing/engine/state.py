"""What a search changes: routes with their labels, who stands where, the best plan so far, the pool of good routes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.engine.arrays import Ints, Search, SmallInts
from routing.engine.clock import LABEL_COLUMNS, ROUTE_COLUMNS

# Entries of `State.totals`
NOW, DRIVEN, BEST, BEST_DRIVEN, VERSIONS, WAITING, SAVED, MISSES, CROWDED, ACCEPTED, TOTALS = range(11)
# Columns of `State.pool_heads`
MARK, POOL_SHIFT, POOL_LENGTH, POOL_COLUMNS = range(4)

ROOM = 24
"""Stops for which a route has room at first."""
POOL = 1 << 14
"""Most routes in the pool."""


class State(NamedTuple):
    """Arrays that the kernels change in place; n visits, m rep-days, `room` positions."""

    labels: Ints
    """(m, room, LABEL_COLUMNS); position 0 is the start anchor, the end anchor follows the last stop."""
    routes: Ints
    """(m, ROUTE_COLUMNS)."""
    at: SmallInts
    """Rep-day of each visit; -1 = not served."""
    gained: Ints
    """Worth that each served visit brought with it."""
    totals: Ints
    random: NDArray[np.uint64]
    """State of the random numbers."""
    seen: Ints
    """By option: version of the route for which `cost` and `gap` were found."""
    cost: Ints
    """By option: cost of the cheapest gap."""
    gap: SmallInts
    """By option: the position behind which that gap lies."""
    saved_labels: Ints
    saved_routes: Ints
    saved_ids: SmallInts
    """The routes as they were before this round changed them."""
    waiting: SmallInts
    """Visits to be inserted in this round, where they stood before, and what they brought there."""
    stood: SmallInts
    brought: Ints
    keys: NDArray[np.float64]
    listed: NDArray[np.uint8]
    """Whether a visit is among the waiting ones."""
    best_nodes: SmallInts
    best_lengths: SmallInts
    stale: NDArray[np.uint8]
    """Whether a route has changed since the best plan was written down."""
    pool_nodes: SmallInts
    pool_heads: Ints


def fresh(search: Search, seed: int, room: int = ROOM) -> State:
    """Empty routes."""
    n, m, options = len(search.model.visits), len(search.model.shifts), len(search.model.options)
    state = State(
        labels=np.zeros((m, room, LABEL_COLUMNS), dtype=np.int64),
        routes=np.zeros((m, ROUTE_COLUMNS), dtype=np.int64),
        at=np.full(n, -1, dtype=np.int32),
        gained=np.zeros(n, dtype=np.int64),
        totals=np.zeros(TOTALS, dtype=np.int64),
        random=np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % (1 << 64)], dtype=np.uint64),
        seen=np.full(options, -1, dtype=np.int64),
        cost=np.zeros(options, dtype=np.int64),
        gap=np.zeros(options, dtype=np.int32),
        saved_labels=np.zeros((m, room, LABEL_COLUMNS), dtype=np.int64),
        saved_routes=np.zeros((m, ROUTE_COLUMNS), dtype=np.int64),
        saved_ids=np.zeros(m, dtype=np.int32),
        waiting=np.zeros(n, dtype=np.int32),
        stood=np.zeros(n, dtype=np.int32),
        brought=np.zeros(n, dtype=np.int64),
        keys=np.zeros(n, dtype=np.float64),
        listed=np.zeros(n, dtype=np.uint8),
        best_nodes=np.zeros((m, room), dtype=np.int32),
        best_lengths=np.zeros(m, dtype=np.int32),
        stale=np.ones(m, dtype=np.uint8),
        pool_nodes=np.zeros((POOL, room), dtype=np.int32),
        pool_heads=np.zeros((POOL, POOL_COLUMNS), dtype=np.int64),
    )
    state.labels[:, 0, 0], state.labels[:, 1, 0] = search.starts, search.ends
    return state


def widened(state: State) -> State:
    """The same state with room for twice as many stops on every route."""

    def wide[A: NDArray[np.int64] | NDArray[np.int32]](array: A) -> A:
        return np.concatenate([array, np.zeros_like(array)], axis=1)  # type: ignore[return-value]

    return state._replace(
        labels=wide(state.labels),
        saved_labels=wide(state.saved_labels),
        best_nodes=wide(state.best_nodes),
        pool_nodes=wide(state.pool_nodes),
    )


def seat(state: State, search: Search, orders: Sequence[Sequence[int]]) -> None:
    """Write lawful orders into the nodes of the routes; their labels are computed by the caller."""
    model = search.model
    for s, order in enumerate(orders):
        state.routes[s, 0] = len(order)
        state.labels[s, : len(order) + 2, 0] = [search.starts[s], *order, search.ends[s]]
        for v in order:
            options = model.options[model.firsts[v] : model.firsts[v + 1]]
            state.at[v] = s
            state.gained[v] = model.worth[model.firsts[v] + int(np.flatnonzero(options == s)[0])]
