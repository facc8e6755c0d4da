"""The day as one web page to mail around: a folium map that carries all it needs and asks nobody for anything."""

import base64
import html
import itertools
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
from routing.export.types import DaySheet, DayStop
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


def render(sheet: DaySheet, assets: Assets) -> bytes:
    """The page; the same sheet and assets give the same bytes.

    A content security policy inside forbids the browser to fetch anything. All texts are escaped for the three
    languages they pass through: HTML, JavaScript and the template that folium fills.
    """
    page = folium.Map(tiles=None, prefer_canvas=True, attribution_control=False, zoom_snap=0.5)
    page.default_js, page.default_css = [], []
    _background(page, sheet)
    for leg in sheet.legs:
        _draw_leg(page, leg)
    _pins(page, sheet)
    page.fit_bounds(_bounds(sheet), padding=(30, 30))
    root = page.get_root()
    if not isinstance(root, Figure):
        raise TypeError("a map without a page around it")
    title = f"<title>{text(f'{sheet.rep}, {wording.day(sheet.day)}')}</title>"
    root.header.add_child(folium.Element(_FORBID_OUTSIDE), name="policy", index=0)
    root.header.add_child(folium.Element(f"{title}<style>{_style_sheet()}</style>"))
    root.html.add_child(folium.Element(_panel(sheet) + _legend(sheet)))
    root.script.add_child(folium.Element((_PARTS / "page.js").read_text().replace("MAP", page.get_name())))
    library = f"<style>{assets.style}</style>\n<script>{assets.script}\n{_NO_DEFAULT_PIN}</script>\n<title>"
    return _same_names(root.render()).replace("<title>", library, 1).encode()


def text(value: str) -> str:
    """A text that means the same in HTML, inside a JavaScript template literal, and to Jinja."""
    safe = html.escape(wording.printable(value))
    for character in "`$\\{}":
        safe = safe.replace(character, f"&#{ord(character)};")
    return safe


def _style_sheet() -> str:
    names = ("ink", "quiet", "line", "ground", "paper", "land", "forest", "blaze", "warn")
    colours = "; ".join(f"--{name}: {getattr(look, name.upper())}" for name in names)
    return f":root {{ {colours} }}\n{(_PARTS / 'page.css').read_text()}"


def _same_names(page: str) -> str:
    """folium names each part by chance; number them in the order in which they appear."""
    numbers: dict[str, str] = {}
    count = itertools.count(1)

    def numbered(match: re.Match[str]) -> str:
        if match[0] not in numbers:
            numbers[match[0]] = f"_{next(count)}"
        return numbers[match[0]]

    return re.sub(r"_[0-9a-f]{32}(?![0-9a-f])", numbered, page)


def _background(page: folium.Map, sheet: DaySheet) -> None:
    """One map layer per look, not per feature: folium goes blank at a few thousand."""
    looks: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for feature in sheet.background:
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
    places = [f for f in sheet.background if f.layer == "place" and f.name and f.geometry["type"] == "Point"]
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


def _draw_leg(page: folium.Map, leg: Leg) -> None:
    line = [(lat, lon) for lon, lat in polyline.decode(leg.polyline6)]
    if len(line) < 2:
        return
    dash = "7 7" if leg.estimated else None
    for looks in (
        {"color": look.PAPER, "weight": 8, "opacity": 0.9},
        {"color": look.BLAZE, "weight": 4, "opacity": 1, "dash_array": dash},
    ):
        folium.PolyLine(line, interactive=False, **looks).add_to(page)  # type: ignore[no-untyped-call]
    middle, angle = _middle(line)
    arrow = f'<i style="transform:rotate({angle:.0f}deg)"></i>'
    icon = folium.DivIcon(arrow, icon_size=(12, 12), icon_anchor=(6, 6), class_name="arrow")
    folium.Marker(middle, icon=icon, interactive=False, z_index_offset=-1000).add_to(page)


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


def _pins(page: folium.Map, sheet: DaySheet) -> None:
    for missed in sheet.left_out:
        if missed.point:
            _pin(page, missed.point, "", "pin missed", f"{missed.account}: {missed.reason}")
    start, end = sheet.start, sheet.end
    if start.point == end.point:
        _pin(page, start.point, "S/E", "pin anchor", f"Start and end: {start.name}")
    else:
        _pin(page, start.point, "S", "pin anchor", f"Start: {start.name}")
        _pin(page, end.point, "E", "pin anchor", f"End: {end.name}")
    for position, stop in reversed(list(enumerate(sheet.stops, 1))):
        times = f"{wording.clock(sheet, stop.starts_at)}–{wording.clock(sheet, stop.ends_at)}"
        _pin(page, stop.point, str(position), "pin", f"{times} {wording.stop_name(stop)}")


def _pin(page: folium.Map, point: LonLat, label: str, css: str, tip: str) -> None:
    size = 14 if css.endswith("missed") else 26
    icon = folium.DivIcon(f"<b>{label}</b>", icon_size=(size, size), icon_anchor=(size // 2, size // 2), class_name=css)
    above = 0 if label else -500
    marker = folium.Marker((round(point.lat, 6), round(point.lon, 6)), icon=icon, z_index_offset=above)
    folium.Tooltip(text(tip), sticky=False).add_to(marker)
    marker.add_to(page)


def _panel(sheet: DaySheet) -> str:
    leave, back = wording.clock(sheet, sheet.leaves_at), wording.clock(sheet, sheet.returns_at)
    rows = [
        f'<li><b class="pin anchor">S</b><div><time>{leave}</time> Leave {text(sheet.start.name)}</div></li>',
        *(_item(sheet, position, stop) for position, stop in enumerate(sheet.stops, 1)),
        f'<li>{_drive(sheet.last_leg)}<b class="pin anchor">E</b>'
        f"<div><time>{back}</time> Arrive {text(sheet.end.name)}</div></li>",
    ]
    if sheet.rest_before is not None:
        starts, words = wording.rest(sheet)
        rows.insert(1 + sheet.rest_before, f"<li><span></span><div><time>{starts}</time> {words}</div></li>")
    missed = "".join(
        f'<li><b class="pin missed"></b><div><strong>{text(item.account)}</strong>'
        f"<small>{text(item.reason)} {text(item.remedy)}</small></div></li>"
        for item in sheet.left_out
    )
    return (
        f"<main><small>{text(sheet.company)} · day plan</small><h1>{text(sheet.rep)}</h1>"
        f"<p>{wording.day(sheet.day)}<br>{wording.summary(sheet)}</p><ol>{''.join(rows)}</ol>"
        + (f"<h2>Not planned</h2><ol>{missed}</ol>" if missed else "")
        + f"<footer>Planned {sheet.local(sheet.planned_at):%Y-%m-%d %H:%M} ({text(sheet.zone)}) with Waymark</footer>"
        "</main>"
    )


def _item(sheet: DaySheet, position: int, stop: DayStop) -> str:
    times = f"{wording.clock(sheet, stop.starts_at)} – {wording.clock(sheet, stop.ends_at)}"
    appointment = wording.APPOINTMENTS.get(stop.appointment, "")
    phone = re.sub(r"[^\d+]", "", stop.phone)
    call = f'<a href="tel:{phone}">{text(stop.phone)}</a>' if phone else ""
    quiet = [text(stop.address), call, text(stop.why)]
    return (
        f'<li data-at="{stop.point.lat:.6f},{stop.point.lon:.6f}" tabindex="0">{_drive(stop.leg)}'
        f'<b class="pin">{position}</b><div><time>{times}</time>'
        + (f' <em class="warn">{appointment}</em>' if appointment else "")
        + f"<strong>{text(wording.stop_name(stop))}</strong>"
        + (f"<span>{text(stop.objective)}</span>" if stop.objective else "")
        + "".join(f"<small>{line}</small>" for line in quiet if line)
        + "</div></li>"
    )


def _drive(leg: Leg) -> str:
    css = "drive estimated" if leg.estimated else "drive"
    return f'<p class="{css}">{wording.drive(leg)}</p>'


def _legend(sheet: DaySheet) -> str:
    entries = ['<span><b class="pin">1</b> stop</span>', '<span><b class="pin anchor">S</b> start, end</span>']
    if not all(leg.estimated for leg in sheet.legs):
        entries.append("<span><i></i> drive</span>")
    if sheet.estimated:
        entries.append('<span><i class="dashed"></i> estimated, straight line</span>')
    if any(missed.point for missed in sheet.left_out):
        entries.append('<span><b class="pin missed"></b> not planned</span>')
    sources = " · ".join(text(line) for line in sheet.attribution)
    return f'<aside class="legend">{"".join(entries)}</aside><aside class="sources">{sources}</aside>'


def _bounds(sheet: DaySheet) -> list[tuple[float, float]]:
    points = [*sheet.points, *(p for leg in sheet.legs for p in polyline.decode(leg.polyline6))]
    lons, lats = [p.lon for p in points], [p.lat for p in points]
    return [(min(lats), min(lons)), (max(lats), max(lons))]


def _short(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Coordinates to a metre: the page is mailed."""

    def rounded(value: Any) -> Any:
        return round(value, 5) if isinstance(value, float | int) else [rounded(part) for part in value]

    return {"type": geometry["type"], "coordinates": rounded(geometry["coordinates"])}
