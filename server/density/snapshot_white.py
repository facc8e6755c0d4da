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
.box.table { top: 76px; left: 54px; max-height: calc(100% - 160px); overflow: auto; font-size: 12px }
.box.table td { padding: 2px 8px 2px 0; vertical-align: top } .box.table td:first-child { color: #5B6862 }
@media (max-width: 600px) { .box.table { top: auto; bottom: 64px; max-height: 34% } }
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
        page, _title(session, wish, found) + _table(found, scope), "", snapshot.footer(session), style=_MORE
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
    parts = [f"{gap.prospects} prospects, {gap.leads} leads, {gap.accounts} accounts"]
    if found.by_value and sees_values(scope):
        parts.append(f"{gap.per_hour:,.0f} {settings().currency} an hour of driving and visiting")
    if gap.rep and gap.out_s is not None:
        how = "by road" if gap.by_road else "estimated"
        parts.append(f"{gap.out_s / 60:.0f} min from {gap.rep} ({how})")
    return " · ".join(parts)


def _table(found: Ranked, scope: Scope) -> str:
    lines = "".join(
        f"<tr><td>{rank}</td><td><b>{html.escape(gap.territory or '–')}</b><br>{html.escape(_tip(gap, found, scope))}"
        f"</td></tr>"
        for rank, gap in enumerate(found.gaps[:30], 1)
    )
    return f'<div class="box table"><table>{lines or "<tr><td>No white space.</td></tr>"}</table></div>'


def _title(session: Session, wish: Wish, found: Ranked) -> str:
    when = queries.totals(session).refreshed_at or clock.now()
    what = "nobody's ground" if wish.which is Which.UNASSIGNED else f"no visit for {wish.days} days"
    return (
        f'<div class="box title"><h1>White space: {what}</h1><p>{found.total:,} hexagons, '
        f"the best {len(found.gaps)} by {'value' if found.by_value else 'firms'} an hour of driving and visiting</p>"
        f"<small>counted {when:%Y-%m-%d %H:%M} UTC</small></div>"
    )
