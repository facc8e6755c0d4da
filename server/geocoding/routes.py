"""JSON API of geocoding."""

from typing import Annotated

from fastapi import APIRouter, Query

from geo.geocode.types import AddressQuery
from geo.types import LonLat
from server.auth.access import Scope, requires
from server.geocoding import queries, service
from server.geocoding.schemas import AnswerRead, Answers, Batch
from server.kit.database import Db

router = APIRouter(tags=["geocoding"])

Geocode = Annotated[Scope, requires("geocode:read")]


@router.post("/api/v1/geocode")
def geocode_many(batch: Batch, scope: Geocode, session: Db) -> Answers:
    """Find many addresses."""
    answers = service.locate_many(session, (item.asked() for item in batch.items))
    return Answers(items=[AnswerRead.of(a) for a in answers], attribution=queries.attributions(session))


@router.get("/api/v1/geocode")
def geocode(scope: Geocode, session: Db, query: Annotated[str, Query(min_length=1, max_length=400)]) -> Answers:
    """Find one address, written in one line."""
    answer = service.locate(session, AddressQuery(query=query))
    return Answers(items=[AnswerRead.of(answer)], attribution=queries.attributions(session))


@router.get("/api/v1/reverse")
def reverse(
    scope: Geocode,
    session: Db,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-90, le=90)],
) -> Answers:
    """Find the address nearest to a point."""
    answer = service.reverse(session, LonLat(lon, lat))
    return Answers(items=[AnswerRead.of(answer)], attribution=queries.attributions(session))
