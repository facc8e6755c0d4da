"""OR-Tools routing as a planning engine: cheapest insertion, then guided local search.

What is said natively: travel and service as matrices, windows with holes, breaks that may split a drive, prizes as
penalties of optional visits, allowed reps and days, driving, visit and capacity limits, lateness, fixed costs,
overtime as a soft end of the shift, changes of the known plan as costs of the vehicle.
All shifts share one clock of the day; a visit whose windows differ by weekday stands there once per group of equal
days, at most one of them served. (One long clock over all days says the same, but building that model took 1 s for
120 visits.) Cadence is turned into disjoint blocks of days around the days of the starting draft: as constraints
between visits it halved the pace of the search on the public instances.
What is not said: traffic that changes by the hour. It searches with the mean drives of each day; what the hours do not
allow is taken out of its orders afterwards (`insertion.mend`) and put where it fits, so its plans are as lawful.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.util import optional_boolean_pb2

from routing.budget import Meter
from routing.draft import Draft
from routing.types import UNREACHABLE, Problem, RepDay, Window

OWN_START_ABOVE = 5_000
"""Visits x rep-days from which OR-Tools' own insertion eats too much of a short budget (300 x 30: 1.2 s)."""

SLOW_OPERATORS = (
    "use_global_cheapest_insertion_path_lns",
    "use_local_cheapest_insertion_path_lns",
    "use_global_cheapest_insertion_visit_types_lns",
    "use_local_cheapest_insertion_visit_types_lns",
    "use_relocate_path_global_cheapest_insertion_insert_unperformed",
)
"""Large-neighbourhood operators that found less per second than plain moves on the public instances."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A visit on days with the same windows."""

    visit: int
    windows: tuple[Window, ...]
    vehicles: tuple[int, ...]


def search(problem: Problem, draft: Draft, *, seed: int, meter: Meter) -> dict[int, list[int]] | None:
    """Improve on `draft` until the budget is used up.

    Returns
    -------
    dict of rep-day index to visit indices, or None
        Orders; None when OR-Tools found no solution in time. The caller checks and schedules them.
    """
    model = _Model(problem, draft, seed)
    if not model.nodes:
        return {}
    return model.solve(draft, meter)


class _Model:
    """One problem as OR-Tools sees it."""

    def __init__(self, problem: Problem, draft: Draft, seed: int) -> None:
        self.problem = problem
        self.shifts = [k for k, d in enumerate(problem.rep_days) if _usable(d)]
        days = [problem.rep_days[k] for k in self.shifts]
        self.horizon = max((d.latest_s for d in days), default=0)
        order = np.random.default_rng(seed).permutation(len(problem.visits))
        blocks = _day_blocks(problem, draft)
        self.nodes = [node for v in order for node in self._nodes_of(int(v), blocks.get(int(v)))]
        anchors = sorted({d.start for d in days} | {d.end for d in days})
        row = {place: len(self.nodes) + k for k, place in enumerate(anchors)}
        self.places = np.array([problem.visits[n.visit].place for n in self.nodes] + anchors, dtype=np.int64)
        self.service = [problem.visits[n.visit].service_s for n in self.nodes] + [0] * len(anchors)
        self.prize_scale, self.travel_weight = _scales(problem)
        if not self.nodes or not days:
            self.nodes = []
            return
        self.manager = pywrapcp.RoutingIndexManager(
            len(self.places), len(days), [row[d.start] for d in days], [row[d.end] for d in days]
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self._costs(days)
        self._clock(days)
        self._limits(days)
        self._visits()

    def _nodes_of(self, visit: int, block: frozenset[int] | None) -> Iterator[_Node]:
        v = self.problem.visits[visit]
        groups: dict[tuple[Window, ...], list[int]] = {}
        for vehicle, k in enumerate(self.shifts):
            d = self.problem.rep_days[k]
            if v.allows(d) and (block is None or d.day in block):
                windows = tuple(
                    w for w in v.windows_on(d.day) if w.open_s + v.service_s <= min(w.close_s, self.horizon)
                )
                if windows:
                    groups.setdefault(windows, []).append(vehicle)
        for windows, vehicles in groups.items():
            yield _Node(visit, windows, tuple(vehicles))

    def _travel(self) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        drive = self.problem.seconds[np.ix_(self.places, self.places)]
        return np.where(drive == UNREACHABLE, self.horizon + 1, drive)  # too long for any shift

    def _costs(self, days: list[RepDay]) -> None:
        routing, weights, travel = self.routing, self.problem.weights, self._travel()
        visits = [self.problem.visits[n.visit] for n in self.nodes]
        evaluators: dict[tuple[int, ...], int] = {}
        late_matters = weights.late and any(v.late_cost and v.due_day is not None for v in visits)
        for vehicle, d in enumerate(days):
            late = [weights.late * v.late_cost * v.late_days(d.day) if late_matters else 0 for v in visits]
            key = tuple(more + v.moved(d.id) + v.by_another(d.rep) for more, v in zip(late, visits, strict=True))
            if key not in evaluators:
                cost = travel * self.travel_weight
                cost[:, : len(visits)] += np.array(key, dtype=np.int64) * self.prize_scale
                evaluators[key] = routing.RegisterTransitMatrix(cost.tolist())
            routing.SetArcCostEvaluatorOfVehicle(evaluators[key], vehicle)
            if weights.fixed and d.fixed_cost:
                routing.SetFixedCostOfVehicle(weights.fixed * d.fixed_cost * self.prize_scale, vehicle)

    def _clock(self, days: list[RepDay]) -> None:
        routing = self.routing
        transit = self._travel() + np.array(self.service, dtype=np.int64)[:, None]
        routing.AddDimension(routing.RegisterTransitMatrix(transit.tolist()), self.horizon, self.horizon, False, "time")
        self.time = routing.GetDimensionOrDie("time")
        service = [self.service[self.manager.IndexToNode(i)] for i in range(routing.Size())]
        for vehicle, d in enumerate(days):
            self.time.CumulVar(routing.Start(vehicle)).SetRange(d.open_s, d.close_s)
            self.time.CumulVar(routing.End(vehicle)).SetRange(d.open_s, d.latest_s)
            if d.overtime_s:
                cost = d.overtime_cost * self.prize_scale
                self.time.SetCumulVarSoftUpperBound(routing.End(vehicle), d.close_s, cost)
            if d.rest is not None:
                rest = routing.solver().FixedDurationIntervalVar(
                    max(d.rest.earliest_s, d.open_s), d.rest.latest_s, d.rest.duration_s, False, f"break {vehicle}"
                )
                self.time.SetBreakIntervalsOfVehicle([rest], vehicle, service)

    def _limits(self, days: list[RepDay]) -> None:
        routing = self.routing
        if any(d.max_drive_s is not None for d in days):
            drive = routing.RegisterTransitMatrix(self._travel().tolist())
            most = [self.horizon if d.max_drive_s is None else d.max_drive_s for d in days]
            routing.AddDimensionWithVehicleCapacity(drive, 0, most, True, "drive")
        anchors = [0] * (len(self.places) - len(self.nodes))
        if any(d.max_visits is not None for d in days):
            one = routing.RegisterUnaryTransitVector([1] * len(self.nodes) + anchors)
            most = [len(self.nodes) if d.max_visits is None else d.max_visits for d in days]
            routing.AddDimensionWithVehicleCapacity(one, 0, most, True, "visits")
        if any(d.capacity is not None for d in days):
            demand = [self.problem.visits[n.visit].demand for n in self.nodes]
            most = [sum(demand) if d.capacity is None else d.capacity for d in days]
            load = routing.RegisterUnaryTransitVector(demand + anchors)
            routing.AddDimensionWithVehicleCapacity(load, 0, most, True, "load")

    def _visits(self) -> None:
        problem, shared = self.problem, self.problem.weights.prize * self.prize_scale
        everything = 1 + self.prize_scale * sum(
            d.latest_s - d.open_s + d.overtime_s * d.overtime_cost + problem.weights.fixed * d.fixed_cost
            for d in problem.rep_days
        )
        everything += sum(
            v.prize * shared + (v.change_cost + v.other_rep_cost) * self.prize_scale for v in problem.visits
        )
        same: dict[int, list[int]] = {}
        for k, node in enumerate(self.nodes):
            index = self.manager.NodeToIndex(k)
            same.setdefault(node.visit, []).append(index)
            if len(node.vehicles) < len(self.shifts):
                self.routing.VehicleVar(index).SetValues([-1, *node.vehicles])
            starts = self.time.CumulVar(index)
            service = problem.visits[node.visit].service_s
            last = max(w.close_s for w in node.windows) - service
            starts.SetRange(node.windows[0].open_s, min(last, self.horizon))
            closed_from = node.windows[0].close_s - service + 1
            for window in node.windows[1:]:
                if window.open_s > closed_from:
                    starts.RemoveInterval(closed_from, window.open_s - 1)
                closed_from = window.close_s - service + 1
        for visit, indices in same.items():
            v = problem.visits[visit]
            self.routing.AddDisjunction(
                indices, everything if v.mandatory else v.prize * shared + v.moved(None) * self.prize_scale
            )

    def solve(self, draft: Draft, meter: Meter) -> dict[int, list[int]] | None:
        parameters = _parameters(meter)
        self._stop_with(meter)
        self.routing.CloseModelWithParameters(parameters)
        starts = [self._from_insertion, self._from_draft]
        if len(self.nodes) * len(self.shifts) > OWN_START_ABOVE:
            starts.reverse()
        for start in starts:  # the second one only when the first found nothing
            found = start(draft, parameters)
            if found is not None:
                return self._orders(found)
            if self._expired():
                break
        return None

    def _from_insertion(self, draft: Draft, parameters: Any) -> Any:
        """Search from OR-Tools' own parallel cheapest insertion."""
        del draft
        return self.routing.SolveWithParameters(parameters)

    def _from_draft(self, draft: Draft, parameters: Any) -> Any:
        """Search from the draft; OR-Tools may refuse it, its propagation of breaks is not exact."""
        start = self.routing.ReadAssignmentFromRoutes(self._indices(draft), True)
        return None if start is None else self.routing.SolveFromAssignmentWithParameters(start, parameters)

    def _stop_with(self, meter: Meter) -> None:
        most = float("inf") if meter.budget.steps is None else meter.budget.steps
        timed = meter.budget.seconds is not None
        calls, over = 0, False

        def expired() -> bool:
            nonlocal calls, over
            calls += 1
            if calls % 16 == 0 and timed:  # asking the clock at every neighbour would cost more than the neighbour
                over = over or meter.left_s <= 0
            return over or calls > most

        self._expired = expired  # the solver keeps no reference of its own
        self.routing.AddSearchMonitor(self.routing.solver().CustomLimit(expired))

    def _indices(self, draft: Draft) -> list[list[int]]:
        place: dict[tuple[int, int], int] = {
            (n.visit, vehicle): self.manager.NodeToIndex(k) for k, n in enumerate(self.nodes) for vehicle in n.vehicles
        }
        return [
            [place[v, vehicle] for v in draft.routes[k] if (v, vehicle) in place]
            for vehicle, k in enumerate(self.shifts)
        ]

    def _orders(self, found: Any) -> dict[int, list[int]]:
        routing, orders = self.routing, {}
        for vehicle, k in enumerate(self.shifts):
            index, route = found.Value(routing.NextVar(routing.Start(vehicle))), []
            while not routing.IsEnd(index):
                route.append(self.nodes[self.manager.IndexToNode(index)].visit)
                index = found.Value(routing.NextVar(index))
            orders[k] = route
        return orders


def _usable(rep_day: RepDay) -> bool:
    """Whether the day's break fits into its shift; without that nobody can be served."""
    rest = rep_day.rest
    if rest is None:
        return True
    begin = max(rest.earliest_s, rep_day.open_s)
    return begin <= rest.latest_s and begin + rest.duration_s <= rep_day.latest_s


def _scales(problem: Problem) -> tuple[int, int]:
    """Factors of (everything but travel, travel).

    Where driving costs nothing, a search has no slope to follow: then a mean prize is set to twice a mean drive. With
    prizes that outweigh any drive, guided local search never left its first optimum on the orienteering instances.
    """
    if problem.weights.travel:
        return 1, problem.weights.travel
    prizes = sum(v.prize for v in problem.visits) / max(1, len(problem.visits))
    drive = float(problem.seconds.mean()) if problem.seconds.size else 0.0
    return max(1, round(2 * drive / max(1.0, prizes * problem.weights.prize))), 1


def _day_blocks(problem: Problem, draft: Draft) -> dict[int, frozenset[int]]:
    """Days per visit such that any choice keeps the cadence, built around the draft's days."""
    days = sorted({d.day for d in problem.rep_days})
    blocks: dict[int, frozenset[int]] = {}
    for spacing in problem.spacings:
        visits = [problem.visit_index[i] for i in spacing.visits]
        placed = [(v, problem.rep_days[draft.at[v]].day) for v in visits if v in draft.at]
        for v in visits:
            blocks[v] = frozenset()
        if spacing.max_gap_days is not None or not placed:
            blocks.update({v: frozenset({day}) for v, day in placed})
            continue
        first = days[0]
        for k, (v, day) in enumerate(placed):
            last = days[-1]
            if k + 1 < len(placed):  # share the slack between the two
                last = day + (placed[k + 1][1] - day - spacing.min_gap_days) // 2
            blocks[v] = frozenset(d for d in days if first <= d <= last)
            first = last + spacing.min_gap_days
    return blocks


def _parameters(meter: Meter) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    for operator in SLOW_OPERATORS:
        setattr(parameters.local_search_operators, operator, optional_boolean_pb2.BOOL_FALSE)
    parameters.lns_time_limit.FromSeconds(1_000_000)  # 0.1 s by default, in which a big draft is refused as infeasible
    wall = 1_000_000 if meter.budget.seconds is None else int(meter.budget.seconds * 20) + 5
    parameters.time_limit.FromSeconds(wall)  # `_stop_with` ends the search; this only guards against a standstill
    return parameters
