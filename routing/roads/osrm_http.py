"""Road answers from an `osrm-routed` process; what it cannot answer is estimated and marked."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.types import LonLat
from routing.roads import contour, polyline
from routing.roads.straight import StraightLine
from routing.roads.types import FAR_FROM_ROADS_M, FeatureCollection, Leg, Matrix, RoadsUnavailable

type Post = Callable[[str, bytes], bytes]
"""Sends a JSON body to a path of the peer and returns the body of its answer, whatever its HTTP status.
Raises `RoadsUnavailable` when nobody answers."""

MOST_ROWS, MOST_CELLS = 500, 1_000_000
"""A table is asked for in blocks of rows: one 2000 x 2000 answer would take 1.2 GB in the peer."""

_NO_WAY = frozenset({"NoRoute", "NoSegment", "NoTable"})


@dataclass(frozen=True)
class OsrmHttp:
    """Client of one OSRM graph."""

    key: str
    """Names engine, data and profile."""
    post: Post
    """The way to the peer, handed in by the caller."""
    profile: str = "driving"
    """The profile's name in the peer's addresses."""

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """Road times and distances; cells without a way, and points over 1 km from any road, are estimated."""
        goals = sources if targets is None else targets
        result = StraightLine().matrix(sources, goals)
        if not result.seconds.size:
            return result
        rows = max(1, min(MOST_ROWS, MOST_CELLS // len(goals)))
        for first in range(0, len(sources), rows):
            part = slice(first, first + rows)
            table = self._table(sources[part], goals)
            far = (table.source_snap_m[:, None] > FAR_FROM_ROADS_M) | (table.target_snap_m[None] > FAR_FROM_ROADS_M)
            known = np.isfinite(table.seconds) & np.isfinite(table.metres) & ~far
            result.seconds[part][known] = np.rint(table.seconds[known])
            result.metres[part][known] = np.rint(table.metres[known])
            result.estimated[part][known] = False
            result.snap_m[part] = table.source_snap_m
        return result

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """Legs along the road. Turning round at a stop is allowed, so that legs take as long as matrix cells."""
        if len(stops) < 2:
            return []
        answer = self._ask(
            "route",
            coordinates=[list(stop) for stop in stops],
            steps=True,
            geometries="polyline6",
            overview="false",
            continue_straight=False,
        )
        if answer is None:
            return self._one_by_one(stops)
        far = [point["distance"] > FAR_FROM_ROADS_M for point in answer["waypoints"]]
        legs = answer["routes"][0]["legs"]
        return [
            StraightLine().leg(stops[i], stops[i + 1]) if far[i] or far[i + 1] else _leg(leg)
            for i, leg in enumerate(legs)
        ]

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """Areas from a table over a grid; circles when the centre is over 1 km from any road."""

        def times(points: Sequence[LonLat]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            table = self._table([centre], points)
            return table.seconds[0], table.target_snap_m

        if self._table([centre], [centre]).source_snap_m[0] > FAR_FROM_ROADS_M:
            return StraightLine().isochrone(centre, minutes)
        return contour.isochrone(centre, minutes, times)

    def _one_by_one(self, stops: Sequence[LonLat]) -> list[Leg]:
        """One stop without a way must not turn the whole day into estimates."""
        if len(stops) == 2:
            return StraightLine().route(stops)
        return [leg for pair in itertools.pairwise(stops) for leg in self.route(pair)]

    def _table(self, sources: Sequence[LonLat], targets: Sequence[LonLat]) -> "_Table":
        answer = self._ask(
            "table",
            coordinates=[list(point) for point in (*sources, *targets)],
            sources=list(range(len(sources))),
            destinations=list(range(len(sources), len(sources) + len(targets))),
            annotations=["duration", "distance"],
        )
        if answer is None:
            return _Table.without_any_way(len(sources), len(targets))
        return _Table(
            np.array(answer["durations"], float),
            np.array(answer["distances"], float),
            np.array([point["distance"] for point in answer["sources"]], float),
            np.array([point["distance"] for point in answer["destinations"]], float),
        )

    def _ask(self, service: str, **question: object) -> dict[str, Any] | None:
        body = json.dumps({"generate_hints": False, **question}).encode()
        try:
            answer: dict[str, Any] = json.loads(self.post(f"/{service}/v1/{self.profile}", body))
        except ValueError as error:
            raise RoadsUnavailable("the road process gave an answer that is not JSON") from error
        code = answer.get("code")
        if code in _NO_WAY:
            return None
        if code != "Ok":
            raise RoadsUnavailable(f"the road process refused a {service}: {answer.get('message', code)}")
        return answer


@dataclass(frozen=True, eq=False)
class _Table:
    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]
    source_snap_m: NDArray[np.float64]
    target_snap_m: NDArray[np.float64]

    @classmethod
    def without_any_way(cls, sources: int, targets: int) -> "_Table":
        nothing = np.full((sources, targets), np.nan)
        return cls(nothing, nothing, np.full(sources, np.inf), np.full(targets, np.inf))


def _leg(leg: dict[str, Any]) -> Leg:
    line = polyline.joined(step["geometry"] for step in leg["steps"])
    return Leg(round(leg["duration"]), round(leg["distance"]), line, False)
