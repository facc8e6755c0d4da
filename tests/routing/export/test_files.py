"""Each file is read back by a program of its kind and says what the sheet says."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import gpxpy
import icalendar
import openpyxl
import pypdf
import pytest

from routing.export import geojson, gpx, ics, pdf, tables
from routing.export.tour import Span, Tour, Withdrawn
from routing.export.types import DaySheet
from routing.roads import polyline
from tests.routing.export.conftest import SOURCES, next_day, tour_of, week

EVIL = '=HYPERLINK("http://evil","x")</script>`${alert(1)}`{{7*7}}'
SOURCE = "© OpenStreetMap contributors"


def test_the_calendar_has_an_event_per_visit_in_the_zone_of_the_rep(sheet: DaySheet) -> None:
    calendar = icalendar.Calendar.from_ical(ics.render(tour_of(sheet)))
    first, *_rest = events = calendar.walk("VEVENT")
    assert len(events) == 4
    assert str(events[-1]["SUMMARY"]) == "Break"
    assert first["DTSTART"].params["TZID"] == "Europe/Vaduz"
    assert first["DTSTART"].dt.astimezone(UTC) == sheet.stops[0].starts_at
    assert first["DTEND"].dt.astimezone(UTC) == sheet.stops[0].ends_at
    assert first["SUMMARY"] == "1. Mühle Łódź & Söhne <AG> – Hauptsitz"
    assert "Phone: +423 233 11 22" in first["DESCRIPTION"]
    assert SOURCE in first["DESCRIPTION"]
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Vaduz"]


def test_planning_again_moves_events_instead_of_doubling_them(sheet: DaySheet) -> None:
    moved = tuple(replace(stop, sequence=stop.sequence + 1) for stop in sheet.stops)
    again = replace(sheet, stops=moved[::-1])
    before, after = (icalendar.Calendar.from_ical(ics.render(tour_of(s))).walk("VEVENT") for s in (sheet, again))
    assert {str(event["UID"]) for event in before} == {str(event["UID"]) for event in after}
    assert int(after[0]["SEQUENCE"]) > int(before[0]["SEQUENCE"])


def test_the_calendar_keeps_lines_short_and_texts_escaped(sheet: DaySheet) -> None:
    lines = ics.render(tour_of(sheet)).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert str(icalendar.Calendar.from_ical(ics.render(tour_of(sheet))).walk("VEVENT")[1]["SUMMARY"]) == f"2. {EVIL}"


def test_a_night_shift_over_the_change_of_clocks_keeps_its_moments(sheet: DaySheet) -> None:
    stop = sheet.stops[0]
    late = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    stop = replace(stop, arrives_at=late, starts_at=late, ends_at=late + timedelta(hours=1))
    event, *_rest = icalendar.Calendar.from_ical(ics.render(tour_of(replace(sheet, stops=(stop,))))).walk("VEVENT")
    assert event["DTEND"].dt.astimezone(UTC) - event["DTSTART"].dt.astimezone(UTC) == timedelta(hours=1)


def test_the_track_has_waypoints_and_tells_estimated_legs_apart(sheet: DaySheet) -> None:
    read = gpxpy.parse(gpx.render(tour_of(sheet)).decode())
    assert [waypoint.name for waypoint in read.waypoints][1:3] == [
        "01 Mühle Łódź & Söhne <AG> – Hauptsitz",
        f"02 {EVIL}",
    ]
    assert [len(track.segments) for track in read.tracks] == [3, 1]
    assert "estimated" in read.tracks[1].name
    assert SOURCE in (read.description or "")


def test_a_control_character_does_not_break_the_track(sheet: DaySheet) -> None:
    stop = replace(sheet.stops[0], account="A\x00\x07B")
    assert (
        gpxpy.parse(gpx.render(tour_of(replace(sheet, stops=(stop,)))).decode()).waypoints[1].name.startswith("01 AB")
    )


def test_the_geojson_has_stops_and_legs_in_longitude_latitude(sheet: DaySheet) -> None:
    document = json.loads(geojson.render(tour_of(sheet)))
    roles = [feature["properties"]["role"] for feature in document["features"]]
    assert roles == ["start", "stop", "stop", "stop", "end", "leg", "leg", "leg", "leg", "left_out"]
    first = document["features"][1]
    assert first["geometry"]["coordinates"] == [9.53, 47.15]
    assert first["properties"]["starts_at"] == "2026-11-24T08:30:00+01:00"
    assert [f["properties"]["estimated"] for f in document["features"][5:9]] == [False, False, True, False]
    assert document["attribution"] == list(SOURCES)


def test_the_csv_reads_back_and_runs_no_formula(sheet: DaySheet) -> None:
    rows = list(csv.DictReader(io.StringIO(tables.csv_file(tour_of(sheet)).decode("utf-8-sig"))))
    assert {row["day"] for row in rows} == {"2026-11-24"}
    assert [row["arrive"] for row in rows] == ["08:10", "09:05", "09:55"]
    assert rows[0]["account"] == "Mühle Łódź & Söhne <AG>"
    assert rows[0]["account_number"] == "007"
    assert rows[1]["account"] == f"'{EVIL}"
    assert rows[2]["estimated"] == "yes"
    assert not any(value[:1] in ("=", "+", "-", "@") for row in rows for value in row.values())


def test_the_workbook_keeps_texts_as_texts(sheet: DaySheet) -> None:
    book = openpyxl.load_workbook(io.BytesIO(tables.xlsx_file(tour_of(sheet))))
    assert book.sheetnames == ["Stops", "Not planned", "Days", "Sources"]
    stops = book["Stops"]
    assert stops["D2"].value == "007"
    assert stops["H2"].value == "+423 233 11 22"
    assert (stops["C3"].value, stops["C3"].data_type) == (EVIL, "s")
    assert book["Not planned"]["E2"].value == "Open until 17:30."
    assert SOURCE in str(book["Sources"]["A2"].value)


def test_the_printed_sheet_says_everything_in_three_scripts(sheet: DaySheet) -> None:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.render(tour_of(sheet)))).pages)
    for words in ("Zoë Nováková", "Mühle Łódź & Söhne <AG>", "Κεντρική 5, Αθήνα", "Заказ → проверить ✓", SOURCE):
        assert words in text
    for words in (
        "estimated, straight line",
        "not planned",
        "Break 20 min",
        "Closes before it can be reached.",
        "1 km",
        "page 1",
    ):
        assert words in text


def test_the_printed_sheet_carries_its_fonts(sheet: DaySheet) -> None:
    page = pypdf.PdfReader(io.BytesIO(pdf.render(tour_of(sheet)))).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    used = [font for font in fonts if font["/Subtype"] == "/TrueType"]
    assert used
    assert all("/FontFile2" in font["/FontDescriptor"] for font in used)


WRITERS = [ics.render, gpx.render, geojson.render, tables.csv_file, tables.xlsx_file, pdf.render]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_day_without_stops_is_a_day_too(sheet: DaySheet, writer: Callable[[Tour], bytes]) -> None:
    stay = replace(sheet.last_leg, seconds=0, metres=0, polyline6=polyline.encode([sheet.start.point] * 2))
    empty = replace(sheet, stops=(), last_leg=stay, left_out=())
    assert writer(replace(tour_of(empty), background=(), attribution=()))


def test_a_long_day_flows_over_pages(sheet: DaySheet) -> None:
    long = replace(sheet, stops=sheet.stops * 20)
    assert len(pypdf.PdfReader(io.BytesIO(pdf.render(tour_of(long)))).pages) > 3


def test_times_without_a_zone_are_refused(sheet: DaySheet) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        replace(sheet.stops[0], starts_at=datetime(2026, 11, 24, 8, 0))  # noqa: DTZ001
    with pytest.raises(ValueError, match="run backwards"):
        replace(sheet.stops[0], ends_at=sheet.stops[0].starts_at - timedelta(minutes=1))


def test_a_visit_that_does_not_take_place_is_cancelled_under_its_old_name(sheet: DaySheet) -> None:
    kept, gone = sheet.stops[0], sheet.stops[1]
    cancelled = Withdrawn(gone.visit_id, gone.account, sheet.zone, gone.starts_at, gone.ends_at, gone.sequence + 1)
    before = icalendar.Calendar.from_ical(ics.render(tour_of(sheet))).walk("VEVENT")[1]
    only = replace(sheet, stops=(kept,), rest=None)
    _kept, event = icalendar.Calendar.from_ical(ics.render(tour_of(only, withdrawn=(cancelled,)))).walk("VEVENT")
    assert (event["UID"], event["STATUS"]) == (before["UID"], "CANCELLED")
    assert event["SEQUENCE"] > before["SEQUENCE"]


@pytest.mark.parametrize("zone", ["Europe/Vaduz", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"])
def test_the_calendars_own_rules_give_the_same_moments_as_the_zone(sheet: DaySheet, zone: str) -> None:
    calendar = icalendar.Calendar.from_ical(ics.render(tour_of(replace(sheet, zone=zone))))
    for defined in calendar.walk("VTIMEZONE"):
        rules = defined.to_tz(lookup_tzid=False)
        for month in range(1, 13):
            noon = datetime(2026, month, 15, 12, 0)  # noqa: DTZ001
            assert noon.replace(tzinfo=rules).utcoffset() == noon.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    assert len(calendar.walk("VTIMEZONE")) == (zone != "UTC")


def test_a_rep_who_changes_the_zone_within_the_week_has_the_rules_of_both(sheet: DaySheet) -> None:
    tour = tour_of(sheet, replace(next_day(sheet), zone="Europe/London"))
    calendar = icalendar.Calendar.from_ical(ics.render(tour))
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Vaduz", "Europe/London"]
    assert {event["DTSTART"].params["TZID"] for event in calendar.walk("VEVENT")} == {"Europe/Vaduz", "Europe/London"}


def test_a_week_is_one_file_in_which_every_day_is_found() -> None:
    tour = week()
    events = icalendar.Calendar.from_ical(ics.render(tour)).walk("VEVENT")
    assert len({str(event["UID"]) for event in events}) == len(events) == 8
    read = gpxpy.parse(gpx.render(tour).decode())
    assert [waypoint.name.split()[0] for waypoint in read.waypoints] == ["11-24"] * 5 + ["11-25"] * 5
    features = json.loads(geojson.render(tour))["features"]
    assert {feature["properties"]["day"] for feature in features} == {"2026-11-24", "2026-11-25"}
    rows = list(csv.DictReader(io.StringIO(tables.csv_file(tour).decode("utf-8-sig"))))
    assert [(row["day"], row["position"]) for row in rows][2:4] == [("2026-11-24", "3"), ("2026-11-25", "1")]
    assert all(SOURCE in row["sources"] for row in rows)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.render(tour))).pages]
    assert "Tuesday 24 – Wednesday 25 November 2026" in pages[0]
    assert any("Wednesday 25 November 2026" in page and "Mühle" in page for page in pages[1:])


def test_a_span_is_written_and_read_the_same_way() -> None:
    for text in ("2026-11-24", "2026-11-23--2026-11-27"):
        assert str(Span.parse(text)) == text
    for text in ("", "2026-11-24--2026-11-23", "2026-11-24--2026-11-24", "20261124", "2026-11-01--2027-11-01"):
        with pytest.raises(ValueError):  # noqa: PT011
            Span.parse(text)


def test_a_tour_is_of_one_rep_and_in_order(sheet: DaySheet) -> None:
    with pytest.raises(ValueError, match="several reps"):
        tour_of(sheet, replace(next_day(sheet), login="otto"))
    with pytest.raises(ValueError, match="not in order"):
        Tour(Span.of(sheet.day, 2), (next_day(sheet), sheet))
