"""JSON API of roads."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.roads.types import LONGEST_ISOCHRONE_MIN
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid
from server.roads import queries, reporting, service
from server.roads.schemas import GraphRead, IsochroneRead, LegRead, RouteRead, StatusRead

router = APIRouter(prefix="/api/v1/roads", tags=["roads"])

Read = Annotated[Scope, requires("roads:read")]
MOST_STOPS = 500


@router.get("/route")
def route(
    session: Db,
    _scope: Read,
    points: Annotated[str, Query(max_length=20_000, description="lon,lat;lon,lat;... in the order of driving")],
) -> RouteRead:
    """The drive through points in the given order."""
    stops = [parse_point(text, number) for number, text in enumerate(points.split(";"), 1)]
    if not 2 <= len(stops) <= MOST_STOPS:
        raise Invalid(f"A route has 2 to {MOST_STOPS} points, not {len(stops)}.", help="Write lon,lat;lon,lat")
    engine = service.engine(session, stops)
    legs = [
        LegRead(drive_s=leg.seconds, distance_m=leg.metres, polyline6=leg.polyline6, estimated=leg.estimated)
        for leg in engine.route(stops)
    ]
    return RouteRead(
        engine=engine.key,
        drive_s=sum(leg.drive_s for leg in legs),
        distance_m=sum(leg.distance_m for leg in legs),
        estimated=any(leg.estimated for leg in legs),
        legs=legs,
        note=service.borders(engine),
        attribution=attribution(session, stops),
    )


@router.get("/isochrone")
def isochrone(
    session: Db,
    _scope: Read,
    point: Annotated[str, Query(max_length=60, description="lon,lat")],
    minutes: Annotated[str, Query(max_length=60, description="Minutes of driving, with commas")] = "10,20,30",
) -> IsochroneRead:
    """How far one gets from a point, for the map."""
    centre = parse_point(point, 1)
    engine = service.engine(session, [centre])
    try:
        areas = engine.isochrone(centre, [float(value) for value in minutes.split(",")])
    except ValueError as error:
        raise Invalid(
            f"minutes: {error}", help=f"Write numbers up to {LONGEST_ISOCHRONE_MIN} with commas: 10,20", field="minutes"
        ) from error
    return IsochroneRead(features=areas["features"], engine=engine.key, attribution=attribution(session, [centre]))


@router.get("/status")
def status(session: Db, _scope: Read) -> StatusRead:
    """Which regions have roads, and whether their process runs here."""
    return StatusRead(items=[GraphRead.of(one) for one in reporting.statuses(session)])


def parse_point(text: str, number: int) -> LonLat:
    """A point written as lon,lat; refuses anything else and says which point it was."""
    try:
        lon, lat = (float(part) for part in text.split(","))
        return LonLat.checked(lon, lat)
    except ValueError as error:
        raise Invalid(
            f"Point {number} ({text[:40]!r}): {error}", help="Write lon,lat in degrees: 9.52,47.14"
        ) from error


def attribution(session: Session, points: list[LonLat]) -> list[str]:
    """The sources behind an answer."""
    return [line for region in queries.regions_covering(session, points)[:1] for line in region.attribution]
