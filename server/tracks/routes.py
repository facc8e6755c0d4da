"""JSON API of tracks."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.auth.models import User
from server.auth.queries import visible_users
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Page
from server.tracks import queries

router = APIRouter(prefix="/api/v1/tracks", tags=["tracks"])

ReadTracks = Annotated[Scope, requires("tracks:read")]
Position = tuple[float, float]


class RepDayRead(BaseModel):
    """The way of one rep on one day, as maps draw it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "rep_id": "01990000-0000-7000-8000-000000000000",
                    "rep_name": "Rita Roth",
                    "day": "2030-03-29",
                    "zone": "Europe/Vaduz",
                    "lines": [[[9.5209, 47.1393], [9.5244, 47.1512]], [[9.5301, 47.1604], [9.5333, 47.1702]]],
                    "fixes": 412,
                    "starts_at": "2030-03-29T07:02:11Z",
                    "ends_at": "2030-03-29T15:48:40Z",
                    "paused_at": None,
                }
            ]
        },
    )

    rep_id: UUID
    rep_name: str
    day: date
    zone: str = Field(description="IANA time zone of the day.")
    lines: list[list[Position]] = Field(
        description="Longitude and latitude by time, simplified to 10 m. Where more than ten minutes lie between two "
        "pieces, or a pause, they are lines of their own."
    )
    fixes: int = Field(description="How many readings are kept.")
    starts_at: datetime | None
    ends_at: datetime | None
    paused_at: datetime | None = Field(description="When the rep paused the recording; null while it goes on.")


class FixRead(BaseModel):
    """One reading of a phone's position."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"at": "2030-03-29T07:02:11Z", "lon": 9.5209, "lat": 47.1393, "accuracy_m": 8.0}]
        }
    )

    at: datetime
    lon: float
    lat: float
    accuracy_m: float = Field(description="Radius of 68 % confidence, as the phone reports it.")


@router.get("")
def list_days(
    scope: ReadTracks,
    session: Db,
    day: date,
    rep_id: Annotated[list[UUID] | None, Query(description="Only of these reps.")] = None,
) -> Page[RepDayRead]:
    """The ways of a day, of the reps that your right to tracks reaches. What was recorded before the company
    stopped recording stays until its days are over."""
    return Page(items=[RepDayRead.model_validate(one) for one in queries.days(session, scope, day, rep_ids=rep_id)])


@router.get("/{rep_id}/{day}")
def list_fixes(rep_id: UUID, day: date, scope: ReadTracks, session: Db) -> Page[FixRead]:
    """Every reading that is kept of a rep's day, by time: all that there is of it. 404 for a rep out of reach."""
    refuse_strangers(session, scope, rep_id)
    return Page(items=[FixRead.model_validate(one) for one in queries.fixes(session, scope, rep_id, day)])


def refuse_strangers(session: Session, scope: Scope, rep_id: UUID) -> None:
    """Refuse a person whom the right to tracks does not reach."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("tracks:read"))
    if session.scalar(people.where(User.id == rep_id).with_only_columns(User.id).order_by(None)) is None:
        raise NotFound("There is no such rep.")
