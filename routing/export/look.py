"""Colours of the printed and the mailed map: the product's tokens, so that paper and screen look alike."""

PAPER, GROUND, INK, QUIET, LINE = "#FFFFFF", "#F6F7F5", "#16211C", "#5B6862", "#DDE2DE"
FOREST, BLAZE, WARN = "#0F6B4F", "#E4572E", "#8F5400"

DAYS = ("#0072B2", "#B03226", "#007A5A", "#A8557F", "#8A5A00", "#4B3F9E", "#16211C")
"""One colour per day of a week: told apart by the colour-blind, white figures legible on each."""

LAND, WATER, GREEN, BUILT, BUILDING = "#F6F5F0", "#CFE3EE", "#DDE9D8", "#ECEAE3", "#DFDBD2"
MINOR_ROAD, MAJOR_ROAD, RAIL, BOUNDARY = "#D9D6CE", "#BDB9AF", "#B9B4BD", "#CDC2CB"

LAYERS = ("landuse", "water", "building", "road", "rail", "boundary", "place")
"""Drawing order, lowest first."""

_GREEN = {"forest", "wood", "grass", "meadow", "park", "farmland", "orchard", "vineyard", "cemetery", "scrub", "green"}
_MAJOR = {"motorway", "trunk", "primary", "secondary", "motorway_link", "trunk_link", "primary_link"}
_ROAD_WIDTH = {"motorway": 1.8, "trunk": 1.6, "primary": 1.4, "secondary": 1.1, "tertiary": 0.8}
_PLACE_SIZE = {"city": 10.0, "town": 9.0, "village": 7.5, "suburb": 7.0, "hamlet": 6.5}


def fill(layer: str, kind: str) -> str | None:
    """Colour inside an area, or nothing when areas of this layer are not filled."""
    if layer == "landuse":
        return GREEN if kind in _GREEN or "forest" in kind or "park" in kind else BUILT
    return {"water": WATER, "building": BUILDING}.get(layer)


def stroke(layer: str, kind: str) -> tuple[str, float, bool] | None:
    """Colour, width in points and whether dashed, for lines of a layer."""
    if layer == "road":
        return (MAJOR_ROAD if kind in _MAJOR else MINOR_ROAD, _ROAD_WIDTH.get(kind.removesuffix("_link"), 0.55), False)
    lines = {"water": (WATER, 1.0, False), "rail": (RAIL, 0.7, True), "boundary": (BOUNDARY, 0.45, True)}
    return lines.get(layer)


def place_size(kind: str) -> float:
    """Height of a place's name in points; larger places first."""
    return _PLACE_SIZE.get(kind, 6.5)
