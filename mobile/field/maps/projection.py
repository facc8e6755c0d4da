"""Web Mercator: the world as a unit square, x to the east, y to the south."""

import math

MAX_LATITUDE = 85.0511287798


def to_world(lon: float, lat: float) -> tuple[float, float]:
    """A point as x, y in 0 to 1."""
    sine = math.sin(math.radians(max(-MAX_LATITUDE, min(MAX_LATITUDE, lat))))
    return lon / 360 + 0.5, 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)


def to_lonlat(x: float, y: float) -> tuple[float, float]:
    """The inverse of `to_world`."""
    return (x - 0.5) * 360, math.degrees(2 * math.atan(math.exp((0.5 - y) * 2 * math.pi)) - math.pi / 2)


def metres_to_world(metres: float, lat: float) -> float:
    """A length on the ground at that latitude, in units of the square."""
    return metres / (40_075_016.686 * math.cos(math.radians(lat)))


def zoom_for(points: list[tuple[float, float]], width: float, height: float, tile: float = 256) -> float:
    """The zoom at which all points (world units) fit into that many pixels."""
    span_x = max(p[0] for p in points) - min(p[0] for p in points)
    span_y = max(p[1] for p in points) - min(p[1] for p in points)
    scale = min(width / max(span_x, 1e-9), height / max(span_y, 1e-9))
    return math.log2(scale / tile)
