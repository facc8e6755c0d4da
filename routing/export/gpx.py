"""The days for a navigation device: stops as waypoints, the drive as a track."""

from datetime import UTC

import gpxpy.gpx

from geo.types import LonLat
from routing.export import wording
from routing.export.tour import Tour
from routing.export.types import DaySheet
from routing.roads import polyline


def render(tour: Tour) -> bytes:
    """The GPX 1.1 file; each leg is a segment of its day's track, estimated ones say so in their own track."""
    gpx = gpxpy.gpx.GPX()
    gpx.creator = "Waymark"
    gpx.name = f"{tour.rep}, {wording.period(tour)}"
    gpx.description = "\n".join([wording.summary(*tour.days), f"Version {tour.mark}", *tour.attribution])
    gpx.time = tour.days[0].leaves_at.astimezone(UTC)
    gpx.copyright_author = "; ".join(tour.attribution) or None
    for day in tour.days:
        of_day = "" if tour.is_day else f"{day.day:%m-%d} "
        gpx.waypoints += [_start(day, of_day), *_stops(day, of_day), _end(day, of_day)]
        name = f"{day.rep}, {wording.day(day.day)}"
        gpx.tracks += [
            _track(name, [leg.polyline6 for leg in day.legs if not leg.estimated]),
            _track(f"{name} (estimated, straight line)", [leg.polyline6 for leg in day.legs if leg.estimated]),
        ]
    gpx.tracks = [track for track in gpx.tracks if track.segments]
    text: str = gpx.to_xml(version="1.1")
    return text.encode()


def _waypoint(point: LonLat, name: str, symbol: str, description: str) -> gpxpy.gpx.GPXWaypoint:
    return gpxpy.gpx.GPXWaypoint(
        latitude=round(point.lat, 6),
        longitude=round(point.lon, 6),
        name=wording.printable(name),
        symbol=symbol,
        description=wording.printable(description),
    )


def _start(sheet: DaySheet, of_day: str) -> gpxpy.gpx.GPXWaypoint:
    leave = f"Leave {wording.clock(sheet, sheet.leaves_at)}"
    return _waypoint(sheet.start.point, f"{of_day}Start: {sheet.start.name}", "Flag, Green", leave)


def _end(sheet: DaySheet, of_day: str) -> gpxpy.gpx.GPXWaypoint:
    back = f"Arrive {wording.clock(sheet, sheet.returns_at)}"
    return _waypoint(sheet.end.point, f"{of_day}End: {sheet.end.name}", "Flag, Red", back)


def _stops(sheet: DaySheet, of_day: str) -> list[gpxpy.gpx.GPXWaypoint]:
    waypoints = []
    for position, stop in enumerate(sheet.stops, 1):
        times = f"{wording.clock(sheet, stop.starts_at)}–{wording.clock(sheet, stop.ends_at)}"
        facts = [times, stop.address, stop.phone, stop.objective, stop.why]
        waypoint = _waypoint(
            stop.point, f"{of_day}{position:02d} {wording.stop_name(stop)}", "Pin, Blue", "\n".join(filter(None, facts))
        )
        waypoint.time = stop.arrives_at.astimezone(UTC)
        waypoints.append(waypoint)
    return waypoints


def _track(name: str, lines: list[str]) -> gpxpy.gpx.GPXTrack:
    track = gpxpy.gpx.GPXTrack(name=name)
    for line in lines:
        points = [gpxpy.gpx.GPXTrackPoint(latitude=lat, longitude=lon) for lon, lat in polyline.decode(line)]
        track.segments.append(gpxpy.gpx.GPXTrackSegment(points))
    return track
