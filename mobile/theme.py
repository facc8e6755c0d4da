"""The look in numbers: the same tokens as the console's CSS, in one place. No Kivy here."""

from dataclasses import dataclass

SPACE = (4, 8, 12, 16, 24, 32, 48)
TYPE = (12, 13, 14, 16, 20, 28)
LINE_HEIGHT = 1.45
RADIUS_CONTROL = 6
RADIUS_CARD = 10
TOUCH = 48
"""Smallest side of anything a thumb has to hit."""


@dataclass(frozen=True)
class Palette:
    """One theme; colours as #RRGGBB."""

    paper: str
    ground: str
    ink: str
    quiet: str
    line: str
    brand: str
    brand_hover: str
    on_brand: str
    accent: str
    good: str
    warn: str
    bad: str
    info: str
    map_ground: str
    map_water: str
    map_green: str
    map_built: str
    map_building: str
    map_road: str
    map_road_casing: str
    map_road_minor: str
    map_rail: str
    map_boundary: str
    map_label: str
    map_halo: str


LIGHT = Palette(
    paper="#FFFFFF",
    ground="#F6F7F5",
    ink="#16211C",
    quiet="#5B6862",
    line="#DDE2DE",
    brand="#0F6B4F",
    brand_hover="#0B5640",
    on_brand="#FFFFFF",
    accent="#E4572E",
    good="#187144",
    warn="#8F5400",
    bad="#B03226",
    info="#1B639F",
    map_ground="#F4F3EF",
    map_water="#CFE3EE",
    map_green="#DDE9D8",
    map_built="#EEECE6",
    map_building="#E6E3DC",
    map_road="#FFFFFF",
    map_road_casing="#C8C4BA",
    map_road_minor="#DADCD8",
    map_rail="#B9BDBA",
    map_boundary="#A79FB0",
    map_label="#3C4843",
    map_halo="#FFFFFF",
)

DARK = Palette(
    paper="#161C19",
    ground="#0F1412",
    ink="#E8EDEA",
    quiet="#9AA7A0",
    line="#2A332F",
    brand="#4CC49A",
    brand_hover="#6AD3AD",
    on_brand="#0F1412",
    accent="#FF7A52",
    good="#4CC07F",
    warn="#E0A040",
    bad="#F0796B",
    info="#6FB4EA",
    map_ground="#171D1A",
    map_water="#14262F",
    map_green="#18241C",
    map_built="#1A211E",
    map_building="#1F2723",
    map_road="#38433E",
    map_road_casing="#101513",
    map_road_minor="#2C3531",
    map_rail="#47524D",
    map_boundary="#6A6274",
    map_label="#C5CFC9",
    map_halo="#161C19",
)

CATEGORIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
CLASS_COLOURS = {"A": "#0072B2", "B": "#009E73", "C": "#CC79A7"}
TINT = 0.12
"""Share of a status colour in its background tint."""


def rgba(colour: str, alpha: float = 1.0) -> tuple[float, float, float, float]:
    """A token as four numbers from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, alpha


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours by WCAG 2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgba(colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
