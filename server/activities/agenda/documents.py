"""The document of an activity with its changed repeats, and writing one back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities.agenda import service
from server.activities.agenda.ical import OF_ONE, REPEAT, Document, plain_rule
from server.activities.agenda.models import Activity, Kind, State
from server.activities.agenda.recurrence import midnight
from server.activities.agenda.values import cleaned, wire
from server.kit import clock
from server.records.merging import Json

OF_SERIES = (
    "subject", "note", "place", "starts_at", "ends_at", "is_all_day", "zone", "state", "rrule", "exdates",
    "reminder_min", "is_private",
)  # fmt: skip


def uid_of(row: Activity) -> str:
    """How calendars know it, for as long as it lives."""
    return row.uid or f"activity-{row.id}@waymark"


def document_of(session: Session, row: Activity) -> Document:
    """An activity and its changed repeats as plain values. A repeat that was deleted counts as left out."""
    found: Document = {name: _plain(name, getattr(row, name)) for name in OF_SERIES}
    left_out = set(row.exdates)
    if row.rrule:
        for one in repeats_of(session, row.id):
            assert one.replaces_at is not None
            if one.deleted_at is not None:
                left_out.add(one.replaces_at)
            else:
                left_out.discard(one.replaces_at)
                found[f"{REPEAT}{wire(one.replaces_at)}"] = {name: _plain(name, getattr(one, name)) for name in OF_ONE}
    found["exdates"] = [wire(at) for at in sorted(left_out)]
    return found


def repeats_of(session: Session, series_id: UUID) -> list[Activity]:
    """The repeats of a series that were changed by themselves."""
    statement = select(Activity).where(Activity.series_id == series_id).order_by(Activity.replaces_at)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def _plain(name: str, value: Any) -> Json:
    if name == "state":
        return "cancelled" if value == State.CANCELLED else "open"
    if name == "rrule":
        return plain_rule(value)
    return wire(value)


def add(session: Session, owner_id: UUID, document: Document, own: Mapping[str, Any]) -> Activity:
    """An event of a foreign calendar becomes a meeting of its owner's."""
    values = {name: document[name] for name in OF_SERIES if name in document}
    row = service.add(session, service.NewActivity(Kind.MEETING, owner_id, values, own))
    put_repeats(session, row, {}, document)
    return row


def put(session: Session, row: Activity, wanted: Document) -> None:
    """Bring an activity to what a document says; what is the same is not touched."""
    present = document_of(session, row)
    changes = {
        name: cleaned(name, value) for name, value in wanted.items() if name in OF_SERIES and present.get(name) != value
    }
    if changes.get("state") == State.OPEN and row.state == State.DONE:
        changes.pop("state")
    if changes:
        for name, value in changes.items():
            setattr(row, name, value)
        service.settle(session, row)
        session.flush()
        session.refresh(row)
        service.follow_up(session, row)
    put_repeats(session, row, present, wanted)


def put_repeats(session: Session, row: Activity, present: Document, wanted: Document) -> None:
    """Bring the changed repeats of a series to what a document says."""
    known = {one.replaces_at: one for one in repeats_of(session, row.id)}
    names = {name for name in (*present, *wanted) if name.startswith(REPEAT)}
    for name in sorted(names):
        value = wanted.get(name)
        if present.get(name) == value:
            continue
        at = datetime.fromisoformat(name.removeprefix(REPEAT).replace("Z", "+00:00"))
        if row.is_all_day:
            at = midnight(at, row.zone)
        one = known.get(at)
        if not isinstance(value, dict):
            if one is not None and row.rrule:
                session.delete(one)
            continue
        fields = {key: cleaned(key, value[key]) for key in OF_ONE}
        if one is None and not row.rrule:
            continue
        if one is None:
            own = {"series_id": row.id, "replaces_at": at}
            more = {"account_id": row.account_id, "site_id": row.site_id, "zone": row.zone,
                    "is_all_day": row.is_all_day, "is_private": row.is_private}  # fmt: skip
            service.add(session, service.NewActivity(Kind(row.kind), row.owner_id, {**fields, **more}, own))
            continue
        one.deleted_at = None
        service.write(session, one, fields)
    session.flush()
    for replaced, one in known.items():
        takes_place_again = row.rrule and one.deleted_at is not None and replaced not in row.exdates
        if takes_place_again and f"{REPEAT}{wire(replaced)}" not in wanted:
            session.delete(one)
        elif not row.rrule:
            one.deleted_at = one.deleted_at or clock.now()
    session.flush()
