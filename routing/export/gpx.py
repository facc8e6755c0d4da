"""The day for a navigation device: stops as waypoints, the drive as a track."""

from datetime import UTC

import gpxpy.gpx

from geo.types import LonLat
from routing.export import wording
from routing.export.types import DaySheet
from routing.roads import polyline


def render(sheet: DaySheet) -> bytes:
    """The GPX 1.1 file; each leg is a segment of the track, estimated ones say so in their own track."""
    gpx = gpxpy.gpx.GPX()
    gpx.creator = "Waymark"
    gpx.name = f"{sheet.rep}, {wording.day(sheet.day)}"
    gpx.description = "\n".join([wording.summary(sheet), *sheet.attribution])
    gpx.time = sheet.planned_at.astimezone(UTC)
    gpx.copyright_author = "; ".join(sheet.attribution) or None
    gpx.waypoints = [_start(sheet), *_stops(sheet), _end(sheet)]
    gpx.tracks = [
        _track(gpx.name, [leg.polyline6 for leg in sheet.legs if not leg.estimated]),
        _track(f"{gpx.name} (estimated, straight line)", [leg.polyline6 for leg in sheet.legs if leg.estimated]),
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


def _start(sheet: DaySheet) -> gpxpy.gpx.GPXWaypoint:
    leave = f"Leave {wording.clock(sheet, sheet.leaves_at)}"
    return _waypoint(sheet.start.point, f"Start: {sheet.start.name}", "Flag, Green", leave)


def _end(sheet: DaySheet) -> gpxpy.gpx.GPXWaypoint:
    back = f"Arrive {wording.clock(sheet, sheet.returns_at)}"
    return _waypoint(sheet.end.point, f"End: {sheet.end.name}", "Flag, Red", back)


def _stops(sheet: DaySheet) -> list[gpxpy.gpx.GPXWaypoint]:
    waypoints = []
    for position, stop in enumerate(sheet.stops, 1):
        times = f"{wording.clock(sheet, stop.starts_at)}–{wording.clock(sheet, stop.ends_at)}"
        facts = [times, stop.address, stop.phone, stop.objective, stop.why]
        waypoint = _waypoint(
            stop.point, f"{position:02d} {wording.stop_name(stop)}", "Pin, Blue", "\n".join(filter(None, facts))
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
