"""Engines made of other engines: the roads of several regions, a stand-in, times at another hour."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from geo.types import LonLat
from routing.pace import Pace
from routing.roads.straight import StraightLine
from routing.roads.types import FeatureCollection, Leg, Matrix, RoadEngine, RoadsUnavailable


@dataclass(frozen=True)
class Patchwork:
    """Regions side by side: exact within each, a marked estimate from one into another."""

    engines: Mapping[str, RoadEngine]
    """By the region's name."""
    region_of: Callable[[LonLat], str | None]
    """Which region's roads a point lies on; None where no region is."""

    @property
    def key(self) -> str:
        """All regions' engines."""
        return "+".join(self.engines[name].key for name in sorted(self.engines))

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """Each region's own block from its engine, the others estimated."""
        goals = sources if targets is None else targets
        result = StraightLine().matrix(sources, goals)
        names, goal_names = list(map(self.region_of, sources)), list(map(self.region_of, goals))
        for name, engine in self.engines.items():
            rows = [k for k, found in enumerate(names) if found == name]
            columns = [k for k, found in enumerate(goal_names) if found == name]
            if not rows:
                continue
            part = engine.matrix([sources[k] for k in rows], [goals[k] for k in columns])
            result.snap_m[rows] = part.snap_m
            there = np.ix_(rows, columns)
            result.seconds[there], result.metres[there] = part.seconds, part.metres
            result.estimated[there] = part.estimated
        return result

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """Legs within a region along its roads, those that cross a border as estimates."""
        legs: list[Leg] = []
        before: LonLat | None = None
        for name, group in itertools.groupby(stops, self.region_of):
            part = list(group)
            if before is not None:
                legs.append(StraightLine().leg(before, part[0]))
            engine = self.engines.get(name) if name else None
            legs += (engine or StraightLine()).route(part)
            before = part[-1]
        return legs

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """As the centre's own region knows it."""
        engine = self.engines.get(self.region_of(centre) or "")
        return (engine or StraightLine()).isochrone(centre, minutes)


@dataclass(frozen=True)
class OrEstimated:
    """An engine that is replaced by the straight line, marked estimated, while it cannot be asked."""

    engine: RoadEngine
    on_failure: Callable[[RoadsUnavailable], None] = lambda _error: None
    """Is told why."""

    @property
    def key(self) -> str:
        """The engine's own; answers that are estimated must not be kept under it."""
        return self.engine.key

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """The engine's, else estimates."""
        return self._ask(lambda engine: engine.matrix(sources, targets))

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """The engine's, else estimates."""
        return self._ask(lambda engine: engine.route(stops))

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """The engine's, else circles."""
        return self._ask(lambda engine: engine.isochrone(centre, minutes))

    def _ask[Answer](self, question: Callable[[RoadEngine], Answer]) -> Answer:
        try:
            return question(self.engine)
        except RoadsUnavailable as error:
            self.on_failure(error)
            return question(StraightLine())


@dataclass(frozen=True)
class Scaled:
    """An engine whose times are multiplied: the traffic of some hours of the week."""

    engine: RoadEngine
    factor: float
    """Above 0; 1.2 is a fifth slower than the engine says."""
    week: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """Factors of the hours (weekday, 0 is Monday, and hour) that are known; `factor` is the mean of some hours."""

    def pace(self, weekday: int) -> Pace | None:
        """The traffic of a day and the night behind it, against the mean; None when every hour is alike."""
        cells = [((weekday + late) % 7, hour) for late in (0, 1) for hour in range(24)]
        return Pace.of([self.week.get(cell, 1.0) / self.factor for cell in cells])

    @property
    def key(self) -> str:
        """The engine's with the factor."""
        return f"{self.engine.key}*{self.factor:.3f}"

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """The engine's matrix with longer or shorter times."""
        found = self.engine.matrix(sources, targets)
        return replace(found, seconds=np.rint(found.seconds * self.factor).astype(np.int32))

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """The engine's legs with longer or shorter times."""
        return [replace(leg, seconds=round(leg.seconds * self.factor)) for leg in self.engine.route(stops)]

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """The engine's areas for as much shorter drives, under the minutes that were asked for."""
        areas = self.engine.isochrone(centre, [value / self.factor for value in minutes])
        for area in areas["features"]:
            area["properties"]["minutes"] = round(area["properties"]["minutes"] * self.factor, 3)
        return areas
