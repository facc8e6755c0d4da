"""A calendar on a real CalDAV server and ours stay the same, whatever happens on either side and in between."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import vRecur
from sqlalchemy import Engine, select

from server.accounts import service as accounts
from server.accounts.service import NewAccount
from server.activities.agenda import queries, service
from server.activities.agenda.ical import NotUnderstood, read
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.service import NewActivity
from server.activities.caldav import service as caldav
from server.activities.caldav.client import CalendarTrouble, Client, TokenGone
from server.activities.caldav.models import CalendarItem
from server.auth.access import scope_of, system_scope
from server.auth.models import Role, User
from server.auth.service import create_user
from server.kit.database import transaction
from tests.server.activities.both_sides import ZONE, World, event, soon


@pytest.fixture
def world(empty_database: Engine, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        found = World(tmp_path, stack)
        yield found
        found.client.close()


def test_a_new_event_of_either_side_stands_on_both(world: World) -> None:
    world.add("Talk", rrule="FREQ=WEEKLY;COUNT=4", note="Bring\nsamples", reminder_min=10)
    world.write(event("Dentist", duration=timedelta(hours=1)))
    world.sync()
    assert sorted(one["subject"] for one in world.ours().values()) == ["Dentist", "Talk"]
    world.assert_same()
    before = {one.href: one.etag for one in world.theirs()}
    world.sync(2)
    assert {one.href: one.etag for one in world.theirs()} == before, "what is the same is not written again"
    assert world.trouble() == ""


def test_deletions_go_both_ways(world: World) -> None:
    mine, other = world.add("Mine"), world.add("Other")
    world.sync()
    world.remove(mine)
    there = next(one for one in world.theirs() if b"Other" in one.raw)
    world.client.delete(there.href, etag=there.etag)
    world.sync()
    assert (world.ours(), world.theirs()) == ({}, [])
    with transaction() as session:
        assert session.get_one(Activity, other).deleted_at is not None
        assert session.scalars(select(CalendarItem)).all() == []


def test_different_fields_merge_and_the_same_one_is_a_conflict_that_stays_visible(world: World) -> None:
    key = world.add("Talk")
    world.sync()
    (there,) = world.theirs()
    world.edit(there, location="At the lake")
    world.change(key, note="Bring samples")
    world.sync()
    (document,) = world.ours().values()
    assert (document["place"], document["note"], world.conflicts()) == ("At the lake", "Bring samples", [])
    world.assert_same()
    (there,) = world.theirs()
    world.edit(there, summary="Theirs")
    world.change(key, subject="Ours")
    world.sync()
    (clash,) = world.conflicts()
    assert (clash.entity, clash.field, clash.mine, clash.server) == ("activity", "subject", "Theirs", "Ours")
    world.assert_same()


def test_an_edit_beats_a_deletion_of_the_other_side(world: World) -> None:
    kept, revived = world.add("Kept"), world.add("Revived")
    world.sync()
    for there in world.theirs():
        if b"Kept" in there.raw:
            world.client.delete(there.href, etag=there.etag)
        else:
            world.edit(there, summary="Revived, later")
    world.change(kept, note="Important")
    world.remove(revived)
    world.sync(2)
    assert sorted(one["subject"] for one in world.ours().values()) == ["Kept", "Revived, later"]
    world.assert_same()
    assert sorted(one.kind for one in world.conflicts()) == ["delete_vs_edit", "edit_after_delete"]


def test_what_others_keep_in_an_event_survives_our_edit(world: World) -> None:
    world.write(event("Talk", duration=timedelta(hours=1), attendee="mailto:max@x.example", **{"x-colour": "blue"}))
    world.sync()
    with transaction() as session:
        key = session.scalars(select(Activity.id)).one()
    world.change(key, subject="Talk, moved", starts_at=soon(3), ends_at=soon(3) + timedelta(hours=1))
    world.sync()
    (there,) = world.theirs()
    assert (b"X-COLOUR:blue" in there.raw, b"max@x.example" in there.raw, b"moved" in there.raw) == (True, True, True)
    world.assert_same()


def test_an_event_of_an_account_is_linked_and_any_other_is_a_busy_time(world: World) -> None:
    with transaction() as session:
        made = accounts.create(session, system_scope(), NewAccount({"name": "Amann", "email": "max@amann.example"}, []))
        account_id = made.id
        mona = create_user(session, login="mona", name="Mona", role=Role.ADMIN).id
    world.write(event("Offer", attendee="mailto:Max@Amann.example"))
    world.write(event("Dentist", duration=timedelta(hours=1)))
    world.sync()
    with transaction() as session:
        boss = scope_of(session, session.get_one(User, mona), source="web")
        seen = session.scalars(queries.visible_to(boss)).all()
        assert [(one.subject, one.account_id) for one in seen] == [("Offer", account_id)]
        (time,) = queries.busy(session, [world.rita], soon(0), soon(9), mona)
        assert time.ends_at - time.starts_at == timedelta(hours=1)


def test_what_cannot_be_kept_the_same_is_left_alone(world: World) -> None:
    world.write(event("Hourly", rrule=vRecur.from_ical("FREQ=HOURLY")))
    world.write(event("Long ago", dtstart=datetime(2020, 1, 1, tzinfo=UTC)))
    before = sorted(one.raw for one in world.theirs())
    world.sync(2)
    assert (world.ours(), sorted(one.raw for one in world.theirs())) == ({}, before)
    with transaction() as session:
        notes = sorted(session.scalars(select(CalendarItem.note)))
    assert notes == ["It is over.", "It repeats daily, weekly, monthly or yearly, not more often."]


def test_one_event_that_cannot_be_taken_keeps_no_other_one_waiting(world: World) -> None:
    world.write(event("Sabbatical", dtstart=date(2027, 1, 1), dtend=date(2027, 7, 1)))
    world.write(event("Visit"))
    world.sync(2)
    assert [one["subject"] for one in world.ours().values()] == ["Visit"]
    assert world.trouble() == ""
    with transaction() as session:
        assert set(session.scalars(select(CalendarItem.note))) == {"", "It lasts longer than 62 days."}


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART:20270301T100000Z\nRRULE:FREQ=DAILY\nEXDATE;VALUE=TIME:101500",
        "DTSTART;VALUE=PERIOD:20270101T000000Z",
        "DTSTART:20270301T100000Z\nDTSTART:20270302T100000Z",
        "DTSTART;TZID=Asia/Tokyo:00010101T000000",
        "DTSTART:20270301T100000Z\nDURATION:P999999999D",
    ],
)
def test_an_object_that_makes_no_sense_is_not_understood(lines: str) -> None:
    raw = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n".replace("\n", "\r\n")
    with pytest.raises(NotUnderstood):
        read(raw.encode(), ZONE)


def test_a_server_that_gives_no_events_is_said_in_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(event("Visit"))
    ask = Client._ask

    def refused(client: Client, method: str, path: str, body: bytes, headers: Any) -> Any:
        if b"calendar-multiget" in body:
            raise TokenGone("calendar.example does not give its events (it answers 403).")
        return ask(client, method, path, body, headers)

    monkeypatch.setattr(Client, "_ask", refused)
    world.sync()
    assert "does not give its events" in world.trouble()


def test_a_server_that_is_away_is_said_in_words_and_the_next_round_goes_on(world: World) -> None:
    world.add("Talk")
    world.stack.close()
    world.sync()
    assert "does not answer" in world.trouble()
    world.restart()
    world.sync()
    assert world.trouble() == ""
    world.assert_same()


def test_a_wrong_address_is_refused_in_words(world: World) -> None:
    for url in ("ftp://x", "nothing", f"http://127.0.0.1:{closed_port()}/", f"http://127.0.0.1:{closed_port()}/Größe/"):
        with pytest.raises(Exception, match=r"not the address|does not answer") as refused:
            caldav.offered(url, "rita", "x")
        assert isinstance(refused.value, CalendarTrouble) or refused.value.details["field"] == "url"


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Killed(BaseException):
    """The worker was killed."""


def killed_after(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """The next write to the server, or the note behind it, is the worker's last."""
    if chance.random() < 0.5:
        put = Client.put

        def last_put(self: Client, href: str, raw: bytes, *, etag: str | None) -> str | None:
            put(self, href, raw, etag=etag)
            raise Killed

        monkeypatch.setattr(Client, "put", last_put)
    else:

        def never(*_: Any, **__: Any) -> None:
            raise Killed

        monkeypatch.setattr(Client, "put", never)
        monkeypatch.setattr(Client, "delete", never)


def random_values(chance: random.Random, number: int) -> dict[str, Any]:
    starts = soon(chance.randrange(1, 40)) + timedelta(minutes=15 * chance.randrange(20))
    choices: list[dict[str, Any]] = [
        {"subject": f"Subject {number}"},
        {"note": f"Note {number}"},
        {"place": chance.choice([f"Place {number}", None])},
        {"starts_at": starts, "ends_at": starts + timedelta(minutes=chance.choice((15, 60, 90)))},
        {"reminder_min": chance.choice((None, 10, 60))},
        {"is_private": chance.random() < 0.5},
        {"rrule": chance.choice((None, "FREQ=WEEKLY;COUNT=5", "FREQ=DAILY;INTERVAL=2;COUNT=6"))},
    ]
    return chance.choice(choices)


def edit_here(world: World, chance: random.Random, number: int) -> None:
    with transaction() as session:
        living = select(Activity).where(Activity.deleted_at.is_(None), Activity.series_id.is_(None))
        rows = list(session.scalars(living.order_by(Activity.at, Activity.id)))
        dice = chance.random()
        if not rows or dice < 0.25:
            starts = soon(chance.randrange(1, 30))
            values = {"subject": f"Ours {number}", "starts_at": starts, "zone": ZONE}
            more = {"is_all_day": True} if chance.random() < 0.2 else {}
            service.add(session, NewActivity(Kind.MEETING, world.rita, {**values, **more}))
            return
        row = chance.choice(rows)
        if dice < 0.35:
            service.remove(session, row)
        elif row.rrule and row.starts_at and dice < 0.6:
            window = (row.starts_at, row.starts_at + timedelta(days=60))
            at = chance.choice(service.recurrence.within(row.rrule, row.starts_at, row.zone, window))
            if chance.random() < 0.5:
                service.leave_out(session, row, at)
            else:
                service.change_repeat(session, row, at, {"subject": f"Once {number}"})
        else:
            service.write(session, row, random_values(chance, number))


def edit_there(world: World, chance: random.Random, number: int) -> None:
    objects = world.theirs()
    dice = chance.random()
    if not objects or dice < 0.25:
        more: dict[str, Any] = {"duration": timedelta(hours=1)}
        if chance.random() < 0.4:
            more["rrule"] = vRecur.from_ical("FREQ=DAILY;COUNT=4")
        world.write(event(f"Theirs {number}", dtstart=soon(chance.randrange(1, 30)), **more))
        return
    there = chance.choice(objects)
    if dice < 0.35:
        world.client.delete(there.href, etag=there.etag)
        return
    found = read(there.raw, ZONE).document
    if dice < 0.5 and found["rrule"] and not found["is_all_day"]:
        world.edit(there, exdate=[datetime.fromisoformat(str(found["starts_at"])) + timedelta(days=2)])
        return
    starts = soon(chance.randrange(1, 40))
    moved = {"dtstart": starts, "dtend": starts + timedelta(hours=2), "duration": None}
    changes = chance.choice([{"summary": f"Theirs now {number}"}, {"location": f"There {number}"}, moved,
                             {"description": f"Words {number}"}, {"status": "CANCELLED"}])  # fmt: skip
    world.edit(there, **changes)


@pytest.mark.parametrize("seed", [1, 2])
def test_after_twenty_rounds_of_random_edits_on_both_sides_nothing_is_doubled_and_all_is_the_same(
    world: World, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(20):
        for _ in range(chance.randrange(1, 4)):
            edit_here(world, chance, number)
        for _ in range(chance.randrange(1, 4)):
            edit_there(world, chance, number)
        if number % 4 == 1:
            with pytest.MonkeyPatch.context() as monkeypatch:
                killed_after(monkeypatch, chance)
                try:
                    world.sync()
                except Killed:
                    edit_here(world, chance, 100 + number)
        if number % 7 == 3:
            world.restart()
        world.sync(2)
        assert world.trouble() == ""
        world.assert_same()
    assert len(world.ours()) > 3
