"""The day for a geographic information system (RFC 7946)."""

import json
from typing import Any

from geo.types import LonLat
from routing.export.types import DaySheet
from routing.roads import polyline
from routing.roads.types import Leg


def render(sheet: DaySheet) -> bytes:
    """The GeoJSON file: anchors, stops, legs, and what was left out."""
    features = [
        _point(sheet.start.point, role="start", name=sheet.start.name, leaves_at=_time(sheet, sheet.leaves_at)),
        *_stops(sheet),
        _point(sheet.end.point, role="end", name=sheet.end.name, returns_at=_time(sheet, sheet.returns_at)),
        *(_leg(position, leg) for position, leg in enumerate(sheet.legs, 1)),
        *(
            _point(missed.point, role="left_out", account=missed.account, reason=missed.reason, remedy=missed.remedy)
            for missed in sheet.left_out
            if missed.point
        ),
    ]
    document = {
        "type": "FeatureCollection",
        "name": f"{sheet.day.isoformat()} {sheet.rep}",
        "rep": sheet.rep,
        "day": sheet.day.isoformat(),
        "zone": sheet.zone,
        "route_id": sheet.route_id,
        "drive_s": sheet.drive_s,
        "distance_m": sheet.metres,
        "service_s": sheet.service_s,
        "estimated": sheet.estimated,
        "attribution": list(sheet.attribution),
        "features": features,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _point(point: LonLat, **properties: object) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [round(point.lon, 6), round(point.lat, 6)]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _stops(sheet: DaySheet) -> list[dict[str, Any]]:
    return [
        _point(
            stop.point,
            role="stop",
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


def _leg(position: int, leg: Leg) -> dict[str, Any]:
    line = [[lon, lat] for lon, lat in polyline.decode(leg.polyline6)]
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": line},
        "properties": {
            "role": "leg",
            "position": position,
            "drive_s": leg.seconds,
            "distance_m": leg.metres,
            "estimated": leg.estimated,
        },
    }


def _time(sheet: DaySheet, time: Any) -> str:
    return sheet.local(time).isoformat(timespec="seconds")
