"""A calendar on a real CalDAV server and ours, and what people do on either side."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from icalendar import Calendar, Event
from sqlalchemy import select

from server.activities.agenda import service
from server.activities.agenda.documents import document_of, uid_of
from server.activities.agenda.ical import read
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.service import NewActivity
from server.activities.caldav import jobs
from server.activities.caldav import service as caldav
from server.activities.caldav.client import Client, Object
from server.activities.caldav.models import CalendarLink
from server.auth.models import Role
from server.auth.service import create_user
from server.kit import clock
from server.kit.database import transaction
from server.records.models import FieldConflict
from tests.server.activities.radicale_peer import new_calendar, running

ZONE = "Europe/Vaduz"


class World:
    """Rita, her calendar on the server, and both sides of it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, ExitStack()
        stack.callback(self.stack.close)
        self.port = self.stack.enter_context(running(folder))
        self.url = new_calendar(self.port)
        with transaction() as session:
            rita = create_user(session, login="rita", name="Rita", role=Role.REP, zone=ZONE)
            self.rita = rita.id
        (calendar,) = caldav.offered(self.url, "rita", "secret")
        with transaction() as session:
            self.link = caldav.link(session, self.rita, calendar, "rita", "secret").id
        self.client = Client(self.url, "rita", "secret")

    def restart(self) -> None:
        """The server stops and starts again at the same address."""
        self.client.close()
        self.stack.close()
        self.stack.enter_context(running(self.folder, self.port))

    def sync(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            jobs.sync(link_id=str(self.link))

    def trouble(self) -> str:
        with transaction() as session:
            return session.get_one(CalendarLink, self.link).trouble

    def theirs(self) -> list[Object]:
        return list(self.client.read(sorted(self.client.changes(None).etags)))

    def write(self, event: Event, href: str | None = None, etag: str | None = None) -> None:
        calendar = Calendar()
        calendar.add("version", "2.0")
        calendar.add("prodid", "theirs")
        calendar.add_component(event)
        self.client.put(href or f"/rita/work/{event['UID']}.ics", calendar.to_ical(), etag=etag)

    def edit(self, there: Object, **changes: Any) -> None:
        """Somebody changes an event on the server."""
        calendar = Calendar.from_ical(there.raw)
        event = next(one for one in calendar.walk("VEVENT") if "RECURRENCE-ID" not in one)
        for name, value in changes.items():
            event.pop(name, None)
            if value is not None:
                event.add(name, value)
        self.client.put(there.href, calendar.to_ical(), etag=there.etag)

    def add(self, subject: str, **more: Any) -> UUID:
        """Somebody plans something here."""
        values = {"subject": subject, "starts_at": soon(), "zone": ZONE, **more}
        with transaction() as session:
            return service.add(session, NewActivity(Kind.MEETING, self.rita, values)).id

    def change(self, key: UUID, **values: Any) -> None:
        with transaction() as session:
            service.write(session, session.get_one(Activity, key), values)

    def remove(self, key: UUID) -> None:
        with transaction() as session:
            service.remove(session, session.get_one(Activity, key))

    def ours(self) -> dict[str, Any]:
        with transaction() as session:
            living = select(Activity).where(Activity.deleted_at.is_(None), Activity.series_id.is_(None))
            rows = list(session.scalars(living))
            found = {uid_of(row): document_of(session, row) for row in rows}
            assert len(found) == len(rows), "one event twice on our side"
            return found

    def conflicts(self) -> list[FieldConflict]:
        with transaction() as session:
            return list(session.scalars(select(FieldConflict).order_by(FieldConflict.created_at)))

    def assert_same(self) -> None:
        """No event twice, and every one the same on both sides."""
        there = [read(one.raw, ZONE) for one in self.theirs()]
        assert len({one.uid for one in there}) == len(there), "one event twice on the server"
        theirs, ours = {one.uid: one.document for one in there}, self.ours()
        assert theirs.keys() == ours.keys()
        other = {
            (uid, name): (theirs[uid].get(name), value)
            for uid, document in ours.items()
            for name, value in document.items()
            if theirs[uid].get(name) != value
        }
        assert not other, "each field: what the server has, and what we have"


def soon(days: float = 2) -> datetime:
    return (clock.now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)


def event(subject: str, **more: Any) -> Event:
    found = Event()
    found.add("uid", more.pop("uid", f"{uuid4()}@theirs"))
    found.add("summary", subject)
    found.add("dtstamp", datetime(2024, 1, 1, tzinfo=UTC))
    found.add("dtstart", more.pop("dtstart", soon()))
    for name, value in more.items():
        found.add(name, value)
    return found
