"""White space: where prospects are, and how many of them are customers."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select

from server.auth.access import Scope, requires
from server.density import firms, queries, service
from server.density.counting import FINEST
from server.density.models import DensityCell
from server.kit.database import Db
from server.web.pages import go, render

router = APIRouter(prefix="/density", include_in_schema=False)

ReadDensity = Annotated[Scope, requires("density:read")]
BEST = 12
LISTED_RESOLUTION = min(FINEST, 8)


@router.get("")
def show_density(request: Request, scope: ReadDensity, session: Db) -> Response:
    """The market on a map, and the hexagons with the most prospects that nobody sells to."""
    cells = session.execute(
        select(DensityCell, func.ST_X(func.ST_Transform(func.ST_Centroid(DensityCell.geom), 4326)),
               func.ST_Y(func.ST_Transform(func.ST_Centroid(DensityCell.geom), 4326)))
        .where(DensityCell.resolution == LISTED_RESOLUTION, DensityCell.prospects > 0)
        .order_by(DensityCell.prospects.desc(), DensityCell.cell)
        .limit(BEST)
    ).all()  # fmt: skip
    return render(
        request,
        "density/map.html",
        scope,
        totals=queries.totals(session),
        cells=cells,
        sources=firms.sources(session),
    )


@router.post("/refresh")
def refresh(scope: Annotated[Scope, requires("density:export")], session: Db) -> Response:
    """Count again now."""
    service.refresh(session)
    return go("/density")
