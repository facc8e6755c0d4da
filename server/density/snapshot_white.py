"""White space as one web page to mail around: the ranked hexagons on a folium map, and their table."""

import html
from typing import Any

import folium
from shapely.geometry import mapping
from sqlalchemy.orm import Session

from geo.density import cell_outline
from geo.types import BBox
from server.auth.access import Scope
from server.density import queries, snapshot
from server.density.whitespace import Gap, Ranked, Which, Wish, sees_values
from server.kit import clock
from server.kit.settings import settings
from server.regions import queries as regions

_MORE = """
.box.title { display: flex; flex-direction: column; max-height: calc(100% - 130px) }
.box.title .rows { overflow: auto; margin-top: 6px; font-size: 12px }
.rows td { padding: 2px 8px 2px 0; vertical-align: top } .rows td:first-child { color: #5B6862 }
@media (max-width: 600px) {
  body { display: flex; flex-direction: column } .folium-map { height: 64% !important; flex: none; order: -1 }
  .box.title { position: static; max-width: none; max-height: none; box-shadow: none }
  .box.title p, .box.title small { display: block } .box.sources { position: static; max-height: none }
  .box.legend { bottom: auto; top: 12px; padding: 6px 8px; max-width: 40vw } .legend div { white-space: normal }
  .leaflet-bottom.leaflet-left { bottom: 0 }
}
"""


def render(session: Session, scope: Scope, wish: Wish, found: Ranked) -> bytes:
    """Draw the ranked hexagons; the page works without a network."""
    outlines = [cell_outline(gap.cell) for gap in found.gaps]
    boxes = [tuple(outline.bounds) for outline in outlines] or [
        tuple(region.bbox) for region in regions.served(session) if region.bbox
    ]
    west, south, east, north = _around(boxes)
    page = folium.Map(tiles=None, control_scale=True, prefer_canvas=True, attribution_control=False, zoom_snap=0.5)
    page.default_js, page.default_css = [], []
    page.options |= {"minZoom": 3, "maxZoom": 18}
    snapshot.background(page, regions.background(session, BBox(west, south, east, north)))
    for rank, (gap, outline) in enumerate(zip(found.gaps, outlines, strict=True), 1):
        colour = queries.RAMP[found.level(rank, len(queries.RAMP))]
        style = {"color": "#16211C", "weight": 1, "fillColor": colour, "fillOpacity": 0.7}
        folium.GeoJson(
            mapping(outline),
            style_function=lambda _feature, style=style: style,
            tooltip=snapshot.plain(_tip(gap, found, scope)),
            control=False,
        ).add_to(page)
    page.fit_bounds([(south, west), (north, east)])
    return snapshot.finish(
        page, _title(session, wish, found, scope), _legend(found, scope), snapshot.footer(session), style=_MORE
    ).encode()


def _around(boxes: list[tuple[Any, ...]]) -> tuple[float, float, float, float]:
    if not boxes:
        return -180, -60, 180, 75
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _tip(gap: Gap, found: Ranked, scope: Scope) -> str:
    there = ((gap.prospects, "prospect"), (gap.leads, "lead"), (gap.accounts, "account"))
    parts = [", ".join(snapshot.counted(number, thing) for number, thing in there if number)]
    if found.by_value and sees_values(scope):
        parts.append(f"{gap.per_hour:,.0f} {settings().currency} {_unit(found)}")
    if gap.rep and gap.out_s is not None:
        how = "by road" if gap.by_road else "estimated"
        parts.append(f"{gap.out_s / 60:.0f} min from {gap.rep} ({how})")
    return " · ".join(parts)


def _unit(found: Ranked) -> str:
    return "an hour of driving and visiting" if found.has_start else "a year"


def _legend(found: Ranked, scope: Scope) -> str:
    """The classes of the ranking, the best first, each with its lowest and highest figure."""
    by_class: dict[int, list[float]] = {}
    for rank, gap in enumerate(found.gaps, 1):
        by_class.setdefault(found.level(rank, len(queries.RAMP)), []).append(gap.per_hour)
    if not by_class:
        return ""
    digits, unit = (0, f"{settings().currency} ") if found.by_value else (1, "firms ")
    told = {at: _span(min(figures), max(figures), digits) for at, figures in by_class.items()}
    if found.by_value and not sees_values(scope):
        told, unit = {at: "" for at in told} | {min(told): "least", max(told): "most"}, "value "
    rows = "".join(f'<div><i style="background:{queries.RAMP[at]}"></i>{words}</div>' for at, words in told.items())
    return f'<div class="box legend"><b>{html.escape(unit)}{_unit(found)}</b>{rows}</div>'


def _span(low: float, high: float, digits: int) -> str:
    first, last = f"{low:,.{digits}f}", f"{high:,.{digits}f}"
    return first if first == last else f"{first}–{last}"


def _table(found: Ranked, scope: Scope) -> str:
    lines = "".join(
        f"<tr><td>{rank}</td><td><b>{html.escape(gap.territory or '–')}</b><br>{html.escape(_tip(gap, found, scope))}"
        f"</td></tr>"
        for rank, gap in enumerate(found.gaps[:30], 1)
    )
    return f'<div class="rows" tabindex="0"><table>{lines or "<tr><td>No white space.</td></tr>"}</table></div>'


def _title(session: Session, wish: Wish, found: Ranked, scope: Scope) -> str:
    when = queries.totals(session).refreshed_at or clock.now()
    what = "nobody's ground" if wish.which is Which.UNASSIGNED else f"no visit for {snapshot.counted(wish.days, 'day')}"
    return (
        f'<div class="box title"><h1>White space: {what}</h1><p>{snapshot.counted(found.total, "hexagon")}, '
        f"the best {len(found.gaps)} by {'value' if found.by_value else 'firms'} {_unit(found)}</p>"
        f"<small>counted {when:%Y-%m-%d %H:%M} UTC</small>{_table(found, scope)}</div>"
    )
