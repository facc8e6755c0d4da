"""The days as one web page to mail around: a folium map that carries all it needs and asks nobody for anything."""

import base64
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folium
from branca.element import Figure

from geo.types import LonLat
from routing.export import look, wording
from routing.export.tour import Tour
from routing.export.types import DaySheet, DayStop, MapFeature
from routing.export.web_panel import legend, panel, text
from routing.roads import polyline
from routing.roads.types import Leg

_MOST_NAMES = 40
_NO_DEFAULT_PIN = "L.Marker.prototype.options.icon = L.divIcon({className: ''});"
"""folium puts a marker on the map before it gives it its icon; the default icon would be fetched."""
_PARTS = Path(__file__).parent
_FORBID_OUTSIDE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
)
_SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=\S+")


@dataclass(frozen=True)
class Assets:
    """The map library that is written into the page."""

    script: str
    """Leaflet."""
    style: str
    """Leaflet's style sheet, pictures inside."""

    @classmethod
    def of(cls, folder: Path) -> "Assets":
        """Read `leaflet.js`, `leaflet.css` and the pictures that it names.

        Raises
        ------
        FileNotFoundError
            When the folder lacks one of them.
        """
        style = (folder / "leaflet.css").read_text()

        def inlined(match: re.Match[str]) -> str:
            name = match[1].strip("'\"")
            if name.startswith(("data:", "#")):
                return match[0]
            return f"url(data:image/png;base64,{base64.b64encode((folder / name).read_bytes()).decode()})"

        script = _SOURCE_MAP.sub("", (folder / "leaflet.js").read_text())
        return cls(script, re.sub(r"url\(([^)]+)\)", inlined, style))


def render(tour: Tour, assets: Assets) -> bytes:
    """The page; the same tour and assets give the same bytes. Several days have a switch that shows one or all.

    A content security policy inside forbids the browser to fetch anything. All texts are escaped for the three
    languages they pass through: HTML, JavaScript and the template that folium fills.
    """
    page = folium.Map(tiles=None, prefer_canvas=True, attribution_control=False, zoom_snap=0.5)
    page.default_js, page.default_css = [], []
    _background(page, tour.background)
    page.fit_bounds(_bounds(tour.days[0]), padding=(30, 30))
    root = page.get_root()
    if not isinstance(root, Figure):
        raise TypeError("a map without a page around it")
    title = f"<title>{text(f'{tour.rep}, {wording.period(tour)}')}</title>"
    root.header.add_child(folium.Element(_FORBID_OUTSIDE), name="policy", index=0)
    root.header.add_child(folium.Element(f"{title}<style>{_style_sheet()}</style>"))
    root.html.add_child(folium.Element(panel(tour) + legend(tour)))
    root.script.add_child(folium.Element((_PARTS / "page.js").read_text().replace("MAP", page.get_name())))
    library = f"<style>{assets.style}</style>\n<script>{assets.script}\n{_NO_DEFAULT_PIN}</script>\n<title>"
    drawn = _same_names(root.render()).replace(
        "DAYS", _json([_day(tour, number) for number in range(len(tour.days))]), 1
    )
    return drawn.replace("<title>", library, 1).encode()


def _style_sheet() -> str:
    names = ("ink", "quiet", "line", "ground", "paper", "land", "forest", "blaze", "warn")
    colours = "; ".join(f"--{name}: {getattr(look, name.upper())}" for name in names)
    days = "\n".join(f".pin.day{number} {{ background: {colour} }}" for number, colour in enumerate(look.DAYS))
    return f":root {{ {colours} }}\n{(_PARTS / 'page.css').read_text()}\n{days}"


def _same_names(page: str) -> str:
    """folium names each part by chance; number them in the order in which they appear."""
    numbers: dict[str, str] = {}
    count = itertools.count(1)

    def numbered(match: re.Match[str]) -> str:
        if match[0] not in numbers:
            numbers[match[0]] = f"_{next(count)}"
        return numbers[match[0]]

    return re.sub(r"_[0-9a-f]{32}(?![0-9a-f])", numbered, page)


def _background(page: folium.Map, features: Sequence[MapFeature]) -> None:
    """One map layer per look, not per feature: folium goes blank at a few thousand."""
    looks: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for feature in features:
        if feature.layer in look.LAYERS and feature.layer != "place":
            fill, stroke = look.fill(feature.layer, feature.kind), look.stroke(feature.layer, feature.kind)
            is_area = fill is not None and feature.geometry["type"].endswith("Polygon")
            if is_area or stroke:
                key = (look.LAYERS.index(feature.layer), stroke[1] if stroke else 0.0, is_area, fill, stroke)
                looks.setdefault(key, []).append(_short(feature.geometry))
    for (_layer, _width, is_area, fill, stroke), shapes in sorted(looks.items(), key=lambda item: item[0][:3]):
        style = _style(is_area, fill, stroke)
        folium.GeoJson(
            {"type": "GeometryCollection", "geometries": shapes},
            style_function=lambda _feature, style=style: style,
            control=False,
            embed=True,
            interactive=False,
        ).add_to(page)
    places = [f for f in features if f.layer == "place" and f.name and f.geometry["type"] == "Point"]
    for place in sorted(places, key=lambda f: (-look.place_size(f.kind), f.name))[:_MOST_NAMES]:
        lon, lat = place.geometry["coordinates"][:2]
        size = round(look.place_size(place.kind) * 1.5)
        name = f'<span style="font-size:{size}px">{text(place.name)}</span>'
        folium.Marker(
            (round(lat, 6), round(lon, 6)),
            icon=folium.DivIcon(name, icon_size=(0, 0), class_name="place" if size >= 11 else "place small"),
            interactive=False,
            z_index_offset=-2000,
        ).add_to(page)


def _style(is_area: bool, fill: str | None, stroke: tuple[str, float, bool] | None) -> dict[str, Any]:
    if is_area:
        return {"stroke": False, "fill": True, "fillColor": fill, "fillOpacity": 1, "interactive": False}
    colour, width, dashed = stroke or (look.LINE, 0.5, False)
    style = {"color": colour, "weight": round(1.8 * width + 0.4, 1), "fill": False, "interactive": False}
    return {**style, "dashArray": "4 3"} if dashed else style


def _day(tour: Tour, number: int) -> dict[str, Any]:
    """What the page's script draws of a day: a script of ours, because folium takes milliseconds for every mark."""
    sheet = tour.days[number]
    return {
        "colour": look.BLAZE if tour.is_day else look.DAYS[number % len(look.DAYS)],
        "bounds": _bounds(sheet),
        "legs": [_leg(leg) for leg in sheet.legs if len(polyline.decode(leg.polyline6)) > 1],
        "pins": _pins(sheet, "" if tour.is_day else f" day{number % len(look.DAYS)}"),
    }


def _leg(leg: Leg) -> dict[str, Any]:
    line = [(lat, lon) for lon, lat in polyline.decode(leg.polyline6)]
    middle, angle = _middle(line)
    return {"line": leg.polyline6, "estimated": leg.estimated, "middle": middle, "angle": round(angle)}


def _json(value: Any) -> str:
    """JSON that neither ends a script nor begins a comment in it."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _middle(line: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], float]:
    """Point half-way along and its direction in degrees, clockwise from east."""
    stretch = math.cos(math.radians(line[0][0]))
    lengths = [math.hypot(b[0] - a[0], (b[1] - a[1]) * stretch) for a, b in itertools.pairwise(line)]
    half = sum(lengths) / 2
    for (a, b), length in zip(itertools.pairwise(line), lengths, strict=True):
        if half <= length and length:
            share = half / length
            place = (round(a[0] + (b[0] - a[0]) * share, 6), round(a[1] + (b[1] - a[1]) * share, 6))
            return place, -math.degrees(math.atan2(b[0] - a[0], (b[1] - a[1]) * stretch))
        half -= length
    return line[0], 0.0


def _pins(sheet: DaySheet, css: str) -> list[dict[str, Any]]:
    """The pins, the first stop on top."""
    start, end = sheet.start, sheet.end
    anchors = [("S", start, f"Start: {start.name}"), ("E", end, f"End: {end.name}")]
    if start.point == end.point:
        anchors = [("S/E", start, f"Start and end: {start.name}")]
    stops = [
        (str(position), stop.point, f"{_times(sheet, stop)} {wording.stop_name(stop)}")
        for position, stop in enumerate(sheet.stops, 1)
    ]
    return [
        *(_pin(one.point, "", "pin missed", f"{one.account}: {one.reason}") for one in sheet.left_out if one.point),
        *(_pin(anchor.point, label, "pin anchor", tip) for label, anchor, tip in anchors),
        *(_pin(point, label, f"pin{css}", tip) for label, point, tip in reversed(stops)),
    ]


def _pin(point: LonLat, label: str, css: str, tip: str) -> dict[str, Any]:
    return {"at": [round(point.lat, 6), round(point.lon, 6)], "label": label, "css": css, "tip": text(tip)}


def _times(sheet: DaySheet, stop: DayStop) -> str:
    return f"{wording.clock(sheet, stop.starts_at)}–{wording.clock(sheet, stop.ends_at)}"


def _bounds(sheet: DaySheet) -> list[tuple[float, float]]:
    points = [*sheet.points, *(p for leg in sheet.legs for p in polyline.decode(leg.polyline6))]
    lons, lats = [p.lon for p in points], [p.lat for p in points]
    return [(min(lats), min(lons)), (max(lats), max(lons))]


def _short(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Coordinates to a metre: the page is mailed."""

    def rounded(value: Any) -> Any:
        return round(value, 5) if isinstance(value, float | int) else [rounded(part) for part in value]

    return {"type": geometry["type"], "coordinates": rounded(geometry["coordinates"])}
