"""JSON API of density, its tiles and its files."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import h3
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.density import figures, queries, reach, service, surface
from server.density.choosing import Chosen
from server.density.counting import COARSEST, FINEST
from server.density.files import Format, write
from server.density.firms import sources
from server.density.schemas import AreaFeature, AreasRead, CellRead, DensityRead, FiguresRead, KindRead, RankedCell
from server.density.sheets import USUAL
from server.density.whitespace import sees_values
from server.geocoding.source_routes import BOX, box_of
from server.kit.database import Db
from server.kit.errors import Forbidden
from server.kit.paging import Limit, Page
from server.kit.tiles import TileAddress, fingerprint, is_known, tile_response

router = APIRouter(tags=["density"])

ReadDensity = Annotated[Scope, requires("density:read")]
ExportDensity = Annotated[Scope, requires("density:export")]
Resolution = Annotated[int | None, Query(ge=COARSEST, le=FINEST, description="H3 resolution of the hexagons.")]
OfKind = Annotated[str | None, Query(max_length=100, description="`shop=bakery`, or `shop` for all shops.")]


@router.get("/api/v1/density")
def density(scope: ReadDensity, session: Db, kind: OfKind = None) -> DensityRead:
    """The market in numbers, as far as you see it; of a kind of firm, if asked."""
    trades = queries.trades_of(session, kind) if kind else None
    found = queries.totals(session, reach.of(session, scope), trades)
    layers = queries.classes(session, trades)
    if not sees_values(scope):
        layers.pop("value")
    return DensityRead(
        prospects=found.prospects,
        customers=found.customers,
        customers_of_unknown_kind=found.unknown,
        refreshed_at=found.refreshed_at,
        resolution_by_zoom=[queries.resolution_at(zoom) for zoom in range(23)],
        layer_breaks={layer: {level: one.bounds for level, one in of.items()} for layer, of in layers.items()},
        layer_most={layer: {level: one.most for level, one in of.items()} for layer, of in layers.items()},
        bandwidth_m_by_zoom={
            asked: [surface.reach_m(zoom, asked)[1] for zoom in range(23)] for asked in surface.BANDWIDTHS_M
        },
        ladder=list(surface.LADDER),
        ramp=list(queries.RAMP),
        sources=sources(session),
    )


@router.post("/api/v1/density/refresh", status_code=204)
def refresh(scope: ExportDensity, session: Db) -> None:
    """Count again now what has changed; the worker does it every five minutes anyway."""
    service.refresh(session, by_hand=True)


@router.get("/api/v1/density/kinds")
def kinds(scope: ReadDensity, session: Db) -> Page[KindRead]:
    """Kinds of firms, the commonest first: how many are customers, and what such customers are worth."""
    items = [KindRead.model_validate(kind) for kind in queries.kinds(session)]
    if not sees_values(scope):
        items = [item.model_copy(update={"value": None}) for item in items]
    return Page(items=items, next_cursor=None)


@router.get("/api/v1/density/cells")
def ranked_cells(
    scope: ReadDensity,
    session: Db,
    figure: queries.Figure = queries.Figure.PROSPECTS,
    resolution: Resolution = None,
    box: Annotated[str | None, BOX] = None,
    kind: OfKind = None,
    limit: Limit = 50,
) -> Page[RankedCell]:
    """The hexagons that lead by a figure, in a box of the map if asked; the first ones, there are no further pages."""
    shows, size = sees_values(scope), resolution or USUAL
    trades = queries.trades_of(session, kind) if kind else None
    around = box_of(box) if box else queries.WORLD
    seen = reach.of(session, scope)
    best = queries.best_cells(session, size, seen, limit, trades, figure=told(scope, figure), box=around)
    places = [(cell, *h3.cell_to_latlng(h3.int_to_str(cell.cell))) for cell in best]
    area_km2 = h3.average_hexagon_area(size, "km^2")
    items = [
        RankedCell(
            cell=h3.int_to_str(cell.cell),
            lon=lon,
            lat=lat,
            figures=FiguresRead.of(figures.figures(cell, area_km2), values=shows),
        )
        for cell, lat, lon in places
    ]
    return Page(items=items, next_cursor=None)


@router.get("/api/v1/density/cells/{cell}")
def cell(cell: str, scope: ReadDensity, session: Db, kind: OfKind = None) -> CellRead:
    """All figures of one hexagon (H3 index); of a kind of firm, if asked."""
    found = figures.cell(session, reach.of(session, scope), cell, queries.trades_of(session, kind) if kind else None)
    return CellRead(
        cell=found.cell,
        resolution=found.resolution,
        lon=found.at.lon,
        lat=found.at.lat,
        territory_id=found.territory_id,
        territory=found.territory,
        figures=FiguresRead.of(found.figures, values=sees_values(scope)),
        kinds=[{"kind": kind, "prospects": open, "customers": own} for kind, open, own in found.kinds],
        customers_of_unknown_kind=found.unknown,
    )


@router.get("/api/v1/density/areas")
def areas(
    scope: ReadDensity,
    session: Db,
    level: Annotated[int | None, Query(ge=2, le=12, description="Of admin areas; left out: territories.")] = None,
    kind: OfKind = None,
) -> AreasRead:
    """The market by territory, or by administrative area of a level, as GeoJSON; of a kind of firm, if asked."""
    seen, trades = reach.of(session, scope), queries.trades_of(session, kind) if kind else None
    if level is None:
        found = figures.by_territory(session, seen, trades)
    else:
        found = figures.by_admin_area(session, seen, level, trades)
    shows = sees_values(scope)
    return AreasRead(
        features=[
            AreaFeature(
                geometry=json.loads(area.outline),
                properties={"id": area.id, "name": area.name} | FiguresRead.of(area.figures, values=shows).model_dump(),
            )
            for area in found
        ],
        levels=[one for one, _ in figures.admin_levels(session)],
        sources=sources(session),
    )


@router.get("/api/v1/density/export")
def export(
    scope: ExportDensity,
    session: Db,
    format: Format = Format.HTML,
    resolution: Resolution = None,
    kind: OfKind = None,
    filter: Annotated[str | None, Query(max_length=4000, description="Which customers are listed.")] = None,
    figure: Annotated[queries.Figure | None, Query(description="What the hexagons of a table are ranked by.")] = None,
) -> Response:
    """The market as a file, of all kinds of firms or one, with the customers that you may see and the filter finds."""
    name = f"density.{format.value}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(session, scope, path, format, Chosen(kind or None, filter or None, resolution, told(scope, figure)))
        return Response(path.read_bytes(), media_type=format.media_type, headers=headers)


def told[F: queries.Figure | None](scope: Scope, figure: F) -> F:
    """A figure to rank by. Refuses that of money to whoever does not see what customers are worth."""
    if figure == queries.Figure.VALUE and not sees_values(scope):
        raise Forbidden("Your role does not see what customers are worth.", help="Rank by prospects.", field="figure")
    return figure


def tag(session: Session, seen: reach.Reach, *parts: object) -> str:
    """A fingerprint of whatever decides a tile: its address, the counts, and who sees what."""
    return fingerprint("density 4", *parts, queries.state_key(session), seen)


@router.get("/tiles/density/{z}/{x}/{y}")
def density_tile(tile: TileAddress, request: Request, scope: ReadDensity, session: Db, kind: OfKind = None) -> Response:
    """A vector tile of hexagons with their figures."""
    seen, values = reach.of(session, scope), sees_values(scope)
    trades = queries.trades_of(session, kind) if kind else None
    etag = tag(session, seen, *tile, values, kind)
    known = is_known(request, etag)
    body = b"" if known else queries.density_tile(session, seen, tile, values=values, trades=trades)
    return tile_response(request, body, etag)


@router.get("/tiles/density-surface/{z}/{x}/{y}")
def surface_tile(
    tile: TileAddress,
    request: Request,
    scope: ReadDensity,
    session: Db,
    of: surface.Of = surface.Of.PROSPECTS,
    bandwidth_m: Annotated[float, Query(ge=100, le=20_000, description="Radius of the kernel in metres.")] = 1000,
    dark: bool = False,
) -> Response:
    """A picture of the smooth density: a quartic kernel over the hexagons, in classes per km²."""
    seen = reach.of(session, scope)
    etag = tag(session, seen, *tile, of, bandwidth_m, dark)
    known = is_known(request, etag)
    body = b"" if known else surface.picture(session, seen, tile, of=of, bandwidth_m=bandwidth_m, dark=dark)
    answer = tile_response(request, body, etag)
    answer.headers["content-type"] = "image/png"
    return answer


@router.get("/tiles/prospects/{z}/{x}/{y}")
def prospect_tile(
    tile: TileAddress, request: Request, scope: ReadDensity, session: Db, kind: OfKind = None
) -> Response:
    """A vector tile of prospects, of a kind only if asked."""
    seen = reach.of(session, scope)
    trades = queries.trades_of(session, kind) if kind else None
    etag = tag(session, seen, "prospects", *tile, kind)
    body = b"" if is_known(request, etag) else queries.prospect_tile(session, seen, tile, trades)
    return tile_response(request, body, etag)
