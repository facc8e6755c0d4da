"""The day for a calendar (RFC 5545): one event per visit, recognised again when the day is planned anew."""

from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event, vGeo, vUri
from icalendar.cal.timezone import Timezone

from routing.export import wording
from routing.export.types import DaySheet, DayStop, Rest


def render(sheet: DaySheet) -> bytes:
    """The calendar file.

    Events keep their UID as long as the visit lives, and carry the time of planning as stamp and sequence, so that
    importing a later file moves events instead of doubling them.
    """
    calendar, year = Calendar(), sheet.day.year
    calendar.add("prodid", "-//Waymark//Day plan//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{sheet.rep}: visits")
    calendar.add("x-wr-timezone", sheet.zone)
    if sheet.zone != "UTC":
        calendar.add_component(
            Timezone.from_tzid(sheet.zone, first_date=date(year, 1, 1), last_date=date(year + 1, 12, 31))
        )
    for position, stop in enumerate(sheet.stops, 1):
        calendar.add_component(_event(sheet, position, stop))
    if sheet.rest:
        calendar.add_component(_rest(sheet, sheet.rest))
    return bytes(calendar.to_ical(sorted=True))


def _event(sheet: DaySheet, position: int, stop: DayStop) -> Event:
    event = Event()
    event.add("uid", f"visit-{stop.visit_id}@waymark")
    event.add("dtstamp", sheet.planned_at.astimezone(UTC))
    event.add("sequence", int(sheet.planned_at.timestamp()) // 60 % 2**31)
    event.add("dtstart", _moment(sheet, stop.starts_at))
    event.add("dtend", _moment(sheet, stop.ends_at))
    event.add("summary", f"{position}. {wording.stop_name(stop)}")
    event.add("location", stop.address or f"{stop.point.lat:.6f}, {stop.point.lon:.6f}")
    event["geo"] = vGeo((round(stop.point.lat, 6), round(stop.point.lon, 6)))
    event["url"] = vUri(wording.navigation(stop.point, stop.account)["Google Maps"])
    event.add("status", "CONFIRMED" if stop.appointment == "fixed" else "TENTATIVE")
    event.add("description", "\n".join(_description(sheet, stop)))
    return event


def _rest(sheet: DaySheet, rest: Rest) -> Event:
    event = Event()
    event.add("uid", f"break-{sheet.file_stem}@waymark")
    event.add("dtstamp", sheet.planned_at.astimezone(UTC))
    event.add("sequence", int(sheet.planned_at.timestamp()) // 60 % 2**31)
    event.add("dtstart", _moment(sheet, rest.starts_at))
    event.add("dtend", _moment(sheet, rest.starts_at + timedelta(seconds=rest.seconds)))
    event.add("summary", "Break")
    return event


def _moment(sheet: DaySheet, time: datetime) -> datetime:
    """On the rep's clock, except in the hour that a change of clocks makes ambiguous: then in UTC."""
    local = sheet.local(time)
    is_ambiguous = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return time.astimezone(UTC) if is_ambiguous else local


def _description(sheet: DaySheet, stop: DayStop) -> list[str]:
    facts = {
        "Objective": stop.objective,
        "Why": stop.why,
        "Appointment": wording.APPOINTMENTS.get(stop.appointment, ""),
        "Phone": stop.phone,
        "Account": stop.account_number,
        "Arrive": wording.clock(sheet, stop.arrives_at),
        "Drive": wording.drive(stop.leg),
    }
    lines = [f"{label}: {value}" for label, value in facts.items() if value]
    links = [f"{app}: {url}" for app, url in wording.navigation(stop.point, stop.account).items()]
    return [*lines, "", "Navigate", *links, "", *sheet.attribution]
