"""Road answers from an `osrm-routed` process; what it cannot answer is estimated and marked."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from geo.types import LonLat
from routing.roads import contour, polyline
from routing.roads.straight import StraightLine
from routing.roads.types import FAR_FROM_ROADS_M, FeatureCollection, Leg, Matrix, RoadsUnavailable

type Post = Callable[[str, bytes], bytes]
"""Sends a JSON body to a path of the peer and returns the body of its answer, whatever its HTTP status.
Raises `RoadsUnavailable` when nobody answers."""

MOST_ROWS, MOST_CELLS, MOST_POINTS = 500, 1_000_000, 20_000
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
    most_points: int = MOST_POINTS
    """Sources and targets that the peer takes in one table."""
    most_stops: int = 2_000
    """Stops that the peer takes in one route."""
    by_address: bool = False
    """Ask with everything in the address and no body: what every OSRM server understands."""

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """Road times and distances; cells without a way, and points over 1 km from any road, are estimated."""
        goals = sources if targets is None else targets
        result = StraightLine().matrix(sources, goals)
        if not result.seconds.size:
            return result
        for rows, columns in blocks(len(sources), len(goals), MOST_ROWS, MOST_CELLS, self.most_points):
            table = self._table(sources[rows], goals[columns])
            table.put_into(result, rows, columns)
        return result

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """Legs along the road. Turning round at a stop is allowed, so that legs take as long as matrix cells."""
        if len(stops) < 2:
            return []
        if len(stops) > self.most_stops:
            return [*self.route(stops[: self.most_stops]), *self.route(stops[self.most_stops - 1 :])]
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
        with understood():
            far = [point["distance"] > FAR_FROM_ROADS_M for point in answer["waypoints"]]
            pairs = zip(itertools.pairwise(stops), itertools.pairwise(far), answer["routes"][0]["legs"], strict=True)
            return [StraightLine().leg(*ends) if any(are_far) else _leg(leg) for ends, are_far, leg in pairs]

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """Areas from a table over a grid; circles when the centre is over 1 km from any road."""

        def times(points: Sequence[LonLat]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            parts = [self._table([centre], points[columns]) for _row, columns in self._row_blocks(len(points))]
            return np.concatenate([t.seconds[0] for t in parts]), np.concatenate([t.target_snap_m for t in parts])

        if self._table([centre], [centre]).source_snap_m[0] > FAR_FROM_ROADS_M:
            return StraightLine().isochrone(centre, minutes)
        return contour.isochrone(centre, minutes, times)

    def _row_blocks(self, targets: int) -> Iterator[tuple[slice, slice]]:
        return blocks(1, targets, 1, MOST_CELLS, self.most_points)

    def _one_by_one(self, stops: Sequence[LonLat]) -> list[Leg]:
        """One stop without a way must not turn the whole day into estimates."""
        if len(stops) == 2:
            return StraightLine().route(stops)
        return [leg for pair in itertools.pairwise(stops) for leg in self.route(pair)]

    def _table(self, sources: Sequence[LonLat], targets: Sequence[LonLat]) -> "Table":
        answer = self._ask(
            "table",
            coordinates=[list(point) for point in (*sources, *targets)],
            sources=list(range(len(sources))),
            destinations=list(range(len(sources), len(sources) + len(targets))),
            annotations=["duration", "distance"],
        )
        if answer is None:
            return Table.without_any_way(len(sources), len(targets))
        shape = len(sources), len(targets)
        with understood():
            return Table(
                np.array(answer["durations"], float).reshape(shape),
                np.array(answer["distances"], float).reshape(shape),
                np.array([point["distance"] for point in answer["sources"]], float).reshape(shape[0]),
                np.array([point["distance"] for point in answer["destinations"]], float).reshape(shape[1]),
            )

    def _ask(self, service: str, coordinates: list[list[float]], **question: object) -> dict[str, Any] | None:
        path, body = f"/{service}/v1/{self.profile}", b""
        if self.by_address:
            path += f"/{_joined(coordinates)}?{_query({'generate_hints': False, **question})}"
        else:
            body = json.dumps({"generate_hints": False, "coordinates": coordinates, **question}).encode()
        try:
            answer: dict[str, Any] = json.loads(self.post(path, body))
        except ValueError as error:
            raise RoadsUnavailable("the road server gave an answer that is not JSON") from error
        code = answer.get("code") if isinstance(answer, dict) else None
        if code in _NO_WAY:
            return None
        if code != "Ok":
            said = answer.get("message", code) if isinstance(answer, dict) else "something else"
            raise RoadsUnavailable(f"the road server refused a {service}: {said}")
        return answer


@contextlib.contextmanager
def understood() -> Iterator[None]:
    """An answer that is of another shape than was asked for is no answer."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise RoadsUnavailable("the road server gave an answer of another shape than was asked for") from error


def blocks(
    sources: int, targets: int, most_rows: int, most_cells: int, most_points: int
) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the parts in which a table is asked for, each within all three limits."""
    columns = min(targets, max(1, most_points - min(sources, most_rows, max(1, most_points // 2))))
    rows = max(1, min(most_rows, most_cells // columns, most_points - columns))
    for first in range(0, sources, rows):
        for left in range(0, targets, columns):
            yield slice(first, first + rows), slice(left, left + columns)


def _joined(coordinates: list[list[float]]) -> str:
    return ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in coordinates)


def _query(question: Mapping[str, object]) -> str:
    def word(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    def text(name: str, value: object) -> str:
        between = "," if name == "annotations" else ";"
        return between.join(map(word, value)) if isinstance(value, list) else word(value)

    return urlencode({name: text(name, value) for name, value in question.items()}, safe=";,")


@dataclass(frozen=True, eq=False)
class Table:
    """Part of a matrix as a server answers it; NaN where there is no way."""

    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]
    source_snap_m: NDArray[np.float64]
    target_snap_m: NDArray[np.float64]

    @classmethod
    def without_any_way(cls, sources: int, targets: int) -> "Table":
        """No source reaches any target."""
        nothing = np.full((sources, targets), np.nan)
        return cls(nothing, nothing, np.full(sources, np.inf), np.full(targets, np.inf))

    def put_into(self, result: Matrix, rows: slice, columns: slice) -> None:
        """Replace the estimates of a block by what is known of the road."""
        far = (self.source_snap_m[:, None] > FAR_FROM_ROADS_M) | (self.target_snap_m[None] > FAR_FROM_ROADS_M)
        known = np.isfinite(self.seconds) & np.isfinite(self.metres) & (self.seconds >= 0) & (self.metres >= 0) & ~far
        result.seconds[rows, columns][known] = np.rint(self.seconds[known])
        result.metres[rows, columns][known] = np.rint(self.metres[known])
        result.estimated[rows, columns][known] = False
        result.snap_m[rows] = self.source_snap_m


def _leg(leg: dict[str, Any]) -> Leg:
    line = polyline.joined(step["geometry"] for step in leg["steps"])
    return Leg(round(leg["duration"]), round(leg["distance"]), line, False)
