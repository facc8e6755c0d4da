"""Round territories to begin with: middles move, and areas flow to them at least cost until each has its hours."""

import numpy as np
from numpy.typing import NDArray

from geo.balance.types import HOURS, Areas

ROUNDS = 6
UNITS = 200
"""An even share of the hours is this many units of flow."""
REACH = 8
"""Areas flow to one of this many nearest middles."""


def middles(areas: Areas, owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shape (K, 2); the middle of each territory's hours, in degrees."""
    weight = areas.work[:, HOURS] + 1e-6
    sums = np.zeros((areas.count, 3))
    np.add.at(sums, owner, np.column_stack([areas.lonlats * weight[:, None], weight]))
    whole = np.average(areas.lonlats, axis=0, weights=weight)
    return np.where(sums[:, 2:] > 0, sums[:, :2] / np.maximum(sums[:, 2:], 1e-12), whole)


def nearest(point: NDArray[np.float64], among: NDArray[np.float64]) -> int:
    """Which of some points, shape (N, 2) in degrees, lies nearest to one; N >= 1."""
    east = np.cos(np.radians(point[1]))
    return int(np.argmin(((among - point) ** 2) @ [east**2, 1.0]))


def seats(areas: Areas, owner: NDArray[np.int64], visits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (K, 2); where each territory's drives begin: the visited place nearest to its middle, in degrees.

    The middle itself may be a mountain without a road. `visits` has shape (N,); where nobody is visited it stays.
    """
    found, visited = middles(areas, owner), areas.lonlats[visits > 0]
    return np.array([visited[nearest(one, visited)] for one in found]) if len(visited) else found


def flown(areas: Areas) -> NDArray[np.int64]:
    """Shape (N,); a territory for each area, each with about the same hours, close around its middle.

    Alternates between a transport problem (hours as flow, squared distance as cost; Hess and others, 1965) and new
    middles. An area whose hours go to several middles belongs to the one that gets most.
    """
    owner = areas.owner.copy()
    for _ in range(ROUNDS):
        owner = _flow(areas, middles(areas, owner))
    return owner


def _flow(areas: Areas, centres: NDArray[np.float64]) -> NDArray[np.int64]:
    from ortools.graph.python import min_cost_flow  # only a balance needs it, a server starts without

    n, k = len(areas.owner), areas.count
    scale = np.array([np.cos(np.radians(areas.lonlats[:, 1].mean())), 1.0])
    away = ((areas.lonlats[:, None, :] - centres[None, :, :]) * scale) ** 2
    cost = away.sum(axis=2)
    cost = np.round(cost / max(cost.max(), 1e-12) * 1_000_000).astype(np.int64)
    hours = areas.work[:, HOURS] + areas.work[:, HOURS].sum() * 1e-4 / n
    units = np.maximum(1, np.round(hours / hours.sum() * k * UNITS)).astype(np.int64)
    near = np.argsort(cost, axis=1)[:, : min(REACH, k)]
    tails = np.repeat(np.arange(n), near.shape[1])
    heads = near.ravel()
    flow = min_cost_flow.SimpleMinCostFlow()
    room = -(-int(units.sum()) // k)
    inner = flow.add_arcs_with_capacity_and_unit_cost(
        tails, n + heads, np.repeat(units, near.shape[1]), cost[tails, heads]
    )
    spare = int(cost.max()) * 2 + 1
    for middle in range(k):
        flow.add_arc_with_capacity_and_unit_cost(n + middle, n + k, room, 0)
        flow.add_arc_with_capacity_and_unit_cost(n + middle, n + k, int(units.sum()), spare)
    for area in range(n):
        flow.set_node_supply(area, int(units[area]))
    flow.set_node_supply(n + k, -int(units.sum()))
    if flow.solve() != flow.OPTIMAL:
        return np.asarray(cost.argmin(axis=1), dtype=np.int64)
    taken = np.zeros((n, k))
    taken[tails, heads] = flow.flows(inner)
    return np.asarray(taken.argmax(axis=1), dtype=np.int64)
