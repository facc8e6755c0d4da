"""All files of a day together, with a manifest that proves what they are."""

import hashlib
import json
from collections.abc import Callable, Mapping

from routing.export import geojson, gpx, ics, pdf, tables, web_map, wording
from routing.export.types import MANIFEST, MEDIA_TYPES, DaySheet, ExportFile

_WRITERS: Mapping[str, Callable[[DaySheet], bytes]] = {
    "ics": ics.render,
    "gpx": gpx.render,
    "geojson": geojson.render,
    "csv": tables.csv_file,
    "xlsx": tables.xlsx_file,
    "pdf": pdf.render,
}


def write(sheet: DaySheet, assets: web_map.Assets) -> tuple[ExportFile, ...]:
    """Every file of the day, the manifest last. The same sheet and assets give the same bytes.

    Parameters
    ----------
    sheet : DaySheet
        The day.
    assets : Assets
        The map library for the web page.
    """
    files = [
        ExportFile(f"{sheet.file_stem}.{ending}", MEDIA_TYPES[ending], writer(sheet))
        for ending, writer in _WRITERS.items()
    ]
    files.append(ExportFile(f"{sheet.file_stem}.html", MEDIA_TYPES["html"], web_map.render(sheet, assets)))
    return (*files, ExportFile(MANIFEST, MEDIA_TYPES["json"], _manifest(sheet, files)))


def _manifest(sheet: DaySheet, files: list[ExportFile]) -> bytes:
    document = {
        "format": "waymark-export/1",
        "company": sheet.company,
        "rep": sheet.rep,
        "login": sheet.login,
        "day": sheet.day.isoformat(),
        "zone": sheet.zone,
        "route_id": sheet.route_id,
        "planned_at": sheet.local(sheet.planned_at).isoformat(timespec="seconds"),
        "summary": wording.summary(sheet),
        "stops": len(sheet.stops),
        "left_out": len(sheet.left_out),
        "drive_s": sheet.drive_s,
        "distance_m": sheet.metres,
        "estimated": sheet.estimated,
        "attribution": list(sheet.attribution),
        "files": [
            {
                "name": file.name,
                "media_type": file.media_type,
                "size": len(file.content),
                "sha256": hashlib.sha256(file.content).hexdigest(),
            }
            for file in files
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
