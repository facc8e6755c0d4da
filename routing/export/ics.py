"""The days for a calendar (RFC 5545): one event per visit, recognised again when the days are planned anew."""

from datetime import UTC, date, datetime, time, timedelta

from icalendar import Calendar, Event, vGeo, vUri
from icalendar.cal.timezone import Timezone

from routing.export import navigation, wording
from routing.export.tour import Tour, Withdrawn
from routing.export.types import DaySheet, DayStop, Rest


def render(tour: Tour) -> bytes:
    """The calendar file.

    Events keep their UID as long as the visit lives; their sequence counts the visit's changes, so that importing a
    later file moves events instead of doubling them. Visits that do not take place any more come as cancelled events.
    The stamp is the first day's midnight: a clock would make other bytes of the same plan.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Waymark//Day plan//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{tour.rep}: visits")
    calendar.add("x-wr-timezone", tour.days[0].zone)
    for zone in _zones(tour):
        calendar.add_component(zone)
    stamp = datetime.combine(tour.span.first, time(), UTC)
    for day in tour.days:
        for position, stop in enumerate(day.stops, 1):
            calendar.add_component(_event(tour, day, position, stop, stamp))
        if day.rest:
            calendar.add_component(_rest(day, day.rest, stamp))
    for gone in tour.withdrawn:
        calendar.add_component(_cancelled(gone, stamp))
    return bytes(calendar.to_ical(sorted=True))


def _zones(tour: Tour) -> list[Timezone]:
    """The rules of every time zone of the days, for the whole years around them."""
    names = dict.fromkeys([*(day.zone for day in tour.days), *(gone.zone for gone in tour.withdrawn)])
    years = [*tour.span, *(gone.starts_at.date() for gone in tour.withdrawn)]
    first, last = date(min(years).year - 1, 1, 1), date(max(years).year + 1, 12, 31)
    return [Timezone.from_tzid(name, first_date=first, last_date=last) for name in names if name != "UTC"]


def _event(tour: Tour, sheet: DaySheet, position: int, stop: DayStop, stamp: datetime) -> Event:
    event = _bare(f"visit-{stop.visit_id}@waymark", stamp, stop.sequence)
    event.add("dtstart", _moment(sheet.zone, stop.starts_at))
    event.add("dtend", _moment(sheet.zone, stop.ends_at))
    event.add("summary", f"{position}. {wording.stop_name(stop)}")
    event.add("location", stop.address or f"{stop.point.lat:.6f}, {stop.point.lon:.6f}")
    event["geo"] = vGeo((round(stop.point.lat, 6), round(stop.point.lon, 6)))
    event["url"] = vUri(navigation.to_place(stop.point, stop.account)[1].url)
    event.add("status", "CONFIRMED" if stop.appointment == "fixed" else "TENTATIVE")
    event.add("description", "\n".join([*_description(sheet, position, stop), "", *tour.attribution]))
    return event


def _rest(sheet: DaySheet, rest: Rest, stamp: datetime) -> Event:
    event = _bare(f"break-{sheet.day}-{sheet.login}@waymark", stamp, sum(stop.sequence for stop in sheet.stops))
    event.add("dtstart", _moment(sheet.zone, rest.starts_at))
    event.add("dtend", _moment(sheet.zone, rest.starts_at + timedelta(seconds=rest.seconds)))
    event.add("summary", "Break")
    return event


def _cancelled(gone: Withdrawn, stamp: datetime) -> Event:
    event = _bare(f"visit-{gone.visit_id}@waymark", stamp, gone.sequence)
    event.add("dtstart", _moment(gone.zone, gone.starts_at))
    event.add("dtend", _moment(gone.zone, gone.ends_at))
    event.add("summary", f"Cancelled: {gone.account}")
    event.add("status", "CANCELLED")
    event.add("transp", "TRANSPARENT")
    return event


def _bare(uid: str, stamp: datetime, sequence: int) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", stamp)
    event.add("sequence", sequence)
    return event


def _moment(zone: str, moment: datetime) -> datetime:
    """On the rep's clock, except in the hour that a change of clocks makes ambiguous: then in UTC."""
    local = wording.local(zone, moment)
    is_ambiguous = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return moment.astimezone(UTC) if is_ambiguous else local


def _description(sheet: DaySheet, position: int, stop: DayStop) -> list[str]:
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
    links = [f"{link.app}: {link.url}" for link in navigation.to_place(stop.point, stop.account)]
    if position == 1:
        whole = [f"{link.app}, stops {link.part}: {link.url}" for link in navigation.along_day(sheet)]
        links += ["", "The whole day", *whole]
    return [*lines, "", "Navigate", *links]
