"""Writes the phone's map pack of a region from its base-map table."""

import hashlib
import math
from itertools import groupby
from pathlib import Path

import shapely
from sqlalchemy.orm import Session

from geo.mappack import ZOOMS, PackWriter, TileFeature, encode_tile
from geo.osm.reader import Progress
from server.regions.models import Region
from server.regions.queries import pack_column


def write_pack(session: Session, region: Region, progress: Progress | None = None) -> tuple[str, int]:
    """Write the pack; returns its SHA-256 and its size in bytes. An older file stays until the new one is whole."""
    columns = [(z, x, rows) for z in ZOOMS for x, rows in _columns(region.bbox or [], z)]
    region.map_pack.parent.mkdir(parents=True, exist_ok=True)
    with PackWriter(region.map_pack, _meta(region)) as pack:
        for done, (z, x, rows) in enumerate(columns, 1):
            deepest = 14 if z == ZOOMS[-1] else ZOOMS[ZOOMS.index(z) + 1] - 1
            found = pack_column(session, region.id, z, x, rows, deepest)
            for y, group in groupby(found, key=lambda row: int(row.y)):
                features = (TileFeature(row.layer, row.kind, row.name, shapely.from_wkb(row.geom)) for row in group)
                pack.add(z, x, y, encode_tile(features))
            if progress:
                progress(done, len(columns))
    return sha256_of(region.map_pack), region.map_pack.stat().st_size


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """The SHA-256 of a file, as hex digits."""
    digest, size, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            done += len(block)
            if progress:
                progress(done, size)
    return digest.hexdigest()


def _meta(region: Region) -> dict[str, str]:
    return {
        "region": region.sha12,
        "name": region.name,
        "data_date": region.data_date.isoformat() if region.data_date else "",
        "attribution": "; ".join(region.attribution),
        "bbox": ",".join(f"{value:.6f}" for value in region.bbox or []),
    }


def _columns(bbox: list[float], z: int) -> list[tuple[int, range]]:
    """Return the tile columns of a box with their rows from north to south."""
    if not bbox:
        return []
    west, south, east, north = bbox
    left, top = _tile(west, north, z)
    right, bottom = _tile(east, south, z)
    return [(x, range(top, bottom + 1)) for x in range(left, right + 1)]


def _tile(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Return the tile that holds a point."""
    size = 1 << z
    phi = math.radians(max(-85.05, min(85.05, lat)))
    y = (1 - math.asinh(math.tan(phi)) / math.pi) / 2
    return min(size - 1, int((lon + 180) / 360 * size)), min(size - 1, int(y * size))
