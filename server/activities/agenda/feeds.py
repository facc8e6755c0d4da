"""The calendar as a feed: a secret address that calendar programs read, and that its owner can revoke."""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from icalendar import Calendar, Event
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.activities.agenda.documents import document_of, uid_of
from server.activities.agenda.ical import PRODID, Component, written
from server.activities.agenda.models import Activity, CalendarFeed, Kind, State
from server.activities.models import Visit, VisitState
from server.kit import clock
from server.kit.errors import Invalid, NotFound

CONTENTS = ("visit", "meeting", "call", "task")
BACK, AHEAD = timedelta(days=60), timedelta(days=365)
GONE_FOR = timedelta(days=60)
"""So long what was deleted is told of as cancelled: a calendar program that looks weekly learns of it."""


def make(session: Session, user_id: UUID, contents: Sequence[str]) -> tuple[CalendarFeed, str]:
    """Make a new address for somebody's calendar; its secret is given this once. An older one ends.

    Refuses a feed of nothing.
    """
    wanted = checked(contents)
    for old in session.scalars(select(CalendarFeed).where(_living(user_id))):
        old.revoked_at = clock.now()
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed(user_id=user_id, digest=_digest(secret), contents=wanted)
    session.add(feed)
    session.flush()
    return feed, secret


def checked(contents: Sequence[str]) -> list[str]:
    """What a feed holds; refuses nothing and what does not exist."""
    wanted = [one for one in CONTENTS if one in contents]
    if not wanted or set(contents) - set(CONTENTS):
        raise Invalid("Nothing is chosen.", help=f"There are: {', '.join(CONTENTS)}.", field="contents")
    return wanted


def of_user(session: Session, user_id: UUID) -> CalendarFeed | None:
    """Somebody's present feed."""
    return session.scalars(select(CalendarFeed).where(_living(user_id))).one_or_none()


def choose(session: Session, user_id: UUID, contents: Sequence[str]) -> None:
    """Let the present address hold something else."""
    feed = of_user(session, user_id)
    if feed is None:
        raise NotFound("There is no feed.")
    feed.contents = checked(contents)
    session.flush()


def revoke(session: Session, user_id: UUID) -> None:
    """End the address: whoever has it reads nothing any more."""
    feed = of_user(session, user_id)
    if feed is not None:
        feed.revoked_at = clock.now()
        session.flush()


def by_secret(session: Session, secret: str) -> CalendarFeed:
    """The feed of an address; refuses an unknown and a revoked one alike."""
    found = select(CalendarFeed).where(CalendarFeed.digest == _digest(secret), CalendarFeed.revoked_at.is_(None))
    feed = session.scalars(found).one_or_none()
    if feed is None:
        raise NotFound("There is no such calendar.", help="Ask its owner for a new address.")
    return feed


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _living(user_id: UUID) -> ColumnElement[bool]:
    return and_(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))


def content(session: Session, feed: CalendarFeed, name: str) -> bytes:
    """The calendar; the same rows give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    kinds = [Kind(one) for one in feed.contents if one != "visit"]
    for row in _activities(session, feed.user_id, kinds):
        for event in _events(session, row):
            calendar.add_component(event)
    if "visit" in feed.contents:
        for event in _visits(session, feed.user_id):
            calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _activities(session: Session, user_id: UUID, kinds: Sequence[Kind]) -> list[Activity]:
    now = clock.now()
    statement = select(Activity).where(
        Activity.kind.in_(kinds),
        Activity.series_id.is_(None),
        or_(Activity.owner_id == user_id, Activity.participant_ids.contains([user_id])),
        or_(Activity.starts_at.is_not(None), Activity.due_on.is_not(None)),
        Activity.at < now + AHEAD,
        or_(Activity.at >= now - BACK, (Activity.rrule.is_not(None))
            & or_(Activity.repeats_until.is_(None), Activity.repeats_until >= now - BACK)),
        or_(Activity.deleted_at.is_(None), Activity.deleted_at >= now - GONE_FOR),
    )  # fmt: skip
    return list(session.scalars(statement.order_by(Activity.at, Activity.id)))


def _events(session: Session, row: Activity) -> Iterator[Component]:
    if row.starts_at is None:
        yield _due(row)
        return
    document = document_of(session, row)
    if row.deleted_at is not None:
        document["state"] = "cancelled"
    raw = written(uid_of(row), document, sequence=row.rev - 1, stamp=row.updated_at)
    yield from Calendar.from_ical(raw).walk("VEVENT")


def _due(row: Activity) -> Event:
    """A task with a day and no time lies on the day and blocks nothing."""
    assert row.due_on is not None
    event = _bare(uid_of(row), row.updated_at, row.rev)
    event.add("dtstart", row.due_on)
    event.add("dtend", row.due_on + timedelta(days=1))
    done = row.state == State.DONE
    event.add("summary", f"✓ {row.subject}" if done else row.subject)
    if row.note:
        event.add("description", row.note)
    event.add("transp", "TRANSPARENT")
    if row.deleted_at is not None or row.state == State.CANCELLED:
        event.add("status", "CANCELLED")
    return event


def _visits(session: Session, user_id: UUID) -> Iterator[Component]:
    now = clock.now()
    statement = (
        select(Visit, Account.name, Site.street, Site.postcode, Site.city)
        .join(Account, Account.id == Visit.account_id)
        .outerjoin(Site, Site.id == Visit.site_id)
        .where(
            Visit.rep_id == user_id,
            Visit.day.between((now - BACK).date(), (now + AHEAD).date()),
            or_(Visit.deleted_at.is_(None), Visit.deleted_at >= now - GONE_FOR),
        )
        .order_by(Visit.day, Visit.id)
    )
    for visit, name, street, postcode, city in session.execute(statement):
        event = _bare(f"visit-{visit.id}@waymark", visit.updated_at, visit.rev)
        if visit.planned_start_at is None:
            event.add("dtstart", visit.day)
            event.add("dtend", visit.day + timedelta(days=1))
        else:
            event.add("dtstart", visit.planned_start_at.astimezone(UTC))
            event.add("dtend", (visit.planned_end_at or visit.planned_start_at).astimezone(UTC))
        event.add("summary", name)
        where = ", ".join(filter(None, (street, " ".join(filter(None, (postcode, city))))))
        if where:
            event.add("location", where)
        if visit.objective:
            event.add("description", visit.objective)
        if visit.deleted_at is not None or visit.state in (VisitState.CANCELLED, VisitState.MISSED):
            event.add("status", "CANCELLED")
        yield event


def _bare(uid: str, stamp: datetime, rev: int) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("sequence", rev - 1)
    return event
