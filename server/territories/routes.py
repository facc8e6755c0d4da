"""Reading territories: list with outlines, overlaps, tiles. Changing them is the business of `balance`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.paging import Page
from server.kit.settings import settings
from server.kit.tiles import TileAddress, tile_response
from server.territories import queries
from server.territories.models import Territory
from server.territories.schemas import MemberRead, TerritoryRead

router = APIRouter(tags=["territories"])

ReadTerritories = Annotated[Scope, requires("territories:read")]


def read_all(session: Session, rows: list[Territory], *, with_area: bool) -> list[TerritoryRead]:
    """Territories as they go over the wire."""
    members: dict[UUID, list[MemberRead]] = {}
    for member in queries.members_on(session, clock.today(settings().zone)):
        members.setdefault(member.territory_id, []).append(MemberRead(user_id=member.user_id, name=member.name))
    outlines = queries.outlines(session) if with_area else {}
    return [
        TerritoryRead(
            id=row.id,
            name=row.name,
            colour=row.colour,
            parent_id=row.parent_id,
            rev=row.rev,
            members=members.get(row.id, []),
            area=outlines.get(row.id),
        )
        for row in rows
    ]


@router.get("/api/v1/territories")
def list_territories(
    scope: ReadTerritories,
    session: Db,
    area: Annotated[bool, Query(description="With outlines as GeoJSON.")] = False,
) -> Page[TerritoryRead]:
    """All territories with today's members."""
    return Page(items=read_all(session, queries.active(session), with_area=area))


class OverlapRead(BaseModel):
    """Two territories that claim the same ground."""

    one: str
    other: str
    square_km: float


@router.get("/api/v1/territories/overlaps")
def list_overlaps(scope: ReadTerritories, session: Db) -> Page[OverlapRead]:
    """Territories that overlap."""
    return Page(items=[OverlapRead(**vars(overlap)) for overlap in queries.overlaps(session)])


@router.get("/tiles/territories/{z}/{x}/{y}")
def territory_tile(tile: TileAddress, request: Request, scope: ReadTerritories, session: Db) -> Response:
    """The territories as a vector tile."""
    return tile_response(request, queries.tile(session, tile.z, tile.x, tile.y))
