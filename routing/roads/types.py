"""What every road engine answers, and the protocol that makes engines interchangeable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from geo.types import LonLat

type FeatureCollection = dict[str, Any]
"""A GeoJSON feature collection as plain values."""

FAR_FROM_ROADS_M = 1000.0
"""A point farther than this from any road gets estimates, never the times of a road it is not on."""


class RoadsUnavailable(RuntimeError):
    """The engine could not be asked at all: not running, not reachable, or answering nonsense."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Travel from every source (rows) to every target (columns); not symmetric."""

    seconds: NDArray[np.int32]
    """Shape (S, T); driving time, never negative."""
    metres: NDArray[np.int32]
    """Shape (S, T); driving distance along the road."""
    snap_m: NDArray[np.float32]
    """Shape (S,); metres from each source to the road it was put on."""
    estimated: NDArray[np.bool_]
    """Shape (S, T); the cell is a straight-line estimate, not a road."""

    def __post_init__(self) -> None:
        shape = self.seconds.shape
        if len(shape) != 2 or self.metres.shape != shape or self.estimated.shape != shape:
            raise ValueError("seconds, metres and estimated must have one shape (S, T)")
        if self.snap_m.shape != shape[:1]:
            raise ValueError("snap_m must have one value per source")
        if self.seconds.size and (self.seconds.min() < 0 or self.metres.min() < 0):
            raise ValueError("travel cannot be negative")


@dataclass(frozen=True)
class Leg:
    """The drive from one stop to the next."""

    seconds: int
    """Driving time."""
    metres: int
    """Driving distance."""
    polyline6: str
    """Encoded polyline, latitude first, six decimals."""
    estimated: bool
    """A straight-line estimate, not a road: draw it dashed."""


@runtime_checkable
class RoadEngine(Protocol):
    """Anything that knows how long a drive takes."""

    @property
    def key(self) -> str:
        """Names engine, data and profile: equal keys give equal answers, so it may key a cache."""

    def matrix(self, sources: Sequence[LonLat], targets: Sequence[LonLat] | None = None) -> Matrix:
        """Travel from every source to every target, or among the sources when no target is given.

        Raises
        ------
        RoadsUnavailable
            When the engine cannot be asked.
        """

    def route(self, stops: Sequence[LonLat]) -> list[Leg]:
        """Legs that join the stops in the given order: one fewer than stops.

        Raises
        ------
        RoadsUnavailable
            When the engine cannot be asked.
        """

    def isochrone(self, centre: LonLat, minutes: Sequence[float]) -> FeatureCollection:
        """Areas within so many minutes' drive of a point, largest first.

        Each feature carries `minutes` and `estimated`. It is for the map: which site lies within the
        time is answered exactly by a matrix with one source.

        Raises
        ------
        ValueError
            When a duration is not between 0 and 120 minutes, or none is given.
        RoadsUnavailable
            When the engine cannot be asked.
        """


LONGEST_ISOCHRONE_MIN = 120


def checked_minutes(minutes: Sequence[float]) -> list[float]:
    """Durations of an isochrone, largest first, without repeats.

    Raises
    ------
    ValueError
        When one is not above 0 and at most 120, or none is given.
    """
    if not minutes:
        raise ValueError("an isochrone needs at least one number of minutes")
    for value in minutes:
        if not 0 < value <= LONGEST_ISOCHRONE_MIN:
            raise ValueError(f"{value:g} minutes is not between 0 and {LONGEST_ISOCHRONE_MIN}")
    return sorted({float(value) for value in minutes}, reverse=True)
