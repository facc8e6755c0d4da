"""JSON API of regions, the phone's map pack and the base map's tiles."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Page
from server.kit.tiles import TileAddress, fingerprint, is_known, tile_response
from server.regions import queries
from server.regions.schemas import RegionRead

router = APIRouter(tags=["regions"])

ReadRegions = Annotated[Scope, requires("regions:read")]


@router.get("/api/v1/regions")
def list_regions(scope: ReadRegions, session: Db) -> Page[RegionRead]:
    """The regions in service."""
    return Page(items=[RegionRead.of(region) for region in queries.served(session)])


@router.get("/api/v1/regions/{region_id}/map-pack")
def map_pack(region_id: UUID, request: Request, scope: ReadRegions, session: Db) -> Response:
    """The phone's map of a region: one file, whole or in ranges."""
    region = queries.region_by_id(session, region_id)
    if not region.pack_sha256 or not region.map_pack.is_file():
        raise NotFound(f"Region {region.name} has no map pack.", help="Add the region again: waymark region add.")
    headers = {"ETag": f'"{region.pack_sha256}"', "Cache-Control": "private, no-cache"}
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    headers["Content-Encoding"] = "identity"  # ranges count the file's own bytes, and its tiles are compressed already
    return FileResponse(region.map_pack, media_type="application/vnd.sqlite3", headers=headers)


@router.get("/tiles/basemap/{z}/{x}/{y}")
def basemap_tile(tile: TileAddress, request: Request, scope: ReadRegions, session: Db) -> Response:
    """A vector tile of the base map: one layer per kind of thing."""
    etag = fingerprint("basemap 1", *tile, *(region.id for region in queries.served(session)))
    body = b"" if is_known(request, etag) else queries.basemap_tile(session, tile)
    return tile_response(request, body, etag, fresh_s=3600)
