"""Where the car stops for a visit, and what the rep should know of the place before driving there."""

from collections.abc import Mapping, Sequence

from geo.distance import haversine_m
from geo.types import Grade, LonLat
from routing.roads import polyline
from routing.roads.types import Leg
from server.accounts.pins import ROUGH_M

FAR_WALK_M = 250.0
"""A pin farther from every drivable road is told of."""

CAUTIONS: Mapping[str, str] = {
    "locality": "Approximate place: only the town is known. Ask for the way before you drive.",
    "street": "Approximate place: only the street is known. Ask for the house before you drive.",
    "unsure": f"Approximate place: the pin may be off by more than {ROUGH_M:.0f} m. Ask for the way before you drive.",
    "far_from_road": f"The car stops more than {FAR_WALK_M:.0f} m from the pin: no road for cars leads nearer.",
}
"""What a stop carries on pages, phones and in files, by code."""


def entry_point(leg: Leg) -> LonLat | None:
    """Where the drive to a stop ends on the nearest drivable road; None when the drive is estimated."""
    points = polyline.decode(leg.polyline6) if leg.polyline6 and not leg.estimated else []
    return points[-1] if points else None


def walk_m(pin: LonLat, entry: LonLat | None) -> float | None:
    """From the car to the pin, in a straight line."""
    return None if entry is None else haversine_m(entry, pin)


def cautions(grade: str | None, uncertainty_m: float | None, walk: float | None) -> list[str]:
    """The codes of what is to be said about a stop's place; empty when a rep can simply drive there."""
    found = []
    if grade in (Grade.LOCALITY, Grade.STREET):
        found.append(str(grade))
    elif (uncertainty_m or 0.0) > ROUGH_M:
        found.append("unsure")
    if walk is not None and walk > FAR_WALK_M:
        found.append("far_from_road")
    return found


def in_words(codes: Sequence[str]) -> str:
    """The sentences of some cautions."""
    return " ".join(CAUTIONS[code] for code in codes if code in CAUTIONS)
