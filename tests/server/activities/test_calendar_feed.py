"""A calendar that other programs read: stable, cancellable, revocable."""

from datetime import date, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from server.activities.agenda import documents, feeds, ical, service
from server.activities.agenda.models import Kind
from server.activities.agenda.service import NewActivity
from server.kit import clock

ALL = feeds.CONTENTS


@pytest.fixture
def feed(session: Any, people: Any) -> str:
    """The path of Rita's calendar."""
    return f"/calendar/feed/{feeds.make(session, people['rita'].id, ALL)[1]}.ics"


def soon(days: int = 1) -> Any:
    return (clock.now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)


def meeting(rita: Any, subject: str = "Talk", **more: Any) -> NewActivity:
    return NewActivity(Kind.MEETING, rita.id, {"subject": subject, "starts_at": soon(), "zone": "Europe/Vaduz", **more})


def imported(known: dict[Any, Any], content: bytes) -> dict[Any, Any]:
    """What a calendar program knows after it reads a calendar: by UID and repeat, a higher sequence replaces."""
    for event in Calendar.from_ical(content).walk("VEVENT"):
        at = event.get("RECURRENCE-ID")
        key = (str(event["UID"]), at.to_ical() if at else None)
        if key not in known or known[key]["SEQUENCE"] <= event["SEQUENCE"]:
            known[key] = event
    return known


def test_an_unknown_address_shows_nothing(client_for: Any) -> None:
    assert client_for(None).get("/calendar/feed/guessed.ics").status_code == 404


def test_a_feed_shows_its_owners_calendar_and_nobody_elses(
    session: Any, people: Any, client_for: Any, feed: str
) -> None:
    service.add(session, meeting(people["rita"]))
    service.add(session, meeting(people["otto"], "Otto's"))
    answer = client_for(None).get(feed)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert ("Talk" in answer.text, "Otto's" in answer.text) == (True, False)
    assert "BEGIN:VTIMEZONE" in answer.text


def test_importing_twice_makes_no_second_event_and_a_moved_one_moves(
    session: Any, people: Any, client_for: Any, feed: str
) -> None:
    row = service.add(session, meeting(people["rita"], rrule="FREQ=DAILY;COUNT=5"))
    task = {"subject": "Offer", "due_on": date.fromisoformat(str(soon().date()))}
    service.add(session, NewActivity(Kind.TASK, people["rita"].id, task))
    program = client_for(None)
    known = imported({}, program.get(feed).content)
    assert len(known) == 2
    assert len(imported(known, program.get(feed).content)) == 2
    service.change_repeat(session, row, row.starts_at + timedelta(days=1), {"subject": "Talk, elsewhere"})
    service.leave_out(session, row, row.starts_at + timedelta(days=2))
    session.expire_all()
    known = imported(known, program.get(feed).content)
    assert len(known) == 3
    master = known[f"activity-{row.id}@waymark", None]
    assert (master["SEQUENCE"], len(master["EXDATE"].dts)) == (1, 1)
    service.remove(session, row)
    known = imported(known, program.get(feed).content)
    assert known[f"activity-{row.id}@waymark", None]["STATUS"] == "CANCELLED"


def test_what_has_not_changed_is_not_sent_again(session: Any, people: Any, client_for: Any, feed: str) -> None:
    service.add(session, meeting(people["rita"]))
    first = client_for(None).get(feed)
    again = client_for(None).get(feed, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_revoked_address_shows_nothing_and_a_new_one_ends_the_old(
    session: Any, people: Any, client_for: Any, feed: str
) -> None:
    _, secret = feeds.make(session, people["rita"].id, ["task"])
    assert client_for(None).get(feed).status_code == 404
    assert client_for(None).get(f"/calendar/feed/{secret}.ics").status_code == 200
    feeds.revoke(session, people["rita"].id)
    assert client_for(None).get(f"/calendar/feed/{secret}.ics").status_code == 404


def test_a_document_survives_being_written_and_read(session: Any, people: Any) -> None:
    row = service.add(
        session, meeting(people["rita"], "Ärger, mit; Komma", note="Zwei\nZeilen", place="Städtle 1",
                         rrule="FREQ=WEEKLY;COUNT=6;BYDAY=MO,TH", reminder_min=10, is_private=True),
    )  # fmt: skip
    service.change_repeat(session, row, row.starts_at, {"subject": "Other"})
    document = documents.document_of(session, row)
    raw = ical.written("u@x", document, sequence=3, stamp=clock.now())
    assert ical.read(raw, "Europe/Vaduz").document == document
    whole = service.add(session, meeting(people["rita"], is_all_day=True))
    document = documents.document_of(session, whole)
    raw = ical.written("u@x", document, sequence=0, stamp=clock.now())
    assert b"DTSTART;VALUE=DATE:" in raw
    assert ical.read(raw, "Europe/Vaduz").document == document


def test_what_we_do_not_know_of_an_event_stays_in_it(session: Any, people: Any) -> None:
    raw = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u@x\r\nDTSTAMP:20300101T000000Z\r\n"
        b"DTSTART:20300107T090000Z\r\nDURATION:PT1H\r\nSUMMARY:Old\r\nATTENDEE;CN=Max:mailto:Max@Example.com\r\n"
        b"X-COLOUR:blue\r\nSEQUENCE:7\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    found = ical.read(raw, "Europe/Vaduz")
    assert found.addresses == {"max@example.com"}
    assert (found.document["zone"], found.document["ends_at"]) == ("UTC", "2030-01-07T10:00:00Z")
    changed = ical.written("u@x", {**found.document, "subject": "New"}, sequence=1, stamp=clock.now(), raw=raw)
    assert b"X-COLOUR:blue" in changed
    assert b"ATTENDEE;CN=Max" in changed
    assert (b"SUMMARY:New" in changed, b"SEQUENCE:7" in changed) == (True, True)


@pytest.mark.parametrize("line", [b"RRULE:FREQ=HOURLY", b"RDATE:20300109T090000Z"])
def test_an_event_that_repeats_as_we_cannot_is_left_alone(line: bytes) -> None:
    raw = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20300107T090000Z\r\n"
        + line
        + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    with pytest.raises(ical.NotUnderstood):
        ical.read(raw, "UTC")
