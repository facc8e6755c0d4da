"""Which objects the base map draws, in which layer, and from which zoom on."""

import math
from typing import NamedTuple

from geo.osm.tags import Tags


class Drawing(NamedTuple):
    """How a map feature is drawn."""

    layer: str
    kind: str
    min_zoom: int


ROADS = {
    "motorway": 5,
    "trunk": 6,
    "primary": 8,
    "secondary": 9,
    "tertiary": 10,
    "motorway_link": 11,
    "trunk_link": 11,
    "primary_link": 12,
    "secondary_link": 12,
    "tertiary_link": 12,
    "unclassified": 11,
    "residential": 12,
    "living_street": 12,
    "pedestrian": 12,
    "road": 12,
    "service": 13,
    "track": 13,
    "path": 14,
    "footway": 14,
    "cycleway": 14,
    "bridleway": 14,
    "steps": 14,
}
"""Lowest zoom of each class of road."""

STREETS = frozenset(ROADS) - {"motorway", "motorway_link", "trunk_link"} | {"corridor", "square", "busway"}
"""Classes of way that may be somebody's address when they have a name."""

_RAILS = {"rail": 8, "light_rail": 10, "narrow_gauge": 10, "tram": 12, "subway": 12, "funicular": 12}
_RIVERS = {"river": 8, "canal": 10, "stream": 12, "ditch": 14, "drain": 14}
PLACES = {
    "country": 3,
    "state": 5,
    "city": 5,
    "town": 8,
    "village": 10,
    "suburb": 11,
    "quarter": 12,
    "hamlet": 12,
    "neighbourhood": 13,
    "isolated_dwelling": 14,
    "locality": 14,
}
"""Lowest zoom of the label of each kind of settlement."""

_LANDUSE = {
    "forest": "forest",
    "residential": "residential",
    "industrial": "industrial",
    "commercial": "commercial",
    "retail": "commercial",
    "farmland": "farmland",
    "farmyard": "farmland",
    "meadow": "grass",
    "grass": "grass",
    "village_green": "grass",
    "recreation_ground": "park",
    "allotments": "park",
    "cemetery": "cemetery",
    "vineyard": "vineyard",
    "orchard": "vineyard",
    "quarry": "quarry",
    "railway": "industrial",
}
_NATURAL = {
    "wood": "forest",
    "scrub": "scrub",
    "heath": "scrub",
    "grassland": "grass",
    "wetland": "wetland",
    "sand": "sand",
    "beach": "sand",
    "glacier": "glacier",
    "bare_rock": "rock",
    "scree": "rock",
}
_LEISURE = {
    "park": "park",
    "garden": "park",
    "golf_course": "park",
    "pitch": "pitch",
    "playground": "park",
    "sports_centre": "pitch",
}
_BOUNDARIES = {2: 3, 3: 6, 4: 5, 5: 7, 6: 7, 7: 9, 8: 10}
_SMALLEST_PX = 3.0
"""An area is drawn from the zoom on at which it is about this many pixels wide."""


def line_drawing(tags: Tags) -> Drawing | None:
    """Return how an open way is drawn."""
    highway = tags.get("highway")
    if highway in ROADS and tags.get("area") != "yes":
        kind = highway
        if highway == "service" and tags.get("service") in ("driveway", "parking_aisle"):
            return Drawing("road", kind, 14)
        return Drawing("road", kind, ROADS[highway])
    railway = tags.get("railway")
    if railway in _RAILS and tags.get("tunnel") != "yes":
        return Drawing("rail", railway, _RAILS[railway] + (4 if tags.get("service") else 0))
    waterway = tags.get("waterway")
    if waterway in _RIVERS and tags.get("tunnel") not in ("yes", "culvert"):
        return Drawing("water", waterway, _RIVERS[waterway])
    return None


def area_drawing(tags: Tags, area_deg2: float) -> Drawing | None:
    """Return how a closed thing of the given area in square degrees is drawn."""
    if tags.get("building", "no") != "no":
        return Drawing("building", "building", 14)
    layer_kind = _area_kind(tags)
    if layer_kind is None:
        return None
    layer, kind = layer_kind
    return Drawing(layer, kind, min(14, max(6, zoom_of_area(area_deg2))))


def place_drawing(tags: Tags) -> Drawing | None:
    """Return how a named place node is labelled."""
    kind = tags.get("place", "")
    return Drawing("place", kind, PLACES[kind]) if kind in PLACES and tags.get("name") else None


def boundary_drawing(admin_level: int) -> Drawing | None:
    """Return how a border of the given level is drawn; None below the municipality."""
    zoom = _BOUNDARIES.get(admin_level)
    return None if zoom is None else Drawing("boundary", f"admin_{admin_level}", zoom)


def zoom_of_area(area_deg2: float) -> int:
    """Return the zoom from which an area is wide enough to be seen (256 px tiles, Web Mercator at the equator)."""
    if area_deg2 <= 0:
        return 14
    return math.ceil(math.log2(_SMALLEST_PX * 360 / 256 / math.sqrt(area_deg2)))


def _area_kind(tags: Tags) -> tuple[str, str] | None:
    natural = tags.get("natural", "")
    if natural == "water" or tags.get("waterway") == "riverbank" or tags.get("landuse") in ("reservoir", "basin"):
        return "water", tags.get("water", "water")
    for key, kinds in (("landuse", _LANDUSE), ("leisure", _LEISURE), ("natural", _NATURAL)):
        if kind := kinds.get(tags.get(key, "")):
            return "landuse", kind
    if tags.get("aeroway") == "aerodrome":
        return "landuse", "industrial"
    if tags.get("amenity") in ("school", "university", "hospital", "college"):
        return "landuse", "institution"
    if tags.get("highway") == "pedestrian" or tags.get("place") == "square":
        return "landuse", "square"
    return None
