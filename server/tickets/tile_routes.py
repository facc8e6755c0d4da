"""Tickets as vector tiles."""

from fastapi import APIRouter, Request, Response

from server.kit.database import Db
from server.kit.tiles import TileAddress, tile_response
from server.tickets import tiles
from server.tickets.routes import Filter, ReadTickets, Search

router = APIRouter(tags=["tickets"])


@router.get("/tiles/tickets/{z}/{x}/{y}")
def ticket_tile(
    tile: TileAddress, request: Request, scope: ReadTickets, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The tickets you may see as a vector tile, without a filter those not solved; counts below zoom 9."""
    return tile_response(request, tiles.tile(session, scope, tile, filter=filter, search=search))
