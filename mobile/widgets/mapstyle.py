"""How the base map is drawn: which layer in which colour and width, which names first. From layer and kind."""

from dataclasses import dataclass

WATER_LINES = ("river", "canal", "stream", "ditch", "drain")
GREEN = (
    "forest", "wood", "park", "grass", "meadow", "vineyard", "orchard", "scrub", "cemetery", "pitch", "wetland",
    "allotments", "garden", "golf_course",
)  # fmt: skip
BUILT = ("residential", "industrial", "commercial", "institution", "square", "quarry")
ROADS = {
    "motorway": (7.0, 0), "trunk": (6.0, 0), "primary": (5.0, 0), "secondary": (4.2, 0), "tertiary": (3.4, 9),
    "motorway_link": (3.4, 10), "trunk_link": (3.4, 10), "primary_link": (3.2, 11), "secondary_link": (3.0, 11),
    "residential": (2.6, 11), "unclassified": (2.6, 11), "living_street": (2.4, 12), "road": (2.4, 12),
    "service": (1.6, 13), "pedestrian": (1.8, 13), "track": (1.0, 13), "cycleway": (0.9, 14), "path": (0.8, 14),
    "footway": (0.8, 14), "steps": (0.8, 14),
}  # fmt: skip
MINOR = ("service", "track", "path", "footway", "cycleway", "steps", "pedestrian")
SHRINK = {8: 0.25, 10: 0.4, 12: 0.65}
"""Tiles of lower zooms are stretched up to four times before the next ones take over."""
PLACES = {
    "city": (0, 17), "town": (1, 15), "borough": (2, 14), "suburb": (3, 13), "village": (3, 14),
    "quarter": (4, 12), "neighbourhood": (5, 12), "hamlet": (5, 12), "locality": (6, 11), "isolated_dwelling": (7, 11),
}  # fmt: skip


@dataclass(frozen=True)
class Fill:
    """A filled area."""

    token: str


@dataclass(frozen=True)
class Stroke:
    """A line: width in dp at the zoom it is first drawn for; casing is a wider line below it."""

    token: str
    width: float
    casing: str | None = None


@dataclass(frozen=True)
class Name:
    """A label: smaller rank is placed first."""

    rank: int
    size: int


def style(layer: str, kind: str, zoom: int) -> Fill | Stroke | None:
    """How a feature is drawn on tiles of that zoom; None when it is not."""
    if layer == "landuse":
        return Fill("map_green") if kind in GREEN else Fill("map_built") if kind in BUILT else None
    if layer == "water":
        return (
            Stroke("map_water", (2.0 if kind in ("river", "canal") else 1.0) * SHRINK.get(zoom, 1.0))
            if kind in WATER_LINES
            else Fill("map_water")
        )
    if layer == "building":
        return Fill("map_building")
    if layer == "road":
        return _road(kind, zoom)
    if layer == "rail":
        return Stroke("map_rail", SHRINK.get(zoom, 1.0))
    return Stroke("map_boundary", 0.9 * SHRINK.get(zoom, 1.0)) if layer == "boundary" else None


def _road(kind: str, zoom: int) -> Stroke | None:
    width, from_zoom = ROADS.get(kind, (1.6, 13))
    if zoom < from_zoom:
        return None
    shrink = SHRINK.get(zoom, 1.0)
    if kind in MINOR:
        return Stroke("map_road_minor", max(0.5, width * shrink))
    return Stroke("map_road", max(0.6, width * shrink), "map_road_casing")


def name(layer: str, kind: str, zoom: float) -> Name | None:
    """How a feature's name is written at that zoom; None when it is not."""
    if layer == "place":
        rank, size = PLACES.get(kind, (6, 11))
        return Name(rank, size) if rank <= zoom - 6.5 or rank == 0 else None
    if layer == "water" and kind not in WATER_LINES and zoom >= 12:
        return Name(8, 11)
    if layer == "road" and zoom >= 14.5 and kind not in MINOR:
        return Name(9, 11)
    return None
