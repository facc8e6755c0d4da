"""The days for a geographic information system (RFC 7946)."""

import json
from collections.abc import Iterable
from typing import Any

from geo.types import LonLat
from routing.export.tour import Tour
from routing.export.types import DaySheet
from routing.roads import polyline
from routing.roads.types import Leg


def render(tour: Tour) -> bytes:
    """The GeoJSON file: anchors, stops and legs of every day, and what was left out."""
    document = {
        "type": "FeatureCollection",
        "name": f"{tour.span} {tour.rep}",
        "rep": tour.rep,
        "version": tour.mark,
        "days": [
            {
                "day": day.day.isoformat(),
                "zone": day.zone,
                "drive_s": day.drive_s,
                "distance_m": day.metres,
                "service_s": day.service_s,
                "estimated": day.estimated,
            }
            for day in tour.days
        ],
        "attribution": list(tour.attribution),
        "features": [feature for day in tour.days for feature in _features(day)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _features(sheet: DaySheet) -> list[dict[str, Any]]:
    day = sheet.day.isoformat()
    start, end = sheet.start, sheet.end
    return [
        _point(start.point, role="start", day=day, name=start.name, leaves_at=_time(sheet, sheet.leaves_at)),
        *_stops(sheet),
        _point(end.point, role="end", day=day, name=end.name, returns_at=_time(sheet, sheet.returns_at)),
        *(_leg(day, position, leg) for position, leg in enumerate(sheet.legs, 1)),
        *(
            _point(one.point, role="left_out", day=day, account=one.account, reason=one.reason, remedy=one.remedy)
            for one in sheet.left_out
            if one.point
        ),
    ]


def _point(point: LonLat, **properties: object) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [round(point.lon, 6), round(point.lat, 6)]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _stops(sheet: DaySheet) -> list[dict[str, Any]]:
    return [
        _point(
            stop.point,
            role="stop",
            day=sheet.day.isoformat(),
            position=position,
            visit_id=stop.visit_id,
            account=stop.account,
            account_number=stop.account_number,
            account_class=stop.account_class,
            site=stop.site,
            address=stop.address,
            phone=stop.phone,
            objective=stop.objective,
            why=stop.why,
            appointment=stop.appointment,
            arrives_at=_time(sheet, stop.arrives_at),
            starts_at=_time(sheet, stop.starts_at),
            ends_at=_time(sheet, stop.ends_at),
            drive_s=stop.leg.seconds,
            distance_m=stop.leg.metres,
            estimated=stop.leg.estimated,
        )
        for position, stop in enumerate(sheet.stops, 1)
    ]


def _leg(day: str, position: int, leg: Leg) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": _line(polyline.decode(leg.polyline6)),
        "properties": {
            "role": "leg",
            "day": day,
            "position": position,
            "drive_s": leg.seconds,
            "distance_m": leg.metres,
            "estimated": leg.estimated,
        },
    }


def _line(points: Iterable[tuple[float, float]]) -> dict[str, Any]:
    """A way; one over the antimeridian is cut there (RFC 7946, 3.1.9)."""
    parts: list[list[list[float]]] = [[]]
    for lon, lat in points:
        if parts[-1] and abs(lon - parts[-1][-1][0]) > 180:
            before, before_lat = parts[-1][-1]
            edge = 180.0 if before > 0 else -180.0
            step = lon + 2 * edge - before
            between = before_lat + (lat - before_lat) * ((edge - before) / step if step else 0)
            parts[-1].append([edge, between])
            parts.append([[-edge, between]])
        parts[-1].append([lon, lat])
    if len(parts) == 1:
        return {"type": "LineString", "coordinates": parts[0]}
    return {"type": "MultiLineString", "coordinates": parts}


def _time(sheet: DaySheet, time: Any) -> str:
    return sheet.local(time).isoformat(timespec="seconds")
