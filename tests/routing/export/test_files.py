"""Each file is read back by a program of its kind and says what the sheet says."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import gpxpy
import icalendar
import openpyxl
import pypdf
import pytest

from routing.export import geojson, gpx, ics, pdf, tables
from routing.export.types import DaySheet
from routing.roads import polyline

EVIL = '=HYPERLINK("http://evil","x")</script>`${alert(1)}`{{7*7}}'
SOURCE = "© OpenStreetMap contributors"


def test_the_calendar_has_an_event_per_visit_in_the_zone_of_the_rep(sheet: DaySheet) -> None:
    calendar = icalendar.Calendar.from_ical(ics.render(sheet))
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
    again = replace(sheet, planned_at=sheet.planned_at + timedelta(hours=1), stops=sheet.stops[::-1])
    before, after = (icalendar.Calendar.from_ical(ics.render(s)).walk("VEVENT") for s in (sheet, again))
    assert {str(event["UID"]) for event in before} == {str(event["UID"]) for event in after}
    assert int(after[0]["SEQUENCE"]) > int(before[0]["SEQUENCE"])


def test_the_calendar_keeps_lines_short_and_texts_escaped(sheet: DaySheet) -> None:
    lines = ics.render(sheet).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert str(icalendar.Calendar.from_ical(ics.render(sheet)).walk("VEVENT")[1]["SUMMARY"]) == f"2. {EVIL}"


def test_a_night_shift_over_the_change_of_clocks_keeps_its_moments(sheet: DaySheet) -> None:
    stop = sheet.stops[0]
    late = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    stop = replace(stop, arrives_at=late, starts_at=late, ends_at=late + timedelta(hours=1))
    event, *_rest = icalendar.Calendar.from_ical(ics.render(replace(sheet, stops=(stop,)))).walk("VEVENT")
    assert event["DTEND"].dt.astimezone(UTC) - event["DTSTART"].dt.astimezone(UTC) == timedelta(hours=1)


def test_the_track_has_waypoints_and_tells_estimated_legs_apart(sheet: DaySheet) -> None:
    read = gpxpy.parse(gpx.render(sheet).decode())
    assert [waypoint.name for waypoint in read.waypoints][1:3] == [
        "01 Mühle Łódź & Söhne <AG> – Hauptsitz",
        f"02 {EVIL}",
    ]
    assert [len(track.segments) for track in read.tracks] == [3, 1]
    assert "estimated" in read.tracks[1].name
    assert SOURCE in (read.description or "")


def test_a_control_character_does_not_break_the_track(sheet: DaySheet) -> None:
    stop = replace(sheet.stops[0], account="A\x00\x07B")
    assert gpxpy.parse(gpx.render(replace(sheet, stops=(stop,))).decode()).waypoints[1].name.startswith("01 AB")


def test_the_geojson_has_stops_and_legs_in_longitude_latitude(sheet: DaySheet) -> None:
    document = json.loads(geojson.render(sheet))
    roles = [feature["properties"]["role"] for feature in document["features"]]
    assert roles == ["start", "stop", "stop", "stop", "end", "leg", "leg", "leg", "leg", "left_out"]
    first = document["features"][1]
    assert first["geometry"]["coordinates"] == [9.53, 47.15]
    assert first["properties"]["starts_at"] == "2026-11-24T08:30:00+01:00"
    assert [f["properties"]["estimated"] for f in document["features"][5:9]] == [False, False, True, False]
    assert document["attribution"] == list(sheet.attribution)


def test_the_csv_reads_back_and_runs_no_formula(sheet: DaySheet) -> None:
    rows = list(csv.DictReader(io.StringIO(tables.csv_file(sheet).decode("utf-8-sig"))))
    assert [row["arrive"] for row in rows] == ["08:10", "09:05", "09:55"]
    assert rows[0]["account"] == "Mühle Łódź & Söhne <AG>"
    assert rows[0]["account_number"] == "007"
    assert rows[1]["account"] == f"'{EVIL}"
    assert rows[2]["estimated"] == "yes"
    assert not any(value[:1] in ("=", "+", "-", "@") for row in rows for value in row.values())


def test_the_workbook_keeps_texts_as_texts(sheet: DaySheet) -> None:
    book = openpyxl.load_workbook(io.BytesIO(tables.xlsx_file(sheet)))
    assert book.sheetnames == ["Stops", "Not planned", "Day"]
    stops = book["Stops"]
    assert stops["C2"].value == "007"
    assert stops["G2"].value == "+423 233 11 22"
    assert (stops["B3"].value, stops["B3"].data_type) == (EVIL, "s")
    assert book["Not planned"]["D2"].value == "Open until 17:30."
    assert any(SOURCE in str(row[1].value) for row in book["Day"].iter_rows())


def test_the_printed_sheet_says_everything_in_three_scripts(sheet: DaySheet) -> None:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.render(sheet))).pages)
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
    page = pypdf.PdfReader(io.BytesIO(pdf.render(sheet))).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    used = [font for font in fonts if font["/Subtype"] == "/TrueType"]
    assert used
    assert all("/FontFile2" in font["/FontDescriptor"] for font in used)


WRITERS = [ics.render, gpx.render, geojson.render, tables.csv_file, tables.xlsx_file, pdf.render]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_day_without_stops_is_a_day_too(sheet: DaySheet, writer: Callable[[DaySheet], bytes]) -> None:
    stay = replace(sheet.last_leg, seconds=0, metres=0, polyline6=polyline.encode([sheet.start.point] * 2))
    empty = replace(sheet, stops=(), last_leg=stay, left_out=(), background=(), attribution=())
    assert writer(empty)


def test_a_long_day_flows_over_pages(sheet: DaySheet) -> None:
    long = replace(sheet, stops=sheet.stops * 20)
    assert len(pypdf.PdfReader(io.BytesIO(pdf.render(long))).pages) > 3


def test_times_without_a_zone_are_refused(sheet: DaySheet) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        replace(sheet.stops[0], starts_at=datetime(2026, 11, 24, 8, 0))  # noqa: DTZ001
    with pytest.raises(ValueError, match="run backwards"):
        replace(sheet.stops[0], ends_at=sheet.stops[0].starts_at - timedelta(minutes=1))
