"""What writing the files of a rep's week costs, by format, and what a night of 50 reps and 5 days takes on two cores.

`python benchmarks/exports/run.py` needs neither network nor database. The week is made up: five days of 14 stops on
1,800 roads, forests and places. Milliseconds are CPU; beside the two slow formats stands a peer that draws the same
things the straightforward way (matplotlib's PDF; folium with an object per mark).
"""

import io
import math
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta

import folium
import matplotlib as mpl

from geo.types import LonLat
from routing.export import bundle, web_map
from routing.export.tour import Span, Tour
from routing.export.types import Anchor, DaySheet, DayStop, LeftOut, MapFeature, Rest
from routing.export.web_map import Assets
from routing.roads import polyline
from routing.roads.types import Leg
from server.plans.exporting.service import VENDOR

mpl.use("pdf")
REPS, DAYS, STOPS, CORES = 50, 5, 14, 2
MEASURED = 8
"""So many weeks are written; the night is as many times longer as there are more reps."""


def wander(chance: random.Random, start: LonLat, steps: int, size: float) -> list[LonLat]:
    """A line that mostly goes on as it went."""
    line, turn = [start], chance.uniform(0, 2 * math.pi)
    for _ in range(steps):
        turn += chance.gauss(0, 0.35)
        line.append(LonLat(line[-1].lon + size * math.cos(turn), line[-1].lat + size * 0.7 * math.sin(turn)))
    return line


def ground(chance: random.Random) -> tuple[MapFeature, ...]:
    """Roads, forests and places of a valley."""
    features = []

    def somewhere() -> LonLat:
        return LonLat(chance.uniform(9.45, 9.65), chance.uniform(47.05, 47.25))

    for number in range(1500):
        line = [[lon, lat] for lon, lat in wander(chance, somewhere(), 14, 0.0008)]
        kind = "primary" if number % 30 == 0 else "residential"
        features.append(MapFeature("road", kind, {"type": "LineString", "coordinates": line}))
    for _ in range(260):
        middle = somewhere()
        ring = [
            [middle.lon + 0.006 * r * math.cos(k / 20 * math.pi), middle.lat + 0.004 * r * math.sin(k / 20 * math.pi)]
            for k in range(40)
            if (r := chance.uniform(0.7, 1.0))
        ]
        features.append(MapFeature("landuse", "forest", {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}))
    for number in range(40):
        point = {"type": "Point", "coordinates": list(somewhere())}
        features.append(MapFeature("place", "village", point, f"Village {number}"))
    return tuple(features)


def leg(chance: random.Random, start: LonLat) -> Leg:
    """A drive of 120 corners."""
    return Leg(600, 6000, polyline.encode(wander(chance, start, 120, 0.0002)), estimated=False)


def sheet(chance: random.Random, rep: str, day: date) -> DaySheet:
    """One day."""
    home = Anchor("Home", LonLat(9.55, 47.15))
    at, stops, here = datetime(day.year, day.month, day.day, 7, tzinfo=UTC), [], home.point
    for number in range(STOPS):
        drive = leg(chance, here)
        here, at = polyline.decode(drive.polyline6)[-1], at + timedelta(minutes=10)
        stop = DayStop(
            f"{rep}-{day}-{number}", f"Customer {number} AG", here, at, at, at + timedelta(minutes=30), drive,
            account_number=f"K-{number}", account_class="A", address=f"Dorfstrasse {number}, 9490 Vaduz",
            phone="+423 233 11 22", why="12 days overdue; 4 min detour for a visit worth up to 3 h of driving.",
        )  # fmt: skip
        stops.append(stop)
        at += timedelta(minutes=30)
    missed = tuple(LeftOut(f"Missed {k}", "Other visits are worth more.", point=here) for k in range(12))
    start = stops[0].arrives_at - timedelta(minutes=10)
    return DaySheet(
        "Company", rep.title(), rep, day, "Europe/Vaduz", home, home, start, at, tuple(stops), leg(chance, here),
        Rest(stops[6].ends_at, 1800), missed,
    )  # fmt: skip


def week(number: int) -> Tour:
    """A rep's week; the same number is the same week."""
    chance, first = random.Random(number), date(2026, 11, 23)
    span = Span.of(first, DAYS)
    sheets = tuple(sheet(chance, f"rep{number:02}", day) for day in span)
    return Tour(span, sheets, (), ("© OpenStreetMap contributors, ODbL 1.0",), ground(chance))


def milliseconds(work: Callable[[], bytes]) -> tuple[float, int]:
    """The quicker of two runs, and how large what it wrote is."""
    times = []
    for _ in range(2):
        begin = time.process_time()
        written = work()
        times.append(time.process_time() - begin)
    return 1000 * min(times), len(written)


def by_matplotlib(tour: Tour) -> bytes:
    """The same maps, a page per day, as a program that draws figures would write them; no timetable."""
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    file = io.BytesIO()
    with PdfPages(file) as pages:
        for day in tour.days:
            figure = Figure(figsize=(8.3, 11.7))
            axes = figure.add_subplot()
            for feature in tour.background:
                coordinates = feature.geometry["coordinates"]
                if feature.layer == "road":
                    axes.plot(*zip(*coordinates, strict=True), color="#bbb", linewidth=0.5)
                elif feature.layer == "landuse":
                    axes.fill(*zip(*coordinates[0], strict=True), color="#dde9d8")
            for drive in day.legs:
                axes.plot(*zip(*polyline.decode(drive.polyline6), strict=True), color="#e4572e")
            pages.savefig(figure)
    return file.getvalue()


def by_folium(tour: Tour) -> bytes:
    """The same marks as objects of folium, without the timetable; the base map as one layer."""
    page = folium.Map(tiles=None)
    shapes = [feature.geometry for feature in tour.background if feature.layer != "place"]
    folium.GeoJson({"type": "GeometryCollection", "geometries": shapes}).add_to(page)
    for day in tour.days:
        for drive in day.legs:
            folium.PolyLine([(lat, lon) for lon, lat in polyline.decode(drive.polyline6)]).add_to(page)
            folium.Marker((47.1, 9.5), icon=folium.DivIcon("<i></i>")).add_to(page)
        for stop in day.stops:
            marker = folium.Marker((stop.point.lat, stop.point.lon), icon=folium.DivIcon("<b>1</b>"))
            folium.Tooltip(stop.account).add_to(marker)
            marker.add_to(page)
    for feature in tour.background:
        if feature.layer == "place":
            lon, lat = feature.geometry["coordinates"]
            folium.Marker((lat, lon), icon=folium.DivIcon(feature.name)).add_to(page)
    return page.get_root().render().encode()


def write_all(number: int) -> float:
    """Write all files of a week; CPU seconds of it, without making the week up."""
    tour, assets = week(number), Assets.of(VENDOR)
    begin = time.process_time()
    bundle.write(tour, assets)
    return time.process_time() - begin


def main() -> None:
    """Print the table, then the night."""
    tour, assets = week(0), Assets.of(VENDOR)
    writers: dict[str, Callable[[Tour], bytes]] = {**bundle.WRITERS, "html": lambda t: web_map.render(t, assets)}
    peers = {"pdf": ("matplotlib", by_matplotlib), "html": ("folium, an object per mark", by_folium)}
    print(f"One rep's week: {DAYS} days of {STOPS} stops, {len(tour.background)} features under the map")
    total = 0.0
    for name, writer in writers.items():
        spent, size = milliseconds(lambda writer=writer: writer(tour))
        total += spent
        line = f"  {name:8} {spent:7.0f} ms {size / 1000:8.0f} kB"
        if name in peers:
            peer, draw = peers[name]
            other, _size = milliseconds(lambda draw=draw: draw(tour))
            line += f"   {peer}: {other:.0f} ms, {other / spent:.1f} times as long"
        print(line)
    print(f"  together {total:7.0f} ms of CPU per rep's week, {total / DAYS:.0f} per day")
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(write_all, [0] * CORES))  # loading the writers does not count: workers run all night
        night = sum(pool.map(write_all, range(MEASURED))) * REPS / MEASURED
    print(f"A night: {REPS} weeks take {night:.0f} CPU s, {night / CORES:.0f} s on {CORES} cores that do nothing else")


if __name__ == "__main__":
    main()
