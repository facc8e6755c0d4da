"""Reads of tracks: only of the people that somebody's right to tracks reaches."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import User
from server.auth.queries import visible_users
from server.tracks.models import Track, TrackKind

JOINED = timedelta(minutes=10)
"""Pieces with a longer time between them are lines of their own: nobody knows the way between."""


def visible_to(scope: Scope) -> Select[Track]:
    """The tracks that somebody may see: their own, and those of whoever their right to tracks reaches."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("tracks:read")).with_only_columns(User.id)
    return select(Track).where(Track.deleted_at.is_(None), Track.rep_id.in_(people.order_by(None)))


@dataclass
class RepDay:
    """The way of one rep on one day."""

    rep_id: UUID
    rep_name: str
    day: date
    zone: str
    lines: list[list[tuple[float, float]]] = field(default_factory=list)
    """Each of longitude and latitude, in the order of time, simplified to 10 m."""
    fixes: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    paused_at: datetime | None = None
    """When the rep paused the recording; None while it goes on."""
    is_broken: bool = field(default=False, repr=False)
    """Whether the next piece is a line of its own: there was a pause before it."""

    def take(self, kind: str, starts_at: datetime, ends_at: datetime, count: int, way: str | None) -> None:
        """Go on with the next track of the day."""
        if kind != TrackKind.WAY or way is None:
            self.paused_at, self.is_broken = (starts_at if kind == TrackKind.PAUSE else None), True
            return
        points: list[tuple[float, float]] = [(lon, lat) for lon, lat in json.loads(way)["coordinates"]]
        goes_on = self.ends_at is not None and timedelta(0) <= starts_at - self.ends_at <= JOINED
        if goes_on and not self.is_broken:
            self.lines[-1] += points
        else:
            self.lines.append(points)
        self.is_broken = False
        self.fixes += count
        self.starts_at, self.ends_at = self.starts_at or starts_at, max(ends_at, self.ends_at or ends_at)


def days(session: Session, scope: Scope, day: date, *, rep_ids: Iterable[UUID] | None = None) -> list[RepDay]:
    """The ways of a day by rep, in one statement; only of some reps if asked for."""
    wanted = visible_to(scope).where(Track.day == day)
    if rep_ids is not None:
        wanted = wanted.where(Track.rep_id.in_(list(rep_ids)))
    found: dict[UUID, RepDay] = {}
    statement: Select[Any] = (
        wanted.join(User, User.id == Track.rep_id)
        .with_only_columns(
            Track.rep_id, User.name, Track.day, Track.zone, Track.kind, Track.starts_at, Track.ends_at,
            func.jsonb_array_length(Track.fixes), func.ST_AsGeoJSON(Track.way, 5),
        )
        .order_by(User.name, Track.rep_id, Track.starts_at, Track.id)
    )  # fmt: skip
    for rep_id, name, at, zone, *told in session.execute(statement):
        found.setdefault(rep_id, RepDay(rep_id, name, at, zone)).take(*told)
    return list(found.values())


def fixes(session: Session, scope: Scope, rep_id: UUID, day: date) -> list[dict[str, Any]]:
    """Every fix that is kept of a rep's day, by time."""
    statement = visible_to(scope).where(Track.rep_id == rep_id, Track.day == day, Track.kind == TrackKind.WAY)
    rows = session.scalars(statement.with_only_columns(Track.fixes).order_by(Track.starts_at, Track.id))
    return [one for row in rows for one in row]
