"""JSON API of density, its tiles and its files."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from server.auth.access import Scope, requires
from server.density import queries
from server.density.counting import COARSEST, FINEST
from server.density.files import Format, write
from server.density.firms import sources
from server.density.schemas import DensityRead
from server.kit.database import Db
from server.kit.tiles import TileAddress, fingerprint, is_known, tile_response

router = APIRouter(tags=["density"])

ReadDensity = Annotated[Scope, requires("density:read")]
ExportDensity = Annotated[Scope, requires("density:export")]
Resolution = Annotated[int | None, Query(ge=COARSEST, le=FINEST, description="H3 resolution of the hexagons.")]


MEDIA = {Format.HTML: "text/html; charset=utf-8", Format.GPKG: "application/geopackage+sqlite3"}


@router.get("/api/v1/density")
def density(scope: ReadDensity, session: Db) -> DensityRead:
    """The market in numbers."""
    found = queries.totals(session)
    return DensityRead(
        prospects=found.prospects,
        customers=found.customers,
        refreshed_at=found.refreshed_at,
        resolution_by_zoom=[queries.resolution_at(zoom) for zoom in range(23)],
        breaks={level: queries.breaks(session, level) for level in range(COARSEST, FINEST + 1)},
        ramp=list(queries.RAMP),
        sources=sources(session),
    )


@router.get("/api/v1/density/export")
def export(scope: ExportDensity, session: Db, format: Format = Format.HTML, resolution: Resolution = None) -> Response:
    """The market as a file, with the customers that you may see."""
    name = f"density.{format.value}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(session, scope, path, format, resolution)
        return Response(path.read_bytes(), media_type=MEDIA[format], headers=headers)


@router.get("/tiles/density/{z}/{x}/{y}")
def density_tile(tile: TileAddress, request: Request, scope: ReadDensity, session: Db) -> Response:
    """A vector tile of hexagons with their counts."""
    etag = fingerprint("density 1", *tile, queries.state_key(session))
    body = b"" if is_known(request, etag) else queries.density_tile(session, tile)
    return tile_response(request, body, etag)


@router.get("/tiles/prospects/{z}/{x}/{y}")
def prospect_tile(tile: TileAddress, request: Request, scope: ReadDensity, session: Db) -> Response:
    """A vector tile of prospects."""
    etag = fingerprint("prospects 1", *tile, queries.state_key(session))
    body = b"" if is_known(request, etag) else queries.prospect_tile(session, tile)
    return tile_response(request, body, etag)
