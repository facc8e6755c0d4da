"""The rules of linked calendars: linking one, ending it, and what one event becomes when both sides changed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.agenda import documents, service
from server.activities.agenda.documents import document_of, uid_of
from server.activities.agenda.ical import Document, NotUnderstood, Read, read, written
from server.activities.agenda.models import Activity, Kind
from server.activities.caldav.client import Calendar, Client, Object
from server.activities.caldav.matching import agreed
from server.activities.caldav.models import CalendarItem, CalendarLink
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.secrets import seal, unseal
from server.records.merging import Clash, Json, Policy
from server.records.models import ConflictKind
from server.records.service import Actor, keep_clash

BACK = timedelta(days=30)
ACTOR = Actor(user_id=None, source="sync")


@dataclass(frozen=True)
class Push:
    """What is to be written to the server: `raw`, or nothing when the event is to go."""

    item_id: UUID
    href: str
    etag: str | None
    raw: bytes | None


def offered(url: str, username: str, password: str) -> list[Calendar]:
    """The calendars that somebody has on a server; refuses in words what does not work."""
    client = Client(url, username, password)
    try:
        found = client.calendars()
    finally:
        client.close()
    if not found:
        raise Invalid("There is no calendar at this address.", help="Look for “CalDAV” in its settings.", field="url")
    return found


def link(session: Session, user_id: UUID, calendar: Calendar, username: str, password: str) -> CalendarLink:
    """Keep a calendar the same as ours from now on; an older link of the person ends."""
    unlink(session, user_id)
    made = CalendarLink(user_id=user_id, url=calendar.url, name=calendar.name, username=username,
                        password=seal(password), since=clock.now() - BACK)  # fmt: skip
    session.add(made)
    session.flush()
    return made


def unlink(session: Session, user_id: UUID) -> None:
    """Keep it the same no more; what stands on both sides stays there."""
    known = of_user(session, user_id)
    if known is not None:
        session.delete(known)
        session.flush()


def of_user(session: Session, user_id: UUID) -> CalendarLink | None:
    """The calendar of a person."""
    return session.scalars(select(CalendarLink).where(CalendarLink.user_id == user_id)).one_or_none()


def find(session: Session, link_id: UUID) -> CalendarLink:
    """A link, locked for one round."""
    found = session.get(CalendarLink, link_id, with_for_update=True)
    if found is None:
        raise NotFound("The calendar is linked no more.")
    return found


def client_of(known: CalendarLink) -> Client:
    """Access to the calendar."""
    return Client(known.url, known.username, unseal(known.password))


def items(session: Session, link_id: UUID) -> dict[str, CalendarItem]:
    """What is known of the calendar, by href."""
    found = session.scalars(select(CalendarItem).where(CalendarItem.link_id == link_id))
    return {item.href: item for item in found}


def to_read(session: Session, link_id: UUID, etags: dict[str, str]) -> list[str]:
    """Which objects are not as they were."""
    known = items(session, link_id)
    return sorted(href for href, etag in etags.items() if href not in known or known[href].etag != etag)


def take(session: Session, link_id: UUID, zone: str, there: Object) -> None:
    """An object of theirs is new or changed: bring ours to what both agree on."""
    known = find(session, link_id)
    item = session.scalars(
        select(CalendarItem).where(CalendarItem.link_id == link_id, CalendarItem.href == there.href).with_for_update()
    ).one_or_none()
    try:
        found = read(there.raw, zone)
    except NotUnderstood as error:
        _leave_alone(session, known, item, there, error.message)
        return
    row = _row_of(session, known, item, found)
    if row is None and _is_past(found.document, known.since):
        _leave_alone(session, known, item, there, "It is over.")
        return
    if item is None:
        item = CalendarItem(link_id=known.id, href=there.href)
        session.add(item)
    if row is None:
        own: dict[str, Any] = {"uid": found.uid}
        own["account_id"] = account_of(session, known.user_id, found)
        row = documents.add(session, known.user_id, found.document, own)
        _settled(session, item, row, there.etag, found.document)
        return
    arrived = item.sent is not None and found.document == item.sent
    base: Document = (item.sent if arrived else item.base) or item.sent or document_of(session, row)
    if row.deleted_at is not None:
        if found.document == base:
            item.etag = there.etag  # theirs is as it was: it is deleted there in the second half of the round
            session.flush()
            return
        _revive(session, row, found.document)
    outcome = agreed(base, document_of(session, row), found.document)
    for clash in outcome.clashes:
        keep_clash(session, "activity", row.id, clash, ACTOR)
    documents.put(session, row, outcome.document)
    _settled(session, item, row, there.etag, found.document)


def _row_of(session: Session, known: CalendarLink, item: CalendarItem | None, found: Read) -> Activity | None:
    """Our side of an object: by what we know of it, else by its UID: a worker may have been stopped in between."""
    if item is not None and item.activity_id is not None:
        return session.get(Activity, item.activity_id, with_for_update=True, populate_existing=True)
    ours = select(Activity).where(Activity.owner_id == known.user_id, Activity.series_id.is_(None))
    key = found.uid.removeprefix("activity-").removesuffix("@waymark")
    if found.uid.startswith("activity-") and found.uid.endswith("@waymark"):
        try:
            ours = ours.where(Activity.id == UUID(key))
        except ValueError:
            return None
    else:
        ours = ours.where(Activity.uid == found.uid)
    row = session.scalars(ours.order_by(Activity.created_at).limit(1).with_for_update()).one_or_none()
    if row is None:
        return None
    taken = select(CalendarItem.id).where(CalendarItem.link_id == known.id, CalendarItem.activity_id == row.id)
    return row if session.scalar(taken) is None else None


def _settled(session: Session, item: CalendarItem, row: Activity, etag: str, document: Document) -> None:
    item.activity_id, item.etag, item.base, item.sent, item.note = row.id, etag, dict(document), None, ""
    session.flush()


def leave_alone(session: Session, link_id: UUID, there: Object, why: str) -> None:
    """An object of theirs breaks a rule of ours: it stays as it is, and the page says why."""
    known = find(session, link_id)
    mine = select(CalendarItem).where(CalendarItem.link_id == link_id, CalendarItem.href == there.href)
    _leave_alone(session, known, session.scalars(mine.with_for_update()).one_or_none(), there, why)


def _leave_alone(session: Session, known: CalendarLink, item: CalendarItem | None, there: Object, why: str) -> None:
    if item is None:
        item = CalendarItem(link_id=known.id, href=there.href)
        session.add(item)
    item.etag, item.note = there.etag, why
    session.flush()


def _is_past(document: Document, since: datetime) -> bool:
    if document["rrule"] is not None:
        return False
    return datetime.fromisoformat(str(document["ends_at"]).replace("Z", "+00:00")) < since


def _revive(session: Session, row: Activity, theirs: Document) -> None:
    """We deleted what they changed: nothing is lost, so it stands again, and the page says so."""
    service.bring_back(session, row)
    clash = Clash("deleted_at", ConflictKind.EDIT_AFTER_DELETE, Policy.TAKE_FIELD, None, _title(theirs), None)
    keep_clash(session, "activity", row.id, clash, ACTOR)


def _title(document: Document) -> Json:
    return document.get("subject")


def account_of(session: Session, user_id: UUID, found: Read) -> UUID | None:
    """The account of an event: one of whose addresses is invited, or whose whole name stands in its title."""
    if not found.document["is_private"] and found.addresses:
        invited = select(func.account_surviving(Account.id)).where(
            func.lower(Account.email).in_(found.addresses), Account.deleted_at.is_(None)
        )
        by_mail: Sequence[UUID] = session.scalars(invited.distinct().limit(2)).all()
        if len(by_mail) == 1:
            return by_mail[0]
    title = str(found.document["subject"])
    if found.document["is_private"] or len(title) < 4:
        return None
    named = select(Account.id).where(
        func.lower(Account.name) == func.lower(title), Account.deleted_at.is_(None), Account.merged_into.is_(None)
    )
    by_name = session.scalars(named.limit(2)).all()
    return by_name[0] if len(by_name) == 1 else None


def gone(session: Session, link_id: UUID, href: str) -> None:
    """An object of theirs was deleted: ours goes too, unless somebody changed it meanwhile; then it stays and is
    written to them again.
    """
    item = session.scalars(
        select(CalendarItem).where(CalendarItem.link_id == link_id, CalendarItem.href == href).with_for_update()
    ).one_or_none()
    if item is None:
        return
    if item.sent is not None and item.etag is None:
        return  # it is on its way to them and has not arrived
    row = session.get(Activity, item.activity_id, with_for_update=True) if item.activity_id else None
    if row is not None and row.deleted_at is None and document_of(session, row) != item.base:
        clash = Clash("deleted_at", ConflictKind.DELETE_VS_EDIT, Policy.KEEP_SERVER, None, "deleted", row.subject)
        keep_clash(session, "activity", row.id, clash, ACTOR)
    elif row is not None and row.deleted_at is None:
        service.remove(session, row)
    session.delete(item)
    session.flush()


def to_push(session: Session, link_id: UUID) -> list[UUID]:
    """Which of our activities may have to be written: the person's own, with a time, that are not over for long."""
    known = find(session, link_id)
    has_item = select(CalendarItem.id).where(CalendarItem.link_id == link_id, CalendarItem.activity_id == Activity.id)
    statement = select(Activity.id).where(
        Activity.owner_id == known.user_id,
        Activity.series_id.is_(None),
        Activity.kind != Kind.MAIL,
        Activity.starts_at.is_not(None),
        or_(
            has_item.exists(),
            Activity.deleted_at.is_(None) & or_(Activity.ends_at >= known.since, Activity.rrule.is_not(None)),
        ),
    )
    return list(session.scalars(statement.order_by(Activity.at, Activity.id)))


def push(session: Session, link_id: UUID, activity_id: UUID, before: Sequence[Object]) -> Push | None:
    """What has to be written of one activity, noted before it goes out; nothing when both are the same."""
    known = find(session, link_id)
    row = session.get_one(Activity, activity_id)
    mine = select(CalendarItem).where(CalendarItem.link_id == link_id, CalendarItem.activity_id == activity_id)
    item = session.scalars(mine.with_for_update()).one_or_none()
    if row.deleted_at is not None:
        return Push(item.id, item.href, item.etag, None) if item is not None else None
    document = document_of(session, row)
    if item is not None and item.base == document and item.etag is not None:
        return None
    if item is None:
        item = CalendarItem(id=uuid7(), link_id=link_id, activity_id=row.id, href=_href(known, row))
        session.add(item)
    item.sent = dict(document)
    session.flush()
    raw = next((one.raw for one in before if one.href == item.href), None)
    content = written(uid_of(row), document, sequence=row.rev - 1, stamp=row.updated_at, raw=raw)
    return Push(item.id, item.href, item.etag, content)


def _href(known: CalendarLink, row: Activity) -> str:
    return f"{unquote(urlsplit(known.url).path).rstrip('/')}/{row.id}.ics"


def pushed(session: Session, item_id: UUID, etag: str | None) -> None:
    """The server has taken what was sent; without an etag it is read again in the next round."""
    item = session.get(CalendarItem, item_id, with_for_update=True)
    if item is None:
        return
    item.etag, item.base, item.sent = etag or "unknown", item.sent, None
    session.flush()


def deleted(session: Session, item_id: UUID) -> None:
    """The server has deleted what was deleted here."""
    item = session.get(CalendarItem, item_id)
    if item is not None:
        session.delete(item)
        session.flush()
