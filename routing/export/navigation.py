"""Links that open a navigation app: at one stop, and along a whole day, cut where an app takes no more stops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from urllib.parse import quote

from geo.types import LonLat
from routing.export.types import DaySheet

MOST_STOPS: Mapping[str, int] = {"Google Maps": 10, "Apple Maps": 14, "OsmAnd": 30}
"""Stops that one link may name, the last one included: Google allows nine on the way, Apple Maps fourteen in all;
OsmAnd has no limit of its own, thirty keep the link short enough for every browser."""


@dataclass(frozen=True)
class NavigationLink:
    """A link to a navigation app."""

    app: str
    """Name of the app; `Any app` for the phone's own choice."""
    url: str
    """What to open."""
    first: int = 0
    """Number of the first stop that it leads to; 0 for a link to one place."""
    last: int = 0
    """Number of the last one; one more than the day's stops is the end of the day."""

    @property
    def part(self) -> str:
        """Which stops a link of a route leads along: `1–10`."""
        return f"{self.first}–{self.last}" if self.last > self.first else str(self.first)


def to_place(point: LonLat, name: str) -> tuple[NavigationLink, ...]:
    """Links that lead to one place, from wherever the phone is."""
    place = _at(point)
    return (
        NavigationLink("Any app", f"geo:{place}?q={place}({quote(name, safe='')})"),
        NavigationLink("Google Maps", f"https://www.google.com/maps/dir/?api=1&destination={place}&travelmode=driving"),
        NavigationLink("Apple Maps", f"https://maps.apple.com/?daddr={place}&dirflg=d"),
        NavigationLink("Waze", f"https://waze.com/ul?ll={place}&navigate=yes"),
        NavigationLink("OsmAnd", f"https://osmand.net/map/navigate/?finish={place}&profile=car"),
    )


def along_day(sheet: DaySheet) -> tuple[NavigationLink, ...]:
    """Links that lead along a day's stops and home, in as many parts as each app needs."""
    return along([*(stop.point for stop in sheet.stops), sheet.end.point])


def along(points: Sequence[LonLat]) -> tuple[NavigationLink, ...]:
    """Links that lead along some places in their order; each part starts wherever the phone is then.

    `geo:` and Waze know one destination only and take no part.
    """
    links = []
    for app, most in MOST_STOPS.items():
        for part in batched(enumerate(points, 1), most):
            url = _URLS[app]([_at(point) for _number, point in part])
            links.append(NavigationLink(app, url, part[0][0], part[-1][0]))
    return tuple(links)


def _google(places: Sequence[str]) -> str:
    *on_the_way, last = places
    way = f"&waypoints={'%7C'.join(on_the_way)}" if on_the_way else ""
    return f"https://www.google.com/maps/dir/?api=1&destination={last}{way}&travelmode=driving"


def _apple(places: Sequence[str]) -> str:
    *on_the_way, last = places
    way = "".join(f"&waypoint={place}" for place in on_the_way)
    return f"https://maps.apple.com/directions?destination={last}{way}&mode=driving"


def _osmand(places: Sequence[str]) -> str:
    *on_the_way, last = places
    way = f"&via={';'.join(on_the_way)}" if on_the_way else ""
    return f"https://osmand.net/map/navigate/?finish={last}{way}&profile=car"


_URLS = {"Google Maps": _google, "Apple Maps": _apple, "OsmAnd": _osmand}


def _at(point: LonLat) -> str:
    return f"{point.lat:.6f},{point.lon:.6f}"
