"""The rules of tracks: what of a recorded way is kept."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from shapely.geometry import LineString
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from geo.distance import EARTH_RADIUS_M
from geo.types import LonLat
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Invalid
from server.phones import rules
from server.records.models import FieldHistory
from server.tracks import hours
from server.tracks.models import HeldWay, Track, TrackKind

AHEAD = timedelta(minutes=2)
"""So far the clock of a fix may be ahead of ours."""
SIMPLIFIED_M = 10.0
DAY = timedelta(days=1)
HELD = DAY
"""So long the end of a pause may come after its beginning."""


class TimedFix(NamedTuple):
    """One GPS reading and when it was taken."""

    at: datetime
    point: LonLat
    accuracy_m: float
    """Radius of 68 % confidence, as the phone reports it."""


@dataclass(frozen=True)
class Report:
    """What a phone says of the way."""

    id: UUID
    kind: TrackKind
    at: datetime
    """When the way was paused or taken up again; of a way its fixes say it."""
    fixes: Sequence[TimedFix] = ()


def take(session: Session, rep_id: UUID, report: Report) -> tuple[Track | None, int]:
    """Keep what may be kept of a rep's way; says also how many fixes were dropped.

    Dropped and stored nowhere is what lies outside the rep's shifts, in a pause, before the company began to record,
    in the future, or would be deleted tonight; where the company records nothing, everything. What lies in a pause of
    the ways that are here already is taken out by `respect_pauses`. Refuses a way without fixes and a pause with some.
    """
    if (report.kind == TrackKind.WAY) != bool(report.fixes):
        raise Invalid("A way has fixes, a pause and its end have none.", help="Send what was recorded.", field="fixes")
    said, now = rules.rules(session), clock.now()
    if said.tracks_since is None:
        return None, len(report.fixes)
    since = max(said.tracks_since, now - timedelta(days=said.tracks_days))
    zone = hours.zone_of(session.get_one(User, rep_id))
    if report.kind != TrackKind.WAY:
        at = min(report.at, now)
        if at < since - DAY or at.astimezone(ZoneInfo(zone)).date() < since.astimezone(ZoneInfo(zone)).date():
            return None, 0  # a pause holds for its day, also where the company begins to record during it
        return keep(session, rep_id, report, zone, at, at), 0
    told = sorted((one for one in report.fixes if since <= one.at <= now + AHEAD), key=lambda one: one.at)
    kept = at_work(session, rep_id, told, ZoneInfo(zone)) if told else []
    dropped = len(report.fixes) - len(kept)
    if not kept:
        return None, dropped
    return keep(session, rep_id, report, zone, kept[0].at, kept[-1].at, kept), dropped


def at_work(session: Session, rep_id: UUID, fixes: Sequence[TimedFix], zone: ZoneInfo) -> list[TimedFix]:
    """The fixes within the rep's shifts and outside of pauses; `fixes` are by time and not empty."""
    first, last = (one.at.astimezone(zone).date() for one in (fixes[0], fixes[-1]))
    shifts, pauses = hours.shifts(session, rep_id, first, last), paused(session, rep_id, fixes[0].at, zone)
    return [one for one in fixes if any(shift.holds(one.at) for shift in shifts) and not lies_in(one.at, pauses)]


def paused(session: Session, rep_id: UUID, since: datetime, zone: ZoneInfo) -> list[hours.Span]:
    """From when to when a rep wanted nothing recorded, from the day of a moment on. A pause ends with its day."""
    marks = select(Track.kind, Track.starts_at, Track.day).where(
        Track.rep_id == rep_id, Track.kind != TrackKind.WAY, Track.day >= since.astimezone(zone).date()
    )
    spans: list[hours.Span] = []
    for kind, at, day in session.execute(marks.order_by(Track.starts_at, Track.id)):
        if kind == TrackKind.PAUSE:
            if spans and spans[-1].holds(at):
                continue  # another phone of the rep says it again
            spans.append(hours.Span(at, datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)))
        elif spans and spans[-1].holds(at):
            spans[-1] = spans[-1]._replace(ends_at=at)
    return spans


def lies_in(at: datetime, pauses: Iterable[hours.Span]) -> bool:
    """Whether a moment lies between the beginning and the end of a pause; those two are still, and again, recorded."""
    return any(one.starts_at < at < one.ends_at for one in pauses)


def respect_pauses(session: Session, rep_id: UUID, at: datetime) -> None:
    """Take what lies in the pauses since a moment out of the ways that came before they were heard of, e.g. from
    another phone; also out of one that began the day before. It is held for a day, and what lies behind the end of its
    pause comes back when that is heard of.

    For the end of whatever brings pauses and their ends.
    """
    zone = ZoneInfo(hours.zone_of(session.get_one(User, rep_id)))
    mine = select(HeldWay).where(HeldWay.rep_id == rep_id)  # all: a way may have a part that ended before
    held = {one.id: one for one in session.scalars(mine.order_by(HeldWay.id).with_for_update())}
    since = min([at, *(moment_of(one.fixes[0]) for one in held.values())])
    spans = paused(session, rep_id, since, zone)
    last = max((one.ends_at for one in spans), default=at)
    touched = and_(Track.ends_at >= at, Track.starts_at <= last, Track.deleted_at.is_(None))
    ways = select(Track).where(Track.rep_id == rep_id, Track.kind == TrackKind.WAY, or_(touched, Track.id.in_(held)))
    for row in session.scalars(ways.order_by(Track.id).with_for_update()):
        divide(session, row, held.get(row.id), spans)


def divide(session: Session, way: Track, held: HeldWay | None, pauses: Sequence[hours.Span]) -> None:
    """Show of a way what lies outside of pauses, and hold the rest; the history does not say what it was."""
    fixes = sorted([*way.fixes, *(held.fixes if held else [])], key=moment_of)
    shown = [one for one in fixes if not lies_in(moment_of(one), pauses)]
    apart = [one for one in fixes if lies_in(moment_of(one), pauses)]
    if shown == way.fixes:
        return
    if shown:
        way.way = line_of([LonLat(one["lon"], one["lat"]) for one in shown])
        way.starts_at, way.ends_at = moment_of(shown[0]), moment_of(shown[-1])
    way.fixes, way.deleted_at = shown, None if shown else clock.now()
    if held is not None:
        session.delete(held)
        session.flush()
    if apart:
        last = moment_of(apart[-1])
        session.add(HeldWay(id=way.id, rep_id=way.rep_id, ends_at=last, fixes=apart, held_at=clock.now()))
    session.flush()
    erase_history(session, [way.id])


def moment_of(fix: Mapping[str, Any]) -> datetime:
    """When a stored fix was taken."""
    return datetime.fromisoformat(fix["at"])


def keep(
    session: Session,
    rep_id: UUID,
    report: Report,
    zone: str,
    first: datetime,
    last: datetime,
    fixes: Iterable[TimedFix] = (),
) -> Track:
    """Store a track."""
    kept = list(fixes)
    row = Track(
        id=report.id,
        rep_id=rep_id,
        day=first.astimezone(ZoneInfo(zone)).date(),
        zone=zone,
        kind=report.kind,
        starts_at=first,
        ends_at=last,
        fixes=[
            {
                "at": clock.spelled(one.at),
                "lon": one.point.lon,
                "lat": one.point.lat,
                "accuracy_m": one.accuracy_m,
            }
            for one in kept
        ],
        way=line_of([one.point for one in kept]) if kept else None,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def line_of(points: Sequence[LonLat]) -> WKBElement:
    """The way as it is stored."""
    return from_shape(simplified(points), srid=4326)


def simplified(points: Sequence[LonLat]) -> LineString:
    """The line through some points (degrees) without those that change it by less than 10 m (Douglas and Peucker's
    algorithm on the plane that touches the Earth at the first point). A single point is a line to itself."""
    shrink = max(1e-6, math.cos(math.radians(points[0].lat)))
    several = points if len(points) > 1 else [*points, *points]
    flat = LineString([(lon * shrink, lat) for lon, lat in several])
    line = flat.simplify(math.degrees(SIMPLIFIED_M / EARTH_RADIUS_M), preserve_topology=False)
    return LineString([(x / shrink, y) for x, y in line.coords])


def forget(session: Session) -> int:
    """Delete the ways that are older than the company keeps them, with what says that they were, and what has been held
    for a day; gives how many ways."""
    oldest = (clock.now() - timedelta(days=rules.rules(session).tracks_days)).date()
    over = list(session.scalars(delete(HeldWay).where(HeldWay.held_at < clock.now() - HELD).returning(HeldWay.id)))
    hidden = and_(Track.id.in_(over), Track.deleted_at.is_not(None))
    gone = list(session.scalars(delete(Track).where(or_(Track.day < oldest, hidden)).returning(Track.id)))
    erase_history(session, gone)
    return len(gone)


def erase_history(session: Session, ids: Sequence[UUID]) -> None:
    """Nothing says where somebody was once their way does not."""
    if ids:
        session.execute(delete(FieldHistory).where(FieldHistory.entity == "track", FieldHistory.row_id.in_(ids)))
