"""Check-in: how far the phone is from the site's pin, and what that says. Pure, works offline."""

import math
from dataclasses import dataclass
from datetime import datetime

from mobile.field.store.canonical import Json

EARTH_RADIUS_M = 6_371_008.8
MIN_RADIUS_M = 150.0
COARSE_M = 500.0
UNKNOWN_M = 100_000.0
"""The accuracy of a reading that does not tell it."""


@dataclass(frozen=True)
class Fix:
    """One GPS reading."""

    lon: float
    lat: float
    accuracy_m: float
    taken_at: datetime
    mock: bool = False
    """The system says that the position was made up by another app."""

    def __post_init__(self) -> None:
        """Some receivers say of their accuracy that it is no number, or less than nothing: it is not known then."""
        if not 0 <= self.accuracy_m < UNKNOWN_M:
            object.__setattr__(self, "accuracy_m", UNKNOWN_M)


@dataclass(frozen=True)
class Verification:
    """The verdict on a check-in."""

    status: str
    """verified, out_of_range, low_accuracy, unverifiable or suspected_mock."""
    distance_m: float | None
    radius_m: float | None


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Great-circle distance in metres."""
    p1, p2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((p2 - p1) / 2) ** 2
    half += math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def radius_m(accuracy_m: float, uncertainty_m: float | None) -> float:
    """Within how many metres a check-in counts: as wide as both may be wrong, at least 150 m."""
    return max(MIN_RADIUS_M, accuracy_m + (uncertainty_m or 0.0))


def verify(fix: Fix | None, lon: float | None, lat: float | None, uncertainty_m: float | None) -> Verification:
    """Judge a reading against a pin: the circle is as wide as both may be wrong, at least 150 m."""
    if fix is None or lon is None or lat is None:
        return Verification("unverifiable", None, None)
    distance = distance_m(fix.lon, fix.lat, lon, lat)
    radius = radius_m(fix.accuracy_m, uncertainty_m)
    if fix.mock:
        status = "suspected_mock"
    elif fix.accuracy_m > COARSE_M:
        status = "low_accuracy"
    else:
        status = "verified" if distance <= radius else "out_of_range"
    return Verification(status, distance, radius)


def recorded(checkin: Json | None, lon: float | None, lat: float | None, uncertainty_m: float | None) -> Verification:
    """The verdict on a check-in that a visit has: the server's once it gave one, until then this phone's."""
    if checkin is None or checkin.get("lon") is None:
        return Verification("unverifiable", None, None)
    accuracy_m = checkin.get("accuracy_m") or 0.0
    if "verification" in checkin:
        return Verification(checkin["verification"], checkin.get("distance_m"), radius_m(accuracy_m, uncertainty_m))
    taken_at = datetime.fromisoformat(checkin["fix_at"])
    fix = Fix(checkin["lon"], checkin["lat"], accuracy_m, taken_at, checkin["mock"])
    verdict = verify(fix, lon, lat, uncertainty_m)
    if verdict.status == "out_of_range" and checkin.get("unpinned"):
        return verify(fix, None, None, None)  # a pin that came later accuses nobody
    return verdict
