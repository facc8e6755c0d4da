"""The words of geography that every other package uses: a point, a box, a GPS fix, how good a pin is."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

METRES_FROM = 1000
"""Both coordinates beyond this are no typing mistakes in degrees."""


class LonLat(NamedTuple):
    """A point on the Earth in EPSG:4326, longitude first.

    Plain tuple semantics keep it cheap by the million; use `LonLat.checked` at the borders.
    """

    lon: float
    """Degrees east, -180 to 180."""
    lat: float
    """Degrees north, -90 to 90."""

    @classmethod
    def checked(cls, lon: float, lat: float) -> "LonLat":
        """Build a point from outside data.

        Raises
        ------
        ValueError
            When a coordinate is not a number or outside the world; says which one and, when the
            two look swapped or like metres of a projected system, that they do.
        """
        if METRES_FROM < min(abs(lon), abs(lat)) < math.inf:
            raise ValueError(
                f"{lon:.0f}, {lat:.0f} look like metres of a projected system, degrees (WGS 84) are needed"
            )
        if not -90 <= lat <= 90 and -90 <= lon <= 90 and -180 <= lat <= 180:
            raise ValueError(f"latitude {lat:g} is outside -90..90; latitude and longitude look swapped")
        if not -90 <= lat <= 90:
            raise ValueError(f"latitude {lat:g} is outside -90..90")
        if not -180 <= lon <= 180:
            raise ValueError(f"longitude {lon:g} is outside -180..180")
        return cls(float(lon), float(lat))


class BBox(NamedTuple):
    """A box in EPSG:4326 that does not cross the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def contains(self, point: LonLat) -> bool:
        """Whether the point lies in the box, edges included."""
        return self.west <= point.lon <= self.east and self.south <= point.lat <= self.north

    def meets(self, other: "BBox") -> bool:
        """Whether the boxes have a point in common, edges included."""
        return (
            self.west <= other.east
            and other.west <= self.east
            and self.south <= other.north
            and other.south <= self.north
        )


@dataclass(frozen=True)
class Fix:
    """One reading of a phone's position."""

    point: LonLat
    accuracy_m: float
    """Radius of 68 % confidence, as the phone reports it."""
    at: datetime | None = None
    mock: bool = False
    """Whether the phone says that an app made the position up."""


class Grade(StrEnum):
    """How a pin came to its place: found by a geocoder, given with the data, or set and confirmed by people."""

    ROOFTOP = "rooftop"
    """The very house number."""
    INTERPOLATED = "interpolated"
    """Between or beside known house numbers of the street."""
    STREET = "street"
    """Somewhere on the street."""
    LOCALITY = "locality"
    """Only the place is known."""
    GIVEN = "given"
    """Coordinates that came with the data; nobody says how they were found."""
    MANUAL = "manual"
    """Set by a person."""
    GPS_CONFIRMED = "gps_confirmed"
    """Confirmed by check-ins on the spot."""
