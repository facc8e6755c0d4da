"""An activity as RFC 5545 writes it, and back: one document of plain values for each series. Pure.

What a foreign calendar keeps in an event and we do not know (guests, attachments, colours) stays in it: a change is
written into the event as it was read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Alarm, Calendar, Event, vRecur

from server.activities.agenda.recurrence import checked_rule
from server.activities.agenda.values import LONGEST_NOTE, LONGEST_SUBJECT, wire
from server.kit.errors import Invalid
from server.records.merging import Json

PRODID = "-//Waymark//Calendar//EN"
ZONE = "X-WAYMARK-ZONE"
REPEAT = "repeat:"
"""Begins the name of a changed repeat's field; behind it stands the start that the rule has."""
OF_ONE = ("subject", "note", "place", "starts_at", "ends_at", "state")
"""What a changed repeat has of its own."""
NO_TITLE = "(no title)"

type Document = dict[str, Json]
type Component = Any
"""A part of a calendar; icalendar's own types name every kind of value that a property could hold."""


class NotUnderstood(Invalid):
    """An event that cannot be taken over whole; it is left as it is."""

    code = "event_not_understood"


@dataclass(frozen=True)
class Read:
    """A calendar object as it was read."""

    uid: str
    document: Document
    addresses: frozenset[str] = field(default_factory=frozenset)
    """Mail addresses of whoever is invited, and of whoever invites."""


UNREADABLE = (ValueError, LookupError, AttributeError, TypeError, OverflowError, RecursionError)
"""What broken objects make of the code that reads them."""


def read(raw: bytes, zone: str) -> Read:
    """The document of a calendar object. Times without a zone are those of `zone`.

    Raises
    ------
    NotUnderstood
        When it is no event, or repeats as we cannot: such an object is never written.
    """
    try:
        return _understood(Calendar.from_ical(raw), zone)
    except UNREADABLE as error:
        raise NotUnderstood(f"The calendar object cannot be read: {error}.") from error


def _understood(calendar: Component, zone: str) -> Read:
    if calendar.name != "VCALENDAR":
        raise NotUnderstood("It is no calendar object.")
    events: list[Component] = list(calendar.walk("VEVENT"))
    masters = [event for event in events if "RECURRENCE-ID" not in event]
    if len(masters) != 1 or "DTSTART" not in masters[0]:
        raise NotUnderstood("It is no single event.", help="Tasks and journals stay where they are.")
    master = masters[0]
    if "RDATE" in master:
        raise NotUnderstood("It repeats on days that no rule gives (RDATE).")
    document = _of_event(master, zone)
    document |= {
        "is_all_day": not isinstance(master["DTSTART"].dt, datetime),
        "zone": _zone(master, zone),
        "rrule": plain_rule(_rule(master)),
        "exdates": [wire(at) for at in sorted({moment(at, zone) for at in _exdates(master)})],
        "reminder_min": _reminder(master),
        "is_private": str(master.get("CLASS", "PUBLIC")).upper() in ("PRIVATE", "CONFIDENTIAL"),
    }
    for event in events:
        if event is not master:
            at = wire(moment(event["RECURRENCE-ID"].dt, zone))
            document[f"{REPEAT}{at}"] = {name: _of_event(event, zone)[name] for name in OF_ONE}
    exdates = document["exdates"]
    assert isinstance(exdates, list)
    document["exdates"] = [at for at in exdates if f"{REPEAT}{at}" not in document]
    return Read(str(master.get("UID", "")), document, frozenset(_addresses(master)))


def _of_event(event: Component, zone: str) -> Document:
    starts, ends = _times(event, zone)
    subject = " ".join(str(event.get("SUMMARY", "")).split())[:LONGEST_SUBJECT]
    note = str(event.get("DESCRIPTION", "")).replace("\r\n", "\n").strip()[:LONGEST_NOTE]
    return {
        "subject": subject or NO_TITLE,
        "note": note or None,
        "place": " ".join(str(event.get("LOCATION", "")).split())[:1000] or None,
        "starts_at": wire(starts),
        "ends_at": wire(ends),
        "state": "cancelled" if str(event.get("STATUS", "")).upper() == "CANCELLED" else "open",
    }


def _times(event: Component, zone: str) -> tuple[datetime, datetime]:
    begin = event["DTSTART"].dt
    if "DTEND" in event:
        end: Any = event["DTEND"].dt
    elif "DURATION" in event:
        end = begin + event["DURATION"].dt
    else:
        end = begin if isinstance(begin, datetime) else begin + timedelta(days=1)
    starts = moment(begin, zone)
    return starts, max(moment(end, zone), starts)


def moment(value: date | datetime, zone: str) -> datetime:
    """A date or time of an event as a moment in UTC."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    here = value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(zone))
    return here.astimezone(UTC).replace(microsecond=0)


def zone_of(value: date | datetime, zone: str) -> str:
    """The IANA zone in which an event was agreed; the person's, when it names none that is known."""
    tz = getattr(value, "tzinfo", None)
    key = getattr(tz, "key", None)
    if tz is UTC or key == "UTC":
        return "UTC"
    return str(key) if key else zone


def _zone(event: Component, zone: str) -> str:
    """The zone of an event; of one that we had to write in UTC, as we wrote it beside."""
    found = zone_of(event["DTSTART"].dt, zone)
    said = str(event.get(ZONE, ""))
    return said if found == "UTC" and said in available_timezones() else found


def _rule(event: Component) -> str | None:
    rule = event.get("RRULE")
    if rule is None:
        return None
    if isinstance(rule, list):
        raise NotUnderstood("It repeats by several rules.")
    try:
        return checked_rule(rule.to_ical().decode())
    except Invalid as error:
        raise NotUnderstood(error.message) from error


def plain_rule(rule: str | None) -> str | None:
    """A rule with its parts in one order, so that two writings of the same are the same."""
    if not rule:
        return None
    return ";".join(sorted(rule.split(";"), key=lambda part: (not part.startswith("FREQ="), part)))


def _exdates(event: Component) -> Iterable[date | datetime]:
    found = event.get("EXDATE")
    for group in found if isinstance(found, list) else [found] if found is not None else []:
        yield from (one.dt for one in group.dts)


def _reminder(event: Component) -> int | None:
    for alarm in event.walk("VALARM"):
        trigger = getattr(alarm.get("TRIGGER"), "dt", None)
        if isinstance(trigger, timedelta) and trigger <= timedelta():
            return min(int(-trigger.total_seconds() // 60), 40_320)
    return None


def _addresses(event: Component) -> Iterable[str]:
    for name in ("ATTENDEE", "ORGANIZER"):
        found = event.get(name)
        for one in found if isinstance(found, list) else [found] if found is not None else []:
            address = str(one)
            if address.lower().startswith("mailto:"):
                yield address[7:].strip().lower()


def written(uid: str, document: Document, *, sequence: int, stamp: datetime, raw: bytes | None = None) -> bytes:
    """A document as a calendar object; what `raw` holds besides stays in it."""
    zone, is_all_day = str(document["zone"]), bool(document["is_all_day"])
    calendar, master, repeats = _begun(raw, zone)
    had = read(raw, zone).document if raw else {}
    _put(master, {"UID": uid})
    _fill(master, document, had, zone, is_all_day=is_all_day, sequence=sequence, stamp=stamp)
    _replace(master, "RRULE", vRecur.from_ical(str(document["rrule"])) if document["rrule"] else None)
    exdates = document["exdates"]
    assert isinstance(exdates, list)
    _replace(master, "EXDATE", [_local(str(at), zone, is_all_day) for at in exdates] or None)
    _replace(master, "CLASS", "PRIVATE" if document["is_private"] else None)
    if document["reminder_min"] != had.get("reminder_min", None):
        master.subcomponents = [one for one in master.subcomponents if one.name != "VALARM"]
        if document["reminder_min"] is not None:
            master.add_component(_alarm(int(str(document["reminder_min"]))))
    for name, value in document.items():
        if name.startswith(REPEAT) and isinstance(value, dict):
            at = name.removeprefix(REPEAT)
            event = repeats.pop(at, None) or Event()
            _put(event, {"UID": uid})
            _replace(event, "RECURRENCE-ID", _local(at, zone, is_all_day))
            before = had.get(name)
            _fill(event, value, before if isinstance(before, dict) else {}, zone,
                  is_all_day=is_all_day and _is_whole_days(value, zone), sequence=sequence, stamp=stamp)  # fmt: skip
            if event not in calendar.subcomponents:
                calendar.add_component(event)
    gone = list(repeats.values())
    calendar.subcomponents = [one for one in calendar.subcomponents if not any(one is other for other in gone)]
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _begun(raw: bytes | None, zone: str) -> tuple[Component, Component, dict[str, Component]]:
    if raw is None:
        calendar, master = Calendar(), Event()
        calendar.add("prodid", PRODID)
        calendar.add("version", "2.0")
        calendar.add_component(master)
        return calendar, master, {}
    calendar = Calendar.from_ical(raw)
    events: list[Component] = list(calendar.walk("VEVENT"))
    (master,) = [event for event in events if "RECURRENCE-ID" not in event]
    repeats = {
        str(wire(moment(event["RECURRENCE-ID"].dt, zone))): event for event in events if "RECURRENCE-ID" in event
    }
    return calendar, master, repeats


def _fill(
    event: Component,
    values: Mapping[str, Json],
    had: Mapping[str, Json],
    zone: str,
    *,
    is_all_day: bool,
    sequence: int,
    stamp: datetime,
) -> None:
    for name, prop in (("subject", "SUMMARY"), ("note", "DESCRIPTION"), ("place", "LOCATION")):
        if values[name] != had.get(name):
            _replace(event, prop, values[name])
    event.pop("DURATION", None)
    starts = _local(str(values["starts_at"]), zone, is_all_day)
    if not values.get("rrule"):  # what repeats, repeats by the clock of its zone
        starts = _told_apart(starts)
    _replace(event, "DTSTART", starts)
    _replace(event, "DTEND", _told_apart(_local(str(values["ends_at"]), zone, is_all_day)))
    _replace(event, ZONE, zone if getattr(starts, "tzinfo", None) is UTC and zone != "UTC" else None)
    if values["state"] == "cancelled":
        _replace(event, "STATUS", "CANCELLED")
    elif str(event.get("STATUS", "")).upper() == "CANCELLED":
        _replace(event, "STATUS", "CONFIRMED")
    _replace(event, "SEQUENCE", max(sequence, int(event.get("SEQUENCE", 0))))
    _replace(event, "DTSTAMP", stamp.astimezone(UTC))


def _told_apart(at: date | datetime) -> date | datetime:
    """A time as it is written: in the hour that comes twice in autumn the second turn has no name but in UTC."""
    return at.astimezone(UTC) if isinstance(at, datetime) and at.fold else at


def _put(event: Component, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        _replace(event, name, value)


def _replace(event: Component, name: str, value: Any) -> None:
    event.pop(name, None)
    if value is not None:
        event.add(name, value)


def _is_whole_days(values: Mapping[str, Json], zone: str) -> bool:
    """Whether one repeat of a series of whole days has no hours of its own."""
    edges = (_local(str(values[name]), zone, False) for name in ("starts_at", "ends_at"))
    return all(isinstance(at, datetime) and at.time() == time() for at in edges)


def _local(text: str, zone: str, is_all_day: bool) -> date | datetime:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    here = at.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    return here.date() if is_all_day else here


def _alarm(minutes: int) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "Reminder")
    alarm.add("trigger", timedelta(minutes=-minutes))
    return alarm
