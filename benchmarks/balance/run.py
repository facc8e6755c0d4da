"""20 reps and 50,000 accounts: the three scenarios beside k-means and beside counting accounts, on the same ground.

    python -m benchmarks.balance.run [accounts] [reps]

Made-up accounts lie around towns of very different size; a third of them in the open country. Each has a class (how
often it is visited), a length of visit, a value and a potential. The present territories are slices with equal numbers
of accounts. Everything is measured by the same rule: hours with service, drive to the next stop, and the way there.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from shapely.geometry import MultiPolygon, box
from sklearn.cluster import KMeans

from geo.balance import cutting
from geo.balance.improving import scenarios, shared, whole
from geo.balance.starting import flown, middles
from geo.balance.types import Areas, Goal, measured
from geo.types import LonLat
from routing.roads.straight import StraightLine

WEST, SOUTH, EAST, NORTH = 8.0, 47.8, 9.8, 49.0
STOPS_A_DAY = 8


def accounts(count: int, chance: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places (n, 2) and visits, hours, value, potential (n, 4)."""
    towns = chance.uniform((WEST, SOUTH), (EAST, NORTH), (80, 2))
    sizes = chance.pareto(1.1, 80) + 0.2
    town = chance.choice(80, count, p=sizes / sizes.sum())
    spread = 0.01 + 0.03 * np.sqrt(sizes / sizes.max())
    lonlats = towns[town] + chance.normal(0, 1, (count, 2)) * spread[town][:, None]
    open_country = chance.random(count) < 0.33
    lonlats[open_country] = chance.uniform((WEST, SOUTH), (EAST, NORTH), (int(open_country.sum()), 2))
    lonlats = np.clip(lonlats, (WEST + 1e-6, SOUTH + 1e-6), (EAST - 1e-6, NORTH - 1e-6))
    visits = 365 / chance.choice([14, 28, 84], count, p=[0.1, 0.3, 0.6])
    service_h = chance.choice([0.25, 0.5, 0.75, 1.0], count)
    hop_h = np.clip(0.25 - 0.2 * sizes[town] / sizes.max(), 0.05, 0.25) + 0.1 * open_country
    value = visits * chance.lognormal(6, 1.0, count)
    potential = value * chance.uniform(1, 4, count)
    return lonlats, np.column_stack([visits, visits * (service_h + hop_h), value, potential])


def slices(lonlats: NDArray[np.float64], reps: int) -> list[MultiPolygon]:
    """Territories as upright slices with the same number of accounts."""
    edges = np.quantile(lonlats[:, 0], np.linspace(0, 1, reps + 1))
    edges[0], edges[-1] = WEST, EAST
    return [MultiPolygon([box(a, SOUTH, b, NORTH)]) for a, b in pairwise(edges.tolist())]


def areas(lonlats: NDArray[np.float64], work: NDArray[np.float64], reps: int) -> Areas:
    """Small areas, as the job makes them."""
    grounds = slices(lonlats, reps)
    resolution = cutting.resolution_for(grounds)
    found = [cutting.cut(ground, resolution) for ground in grounds]
    pieces = [piece for some in found for piece in some]
    owner = np.repeat(np.arange(reps), [len(some) for some in found])
    at = cutting.holding(pieces, lonlats)
    sums, counts = np.zeros((len(pieces), 4)), np.bincount(at, minlength=len(pieces))
    np.add.at(sums, at, work)
    places = np.array([piece.centroid.coords[0] for piece in pieces])
    bare = Areas(
        places, sums[:, 1:], counts, ((),) * len(pieces), np.zeros((reps, len(pieces))), owner, np.zeros((reps, 3))
    )
    centres = [LonLat(x, y) for x, y in middles(bare, owner).tolist()]
    seconds = StraightLine().matrix(centres, [LonLat(x, y) for x, y in places.tolist()]).seconds
    travel = 2 * seconds / 3600 * sums[:, 0] / STOPS_A_DAY
    return replace(bare, neighbours=cutting.borders(pieces), travel_h=travel)


def by_kmeans(ground: Areas) -> NDArray[np.int64]:
    """What people draw by hand: k-means over the accounts' places."""
    weight = ground.accounts + 1e-9
    means = KMeans(ground.count, n_init=4, random_state=0).fit(ground.lonlats, sample_weight=weight)
    kept = np.zeros((ground.count, ground.count))
    np.add.at(kept, (means.labels_, ground.owner), -ground.accounts)
    return np.asarray(linear_sum_assignment(kept)[1][means.labels_], dtype=np.int64)


def by_count(ground: Areas) -> NDArray[np.int64]:
    """Equal numbers of accounts, by the same search: what a system does that balances one number."""
    counted = replace(
        ground,
        work=np.column_stack([ground.accounts, np.zeros((len(ground.owner), 2))]).astype(float),
        travel_h=np.zeros_like(ground.travel_h),
    )
    return shared(counted, Goal("count", hours=25, value=0, potential=0, compact=0.12), [flown(counted)])


def line(name: str, ground: Areas, owner: NDArray[np.int64], wall: float, cpu: float) -> None:
    """A row of the table."""
    found = measured(ground, owner)
    print(
        f"| {name} | {found.hours_spread:.1%} | {found.value_spread:.1%} | {found.potential_spread:.1%}"
        f" | {sum(found.travel_h):,.0f} | {found.moved_accounts:,} | {found.compactness:.1%}"
        f" | {sum(one == 1 for one in found.pieces)}/{ground.count} | {wall:.1f} | {cpu:.1f} |"
    )


def main(count: int = 50_000, reps: int = 20) -> None:
    """Print the table."""
    chance = np.random.default_rng(7)
    lonlats, work = accounts(count, chance)
    wall, cpu = time.perf_counter(), time.process_time()
    ground = areas(lonlats, work, reps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{count:,} accounts, {reps} reps, {len(ground.owner):,} small areas: cut in {wall:.1f} s ({cpu:.1f} s CPU)\n"
    )
    print("| way | hours | value | potential | way there h/a | moved | compact | whole | s | CPU s |\n|" + "---|" * 10)
    line("now: slices of equal count", ground, ground.owner, 0, 0)
    ways: list[tuple[str, Callable[[], NDArray[np.int64]]]]
    ways = [("k-means", lambda: by_kmeans(ground)), ("k-means, made whole", lambda: whole(ground, by_kmeans(ground)))]
    ways += [("counting accounts", lambda: by_count(ground))]
    for name, way in ways:
        wall, cpu = time.perf_counter(), time.process_time()
        owner = way()
        line(name, ground, owner, time.perf_counter() - wall, time.process_time() - cpu)
    wall, cpu = time.perf_counter(), time.process_time()
    for goal, owner in scenarios(ground):
        line(goal.key, ground, owner, time.perf_counter() - wall, time.process_time() - cpu)
        wall, cpu = time.perf_counter(), time.process_time()


if __name__ == "__main__":
    main(*(int(one.replace(",", "")) for one in sys.argv[1:]))
