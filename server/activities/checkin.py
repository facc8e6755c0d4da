"""Was the rep at the customer's? Pure; the phone decides by the same rule."""

from dataclasses import dataclass

from geo.distance import haversine_m
from geo.types import Fix, LonLat
from server.activities.models import Verification

MIN_RADIUS_M = 150.0
"""Nobody is asked to be nearer than this."""
USABLE_ACCURACY_M = 500.0
"""A fix worse than this says too little."""


@dataclass(frozen=True)
class Verdict:
    """What a check-in is worth."""

    verification: Verification
    distance_m: float | None
    """From the fix to the pin; None where one of them is missing."""
    radius_m: float | None
    """Within which it counts as verified."""


def verify(fix: Fix | None, pin: LonLat | None, uncertainty_m: float | None) -> Verdict:
    """Judge a check-in: verified within max(150 m, accuracy of the fix + uncertainty of the pin)."""
    if fix is None or pin is None:
        return Verdict(Verification.UNVERIFIABLE, None, None)
    distance = haversine_m(fix.point, pin)
    radius = max(MIN_RADIUS_M, fix.accuracy_m + (uncertainty_m or 0.0))
    if fix.mock:
        return Verdict(Verification.SUSPECTED_MOCK, distance, radius)
    if fix.accuracy_m > USABLE_ACCURACY_M:
        return Verdict(Verification.LOW_ACCURACY, distance, radius)
    near = distance <= radius
    return Verdict(Verification.VERIFIED if near else Verification.OUT_OF_RANGE, distance, radius)
