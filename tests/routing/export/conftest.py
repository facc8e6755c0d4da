"""One small day that uses everything: accents, three scripts, dangerous texts, a guess, a left-out visit."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from geo.types import LonLat
from routing.export.tour import Span, Tour, Withdrawn
from routing.export.types import Anchor, DaySheet, DayStop, LeftOut, MapFeature, Rest
from routing.export.web_map import Assets
from routing.roads import polyline
from routing.roads.types import Leg

HOME, MILL, SHOP, FARM = LonLat(9.52, 47.14), LonLat(9.53, 47.15), LonLat(9.531, 47.15), LonLat(9.55, 47.17)


def moment(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


def leg(a: LonLat, b: LonLat, seconds: int, metres: int, estimated: bool = False) -> Leg:
    bend = LonLat(a.lon, b.lat)
    return Leg(seconds, metres, polyline.encode([a, b] if estimated else [a, bend, b]), estimated)


def day_sheet() -> DaySheet:
    return DaySheet(
        company="Alpenblick Handels AG",
        rep="Zoë Nováková",
        login="zoe",
        day=date(2026, 11, 24),
        zone="Europe/Vaduz",
        start=Anchor("Home", HOME),
        end=Anchor("Home", HOME),
        leaves_at=moment(7, 0),
        returns_at=moment(10, 0),
        stops=(
            DayStop(
                "v1",
                "Mühle Łódź & Söhne <AG>",
                MILL,
                moment(7, 10),
                moment(7, 30),
                moment(8, 0),
                leg(HOME, MILL, 600, 2100),
                account_number="007",
                account_class="A",
                site="Hauptsitz",
                address="Dorfstraße 1, 9490 Vaduz",
                phone="+423 233 11 22",
                objective='Spring range; ask for Ms. O\'Neil, "buyer"',
                why="12 days overdue, +4 min detour",
                appointment="fixed",
            ),
            DayStop(
                "v2",
                '=HYPERLINK("http://evil","x")</script>`${alert(1)}`{{7*7}}',
                SHOP,
                moment(8, 5),
                moment(8, 5),
                moment(8, 35),
                leg(MILL, SHOP, 60, 80),
                address="Κεντρική 5, Αθήνα",
                objective="Заказ → проверить ✓",
            ),
            DayStop(
                "v3", "Hofladen", FARM, moment(8, 55), moment(8, 55), moment(9, 40), leg(SHOP, FARM, 1200, 3300, True)
            ),
        ),
        last_leg=leg(FARM, HOME, 1200, 5100),
        rest=Rest(moment(8, 35), 1200),
        left_out=(
            LeftOut(
                "Bäckerei Ögg", "Closes before it can be reached.", "Open until 17:30.", "Gasse 2", LonLat(9.51, 47.16)
            ),
            LeftOut("Without a pin", "It has no place on the map."),
        ),
    )


SOURCES = ("© OpenStreetMap contributors, ODbL 1.0 (Liechtenstein, 2024-03-04)",)
BACKGROUND = (
    MapFeature("water", "river", {"type": "LineString", "coordinates": [[9.5, 47.13], [9.51, 47.18]]}),
    MapFeature("road", "primary", {"type": "LineString", "coordinates": [[9.515, 47.13], [9.54, 47.18]]}, "B1"),
    MapFeature(
        "landuse",
        "forest",
        {
            "type": "Polygon",
            "coordinates": [[[9.53, 47.16], [9.54, 47.16], [9.54, 47.17], [9.53, 47.16]]],
        },
    ),
    MapFeature("place", "town", {"type": "Point", "coordinates": [9.525, 47.145]}, "Vaduz"),
)


def tour_of(*sheets: DaySheet, withdrawn: tuple[Withdrawn, ...] = ()) -> Tour:
    """The days as they are exported together."""
    return Tour(Span(sheets[0].day, sheets[-1].day), sheets, withdrawn, SOURCES, BACKGROUND)


def week() -> Tour:
    """The day and the one after."""
    day = day_sheet()
    return tour_of(day, next_day(day))


def next_day(sheet: DaySheet) -> DaySheet:
    """The same work a day later, as visits of their own."""
    later = timedelta(days=1)
    stops = tuple(
        replace(
            stop,
            visit_id=f"{stop.visit_id}-next",
            arrives_at=stop.arrives_at + later,
            starts_at=stop.starts_at + later,
            ends_at=stop.ends_at + later,
        )
        for stop in sheet.stops
    )
    rest = sheet.rest and replace(sheet.rest, starts_at=sheet.rest.starts_at + later)
    return replace(
        sheet, day=sheet.day + later, leaves_at=sheet.leaves_at + later, returns_at=sheet.returns_at + later,
        stops=stops, rest=rest,
    )  # fmt: skip


@pytest.fixture
def sheet() -> DaySheet:
    return day_sheet()


@pytest.fixture
def tour() -> Tour:
    return tour_of(day_sheet())


VENDOR = Path(__file__).parents[3] / "server/web/static/vendor"


@pytest.fixture(scope="session")
def assets() -> Assets:
    """The real map library, as `python -m server.web.vendor` installs it."""
    if not (VENDOR / "leaflet.js").exists():
        pytest.skip("needs the browser libraries: python -m server.web.vendor")
    return Assets.of(VENDOR)
