"""The market as one web page to mail around: a folium map that carries everything it needs."""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import folium
import h3
from branca.element import Figure
from folium.plugins import MarkerCluster
from folium.utilities import JsCode
from shapely.geometry import mapping
from sqlalchemy import Row
from sqlalchemy.orm import Session

from geo.density import cell_outline
from geo.types import BBox
from routing.export import look
from server.auth.access import Scope
from server.density import offline, queries, reach
from server.density.choosing import EVERYTHING, Chosen
from server.density.firms import Firm, customers, prospects, sources
from server.density.reach import Reach
from server.kit import clock
from server.regions import queries as regions
from server.regions.firms import word

CLUSTER_ABOVE = 2000
"""folium goes blank at some 3,000 single markers; from here on they are clustered."""
MOST_CELLS = 3000
PROSPECT, CUSTOMER = "#E69F00", "#0F6B4F"

_LIBRARIES = (
    "leaflet.css",
    "MarkerCluster.css",
    "MarkerCluster.Default.css",
    "leaflet.js",
    "leaflet.markercluster.js",
)
_SHOW_TIP = JsCode("function(feature, layer) { layer.bindTooltip(feature.properties.tip, {sticky: true}); }")
_SHOW_LABEL = JsCode(
    "function(feature, layer) {"
    " layer.bindTooltip(feature.properties.tip, {permanent: true, direction: 'center', className: 'place'}); }"
)
_STYLE = """
.leaflet-container { background: #F6F5F0; font: 13px/1.45 Inter, system-ui, sans-serif; color: #16211C }
.box { position: absolute; z-index: 900; background: #FFFFFFEE; border-radius: 6px; padding: 8px 12px; color: #16211C;
  font: 13px/1.45 Inter, system-ui, sans-serif; box-shadow: 0 1px 4px #0003; max-width: min(300px, 70vw) }
.box h1 { font-size: 16px; margin: 0 } .box p { margin: 2px 0 0 } .box small { color: #5B6862 }
.box.title { top: 12px; left: 54px } .box.legend { bottom: 34px; right: 12px }
.box.sources { bottom: 0; right: 0; border-radius: 6px 0 0; padding: 2px 8px; font-size: 11px; max-width: 90vw }
.legend i { display: inline-block; width: 16px; height: 12px; margin-right: 6px; border: 1px solid #0002;
  vertical-align: -1px }
.legend i.dot { width: 10px; height: 10px; border-radius: 5px; margin: 0 9px 0 3px } .legend div { white-space: nowrap }
.leaflet-tooltip.place { background: none; border: 0; box-shadow: none; padding: 0; color: #3D4A44; font-weight: 500;
  text-shadow: 0 0 2px #fff, 0 0 2px #fff, 0 0 3px #fff; opacity: 1 !important; pointer-events: none }
@media (max-width: 600px) { .box.title p, .box small { display: none } .box.legend { font-size: 11px; bottom: 52px }
  .box.sources { left: 0; max-width: none; max-height: 34px; overflow: auto; border-radius: 0 }
  .leaflet-bottom.leaflet-left { bottom: 40px } }
"""


def render(session: Session, scope: Scope, chosen: Chosen = EVERYTHING) -> bytes:
    """Draw hexagons, prospects and the customers that somebody may see; the page works without a network."""
    seen, trades = reach.of(session, scope), chosen.trades(session)
    found, own = prospects(session, seen, trades), customers(session, scope, chosen.filter, trades)
    if chosen.resolution:
        cells = queries.cells(session, chosen.resolution, seen, trades)
    else:
        cells = _fitting_cells(session, seen, trades)
    bbox = _bbox(session, cells)
    page = folium.Map(tiles=None, control_scale=True, prefer_canvas=True, attribution_control=False, zoom_snap=0.5)
    page.default_js, page.default_css = [], []
    page.options |= {"minZoom": 3, "maxZoom": 18}  # without tiles nothing else tells the clusters where to end
    background(page, regions.background(session, bbox))
    by_level = queries.classes(session, trades)["prospects"]
    classes = by_level.get(cells[0].resolution, queries.Classes([], 0)) if cells else queries.Classes([], 0)
    _hexagons(page, cells, classes.bounds)
    _firms(page, "Prospects", found, PROSPECT, radius=3)
    _firms(page, "Customers", own, CUSTOMER, radius=5)
    folium.LayerControl(collapsed=True, position="topright").add_to(page)
    page.fit_bounds([(bbox.south, bbox.west), (bbox.north, bbox.east)])
    return finish(page, _title(session, chosen, len(found), len(own)), _legend(classes), footer(session)).encode()


def finish(page: folium.Map, title: str, legend: str, footer: str, *, style: str = "") -> str:
    """Render the page with its libraries inside."""
    root = page.get_root()
    if not isinstance(root, Figure):
        raise TypeError("a map without a page around it")
    root.header.add_child(folium.Element(offline.FORBID_OUTSIDE), name="policy", index=0)
    root.header.add_child(folium.Element("<title>Market density</title>"))
    root.html.add_child(folium.Element(title + legend + footer))
    text: str = root.render()
    return text.replace("</head>", f"{offline.library(*_LIBRARIES)}<style>{_STYLE}{style}</style></head>", 1)


def _fitting_cells(session: Session, seen: Reach, trades: Sequence[int] | None) -> Sequence[Row[Any]]:
    """The finest hexagons that a page can carry."""
    for resolution in (8, 7, 6, 5, 4):
        cells = queries.cells(session, resolution, seen, trades)
        if len(cells) <= MOST_CELLS:
            return cells
    return queries.cells(session, 3, seen, trades)


def _bbox(session: Session, cells: Sequence[Row[Any]]) -> BBox:
    """The box to show: the hexagons, else the regions, else the world."""
    boxes = [BBox(*cell_outline(h3.int_to_str(cell.cell)).bounds) for cell in cells]
    boxes = boxes or [BBox(*region.bbox) for region in regions.served(session) if region.bbox]
    if not boxes:
        return BBox(-180, -60, 180, 75)
    return BBox(
        min(box.west for box in boxes),
        min(box.south for box in boxes),
        max(box.east for box in boxes),
        max(box.north for box in boxes),
    )


def background(page: folium.Map, drawn: Iterable[regions.Drawn]) -> None:
    """Draw the base map, one layer per look."""
    looks: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    places = []
    for thing in drawn:
        if thing.layer == "place":
            places.append(thing)
            continue
        fill, stroke = look.fill(thing.layer, thing.kind), look.stroke(thing.layer, thing.kind)
        is_area = fill is not None and thing.geometry["type"].endswith("Polygon")
        if is_area or stroke:
            rank = (look.LAYERS.index(thing.layer), stroke[1] if stroke else 0.0)
            looks.setdefault((*rank, is_area, fill, stroke), []).append(thing.geometry)
    for (*_, is_area, fill, stroke), shapes in sorted(looks.items(), key=lambda item: item[0][:2]):
        style = _look(is_area, fill, stroke)
        folium.GeoJson(
            {"type": "GeometryCollection", "geometries": shapes},
            style_function=lambda _feature, style=style: style,
            control=False,
            interactive=False,
        ).add_to(page)
    _labels(page, places)


def _labels(page: folium.Map, places: Iterable[regions.Drawn]) -> None:
    """Write the names of places, larger ones first, those too near to another one not at all."""
    kept: list[tuple[float, float]] = []
    features: list[dict[str, Any]] = []
    ordered = sorted(places, key=lambda place: -look.place_size(place.kind))
    lats = [place.geometry["coordinates"][1] for place in ordered]
    room = max(0.004, (max(lats) - min(lats)) / 25) if lats else 0.0
    for place in ordered:
        lon, lat = place.geometry["coordinates"]
        if all(abs(lat - other_lat) > room or abs(lon - other_lon) > 4 * room for other_lon, other_lat in kept):
            kept.append((lon, lat))
            size = look.place_size(place.kind) * 1.4
            tip = f'<span style="font-size:{size:.0f}px">{plain(place.name)}</span>'
            features.append({"type": "Feature", "geometry": place.geometry, "properties": {"tip": tip}})
    if features:
        folium.GeoJson(
            {"type": "FeatureCollection", "features": features},
            marker=folium.CircleMarker(radius=0, stroke=False, fill=False),
            on_each_feature=_SHOW_LABEL,
            control=False,
        ).add_to(page)


def _look(is_area: bool, fill: str | None, stroke: tuple[str, float, bool] | None) -> dict[str, Any]:
    if is_area:
        return {"stroke": False, "fill": True, "fillColor": fill, "fillOpacity": 1}
    colour, width, dashed = stroke or (look.LINE, 0.5, False)
    return {"color": colour, "weight": round(1.8 * width, 1), "fill": False, "dashArray": "4 3" if dashed else None}


def _hexagons(page: folium.Map, cells: Sequence[Row[Any]], breaks: Sequence[float]) -> None:
    """Draw the hexagons, one layer per class, because folium styles features one by one."""
    group = folium.FeatureGroup(name="Prospects per hexagon").add_to(page)
    classes: dict[str | int, list[dict[str, Any]]] = {}
    for cell in cells:
        colour = (
            cell.prospects and queries.RAMP[min(sum(cell.prospects > limit for limit in breaks), len(queries.RAMP) - 1)]
        )
        shape = mapping(cell_outline(h3.int_to_str(cell.cell)))
        feature = {"type": "Feature", "geometry": _short(shape), "properties": {"tip": _cell_tip(cell)}}
        classes.setdefault(colour, []).append(feature)
    for colour, features in classes.items():
        style = {
            "color": "#FFFFFF",
            "weight": 0.7,
            "fillColor": colour or "#FFFFFF",
            "fillOpacity": 0.62 if colour else 0,
        }
        folium.GeoJson(
            {"type": "FeatureCollection", "features": features},
            style_function=lambda _feature, style=style: style,
            on_each_feature=_SHOW_TIP,
            control=False,
        ).add_to(group)


def _cell_tip(cell: Row[Any]) -> str:
    share = f"{cell.penetration:.0%} (90 %: {cell.low:.0%}–{cell.high:.0%})"
    if getattr(cell, "not_known", False):
        share = f"not known: {counted(cell.unknown, 'customer')} of unknown kind"
    return f"{counted(cell.prospects, 'prospect')}, {counted(cell.customers, 'customer')}<br>penetration {share}"


def counted(number: Any, thing: str) -> str:
    """How many of something, in words."""
    written = f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"
    return f"{written} {thing}{'' if number == 1 else 's'}"


def _firms(page: folium.Map, name: str, firms: Sequence[Firm], colour: str, radius: int) -> None:
    """Draw firms as dots; as clusters when there are many."""
    if not firms:
        return
    group: folium.FeatureGroup | MarkerCluster = folium.FeatureGroup(name=name)
    if len(firms) > CLUSTER_ABOVE:
        options = {"chunkedLoading": True, "showCoverageOnHover": False}
        group = MarkerCluster(name=name, options=options)  # type: ignore[no-untyped-call]
        group.default_js, group.default_css = [], []
    group.add_to(page)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(firm.point.lon, 5), round(firm.point.lat, 5)]},
            "properties": {"tip": f"<b>{plain(firm.name)}</b><br>{plain(_said(firm))}"},
        }
        for firm in firms
    ]
    dot = folium.CircleMarker(
        radius=radius, color="#FFFFFF", weight=1, fill=True, fill_color=colour, fill_opacity=0.95, opacity=1
    )
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features}, marker=dot, on_each_feature=_SHOW_TIP, control=False
    ).add_to(group)


def _said(firm: Firm) -> str:
    """What a firm is, in words."""
    kind = word(firm.kind, "en") if firm.kind else "kind not known"
    return f"{kind}, class {firm.account_class}" if firm.account_class else kind


def _title(session: Session, chosen: Chosen, found: int, own: int) -> str:
    when = queries.totals(session).refreshed_at or clock.now()
    asked = f"<p>{plain(word(chosen.kind, 'en'))} ({plain(chosen.kind)})</p>" if chosen.kind else ""
    if chosen.filter:
        asked += f"<p>customers: {plain(chosen.filter)}</p>"
    return (
        f'<div class="box title"><h1>Market density</h1>{asked}'
        f"<p>{counted(found, 'prospect')} · {counted(own, 'customer')}</p>"
        f"<small>counted {when:%Y-%m-%d %H:%M} UTC</small></div>"
    )


def _legend(classes: queries.Classes) -> str:
    breaks = classes.bounds
    edges = [0, *breaks]
    rows = []
    for rank, (below, high) in enumerate(zip(edges, breaks, strict=False)):
        low = below + 1
        rows.append(
            f'<div><i style="background:{queries.RAMP[rank]}"></i>{low if low == high else f"{low}–{high}"}</div>'
        )
    if breaks:
        last = f"{breaks[-1] + 1}–{classes.most}" if classes.most > breaks[-1] + 1 else f"{classes.most}"
        rows.append(f'<div><i style="background:{queries.RAMP[min(len(breaks), 4)]}"></i>{last}</div>')
    dots = "".join(
        f'<div><i class="dot" style="background:{colour}"></i>{label}</div>'
        for label, colour in (("prospect", PROSPECT), ("customer", CUSTOMER))
    )
    return f'<div class="box legend"><b>Prospects per hexagon</b>{"".join(rows)}{dots}</div>'


def footer(session: Session) -> str:
    """The sources, as every file must name them."""
    return f'<div class="box sources">{" · ".join(map(plain, sources(session)))}</div>'


def _short(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Coordinates to a metre: the page is mailed."""
    rings = [[(round(lon, 5), round(lat, 5)) for lon, lat in ring] for ring in shape["coordinates"]]
    return {"type": shape["type"], "coordinates": rings}


def plain(value: str) -> str:
    """A text that means the same in HTML, in a JavaScript template literal and to Jinja."""
    safe = html.escape(value)
    for character in "`$\\{}":
        safe = safe.replace(character, f"&#{ord(character)};")
    return safe
