"""All files of a tour together, with a manifest that proves what they are."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping

from routing.export import geojson, gpx, ics, pdf, tables, web_map, wording
from routing.export.tour import Tour
from routing.export.types import MANIFEST, MEDIA_TYPES, ExportFile

FORMAT = "waymark-export/2"
"""What a manifest calls itself."""
WRITERS: Mapping[str, Callable[[Tour], bytes]] = {
    "ics": ics.render,
    "gpx": gpx.render,
    "geojson": geojson.render,
    "csv": tables.csv_file,
    "xlsx": tables.xlsx_file,
    "pdf": pdf.render,
}
"""Every format that needs nothing but the tour, by its ending."""


def write(tour: Tour, assets: web_map.Assets) -> tuple[ExportFile, ...]:
    """Every file of the tour, the manifest last. The same tour and assets give the same bytes.

    Parameters
    ----------
    tour : Tour
        One rep's day or days.
    assets : Assets
        The map library for the web page.
    """
    files = [
        ExportFile(f"{tour.file_stem}.{ending}", MEDIA_TYPES[ending], writer(tour))
        for ending, writer in WRITERS.items()
    ]
    files.append(ExportFile(f"{tour.file_stem}.html", MEDIA_TYPES["html"], web_map.render(tour, assets)))
    return (*files, ExportFile(MANIFEST, MEDIA_TYPES["json"], _manifest(tour, files)))


def _manifest(tour: Tour, files: Iterable[ExportFile]) -> bytes:
    document = {
        "format": FORMAT,
        "company": tour.company,
        "rep": tour.rep,
        "login": tour.login,
        "span": str(tour.span),
        "version": tour.mark,
        "summary": wording.summary(*tour.days),
        "stops": sum(len(day.stops) for day in tour.days),
        "left_out": sum(len(day.left_out) for day in tour.days),
        "withdrawn": len(tour.withdrawn),
        "drive_s": sum(day.drive_s for day in tour.days),
        "distance_m": sum(day.metres for day in tour.days),
        "estimated": tour.estimated,
        "days": [
            {"day": day.day.isoformat(), "zone": day.zone, "stops": len(day.stops), "source": day.source}
            for day in tour.days
        ],
        "attribution": list(tour.attribution),
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
