"""Road answers from a Valhalla server; what it cannot answer is estimated and marked."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.distance import haversine_m
from geo.types import LonLat
from routing.roads.osrm_http import Post, Table, blocks, understood
from routing.roads.straight import StraightLine
from routing.roads.types import FAR_FROM_ROADS_M, FeatureCollection, Leg, Matrix, RoadsUnavailable, checked_minutes

_NO_WAY = frozenset({154, 170, 171, 442})
"""Too far apart, in parts that no road joins, no road near, no path."""
_FEW_CONTOURS = 4


@dataclass(frozen=True)
class ValhallaHttp:
    """Client of a Valhalla server, within the limits that it comes with."""

    key: str
    """Names the server."""
    post: Post
    """The way to the server, handed in by the caller."""
    costing: str = "auto"
    """Valhalla's name of the vehicle."""
    most_cells: int = 2_500
    """Cells that the server answers in one matrix."""
    most_stops: int = 20
    """Stops that the server takes in one route."""

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """Road times and distances; cells without a way, and points over 1 km from any road, are estimated."""
        goals = sources if targets is None else targets
        result = StraightLine().matrix(sources, goals)
        if not result.seconds.size:
            return result
        snap = self._snap_m([*sources, *goals])
        source_snap, target_snap = snap[: len(sources)], snap[len(sources) :]
        result.snap_m[:] = source_snap
        side = max(1, int(self.most_cells**0.5))
        rows_on = np.flatnonzero(source_snap <= FAR_FROM_ROADS_M)
        columns_on = np.flatnonzero(target_snap <= FAR_FROM_ROADS_M)
        if not rows_on.size or not columns_on.size:
            return result
        for rows, columns in blocks(rows_on.size, columns_on.size, side, self.most_cells, 2 * side):
            part = self._table([sources[i] for i in rows_on[rows]], [goals[j] for j in columns_on[columns]])
            known = np.isfinite(part.seconds) & np.isfinite(part.metres)
            there = np.ix_(rows_on[rows], columns_on[columns])
            result.seconds[there] = np.where(known, np.rint(np.nan_to_num(part.seconds)), result.seconds[there])
            result.metres[there] = np.where(known, np.rint(np.nan_to_num(part.metres)), result.metres[there])
            result.estimated[there] = ~known
        return result

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """Legs along the road; a stop without a way makes only its own legs estimates."""
        if len(stops) < 2:
            return []
        if len(stops) > self.most_stops:
            return [*self.route(stops[: self.most_stops]), *self.route(stops[self.most_stops - 1 :])]
        far = self._snap_m(stops) > FAR_FROM_ROADS_M
        if far.any() and len(stops) > 2:
            return [leg for pair in itertools.pairwise(stops) for leg in self.route(pair)]
        locations = [{**_place(stop), "type": "break"} for stop in stops]
        answer = None if far.any() else self._ask("route", locations=locations, directions_type="none")
        if answer is None and len(stops) > 2:
            return [leg for pair in itertools.pairwise(stops) for leg in self.route(pair)]
        if answer is None:
            return StraightLine().route(stops)
        with understood():
            pairs = zip(itertools.pairwise(stops), answer["trip"]["legs"], strict=True)
            return [_leg(leg) for _ends, leg in pairs]

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """Areas as Valhalla draws them; circles when the centre is over 1 km from any road."""
        wanted = checked_minutes(minutes)
        if self._snap_m([centre])[0] > FAR_FROM_ROADS_M:
            return StraightLine().isochrone(centre, minutes)
        features = []
        for first in range(0, len(wanted), _FEW_CONTOURS):
            times = [{"time": value} for value in wanted[first : first + _FEW_CONTOURS]]
            answer = self._ask("isochrone", locations=[_place(centre)], contours=times, polygons=True)
            if answer is None:
                return StraightLine().isochrone(centre, minutes)
            with understood():
                features += [{**feature, "properties": _minutes(feature)} for feature in answer["features"]]
        features.sort(key=lambda feature: -feature["properties"]["minutes"])
        return {"type": "FeatureCollection", "features": features}

    def _table(self, sources: Sequence[LonLat], targets: Sequence[LonLat]) -> Table:
        places = {"sources": list(map(_place, sources)), "targets": list(map(_place, targets))}
        answer = self._ask("sources_to_targets", **places, verbose=False)
        if answer is None:
            if len(sources) == len(targets) == 1:
                return Table.without_any_way(1, 1)
            return self._halves(sources, targets)
        shape = len(sources), len(targets)
        with understood():
            found = answer["sources_to_targets"]
            return Table(
                np.array(found["durations"], float).reshape(shape),
                np.array(found["distances"], float).reshape(shape) * 1000,
                np.zeros(shape[0]),
                np.zeros(shape[1]),
            )

    def _halves(self, sources: Sequence[LonLat], targets: Sequence[LonLat]) -> Table:
        """One point too far away makes Valhalla refuse the whole table: it is looked for by halving."""
        by_row = len(sources) >= len(targets)
        middle = (len(sources) if by_row else len(targets)) // 2
        parts = (
            [self._table(sources[:middle], targets), self._table(sources[middle:], targets)]
            if by_row
            else [self._table(sources, targets[:middle]), self._table(sources, targets[middle:])]
        )
        axis = 0 if by_row else 1
        seconds = np.concatenate([part.seconds for part in parts], axis=axis)
        metres = np.concatenate([part.metres for part in parts], axis=axis)
        return Table(seconds, metres, np.zeros(len(sources)), np.zeros(len(targets)))

    def _snap_m(self, points: Sequence[LonLat]) -> NDArray[np.float64]:
        """Metres from each point to the road that Valhalla puts it on; infinite where it finds none."""
        unique = list(dict.fromkeys(points))
        found: dict[LonLat, float] = {}
        for first in range(0, len(unique), self.most_stops):
            part = unique[first : first + self.most_stops]
            answers = self._ask("locate", locations=list(map(_place, part)), verbose=False) or [{}] * len(part)
            with understood():
                for point, answer in zip(part, answers, strict=True):
                    ends = [LonLat(e["correlated_lon"], e["correlated_lat"]) for e in answer.get("edges") or ()]
                    found[point] = min((haversine_m(point, end) for end in ends), default=np.inf)
        return np.array([found[point] for point in points], float)

    def _ask(self, action: str, **question: object) -> Any:
        body = json.dumps({"costing": self.costing, "units": "kilometers", **question}).encode()
        try:
            answer = json.loads(self.post(f"/{action}", body))
        except ValueError as error:
            raise RoadsUnavailable("the road server gave an answer that is not JSON") from error
        if isinstance(answer, dict) and "error" in answer:
            if answer.get("error_code") in _NO_WAY:
                return None
            raise RoadsUnavailable(f"the road server refused {action}: {answer['error']}")
        return answer


def _place(point: LonLat) -> dict[str, object]:
    return {"lat": point.lat, "lon": point.lon}


def _minutes(feature: dict[str, Any]) -> dict[str, object]:
    return {"minutes": float(feature["properties"]["contour"]), "estimated": False}


def _leg(leg: dict[str, Any]) -> Leg:
    summary = leg["summary"]
    return Leg(round(summary["time"]), round(summary["length"] * 1000), leg["shape"], False)
